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

// openLog opens $XDG_STATE_HOME/porthole/porthole.log, which is kept small, and
// writes warnings to stderr as well. Where the file cannot be written, all goes
// to stderr. Libraries that use Go's log package are led there too.
func openLog() (*slog.Logger, func()) {
	path := filepath.Join(xdg.StateHome, "porthole", "porthole.log")
	terminal := slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		logger := slog.New(terminal)
		logger.Warn("no log is kept", "problem", err)
		return logger, func() {}
	}
	file := &lumberjack.Logger{Filename: path, MaxSize: 1, MaxBackups: 2} // MB
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
