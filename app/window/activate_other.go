//go:build cgo && !linux

package window

// activateSurface reports that no activation is needed: only Wayland needs it.
func activateSurface(uintptr, string) bool { return false }
