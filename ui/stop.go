package ui

import (
	"slices"

	"fyne.io/fyne/v2"

	"porthole/monitor"
	"porthole/ui/stop"
)

// askStop shows a dialog over window that asks whether to stop owners, which hold listeners. closed
// is called when the dialog has closed.
func (w *Window) askStop(window fyne.Window, owners []monitor.Owner, listeners []*monitor.Listener, closed func()) {
	if w.stale || len(owners) == 0 {
		return
	}
	if w.stopping != nil {
		w.stopping.Window().RequestFocus() // one dialog at a time
		return
	}
	if window.Canvas().Overlays().Top() != nil {
		return // another overlay is open
	}
	request := stop.Request{Owners: owners, Listeners: listeners, Snapshot: w.snapshot}
	w.stopping = stop.Open(window, request, w.actions, w.now, w.wasStopped, func() {
		w.stopping = nil
		closed()
	})
}

// wasStopped notes in the process windows that the user stopped their processes.
func (w *Window) wasStopped(s stop.Stopped) {
	for _, p := range w.processes {
		if slices.ContainsFunc(s.Owners, p.Owner().Same) {
			p.StoppedByUser(s.At, s.Forced)
		}
	}
}

// ownersOf returns the owners of listeners, each once.
func ownersOf(listeners []*monitor.Listener) (owners []monitor.Owner) {
	for _, l := range listeners {
		for _, o := range l.Owners {
			if !slices.ContainsFunc(owners, o.Same) {
				owners = append(owners, o)
			}
		}
	}
	return owners
}
