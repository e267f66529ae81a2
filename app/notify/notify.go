// Package notify brings sentences to the desktop.
package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"porthole/monitor/watch"
)

// Limits of the worker.
const (
	queueLength = 32
	deadline    = 5 * time.Second         // for one delivery
	burst       = 1500 * time.Millisecond // what comes so soon after a telling is told together
	maxGathered = 1000                    // alerts that wait for the end of a burst
)

// Note is one notification: a sentence, and the port that a click opens.
type Note struct {
	Title string
	Body  string
	Port  uint16     // 0 where it is about none
	Rule  watch.Rule // that asked for it, where one did
	// Key says what it is about: it takes the place of the one before with the
	// same key, where that is still shown. "" for none.
	Key string
	// Instead is the key of one whose place it takes without being about that.
	Instead string
	// Opens is true where it says that something is open, which is outdated
	// once that has closed.
	Opens bool
	Sound bool
}

// Notifier delivers notifications, one at a time, and waits until that is done
// or ctx ends. It is used by one goroutine at a time.
type Notifier interface {
	Notify(ctx context.Context, n Note) error
	// Withdraw takes away the last note with that key, where it is still shown
	// and the desktop can.
	Withdraw(ctx context.Context, key string) error
	Close()
}

// Worker delivers notes one after another, off everyone's path.
type Worker struct {
	notifier Notifier
	problem  func(error)
	log      *slog.Logger
	queue    chan order
	sound    atomic.Bool
	done     sync.WaitGroup

	opens map[string]uint16 // the keys whose last note says that this port is open
}

// order is one thing to do.
type order struct {
	alerts   []watch.Alert
	note     *Note
	told     func(error) // called with what became of note; may be nil
	outdated uint16
}

// Start starts the worker, which ends with ctx. problem is called, from the
// worker's goroutine, with the error of each delivery that failed and with nil
// after one that did not.
func Start(ctx context.Context, notifier Notifier, problem func(error), log *slog.Logger) *Worker {
	w := &Worker{notifier: notifier, problem: problem, log: log, queue: make(chan order, queueLength), opens: make(map[string]uint16)}
	w.done.Go(func() { w.run(ctx) })
	return w
}

// Tell tells of alerts, and does not wait. The first are told at once; what
// comes within a second and a half after that is told together. Where a desktop
// has not taken the last 32, more are only logged.
func (w *Worker) Tell(alerts []watch.Alert) {
	if len(alerts) > 0 {
		w.put(order{alerts: alerts})
	}
}

// Say tells n, and does not wait.
func (w *Worker) Say(n Note) { w.put(order{note: &n}) }

// Try tells n, and does not wait. told is called once, from the worker's
// goroutine or from the caller's, with nil where the desktop has taken it.
func (w *Worker) Try(n Note, told func(error)) {
	if !w.put(order{note: &n, told: told}) {
		told(errors.New("the desktop has not taken the last notifications"))
	}
}

// Outdate takes away what says that port is open, and does not wait.
func (w *Worker) Outdate(port uint16) { w.put(order{outdated: port}) }

// SetSound says whether notifications make a sound from now on.
func (w *Worker) SetSound(on bool) { w.sound.Store(on) }

// put reports whether there was room for o.
func (w *Worker) put(o order) bool {
	select {
	case w.queue <- o:
		return true
	default:
		if o.outdated == 0 {
			w.log.Warn("a notification was dropped: the desktop takes none", "alerts", len(o.alerts))
		}
		return false
	}
}

// Wait returns when the worker has ended.
func (w *Worker) Wait() { w.done.Wait() }

func (w *Worker) run(ctx context.Context) {
	defer w.notifier.Close()
	for {
		select {
		case <-ctx.Done():
			return
		case o := <-w.queue:
			w.handle(ctx, o)
			if o.alerts != nil {
				w.gather(ctx, o.alerts)
			}
		}
	}
}

// handle does what an order says that is not of alerts.
func (w *Worker) handle(ctx context.Context, o order) {
	switch {
	case o.note != nil:
		err := w.deliver(ctx, *o.note)
		if o.told != nil {
			o.told(err)
		}
	case o.outdated != 0:
		w.withdraw(ctx, o.outdated)
	}
}

// gather tells the first of alerts at once, or many of them in one sentence. It
// waits for the end of the burst that may begin with them and tells the rest of
// it: together, and in place of the first, where they are many.
func (w *Worker) gather(ctx context.Context, alerts []watch.Alert) {
	first, more := alerts, []watch.Alert(nil)
	if len(alerts) < many {
		first, more = alerts[:1], slices.Clone(alerts[1:])
	}
	for _, n := range Notes(first) {
		_ = w.deliver(ctx, n) // problem has heard of it
	}
	end := time.NewTimer(burst)
	defer end.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case o := <-w.queue:
			if o.alerts == nil {
				w.handle(ctx, o)
				continue
			}
			more = append(more, o.alerts...)
			if len(more) > maxGathered {
				w.log.Warn("alerts came faster than they can be told; the oldest are left out", "left out", len(more)-maxGathered)
				more = more[len(more)-maxGathered:]
			}
		case <-end.C:
			if len(more) == 0 {
				return
			}
			notes := Notes(more)
			if len(first) > 0 && len(first)+len(more) >= many {
				notes = []Note{together(append(first[:len(first):len(first)], more...))}
				notes[0].Instead = Notes(first)[0].Key
			}
			for _, n := range notes {
				_ = w.deliver(ctx, n)
			}
			first, more = nil, nil // what follows is told by itself
			end.Reset(burst)
		}
	}
}

func (w *Worker) deliver(ctx context.Context, n Note) error {
	n.Sound = w.sound.Load()
	delete(w.opens, n.Key)
	err := w.limited(ctx, "show a notification", func(ctx context.Context) error { return w.notifier.Notify(ctx, n) })
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil && n.Key != "" && n.Opens {
		w.opens[n.Key] = n.Port // at most one for each port and each rule
	}
	w.problem(err)
	return err
}

func (w *Worker) withdraw(ctx context.Context, port uint16) {
	for key, open := range w.opens {
		if open == port {
			delete(w.opens, key)
			// That it is not taken away is logged, and no verdict on notifications.
			_ = w.limited(ctx, "take a notification away", func(ctx context.Context) error { return w.notifier.Withdraw(ctx, key) })
		}
	}
}

// limited calls do with a deadline.
func (w *Worker) limited(ctx context.Context, what string, do func(context.Context) error) error {
	if ctx.Err() != nil {
		return ctx.Err() // select takes from the queue as well as the end
	}
	limited, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	err := do(limited)
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("%s: %w", what, err)
		w.log.Warn("the desktop does not take a notification", "problem", err)
	}
	return err
}
