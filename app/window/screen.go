//go:build cgo

package window

import (
	"fyne.io/fyne/v2"
	"github.com/go-gl/glfw/v3.4/glfw"

	"porthole/ui"
)

// Maximum size of window decorations in pixels.
const (
	titleBarHeight = 40
	borderWidth    = 8 // both sides together
)

// panelHeight is the height in logical pixels of a panel for which there must be room on Wayland, which reports
// whole screens only.
const panelHeight = 48

// fitToScreen limits size to that of the largest screen: the size may come from a
// window on a screen that has been disconnected. It uses GLFW because Fyne has no API
// for screens. It must be called on Fyne's goroutine after the window was created.
func (p *program) fitToScreen(size fyne.Size) fyne.Size {
	scale := p.window.Fyne().Canvas().Scale()
	var room fyne.Size
	for _, m := range glfw.GetMonitors() {
		_, _, width, height := m.GetWorkarea() // on X11 without panels
		if p.wayland {
			x, y := m.GetContentScale() // rounded up: Wayland tells no program a fractional scale
			width, height = int(float32(width)/x), int(float32(height)/y)-panelHeight
		}
		room = room.Max(fyne.NewSize(float32(width-borderWidth)/scale, float32(height-titleBarHeight)/scale))
	}
	return limitSize(size, room)
}

// fit makes the window smaller if it does not fit on the screen.
func (p *program) fit() {
	if size := p.fitToScreen(p.size); size != p.size {
		p.window.Fyne().Resize(size)
	}
}

// position returns the position of the window; nil on Wayland, where windows have none.
func (p *program) position() (at *ui.Position) {
	if p.wayland {
		return nil
	}
	p.withNative(func(w *glfw.Window) {
		x, y := w.GetPos()
		at = &ui.Position{X: x, Y: y}
	})
	return at
}

// moveTo moves the window to a position of an earlier window if that is on a screen, or so
// near that all of the window is on it. at may be nil.
func (p *program) moveTo(at *ui.Position) {
	if at == nil || p.wayland {
		return
	}
	for _, m := range glfw.GetMonitors() {
		x, y, width, height := m.GetWorkarea()
		if at.X >= x && at.Y >= y && at.X < x+width && at.Y < y+height {
			p.withNative(func(w *glfw.Window) {
				ownWidth, ownHeight := w.GetSize()
				left, top, right, bottom := w.GetFrameSize()
				w.SetPos(clamp(at.X, x+left, x+width-ownWidth-right), clamp(at.Y, y+top, y+height-ownHeight-bottom))
			})
			return
		}
	}
}

// clamp returns the number nearest to n that is at most last and, above all, at least first.
func clamp(n, first, last int) int { return max(min(n, last), first) }

// withNative calls do with the GLFW window. It does nothing after Fyne's loop. Fyne has no API for it: the current OpenGL context belongs to the window.
func (p *program) withNative(do func(*glfw.Window)) {
	w, ok := p.window.Fyne().(interface{ RunWithContext(func()) })
	if !ok || !p.shown || p.loopEnded {
		return
	}
	w.RunWithContext(func() {
		if native := glfw.GetCurrentContext(); native != nil {
			do(native)
		}
	})
}

// limitSize returns size limited to room. If no screen is known (room is not
// positive), it returns size.
func limitSize(size, room fyne.Size) fyne.Size {
	if room.Width <= 0 || room.Height <= 0 {
		return size
	}
	return size.Min(room)
}
