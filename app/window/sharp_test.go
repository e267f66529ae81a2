//go:build cgo

package window

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/software"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"
)

// content counts how often a window gets its content.
type contentCounter struct {
	fyne.Window
	times int
}

func (c *contentCounter) SetContent(o fyne.CanvasObject) {
	c.times++
	c.Window.SetContent(o)
}

func TestWindowIsPaintedAgainWhenItsScaleIsKnown(t *testing.T) {
	app := test.NewTempApp(t)
	entry := widget.NewEntry()
	w := &contentCounter{Window: app.NewWindow("x")}
	w.Window.SetContent(entry)
	w.Canvas().Focus(entry)
	var s sharpener
	for i, step := range []struct {
		scale float32
		times int
	}{{1, 0}, {1, 0}, {2, 1}, {2, 1}, {1.5, 2}, {1, 3}} {
		w.Canvas().(software.WindowlessCanvas).SetScale(step.scale)
		s.check([]fyne.Window{w})
		if w.times != step.times || w.Canvas().Focused() != entry {
			t.Errorf("step %d: painted %d times, focused %v; want %d times and the entry", i, w.times, w.Canvas().Focused(), step.times)
		}
	}
}
