package monitor

import (
	"context"
	"slices"
	"sync"
	"time"
)

// ownerWork is the goroutine beside the monitor's that talks to the Finder,
// since a search over all processes takes a hundred times as long as a look.
// It does one job at a time; the monitor's goroutine alone calls its methods.
type ownerWork struct {
	jobs    chan ownerJob
	results chan ownerResult
	wake    func() // tells the monitor's goroutine that there are results
	busy    bool
	began   time.Time // the job
	rest    time.Time // no search for new sockets before
	done    sync.WaitGroup
}

// ownerJob is to check holdings first, then to search, then to ask about those
// sockets that nobody is seen to hold.
type ownerJob struct {
	verify []Holding
	scope  Scope
	search []Socket
	hidden []Socket // were searched in vain before
}

// ownerResult is one finding, or the end of a job.
type ownerResult struct {
	found, gone *Holding
	last        bool // the job is done
	job         ownerJob
	seen        map[SocketID][]Owner // what its search found, all in all
	blind       bool                 // it could not see: whom it did not find may hold all the same
	hidden      map[SocketID]Hidden  // of those that nobody is seen to hold
}

func newOwnerWork(ctx context.Context, finder Finder, wake func()) *ownerWork {
	w := &ownerWork{jobs: make(chan ownerJob, 1), results: make(chan ownerResult, 256), wake: wake}
	w.done.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case job := <-w.jobs:
				w.work(ctx, finder, job)
			}
		}
	})
	return w
}

func (w *ownerWork) work(ctx context.Context, finder Finder, job ownerJob) {
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
	w.send(ctx, ownerResult{last: true, job: job, seen: seen, blind: blind, hidden: hiddenOnes(finder, job, seen)})
}

func hiddenOnes(finder Finder, job ownerJob, seen map[SocketID][]Owner) map[SocketID]Hidden {
	ask := job.hidden
	if job.scope != Recent { // that one does not look everywhere
		ask = slices.Concat(ask, job.search)
	}
	hidden := make(map[SocketID]Hidden)
	for _, s := range ask {
		if len(seen[s.ID]) == 0 {
			hidden[s.ID] = finder.Hidden(s)
		}
	}
	return hidden
}

// send waits where 256 results wait already: the monitor's goroutine comes by.
func (w *ownerWork) send(ctx context.Context, r ownerResult) {
	select {
	case w.results <- r:
		w.wake()
	case <-ctx.Done():
	}
}

// restTimes is how many times as long as a search in vain no other one begins:
// listeners that close before anyone is found could keep a whole core at it.
const restTimes = 3

// ended notes the end of a job.
func (w *ownerWork) ended(r ownerResult, now time.Time) {
	w.busy = false
	if r.job.scope == Likely && len(r.seen) < len(r.job.search) {
		w.rest = now.Add(restTimes * now.Sub(w.began))
	}
}

func (w *ownerWork) idle() bool { return !w.busy }

// do begins a job. The worker must be idle.
func (w *ownerWork) do(job ownerJob) {
	w.busy, w.began = true, time.Now()
	w.jobs <- job
}

func (w *ownerWork) wait() { w.done.Wait() }
