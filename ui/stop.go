package ui

import (
	"slices"

	"fyne.io/fyne/v2"

	"porthole/monitor"
	"porthole/ui/stop"
)

// askStop asks over window whether owners are to be stopped, who hold listeners. over is called
// when the dialog has closed.
func (w *Window) askStop(window fyne.Window, owners []monitor.Owner, listeners []*monitor.Listener, over func()) {
	if w.stale || len(owners) == 0 {
		return
	}
	if w.stopping != nil {
		w.stopping.Window().RequestFocus() // one at a time
		return
	}
	if window.Canvas().Overlays().Top() != nil {
		return // something else is asked
	}
	q := stop.Request{Owners: owners, Listeners: listeners, Snapshot: w.snapshot}
	w.stopping = stop.Open(window, q, w.actions, w.now, w.wasStopped, func() {
		w.stopping = nil
		over()
	})
}

// wasStopped has the windows of processes say that the user stopped them.
func (w *Window) wasStopped(s stop.Stopped) {
	for _, p := range w.processes {
		if slices.ContainsFunc(s.Owners, p.Owner().Same) {
			p.StoppedByUser(s.At, s.Forced)
		}
	}
}
