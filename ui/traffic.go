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
	w.showTraffic(l.ID, func() *traffic.Window { return traffic.New(w.app, l, w.actions, w.now) })
}

// OpenTrafficFile opens the window with the traffic in a HAR, pcapng or pcap file, or
// raises it if it is open.
func (w *Window) OpenTrafficFile(path string) {
	w.showTraffic("file:"+path, func() *traffic.Window { return traffic.NewFile(w.app, path, w.actions, w.now) })
}

// showTraffic opens a traffic window, or raises it if it is open.
func (w *Window) showTraffic(key string, create func() *traffic.Window) {
	if t := w.traffic[key]; t != nil {
		t.Fyne().Show()
		t.Fyne().RequestFocus()
		return
	}
	t := create()
	t.OnOpenFile = w.OpenTrafficFile
	window, size := t.Fyne(), traffic.DefaultSize
	if w.FitScreen != nil {
		size = w.FitScreen(size)
	}
	window.Resize(size)
	w.traffic[key] = t
	window.SetOnClosed(func() {
		delete(w.traffic, key)
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
