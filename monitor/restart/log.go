package restart

import (
	"bytes"
	"errors"
	"io"
	"os"
	"regexp"
	"strings"

	"porthole/monitor"
)

// colors are the control sequences of terminals that set colors and the like (ECMA-48,
// 5.4): many servers write them to logs as well.
var colors = regexp.MustCompile("\x1b\\[[0-?]*[ -/]*[@-~]")

// Tail returns the last lines of a log, clean and with secrets masked, at most n of the
// last 8 KiB. Without the beginning of a line its secrets can't be found, so such a line
// is left out. It returns nil if the log can't be read.
func Tail(log string, n int) []string {
	const most = 8 << 10
	f, err := os.Open(log)
	if err != nil {
		return nil
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil
	}
	text := make([]byte, min(info.Size(), most))
	read, err := f.ReadAt(text, info.Size()-int64(len(text))) // less if it has just been truncated
	if err != nil && !errors.Is(err, io.EOF) {
		return nil
	}
	text = text[:read]
	if info.Size() > most {
		_, text, _ = bytes.Cut(text, []byte("\n"))
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		if line = monitor.CleanMasked(colors.ReplaceAllString(line, ""), 200); strings.TrimSpace(line) != "" {
			lines = append(lines, line)
		}
	}
	return lines[max(len(lines)-n, 0):]
}
