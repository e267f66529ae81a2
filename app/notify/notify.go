// Package notify brings sentences to the desktop.
package notify

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Limits of the worker.
const (
	queueLength = 32
	deadline    = 5 * time.Second // for one delivery
)

// Notifier delivers one notification, and waits until that is done or ctx
// ends. It is used by one goroutine at a time.
type Notifier interface {
	Notify(ctx context.Context, n Note) error
	Close()
}

// Worker delivers notes one after another, off everyone's path.
type Worker struct {
	notifier Notifier
	problem  func(error)
	log      *slog.Logger
	queue    chan Note
	done     sync.WaitGroup
}

// Start starts the worker, which ends with ctx. problem is called, from the
// worker's goroutine, with the error of each delivery that failed and with nil
// after one that did not.
func Start(ctx context.Context, notifier Notifier, problem func(error), log *slog.Logger) *Worker {
	w := &Worker{notifier: notifier, problem: problem, log: log, queue: make(chan Note, queueLength)}
	w.done.Go(func() { w.run(ctx) })
	return w
}

// Tell queues n and does not wait. Where a desktop has not taken the last 32
// sentences, one more is only logged.
func (w *Worker) Tell(n Note) {
	select {
	case w.queue <- n:
	default:
		w.log.Warn("a notification was dropped: the desktop takes none", "title", n.Title)
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
		case n := <-w.queue:
			w.deliver(ctx, n)
		}
	}
}

func (w *Worker) deliver(ctx context.Context, n Note) {
	if ctx.Err() != nil {
		return // select takes from the queue as well as the end
	}
	limited, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	err := w.notifier.Notify(limited, n)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		w.log.Warn("a notification could not be shown", "title", n.Title, "problem", err)
		err = fmt.Errorf("show a notification: %w", err)
	}
	w.problem(err)
}
