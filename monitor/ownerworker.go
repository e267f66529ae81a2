package monitor

import (
	"context"
	"slices"
	"sync"
	"time"
)

// ownerWorker is the goroutine beside the monitor's that talks to the Finder,
// since a search over all processes takes a hundred times as long as a look.
// It does one job at a time; the monitor's goroutine alone calls its methods.
type ownerWorker struct {
	jobs      chan ownerJob
	results   chan ownerResult
	wake      func() // tells the monitor's goroutine that there are results
	busy      bool
	startedAt time.Time // the job
	restUntil time.Time // no search for new sockets before
	done      sync.WaitGroup
}

// ownerJob is to check holdings first, then to search, then to ask about those
// sockets that nobody is seen to hold.
type ownerJob struct {
	verify  []Holding
	scope   Scope
	search  []Socket
	unknown []Socket // were searched in vain before
}

// ownerResult is one finding, or the end of a job.
type ownerResult struct {
	found, gone *Holding
	last        bool // the job is done
	job         ownerJob
	seen        map[SocketID][]Owner      // what its search found, all in all
	incomplete  bool                      // it could not see: whom it did not find may hold all the same
	unknown     map[SocketID]OwnerUnknown // of those that nobody is seen to hold
}

func newOwnerWorker(ctx context.Context, finder Finder, wake func()) *ownerWorker {
	w := &ownerWorker{jobs: make(chan ownerJob, 1), results: make(chan ownerResult, 256), wake: wake}
	w.done.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case job := <-w.jobs:
				w.run(ctx, finder, job)
			}
		}
	})
	return w
}

func (w *ownerWorker) run(ctx context.Context, finder Finder, job ownerJob) {
	for _, h := range job.verify {
		if !finder.Holds(h) {
			w.send(ctx, ownerResult{gone: &h})
		}
	}
	seen := make(map[SocketID][]Owner)
	blind := false
	if len(job.search) > 0 {
		blind = nil != finder.Find(ctx, job.scope, job.search, func(h Holding) {
			seen[h.Socket] = append(seen[h.Socket], h.Owner)
			w.send(ctx, ownerResult{found: &h})
		})
	}
	if ctx.Err() != nil {
		return // a search that was cut short has no verdict
	}
	w.send(ctx, ownerResult{last: true, job: job, seen: seen, incomplete: blind, unknown: whyUnknown(finder, job, seen)})
}

func whyUnknown(finder Finder, job ownerJob, seen map[SocketID][]Owner) map[SocketID]OwnerUnknown {
	ask := job.unknown
	if job.scope != Recent { // that one does not look everywhere
		ask = slices.Concat(ask, job.search)
	}
	hidden := make(map[SocketID]OwnerUnknown)
	for _, s := range ask {
		if len(seen[s.ID]) == 0 {
			hidden[s.ID] = finder.Hidden(s)
		}
	}
	return hidden
}

// send waits where 256 results wait already: the monitor's goroutine comes by.
func (w *ownerWorker) send(ctx context.Context, r ownerResult) {
	select {
	case w.results <- r:
		w.wake()
	case <-ctx.Done():
	}
}

// restFactor is how many times as long as a search in vain no other one begins:
// listeners that close before anyone is found could keep a whole core at it.
const restFactor = 3

// finish notes the end of a job.
func (w *ownerWorker) finish(r ownerResult, now time.Time) {
	w.busy = false
	if r.job.scope == Likely && len(r.seen) < len(r.job.search) {
		w.restUntil = now.Add(restFactor * now.Sub(w.startedAt))
	}
}

func (w *ownerWorker) idle() bool { return !w.busy }

// start begins a job. The worker must be idle.
func (w *ownerWorker) start(job ownerJob) {
	w.busy, w.startedAt = true, time.Now()
	w.jobs <- job
}

func (w *ownerWorker) wait() { w.done.Wait() }
