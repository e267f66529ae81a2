//go:build unix

package restart

import (
	"os"

	"golang.org/x/sys/unix"
)

// markInUse marks a log as used by this process and those that inherit f. The mark is a lock of
// the open file, which ends when the last of them has closed it (flock(2)).
func markInUse(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_SH) }

// inUse reports whether a process has the log open that markInUse has marked.
func inUse(log string) bool {
	f, err := os.Open(log)
	if err != nil {
		return true // it is not ours
	}
	defer f.Close()
	return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil
}
