package restart

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// keepLogs is how long the log of a process that has ended is kept after its last line.
const keepLogs = 30 * 24 * time.Hour

// removeOldLogs removes the logs of a folder that were last written before a time, except those
// of processes that still run.
func removeOldLogs(folder string, before time.Time) error {
	logs, err := filepath.Glob(filepath.Join(folder, "*.log"))
	var failed []error
	for _, log := range logs {
		if info, err := os.Lstat(log); err != nil || !info.Mode().IsRegular() || !info.ModTime().Before(before) || inUse(log) {
			continue
		}
		if err := os.Remove(log); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = append(failed, err)
		}
	}
	return errors.Join(append(failed, err)...)
}
