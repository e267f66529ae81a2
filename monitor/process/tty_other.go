//go:build !linux

package process

// PseudoTerminal returns "": this is read on Linux only.
func PseudoTerminal(int) string { return "" }
