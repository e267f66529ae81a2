//go:build !unix || darwin

package desktop

// XftScale returns false: there is no X server.
func XftScale() (scale float64, ok bool) { return 0, false }
