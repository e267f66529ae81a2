//go:build !linux

package paths

// NameProcess does nothing: the name of a process is that of its file.
func NameProcess() {}
