//go:build !unix || darwin

package desktop

// RaiseX11 does nothing: this system has no X server.
func RaiseX11(uint32, string) error { return nil }
