//go:build !unix || darwin

package desktop

// CheckX11 returns nil: this system has no X server.
func CheckX11() error { return nil }

// RaiseX11 does nothing: this system has no X server.
func RaiseX11(uint32, string) error { return nil }
