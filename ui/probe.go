package ui

import (
	"porthole/monitor/connection"
	"porthole/ui/probe"
)

// ProbeRequest returns what the window needs from the next probe. Call it on Fyne's goroutine.
func (w *Window) ProbeRequest() probe.Request {
	var request probe.Request
	if w.stale {
		return request
	}
	if w.tabs.Name() == PagePorts {
		request.Count, request.Vacant, request.Firewall = w.ports.Listeners(), w.ports.VacantPorts(), w.ports.Exposed()
		if l := w.ports.Detailed(); l != nil {
			o, _ := l.Principal()
			request.Add(l, o)
		}
		for _, o := range w.ports.Unchecked() {
			request.AddProcess(o)
		}
	}
	for _, p := range w.processes {
		request.Rates = true
		p.AddTo(&request)
	}
	return request
}

// ShowProbe shows the result of a probe. Call it on Fyne's goroutine.
func (w *Window) ShowProbe(r probe.Result) {
	w.ports.ShowProbe(r)
	for _, p := range w.processes {
		p.ShowProbe(r)
	}
}

// ShowTotals shows the counts of connections of some listeners, by listener ID. Call it on Fyne's
// goroutine.
func (w *Window) ShowTotals(totals map[string]connection.Totals) { w.ports.ShowTotals(totals) }

// probeChanged reports that ProbeRequest has changed.
func (w *Window) probeChanged() {
	if w.OnProbeRequest != nil {
		w.OnProbeRequest()
	}
}
