//go:build cgo

package window

import (
	"os"

	"porthole/app/desktop"
)

// platformVariable is the environment variable with which Fyne chooses between X11 and Wayland.
const platformVariable = "FYNE_PLATFORM"

// choosePlatform makes Fyne use Wayland if the X server refuses this process, for example after
// a start from ssh or an old tmux, and returns the error if there is no Wayland display either.
// Fyne (2.8.1) prefers the X server on some desktops and panics if that refuses.
func choosePlatform() error {
	if os.Getenv(platformVariable) != "" {
		return nil // the user has chosen
	}
	err := desktop.CheckX11()
	if err == nil || !desktop.Current().HasWayland() {
		return err
	}
	return os.Setenv(platformVariable, "wayland")
}
