package restart

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// keepLogs is how long the log of a process that has ended is kept after its last line.
const keepLogs = 30 * 24 * time.Hour

// RemoveOldLogs removes the logs in the folder of log that nothing has written to for 30 days,
// except those of processes that still run. It is safe for concurrent use.
func RemoveOldLogs(log string) error {
	before := time.Now().Add(-keepLogs)
	logs, err := filepath.Glob(filepath.Join(filepath.Dir(log), "*.log"))
	var failed []error
	for _, log := range logs {
		if info, err := os.Lstat(log); err != nil || !info.Mode().IsRegular() || !info.ModTime().Before(before) || inUse(log) {
			continue
		}
		if err := os.Remove(log); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = append(failed, fmt.Errorf("remove an old log: %w", err))
		}
	}
	return errors.Join(append(failed, err)...)
}
