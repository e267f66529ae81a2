//go:build !linux

package process

// leaderEnded is not to be found out here.
func leaderEnded(int) bool { return false }

// preload is Linux's.
func preload(int) string { return "" }
