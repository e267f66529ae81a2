//go:build cgo

package window

import (
	"context"
	"log/slog"
	"time"

	"porthole/monitor/peers/source"
	"porthole/monitor/process"
	"porthole/monitor/story"
	"porthole/ui"
)

// How often the window's process looks at who is connected, and how many. Each
// look changes words, and for each word Fyne paints its whole window: without a
// graphics card that is one to three hundredths of a second of a processor.
const lookEvery = 2 * time.Second

// watcher looks at what the window wants while it is open, on one goroutine.
type watcher struct {
	wanted  func() (ui.Wanted, bool) // asks the window; false where it has ended
	show    func(ui.Live)
	tick    func()         // a second has passed
	source  *source.Source // nil where connections cannot be read
	counted time.Time
	failed  bool // the last look did; said once
	log     *slog.Logger
}

// run lets each second pass, and looks every lookEvery, at the first time and
// after each nudge at once. It ends with ctx.
func (w *watcher) run(ctx context.Context, nudge <-chan struct{}) {
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
			wanted, ok := w.wanted()
			if !ok {
				return
			}
			w.show(w.look(ctx, wanted, time.Now()))
			next = lookEvery
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

// look looks once. What was not wanted, or cannot be had, is nil.
func (w *watcher) look(ctx context.Context, wanted ui.Wanted, now time.Time) ui.Live {
	live := ui.Live{At: now, Processes: make(map[ui.ProcessID]story.Live, len(wanted.Processes))}
	for _, o := range wanted.Processes {
		live.Processes[ui.ProcessID{PID: o.PID, Start: o.Start}] = process.Live(o)
	}
	if w.source == nil {
		return live
	}
	var err error
	if len(wanted.Read) > 0 {
		live.States, err = w.source.Read(ctx, wanted.Read)
		w.problem(ctx, err)
	}
	if err == nil && len(wanted.Count) > 0 && now.Sub(w.counted) >= lookEvery-time.Second/2 {
		w.counted = now
		live.Counts, err = w.source.Count(ctx, wanted.Count)
		w.problem(ctx, err)
	}
	return live
}

// problem logs an error, once until a look succeeds.
func (w *watcher) problem(ctx context.Context, err error) {
	if err != nil && !w.failed && ctx.Err() == nil {
		w.log.Warn("who is connected cannot be read now", "problem", err)
	}
	w.failed = err != nil
}

// watch looks at what the window wants until ctx ends.
func (p *program) watch(ctx context.Context, nudge <-chan struct{}) {
	w := &watcher{log: p.log, show: func(v ui.Live) { p.do(func() { p.window.SetLive(v) }) }, tick: func() { p.do(p.window.Tick) }}
	w.wanted = func() (ui.Wanted, bool) {
		answer := make(chan ui.Wanted, 1)
		p.do(func() { answer <- p.window.Wanted() })
		select {
		case wanted := <-answer:
			return wanted, true
		case <-ctx.Done():
			return ui.Wanted{}, false
		}
	}
	w.run(ctx, nudge)
}
