package app

import (
	"io"
	"log"
	"log/slog"
	"os"
	"path/filepath"

	"gopkg.in/natefinch/lumberjack.v2"
)

// openLog returns a logger that appends to the file at path and writes warnings
// to stderr as well. The file and its two predecessors hold at most 1 MB each and
// are readable by the user only. If the file cannot be written, everything from
// warnings on goes to stderr, beginning with the reason. Go's log package, which
// libraries use, is redirected to the logger. The returned function closes the
// file.
func openLog(path string, stderr io.Writer) (*slog.Logger, func()) {
	terminal := slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn})
	file := &lumberjack.Logger{Filename: path, MaxSize: 1, MaxBackups: 2} // MB
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		_, err = file.Write(nil) // opens the file
	}
	if err != nil {
		logger := slog.New(terminal)
		logger.Warn("the log file cannot be written", "error", err)
		return logger, func() {}
	}
	logger := slog.New(slog.NewMultiHandler(slog.NewTextHandler(file, nil), terminal))
	log.SetOutput(slogWriter{logger})
	log.SetFlags(0)
	return logger, func() {
		log.SetOutput(io.Discard)
		_ = file.Close() // nothing is buffered
	}
}

// slogWriter passes lines of Go's log package to a slog.Logger. The systray
// library reports its errors this way.
type slogWriter struct{ log *slog.Logger }

func (w slogWriter) Write(p []byte) (int, error) {
	w.log.Info("message from a library", "text", string(p))
	return len(p), nil
}
