//go:build !linux

package process

// sharesMounts is true: only Linux has mount namespaces.
func sharesMounts(int) bool { return true }

// MountOf returns "": mount points are known on Linux only.
func MountOf(string) string { return "" }
