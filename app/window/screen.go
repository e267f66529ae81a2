//go:build cgo

package window

import (
	"fyne.io/fyne/v2"
	"github.com/go-gl/glfw/v3.4/glfw"
)

// Maximum size of window decorations in pixels.
const (
	titleBarHeight = 40
	borderWidth    = 8 // both sides together
)

// fitToScreen limits size to that of the largest screen: the size may come from a
// window on a screen that has been disconnected. It uses GLFW because Fyne has no API
// for screens. It must be called on Fyne's goroutine after the window was created.
func (p *program) fitToScreen(size fyne.Size) fyne.Size {
	scale := p.window.Fyne().Canvas().Scale()
	var room fyne.Size
	for _, m := range glfw.GetMonitors() {
		_, _, width, height := m.GetWorkarea() // without panels
		room = room.Max(fyne.NewSize(float32(width-borderWidth)/scale, float32(height-titleBarHeight)/scale))
	}
	return limitSize(size, room)
}

// limitSize returns size limited to room. If no screen is known (room is not
// positive), it returns size.
func limitSize(size, room fyne.Size) fyne.Size {
	if room.Width <= 0 || room.Height <= 0 {
		return size
	}
	return size.Min(room)
}
