package monitor

import (
	"context"
	"slices"
	"sync"
	"time"
)

// ownerWorker runs the Finder in its own goroutine, because a search through all
// processes takes a hundred times as long as a poll. It runs one job at a time.
// Its methods are called by the monitor's goroutine only.
type ownerWorker struct {
	jobs      chan ownerJob
	results   chan ownerResult
	wake      func() // wakes the monitor's goroutine when there are results
	busy      bool
	startedAt time.Time // of the current job
	restUntil time.Time // no search for new sockets before
	done      sync.WaitGroup
}

// ownerJob is a list of tasks: verify holdings, then search, then find out why
// the owners of some sockets are unknown.
type ownerJob struct {
	verify  []Holding
	scope   Scope
	search  []Socket
	unknown []Socket // sockets whose owners earlier searches did not find
}

// ownerResult is one finding, or the end of a job.
type ownerResult struct {
	found, gone *Holding
	last        bool // the job has ended; the fields below are set
	job         ownerJob
	seen        map[SocketID][]Owner // all holders that the search found
	incomplete  bool                 // some processes could not be read: a missing holder may still exist
	unknown     map[SocketID]OwnerUnknown
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
	if len(job.verify) > 0 {
		gone, changed := finder.Verify(job.verify)
		for _, h := range gone {
			w.send(ctx, ownerResult{gone: &h})
		}
		for _, h := range changed {
			w.send(ctx, ownerResult{found: &h})
		}
	}
	seen := make(map[SocketID][]Owner)
	incomplete := false
	if len(job.search) > 0 {
		incomplete = nil != finder.Find(ctx, job.scope, job.search, func(h Holding) {
			seen[h.Socket] = append(seen[h.Socket], h.Owner)
			w.send(ctx, ownerResult{found: &h})
		})
	}
	if ctx.Err() != nil {
		return // what an interrupted search did not find may still exist
	}
	w.send(ctx, ownerResult{last: true, job: job, seen: seen, incomplete: incomplete, unknown: whyUnknown(finder, job, seen)})
}

// whyUnknown asks the finder about the sockets without a visible holder.
func whyUnknown(finder Finder, job ownerJob, seen map[SocketID][]Owner) map[SocketID]OwnerUnknown {
	sockets := job.unknown
	if job.scope != Recent { // that scope does not read all processes
		sockets = slices.Concat(sockets, job.search)
	}
	unknown := make(map[SocketID]OwnerUnknown)
	for _, s := range sockets {
		if len(seen[s.ID]) == 0 {
			unknown[s.ID] = finder.WhyUnknown(s)
		}
	}
	return unknown
}

// send blocks while 256 results are waiting for the monitor's goroutine.
func (w *ownerWorker) send(ctx context.Context, r ownerResult) {
	select {
	case w.results <- r:
		w.wake()
	case <-ctx.Done():
	}
}

// restFactor is the shortest pause after a search that found nothing, as a
// multiple of its duration: without it, listeners that close before their owner
// is found could keep a whole core busy.
const restFactor = 3

// finish records the end of a job.
func (w *ownerWorker) finish(r ownerResult, now time.Time) {
	w.busy = false
	if r.job.scope == Likely && len(r.seen) < len(r.job.search) {
		w.restUntil = now.Add(restFactor * now.Sub(w.startedAt))
	}
}

func (w *ownerWorker) idle() bool { return !w.busy }

// start starts a job. The worker must be idle.
func (w *ownerWorker) start(job ownerJob) {
	w.busy, w.startedAt = true, time.Now()
	w.jobs <- job
}

func (w *ownerWorker) wait() { w.done.Wait() }
