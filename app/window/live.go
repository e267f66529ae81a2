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

// How often the window's process looks: at who is connected, and how many.
const (
	readEvery  = time.Second
	countEvery = 2 * time.Second
)

// watcher looks at what the window wants while it is open, on one goroutine.
type watcher struct {
	wanted  func() (ui.Wanted, bool)        // asks the window; false where it has ended
	show    func(live ui.Live, second bool) // second: a second has passed
	source  *source.Source                  // nil where connections cannot be read
	counted time.Time
	failed  bool // the last look did; said once
	log     *slog.Logger
}

// run looks once every readEvery, which is a second, and at once after each nudge,
// until ctx ends.
func (w *watcher) run(ctx context.Context, nudge <-chan struct{}) {
	var err error
	if w.source, err = source.Open(); err != nil {
		w.log.Warn("who is connected cannot be read here", "problem", err)
	} else {
		defer func() { _ = w.source.Close() }() // nothing was written to it
	}
	t := time.NewTicker(readEvery)
	defer t.Stop()
	for second := false; ; {
		wanted, ok := w.wanted()
		if !ok {
			return
		}
		w.show(w.look(ctx, wanted, time.Now()), second)
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			second = true
		case <-nudge:
			second = false
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
	if err == nil && len(wanted.Count) > 0 && now.Sub(w.counted) >= countEvery-readEvery/2 {
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

// watch looks at what the window wants until ctx ends. It lets time pass there too:
// what both change is painted once.
func (p *program) watch(ctx context.Context, nudge <-chan struct{}) {
	w := &watcher{log: p.log}
	w.show = func(v ui.Live, second bool) {
		p.do(func() {
			p.window.SetLive(v)
			if second {
				p.window.Tick()
			}
		})
	}
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
