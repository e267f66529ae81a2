//go:build unix

package terminal

import (
	"os"
	"syscall"
)

// isOwn reports whether path is a socket of this user.
func isOwn(path string) bool {
	info, err := os.Stat(path)
	if err != nil || info.Mode()&os.ModeSocket == 0 {
		return false
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(s.Uid) == os.Getuid()
}
