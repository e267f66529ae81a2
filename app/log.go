package app

import (
	"io"
	"log"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/adrg/xdg"
	"gopkg.in/natefinch/lumberjack.v2"
)

// logPath is where the log is.
func logPath() string { return filepath.Join(xdg.StateHome, "porthole", "porthole.log") }

// openLog opens the log at path, which is kept small and is the user's alone, and
// writes warnings to stderr as well. Where the file cannot be written they go
// there alone, and that is said. Libraries that use Go's log package are led there too.
func openLog(path string, stderr io.Writer) (*slog.Logger, func()) {
	terminal := slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn})
	file := &lumberjack.Logger{Filename: path, MaxSize: 1, MaxBackups: 2} // MB
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		_, err = file.Write(nil) // which opens it
	}
	if err != nil {
		logger := slog.New(terminal)
		logger.Warn("no log is kept", "problem", err)
		return logger, func() {}
	}
	logger := slog.New(slog.NewMultiHandler(slog.NewTextHandler(file, nil), terminal))
	log.SetOutput(slogWriter{logger})
	log.SetFlags(0)
	return logger, func() {
		log.SetOutput(io.Discard)
		_ = file.Close() // every line was written when it was logged
	}
}

// slogWriter takes the lines of libraries: systray reports its troubles so.
type slogWriter struct{ log *slog.Logger }

func (w slogWriter) Write(p []byte) (int, error) {
	w.log.Info("a library says", "text", string(p))
	return len(p), nil
}
