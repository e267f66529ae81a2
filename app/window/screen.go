//go:build cgo

package window

import (
	"fyne.io/fyne/v2"
	"github.com/go-gl/glfw/v3.4/glfw"
)

// What a window manager puts around a window, at the most, in pixels: the title
// bar, and two edges.
const (
	titleBarHeight = 40
	borderWidth    = 8
)

// fitToScreen is size, or as much of it as the largest screen has room for: a window
// that was left on a screen that has gone since is larger than what is left.
// Fyne does not tell of screens, GLFW below it does. It must be called on Fyne's
// goroutine, when there is a window.
func (p *program) fitToScreen(size fyne.Size) fyne.Size {
	scale := p.window.Fyne().Canvas().Scale()
	var room fyne.Size
	for _, m := range glfw.GetMonitors() {
		_, _, width, height := m.GetWorkarea() // without panels
		room = room.Max(fyne.NewSize(float32(width-borderWidth)/scale, float32(height-titleBarHeight)/scale))
	}
	return limitSize(size, room)
}

// limitSize is size where room has room for it; where no screen is there nobody
// knows better.
func limitSize(size, room fyne.Size) fyne.Size {
	if room.Width <= 0 || room.Height <= 0 {
		return size
	}
	return size.Min(room)
}
