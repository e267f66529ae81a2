//go:build cgo

package window

import (
	"time"

	"fyne.io/fyne/v2"
)

// sharpener paints texts again at the scale of the screen. On Wayland a window learns that
// scale after its first frame, and Fyne (2.8.1) finds the textures of the first texts again: at
// 150 or 200 % they stay blurred until they change. It belongs to Fyne's goroutine.
type sharpener struct{ scales map[fyne.Window]float32 }

// check paints the windows again whose scale has changed since the last call.
func (s *sharpener) check(windows []fyne.Window) {
	scales := make(map[fyne.Window]float32, len(windows))
	for _, w := range windows {
		before, known := s.scales[w]
		if !known {
			before = 1 // at first Fyne takes the scale for 1
		}
		scales[w] = pixelScale(w.Canvas())
		if scales[w] != before {
			repaint(w)
		}
	}
	s.scales = scales
}

// forget makes check paint w again if its scale is not 1.
func (s *sharpener) forget(w fyne.Window) { delete(s.scales, w) }

// pixelScale returns the number of pixels of a device-independent pixel.
func pixelScale(c fyne.Canvas) float32 {
	const long = 1000 // pixel coordinates are whole numbers
	x, _ := c.PixelCoordinateForPosition(fyne.NewPos(long, 0))
	return float32(x) / long
}

// repaint paints everything in w again. Fyne frees the textures of texts only when a window gets
// content; that takes the focus away.
func repaint(w fyne.Window) {
	focused := w.Canvas().Focused()
	w.SetContent(w.Content())
	if focused != nil {
		w.Canvas().Focus(focused)
	}
}

// scaleTime is when the window usually knows the scale of its screen, after it was shown.
const scaleTime = 100 * time.Millisecond

// sharpen paints windows again that have learned the scale or the size that the compositor gives
// them. The first frame may be cut to the size before: Fyne (2.8.1) paints before a window is
// visible, GLFW (3.4) does not show that frame, and Mesa takes its buffer for the next one.
func (p *program) sharpen() {
	if !p.wayland || p.loopEnded {
		return
	}
	windows := p.app.Driver().AllWindows()
	p.sharpener.check(windows)
	for _, w := range windows {
		w.Canvas().Refresh(w.Content())
	}
}

// sharpenSoon calls sharpen when a window that is mapped now knows the scale of its screen.
func (p *program) sharpenSoon() { time.AfterFunc(scaleTime, func() { p.do(p.sharpen) }) }
