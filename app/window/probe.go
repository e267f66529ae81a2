//go:build cgo

package window

import (
	"context"
	"log/slog"
	"time"

	"porthole/monitor"
	"porthole/monitor/connection/source"
	"porthole/monitor/process"
	"porthole/ui"
)

// How often the window's process looks at who is connected, and how many. Each
// look changes words, and for each word Fyne paints its whole window: without a
// graphics card that is one to three hundredths of a second of a processor.
const probeInterval = 2 * time.Second

// prober looks at what the window wants while it is open, on one goroutine.
type prober struct {
	request   func() (ui.ProbeRequest, bool) // asks the window; false where it has ended
	show      func(ui.ProbeResult)
	tick      func()         // a second has passed
	source    *source.Source // nil where connections cannot be read
	countedAt time.Time
	failing   bool // the last look did; said once
	log       *slog.Logger
}

// run lets each second pass, and looks every lookEvery, at the first time and
// after each nudge at once. It ends with ctx.
func (w *prober) run(ctx context.Context, nudge <-chan struct{}) {
	var err error
	if w.source, err = source.Open(); err != nil {
		w.log.Warn("who is connected cannot be read here", "problem", err)
	} else {
		defer func() { _ = w.source.Close() }() // nothing was written to it
	}
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for next := time.Duration(0); ; {
		if next <= 0 {
			wanted, ok := w.request()
			if !ok {
				return
			}
			w.show(w.probe(ctx, wanted, time.Now()))
			next = probeInterval
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			next -= time.Second
			w.tick()
		case <-nudge:
			next = 0
		}
	}
}

// probe looks once. What was not wanted, or cannot be had, is nil.
func (w *prober) probe(ctx context.Context, wanted ui.ProbeRequest, now time.Time) ui.ProbeResult {
	live := ui.ProbeResult{At: now, Processes: make(map[ui.ProcessID]monitor.ProcessState, len(wanted.Processes))}
	for _, o := range wanted.Processes {
		live.Processes[ui.ProcessID{PID: o.PID, Start: o.Start}] = process.State(o)
	}
	if w.source == nil {
		return live
	}
	var err error
	if len(wanted.Connections) > 0 {
		live.States, err = w.source.Read(ctx, wanted.Connections)
		w.logError(ctx, err)
	}
	if err == nil && len(wanted.Count) > 0 && now.Sub(w.countedAt) >= probeInterval-time.Second/2 {
		w.countedAt = now
		live.Counts, err = w.source.Count(ctx, wanted.Count)
		w.logError(ctx, err)
	}
	return live
}

// logError logs an error, once until a look succeeds.
func (w *prober) logError(ctx context.Context, err error) {
	if err != nil && !w.failing && ctx.Err() == nil {
		w.log.Warn("who is connected cannot be read now", "problem", err)
	}
	w.failing = err != nil
}

// runProber looks at what the window wants until ctx ends.
func (p *program) runProber(ctx context.Context, nudge <-chan struct{}) {
	w := &prober{log: p.log, show: func(v ui.ProbeResult) { p.do(func() { p.window.ShowProbe(v) }) }, tick: func() { p.do(p.window.Tick) }}
	w.request = func() (ui.ProbeRequest, bool) {
		answer := make(chan ui.ProbeRequest, 1)
		p.do(func() { answer <- p.window.ProbeRequest() })
		select {
		case wanted := <-answer:
			return wanted, true
		case <-ctx.Done():
			return ui.ProbeRequest{}, false
		}
	}
	w.run(ctx, nudge)
}
