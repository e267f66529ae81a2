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
	queueLength     = 32
	deliveryTimeout = 5 * time.Second         // for one delivery
	burstWindow     = 1500 * time.Millisecond // what comes so soon after a telling is told together
	maxBurst        = 1000                    // alerts that wait for the end of a burst
)

// Notification is one notification: a sentence, and the port that a click opens.
type Notification struct {
	Title string
	Body  string
	Port  uint16     // 0 where it is about none
	Rule  watch.Rule // that asked for it, where one did
	// Key says what it is about: it takes the place of the one before with the
	// same key, where that is still shown. "" for none.
	Key string
	// ReplacesKey is the key of one whose place it takes without being about that.
	ReplacesKey string
	// WithdrawOnClose is true where it says that something is open, which is outdated
	// once that has closed.
	WithdrawOnClose bool
	Sound           bool
}

// Notifier delivers notifications, one at a time, and waits until that is done
// or ctx ends. It is used by one goroutine at a time.
type Notifier interface {
	Notify(ctx context.Context, n Notification) error
	// Withdraw takes away the last note with that key, where it is still shown
	// and the desktop can.
	Withdraw(ctx context.Context, key string) error
	Close()
}

// Worker delivers notes one after another, off everyone's path.
type Worker struct {
	notifier Notifier
	onResult func(error)
	log      *slog.Logger
	queue    chan job
	sound    atomic.Bool
	done     sync.WaitGroup

	openPorts map[string]uint16 // the keys whose last note says that this port is open
}

// job is one thing to do.
type job struct {
	alerts       []watch.Alert
	notification *Notification
	done         func(error) // called with what became of note; may be nil
	withdraw     uint16
}

// Start starts the worker, which ends with ctx. problem is called, from the
// worker's goroutine, with the error of each delivery that failed and with nil
// after one that did not.
func Start(ctx context.Context, notifier Notifier, problem func(error), log *slog.Logger) *Worker {
	w := &Worker{notifier: notifier, onResult: problem, log: log, queue: make(chan job, queueLength), openPorts: make(map[string]uint16)}
	w.done.Go(func() { w.run(ctx) })
	return w
}

// NotifyAlerts tells of alerts, and does not wait. The first are told at once; what
// comes within a second and a half after that is told together. Where a desktop
// has not taken the last 32, more are only logged.
func (w *Worker) NotifyAlerts(alerts []watch.Alert) {
	if len(alerts) > 0 {
		w.enqueue(job{alerts: alerts})
	}
}

// Notify tells n, and does not wait.
func (w *Worker) Notify(n Notification) { w.enqueue(job{notification: &n}) }

// NotifyAndReport tells n, and does not wait. told is called once, from the worker's
// goroutine or from the caller's, with nil where the desktop has taken it.
func (w *Worker) NotifyAndReport(n Notification, told func(error)) {
	if !w.enqueue(job{notification: &n, done: told}) {
		told(errors.New("the desktop has not taken the last notifications"))
	}
}

// Withdraw takes away what says that port is open, and does not wait.
func (w *Worker) Withdraw(port uint16) { w.enqueue(job{withdraw: port}) }

// SetSound says whether notifications make a sound from now on.
func (w *Worker) SetSound(on bool) { w.sound.Store(on) }

// enqueue reports whether there was room for o.
func (w *Worker) enqueue(o job) bool {
	select {
	case w.queue <- o:
		return true
	default:
		if o.withdraw == 0 {
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
			w.handleJob(ctx, o)
			if o.alerts != nil {
				w.collectBurst(ctx, o.alerts)
			}
		}
	}
}

// handleJob does what an order says that is not of alerts.
func (w *Worker) handleJob(ctx context.Context, o job) {
	switch {
	case o.notification != nil:
		err := w.deliver(ctx, *o.notification)
		if o.done != nil {
			o.done(err)
		}
	case o.withdraw != 0:
		w.withdrawPort(ctx, o.withdraw)
	}
}

// collectBurst tells the first of alerts at once, or many of them in one sentence. It
// waits for the end of the burst that may begin with them and tells the rest of
// it: together, and in place of the first, where they are many.
func (w *Worker) collectBurst(ctx context.Context, alerts []watch.Alert) {
	first, more := alerts, []watch.Alert(nil)
	if len(alerts) < groupThreshold {
		first, more = alerts[:1], slices.Clone(alerts[1:])
	}
	for _, n := range ForAlerts(first) {
		_ = w.deliver(ctx, n) // problem has heard of it
	}
	end := time.NewTimer(burstWindow)
	defer end.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case o := <-w.queue:
			if o.alerts == nil {
				w.handleJob(ctx, o)
				continue
			}
			more = append(more, o.alerts...)
			if len(more) > maxBurst {
				w.log.Warn("alerts came faster than they can be told; the oldest are left out", "left out", len(more)-maxBurst)
				more = more[len(more)-maxBurst:]
			}
		case <-end.C:
			if len(more) == 0 {
				return
			}
			notes := ForAlerts(more)
			if len(first) > 0 && len(first)+len(more) >= groupThreshold {
				notes = []Notification{summarize(append(first[:len(first):len(first)], more...))}
				notes[0].ReplacesKey = ForAlerts(first)[0].Key
			}
			for _, n := range notes {
				_ = w.deliver(ctx, n)
			}
			first, more = nil, nil // what follows is told by itself
			end.Reset(burstWindow)
		}
	}
}

func (w *Worker) deliver(ctx context.Context, n Notification) error {
	n.Sound = w.sound.Load()
	delete(w.openPorts, n.Key)
	err := w.withTimeout(ctx, "show a notification", func(ctx context.Context) error { return w.notifier.Notify(ctx, n) })
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil && n.Key != "" && n.WithdrawOnClose {
		w.openPorts[n.Key] = n.Port // at most one for each port and each rule
	}
	w.onResult(err)
	return err
}

func (w *Worker) withdrawPort(ctx context.Context, port uint16) {
	for key, open := range w.openPorts {
		if open == port {
			delete(w.openPorts, key)
			// That it is not taken away is logged, and no verdict on notifications.
			_ = w.withTimeout(ctx, "take a notification away", func(ctx context.Context) error { return w.notifier.Withdraw(ctx, key) })
		}
	}
}

// withTimeout calls do with a deadline.
func (w *Worker) withTimeout(ctx context.Context, what string, do func(context.Context) error) error {
	if ctx.Err() != nil {
		return ctx.Err() // select takes from the queue as well as the end
	}
	limited, cancel := context.WithTimeout(ctx, deliveryTimeout)
	defer cancel()
	err := do(limited)
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("%s: %w", what, err)
		w.log.Warn("the desktop does not take a notification", "problem", err)
	}
	return err
}
