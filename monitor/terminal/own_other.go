//go:build !unix

package terminal

// isOwn reports false: there is no tmux on this system.
func isOwn(string) bool { return false }
