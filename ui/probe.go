package ui

import (
	"porthole/ui/probe"
)

// ProbeRequest returns what the window wants to be looked at now.
func (w *Window) ProbeRequest() probe.Request {
	var wanted probe.Request
	if w.stale {
		return wanted
	}
	if w.tabs.Name() == PagePorts {
		wanted.Count = w.ports.Listeners()
		if l := w.ports.Detailed(); l != nil {
			o, _ := l.Principal()
			wanted.Add(l, o)
		}
	}
	for _, p := range w.processes {
		p.AddTo(&wanted)
	}
	return wanted
}

// ShowProbe shows what a look at Wanted told.
func (w *Window) ShowProbe(v probe.Result) {
	w.ports.ShowProbe(v)
	for _, p := range w.processes {
		p.ShowProbe(v)
	}
}

// probeChanged says that there is something new to be looked at.
func (w *Window) probeChanged() {
	if w.OnProbeRequest != nil {
		w.OnProbeRequest()
	}
}
