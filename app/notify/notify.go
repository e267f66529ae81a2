// Package notify delivers desktop notifications.
package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"porthole/monitor"
	"porthole/monitor/watch"
)

// Limits of the worker.
const (
	queueLength     = 32
	deliveryTimeout = 5 * time.Second         // for one notification
	burstWindow     = 1500 * time.Millisecond // alerts this soon after a notification are combined
	maxBurst        = 1000                    // alerts of a burst
	maxBurstTime    = 10 * time.Second        // after this time, later alerts get another notification
)

// Notification is the content of one desktop notification.
type Notification struct {
	Title string
	Body  string
	Port  uint16     // opened by a click; 0: no actions
	Rule  watch.Rule // the rule that caused it; zero if none or several did
	// Key identifies the subject. A notification replaces the previous one with
	// the same key if that is still shown. "": replaces none.
	Key string
	// ReplacesKey is the key of a notification to replace although its subject differs.
	ReplacesKey string
	// WithdrawOnClose is set if the text states that Port is open, so that the
	// notification is outdated when the port closes.
	WithdrawOnClose bool
	Sound           bool
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
func New(address string, onAction func(Action, Notification), log *slog.Logger) Notifier {
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
	queue    chan job
	sound    atomic.Bool
	done     sync.WaitGroup

	bursts    int                    // counts bursts, for the keys of their summaries
	ownerless map[string]watch.Alert // by key: shown alerts whose owner was unknown
	openPorts map[string]uint16      // by key: notifications to withdraw when the port closes
}

// job is one of: alerts, a notification, a port to withdraw, or a listener whose
// owner is known now.
type job struct {
	alerts       []watch.Alert
	notification *Notification
	done         func(error) // called with the result for notification; may be nil
	withdraw     uint16
	identified   *monitor.Listener
}

// Start starts a worker that ends with ctx. onResult is called on the worker's
// goroutine after each delivery, with nil or the error.
func Start(ctx context.Context, notifier Notifier, onResult func(error), log *slog.Logger) *Worker {
	w := &Worker{notifier: notifier, onResult: onResult, log: log, queue: make(chan job, queueLength), openPorts: make(map[string]uint16), ownerless: make(map[string]watch.Alert)}
	w.done.Go(func() { w.run(ctx) })
	return w
}

// NotifyAlerts notifies of alerts. The first is shown immediately; alerts within
// the following 1.5 s are combined, and dropped if they are outdated by then. If the queue of 32 jobs is full, alerts are
// only logged.
func (w *Worker) NotifyAlerts(alerts []watch.Alert) {
	if len(alerts) > 0 {
		w.enqueue(job{alerts: alerts})
	}
}

// Notify shows n.
func (w *Worker) Notify(n Notification) { w.enqueue(job{notification: &n}) }

// NotifyAndReport shows n and calls done once with the result, on the worker's
// goroutine or the caller's. nil means that the desktop accepted n.
func (w *Worker) NotifyAndReport(n Notification, done func(error)) {
	if !w.enqueue(job{notification: &n, done: done}) {
		done(errors.New("the notification queue is full: the desktop has not accepted earlier notifications"))
	}
}

// Withdraw removes notifications that state that port is open.
func (w *Worker) Withdraw(port uint16) { w.enqueue(job{withdraw: port}) }

// Identified adds the owner of l to the notification about l that was shown
// without an owner, if that is still the latest notification about its subject.
func (w *Worker) Identified(l *monitor.Listener) { w.enqueue(job{identified: l}) }

// SetSound turns the sound of later notifications on or off.
func (w *Worker) SetSound(on bool) { w.sound.Store(on) }

// enqueue reports whether the queue had room for j.
func (w *Worker) enqueue(j job) bool {
	select {
	case w.queue <- j:
		return true
	default:
		if j.withdraw == 0 && j.identified == nil {
			w.log.Warn("dropped a notification: the desktop has not accepted earlier ones", "alerts", len(j.alerts))
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
		case j := <-w.queue:
			w.handleJob(ctx, j)
			if j.alerts != nil {
				w.collectBurst(ctx, j.alerts)
			}
		}
	}
}

// handleJob does everything but the alerts of j.
func (w *Worker) handleJob(ctx context.Context, j job) {
	switch {
	case j.notification != nil:
		err := w.deliver(ctx, *j.notification)
		if j.done != nil {
			j.done(err)
		}
	case j.withdraw != 0:
		w.withdrawPort(ctx, j.withdraw)
	case j.identified != nil:
		for key, alert := range w.ownerless {
			if alert.Listener.ID == j.identified.ID {
				alert.Listener = j.identified
				w.showAlert(ctx, key, alert)
			}
		}
	}
}

// burst is a series of alerts with little time between them.
type burst struct {
	key   string        // key of its summary
	all   []watch.Alert // alerts that still apply, oldest first
	shown int           // number of alerts in all that a notification shows
	keys  []string      // keys of the notifications that show them
}

// collectBurst shows the first of alerts immediately, or one summary if there are
// at least groupThreshold. It then collects alerts until none arrives within
// burstWindow. As soon as the whole burst has at least groupThreshold alerts, one
// summary replaces its notifications, and is updated in place.
func (w *Worker) collectBurst(ctx context.Context, alerts []watch.Alert) {
	w.bursts++
	b := burst{key: "burst " + strconv.Itoa(w.bursts), all: slices.Clone(alerts)}
	until := 1
	if len(alerts) >= groupThreshold {
		until = len(alerts)
	}
	w.showBurst(ctx, &b, until)
	begin := time.Now()
	end := time.NewTimer(burstWindow)
	defer end.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case j := <-w.queue:
			if j.alerts == nil {
				w.handleJob(ctx, j)
				b.outdate(j.withdraw)
				b.identify(j.identified)
				continue
			}
			b.add(j.alerts)
			if over := len(b.all) - maxBurst; over > 0 {
				w.log.Warn("too many alerts at once; the oldest are dropped", "dropped", over)
				b.drop(func(i int) bool { return i < over })
			}
		case <-end.C:
			if b.shown == len(b.all) {
				return
			}
			if time.Since(begin) >= maxBurstTime { // the first notification is not visible any more
				w.bursts++
				begin = time.Now()
				b = burst{key: "burst " + strconv.Itoa(w.bursts), all: b.all[b.shown:]}
			}
			w.showBurst(ctx, &b, len(b.all))
			end.Reset(burstWindow)
		}
	}
}

// showBurst shows the alerts before until that are not shown yet.
func (w *Worker) showBurst(ctx context.Context, b *burst, until int) {
	if until < groupThreshold {
		for _, a := range b.all[b.shown:until] {
			n := forAlert(a)
			w.showAlert(ctx, n.Key, a)
			if !slices.Contains(b.keys, n.Key) {
				b.keys = append(b.keys, n.Key)
			}
		}
	} else {
		summary := summarize(b.all[:until])
		summary.Key = b.key
		if len(b.keys) > 0 {
			summary.ReplacesKey = b.keys[0]
		}
		for _, key := range b.keys[min(1, len(b.keys)):] {
			w.withdrawKey(ctx, key) // the summary contains it
		}
		_ = w.deliver(ctx, summary) // onResult has reported it
		b.keys = []string{b.key}
	}
	b.shown = until
}

// showAlert shows an alert by itself. key is that of its notification.
func (w *Worker) showAlert(ctx context.Context, key string, a watch.Alert) {
	_ = w.deliver(ctx, forAlert(a)) // onResult has reported it
	if len(a.Listener.Owners) == 0 && a.Kind != watch.Closed {
		w.ownerless[key] = a // at most one per port and per rule
	}
}

// identify sets the owner in alerts that are not shown yet.
func (b *burst) identify(l *monitor.Listener) {
	for i := b.shown; l != nil && i < len(b.all); i++ {
		if a := &b.all[i]; a.Listener.ID == l.ID && a.Kind != watch.Closed {
			a.Listener = l
		}
	}
}

// add adds alerts. They outdate the close of a port that opened again before the
// close was shown.
func (b *burst) add(alerts []watch.Alert) {
	for _, a := range alerts {
		if a.Kind != watch.Closed {
			b.drop(func(i int) bool {
				return i >= b.shown && b.all[i].Kind == watch.Closed && b.all[i].Listener.Port == a.Listener.Port && b.all[i].Listener.Protocol == a.Listener.Protocol
			})
		}
		b.all = append(b.all, a)
	}
}

// outdate drops alerts that state that port is open.
func (b *burst) outdate(port uint16) {
	if port != 0 {
		b.drop(func(i int) bool { return b.all[i].Kind != watch.Closed && b.all[i].Listener.Port == port })
	}
}

// drop removes the alerts whose index in all is outdated.
func (b *burst) drop(outdated func(i int) bool) {
	var left []watch.Alert
	shown := b.shown
	for i, a := range b.all {
		if !outdated(i) {
			left = append(left, a)
		} else if i < b.shown {
			shown--
		}
	}
	b.all, b.shown = left, shown
}

func (w *Worker) deliver(ctx context.Context, n Notification) error {
	n.Sound = w.sound.Load()
	for _, key := range []string{n.Key, n.ReplacesKey} {
		delete(w.openPorts, key)
		delete(w.ownerless, key)
	}
	err := w.withTimeout(ctx, "show a notification", func(ctx context.Context) error { return w.notifier.Notify(ctx, n) })
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil && n.Key != "" && n.WithdrawOnClose {
		w.openPorts[n.Key] = n.Port // at most one per port and per rule
	}
	w.onResult(err)
	return err
}

func (w *Worker) withdrawPort(ctx context.Context, port uint16) {
	for key, open := range w.openPorts {
		if open == port {
			w.withdrawKey(ctx, key)
		}
	}
}

func (w *Worker) withdrawKey(ctx context.Context, key string) {
	delete(w.openPorts, key)
	delete(w.ownerless, key)
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
