//go:build !linux

package agent

// releaseFilePages does nothing: only Linux counts such pages as memory of the process.
func releaseFilePages() error { return nil }
