// Package notify delivers desktop notifications.
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

	"porthole/monitor"
	"porthole/monitor/watch"
)

// Limits of the worker.
const (
	queueLength     = 32              // notifications that are no alerts
	deliveryTimeout = 5 * time.Second // for one notification
	maxShown        = 64              // notifications that can be corrected or withdrawn
)

// Notification is the content of one desktop notification.
type Notification struct {
	Title string
	Body  string
	Port  uint16 // opened by Show
	// Actions are shown as buttons. Show is also the click on the notification.
	Actions []Action
	// Listener and Rule are what it is about and the rule that caused it; zero if
	// it is about several.
	Listener *monitor.Listener
	Rule     watch.Rule
	// Listeners are what Accept accepts.
	Listeners []*monitor.Listener
	// Key identifies the subject. A notification replaces the previous one with
	// the same key if that is still shown. "": replaces none.
	Key string
	// ReplacesKey is the key of a notification to replace although its subject differs.
	ReplacesKey string
	// Correction is set if the notification says nothing new. It is shown only in
	// place of the one that it replaces, if that is still visible.
	Correction bool
	Urgency    watch.Urgency
	// SoundName is the sound of its rule; see watch.Rule. Sound is set by the
	// Worker.
	SoundName string
	Sound     bool
	// Expiry is how long it is shown: 0 if the desktop decides, negative until it is
	// closed. Set by the Worker.
	Expiry time.Duration
}

// Notifier delivers notifications. Its methods block until the desktop has
// answered or ctx ends. It need not be safe for concurrent use.
type Notifier interface {
	Notify(ctx context.Context, n Notification) error
	// Withdraw removes the most recent notification with that key if it is still
	// shown and the desktop supports it.
	Withdraw(ctx context.Context, key string) error
	Close()
}

// New returns the notifier of this platform: the session bus at address on Linux and
// the BSDs (see UsesBus), otherwise beeep. onAction is called from another
// goroutine.
func New(address string, onAction func(Click), log *slog.Logger) Notifier {
	if UsesBus {
		return NewBus(address, onAction, log)
	}
	return NewPortable()
}

// Worker delivers notifications one after another on its own goroutine, so that a
// notification server that hangs blocks nothing else. Its methods do not block
// and are safe for concurrent use.
type Worker struct {
	notifier Notifier
	onResult func(error)
	log      *slog.Logger
	sound    atomic.Bool
	expiry   atomic.Int64 // time.Duration
	done     sync.WaitGroup
	wake     chan struct{}

	mu      sync.Mutex
	jobs    []job
	waiting int // jobs with a notification

	// owned by the goroutine of run
	bursts  int      // counts bursts, for the keys of their summaries
	current *burst   // nil if no burst is in progress
	shown   []*burst // what notifications show, the oldest first
}

// job is one of: alerts, a notification, listeners that have closed, or listeners
// whose owner is known now.
type job struct {
	alerts             []watch.Alert
	notification       *Notification
	done               func(error) // called with the result for notification; may be nil
	closed, identified []*monitor.Listener
	seen               string // key of a notification that the user has clicked
}

// Start starts a worker that ends with ctx. onResult is called on the worker's
// goroutine after each delivery, with nil or the error.
func Start(ctx context.Context, notifier Notifier, onResult func(error), log *slog.Logger) *Worker {
	w := &Worker{notifier: notifier, onResult: onResult, log: log, wake: make(chan struct{}, 1)}
	w.done.Go(func() { w.run(ctx) })
	return w
}

// NotifyAlerts notifies of alerts. The first is shown immediately. Alerts that
// follow within a few seconds are added to its notification, which is updated in
// place.
func (w *Worker) NotifyAlerts(alerts []watch.Alert) {
	if len(alerts) > 0 {
		w.enqueue(job{alerts: alerts})
	}
}

// Notify shows n.
func (w *Worker) Notify(n Notification) {
	w.NotifyAndReport(n, func(err error) {
		if errors.Is(err, errQueueFull) {
			w.log.Warn("dropped a notification", "error", err)
		}
	})
}

// errQueueFull is the result for a notification that found no room.
var errQueueFull = errors.New("the notification queue is full: the desktop has not accepted earlier notifications")

// NotifyAndReport shows n and calls done once with the result, on the worker's
// goroutine or the caller's. nil means that the desktop accepted n.
func (w *Worker) NotifyAndReport(n Notification, done func(error)) {
	if !w.enqueue(job{notification: &n, done: done}) {
		done(errQueueFull)
	}
}

// Closed withdraws notifications that state that these listeners are open.
func (w *Worker) Closed(listeners []*monitor.Listener) {
	if len(listeners) > 0 {
		w.enqueue(job{closed: listeners})
	}
}

// Identified corrects the notifications about listeners that were shown without
// an owner.
func (w *Worker) Identified(listeners []*monitor.Listener) {
	if len(listeners) > 0 {
		w.enqueue(job{identified: listeners})
	}
}

// Seen records that the user has clicked the notification with that key: what
// happens next gets another one.
func (w *Worker) Seen(key string) { w.enqueue(job{seen: key}) }

// SetSound turns the sound of later notifications on or off.
func (w *Worker) SetSound(on bool) { w.sound.Store(on) }

// SetExpiry sets Notification.Expiry of later notifications, except for critical ones:
// they are to be seen (Desktop Notifications Specification 1.2, "Urgency Levels").
func (w *Worker) SetExpiry(d time.Duration) { w.expiry.Store(int64(d)) }

// enqueue reports whether the queue had room for j. Alerts, closes and owners
// always have: they are joined to the last job if possible.
func (w *Worker) enqueue(j job) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if j.notification != nil {
		if w.waiting >= queueLength {
			return false
		}
		w.waiting++
	}
	if n := len(w.jobs) - 1; n >= 0 && w.jobs[n].joins(j) {
		last := &w.jobs[n]
		last.alerts = slices.Concat(last.alerts, j.alerts)
		last.alerts = last.alerts[max(0, len(last.alerts)-maxBurst):]
		last.closed, last.identified = slices.Concat(last.closed, j.closed), slices.Concat(last.identified, j.identified)
	} else {
		w.jobs = append(w.jobs, j)
	}
	select {
	case w.wake <- struct{}{}:
	default: // it is awake
	}
	return true
}

// joins reports whether the content of next can be appended to j.
func (j job) joins(next job) bool {
	return j.alerts != nil && next.alerts != nil || j.closed != nil && next.closed != nil || j.identified != nil && next.identified != nil
}

// take returns all jobs and empties the queue.
func (w *Worker) take() []job {
	w.mu.Lock()
	defer w.mu.Unlock()
	jobs := w.jobs
	w.jobs, w.waiting = nil, 0
	return jobs
}

// Wait returns when the worker has ended.
func (w *Worker) Wait() { w.done.Wait() }

func (w *Worker) run(ctx context.Context) {
	defer w.notifier.Close()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
			for _, j := range w.take() {
				w.handleJob(ctx, j)
			}
		case <-timer.C:
		}
		timer.Reset(w.showDue(ctx))
	}
}

func (w *Worker) handleJob(ctx context.Context, j job) {
	switch {
	case j.notification != nil:
		err := w.deliver(ctx, *j.notification)
		if j.done != nil {
			j.done(err)
		}
	case j.alerts != nil:
		w.addAlerts(ctx, j.alerts)
	case j.closed != nil:
		w.dropClosed(ctx, j.closed)
	case j.seen != "":
		if w.current != nil && w.current.key == j.seen {
			w.current = nil
		}
	case j.identified != nil:
		w.correct(ctx, j.identified)
	}
}

func (w *Worker) deliver(ctx context.Context, n Notification) error {
	if n.Urgency != watch.Critical {
		n.Expiry = time.Duration(w.expiry.Load())
	}
	err := w.withTimeout(ctx, "show a notification", func(ctx context.Context) error { return w.notifier.Notify(ctx, n) })
	if ctx.Err() != nil {
		return ctx.Err()
	}
	w.onResult(err)
	return err
}

func (w *Worker) withdraw(ctx context.Context, key string) {
	// A failure is logged. It does not mean that notifications don't work.
	_ = w.withTimeout(ctx, "withdraw a notification", func(ctx context.Context) error { return w.notifier.Withdraw(ctx, key) })
}

// withTimeout calls do with a deadline and logs its error.
func (w *Worker) withTimeout(ctx context.Context, what string, do func(context.Context) error) error {
	if ctx.Err() != nil {
		return ctx.Err() // select may choose the queue although ctx has ended
	}
	limited, cancel := context.WithTimeout(ctx, deliveryTimeout)
	defer cancel()
	err := do(limited)
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("%s: %w", what, err)
		w.log.Warn("a notification failed", "error", err)
	}
	return err
}
