package ui

import (
	"image/color"

	"fyne.io/fyne/v2/canvas"

	"porthole/monitor"
	"porthole/ui/tooltip"
	"porthole/ui/traffic"
)

// OpenTraffic opens the window with the traffic of l, or raises it if it is open.
func (w *Window) OpenTraffic(l *monitor.Listener) {
	if t := w.traffic[l.ID]; t != nil {
		t.Fyne().Show()
		t.Fyne().RequestFocus()
		return
	}
	t := traffic.New(w.app, l, w.actions, w.now)
	window, size := t.Fyne(), traffic.DefaultSize
	if w.FitScreen != nil {
		size = w.FitScreen(size)
	}
	window.Resize(size)
	w.traffic[l.ID] = t
	window.SetOnClosed(func() {
		delete(w.traffic, l.ID)
		t.Closed()
		tooltip.Reset()
		window.SetContent(canvas.NewRectangle(color.Transparent)) // see OpenProcess
		if w.OnProcessClosed != nil {
			w.OnProcessClosed()
		}
	})
	window.Show()
	t.Focus()
}
