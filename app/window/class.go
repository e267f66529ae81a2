//go:build cgo

package window

import (
	"github.com/go-gl/glfw/v3.4/glfw"

	"porthole/app/paths"
)

// setWindowClass gives the X11 windows of this process the name of the desktop entry
// (WM_CLASS, ICCCM 4.1.2.5; StartupWMClass in the entry), by which panels find their icon
// and group them. GLFW would take the title, and Fyne (2.8.1) names only Wayland windows.
// It must be called on the main goroutine after the first window was created and before
// it is shown.
func setWindowClass() {
	glfw.WindowHintString(glfw.X11InstanceName, paths.AppID)
	glfw.WindowHintString(glfw.X11ClassName, paths.AppID)
}
