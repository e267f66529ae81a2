package monitor

import (
	"context"
	"sync"
)

// ownerWork is the goroutine beside the monitor's that talks to the Finder,
// since a search over all processes takes a hundred times as long as a look.
// It does one job at a time; the monitor's goroutine alone calls its methods.
type ownerWork struct {
	jobs    chan ownerJob
	results chan ownerResult
	wake    func() // tells the monitor's goroutine that there are results
	busy    bool
	done    sync.WaitGroup
}

type ownerJob struct {
	search []Socket
	verify []Holding
}

// ownerResult is one finding, or the end of a job.
type ownerResult struct {
	found, gone *Holding
	searched    []Socket
	seen        map[SocketID][]Owner // what a search found, all in all
	last        bool                 // the job is done
}

func newOwnerWork(ctx context.Context, finder Finder, wake func()) *ownerWork {
	w := &ownerWork{jobs: make(chan ownerJob, 1), results: make(chan ownerResult, 256), wake: wake}
	w.done.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case job := <-w.jobs:
				w.do(ctx, finder, job)
			}
		}
	})
	return w
}

func (w *ownerWork) do(ctx context.Context, finder Finder, job ownerJob) {
	for _, h := range job.verify {
		if !finder.Holds(h) {
			w.send(ctx, ownerResult{gone: &h})
		}
	}
	seen := make(map[SocketID][]Owner)
	if len(job.search) > 0 {
		finder.Find(ctx, job.search, func(h Holding) {
			seen[h.Socket] = append(seen[h.Socket], h.Owner)
			w.send(ctx, ownerResult{found: &h})
		})
	}
	if ctx.Err() != nil {
		return // a search that was cut short has no verdict
	}
	w.send(ctx, ownerResult{searched: job.search, seen: seen, last: true})
}

// send waits where 256 results wait already: the monitor's goroutine comes by.
func (w *ownerWork) send(ctx context.Context, r ownerResult) {
	select {
	case w.results <- r:
		w.wake()
	case <-ctx.Done():
	}
}

func (w *ownerWork) idle() bool { return !w.busy }

func (w *ownerWork) search(sockets []Socket) {
	if len(sockets) > 0 {
		w.busy = true
		w.jobs <- ownerJob{search: sockets}
	}
}

func (w *ownerWork) verify(holdings []Holding) {
	if len(holdings) > 0 {
		w.busy = true
		w.jobs <- ownerJob{verify: holdings}
	}
}

func (w *ownerWork) wait() { w.done.Wait() }
