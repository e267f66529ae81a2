//go:build !linux

package process

// sharesMounts is true: only Linux has mount namespaces.
func sharesMounts(int) bool { return true }
