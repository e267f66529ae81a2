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

// write makes the file, in one step.
func (e Entry) write() error {
	if err := os.MkdirAll(filepath.Dir(e.place), 0o755); err != nil {
		return fmt.Errorf("make the folder of the autostart file: %w", err)
	}
	if err := atomic.WriteFile(e.place, strings.NewReader(content(e.program))); err != nil {
		return fmt.Errorf("write the autostart file: %w", err)
	}
	return nil
}

func (e Entry) remove() error {
	if err := os.Remove(e.place); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the autostart file: %w", err)
	}
	return nil
}
