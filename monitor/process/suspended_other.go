//go:build !linux

package process

// IsSuspended returns false: only Linux's /proc is read for it.
func IsSuspended(int) bool { return false }

// IsFrozen returns false: only Linux has control groups.
func IsFrozen(int) bool { return false }
