//go:build unix

package autostart

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/natefinch/atomic"
)

// write creates or replaces the file atomically.
func (e Entry) write() error {
	if err := os.MkdirAll(filepath.Dir(e.location), 0o755); err != nil {
		return fmt.Errorf("create the folder of the autostart file: %w", err)
	}
	if err := atomic.WriteFile(e.location, strings.NewReader(content(e.program))); err != nil {
		return fmt.Errorf("write the autostart file: %w", err)
	}
	return nil
}

func (e Entry) remove() error {
	if err := os.Remove(e.location); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the autostart file: %w", err)
	}
	return nil
}

// readFile returns the text of a file, "" if it does not exist.
func readFile(path string) (string, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read the autostart file: %w", err)
	}
	return string(b), nil
}
