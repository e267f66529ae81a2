//go:build bench && linux

package bench

import (
	"math/rand/v2"
	"testing"
	"time"

	"porthole/monitor"
)

// firstPort is the first of the ports that open and close. They are below the
// ephemeral port range, so that the kernel does not assign one of them to
// another listener.
const firstPort = 10_000

var openAddress = [4]byte{127, 0, 0, 250}

const (
	latencies     = 200
	slowLatencies = 24
	slowAfter     = 3200 * time.Millisecond // polling is faster for 3 s after a change
	slowInterval  = 250 * time.Millisecond
	fastInterval  = 100 * time.Millisecond
	costFor       = 10 * time.Second
	idleFor       = time.Minute // a search for recent holders comes at least this often
	connectsASec  = 10_000
	churnASec     = 1000
	settle        = 4 * time.Second // earlier changes no longer have an effect
)

// delays are the times from the system call to the event that a subscriber of the
// monitor receives.
type delays struct{ opened, closed, openedSlow []time.Duration }

// measureDelays makes opener open and close ports at random moments of the monitor's
// polling interval.
func measureDelays(t *testing.T, opener *worker) (d delays) {
	t.Helper()
	watcher := hire(t)
	defer watcher.End()
	watcher.ask(t, order{Do: "watch", N: 1})
	port := firstPort
	until := func(kind monitor.Kind) time.Duration {
		for {
			if a := watcher.reply(t); a.Kind == string(kind) && a.Port == port {
				return a.At
			}
		}
	}
	open := func() time.Duration {
		port++
		at := opener.ask(t, order{Do: "open", N: port, Address: openAddress}).At
		return until(monitor.Opened) - at
	}
	shut := func() time.Duration {
		at := opener.ask(t, order{Do: "close"}).At
		return until(monitor.Closed) - at
	}
	for range slowLatencies {
		time.Sleep(slowAfter + rand.N(slowInterval))
		d.openedSlow = append(d.openedSlow, open())
		shut()
	}
	for range latencies {
		time.Sleep(rand.N(fastInterval))
		d.opened = append(d.opened, open())
		time.Sleep(rand.N(fastInterval))
		d.closed = append(d.closed, shut())
	}
	return d
}

// share is the share of one core that a running monitor used while something happened.
type share struct {
	name           string
	cpu            float64
	done           float64 // actions per second
	opened, closed int
	made, counted  int  // connections; only for whileCounting
	atLeast        bool // counted is a lower limit
}

// measureIdle runs a monitor as the agent does, while nothing happens.
func measureIdle(t *testing.T, name string) share {
	t.Helper()
	watcher := hire(t)
	defer watcher.End()
	watcher.ask(t, order{Do: "watch"})
	return during(t, watcher, name, func() int { time.Sleep(idleFor); return 0 })
}

// during measures the share of watcher while do runs.
func during(t *testing.T, watcher *worker, name string, do func() int) share {
	t.Helper()
	time.Sleep(settle)
	before := watcher.ask(t, order{Do: "cost"})
	done := do()
	after := watcher.ask(t, order{Do: "cost"})
	passed := after.At - before.At
	return share{
		name: name, cpu: float64(after.CPU-before.CPU) / float64(passed), done: float64(done) / passed.Seconds(), made: done,
		opened: after.Opened - before.Opened, closed: after.Closed - before.Closed,
	}
}

// measureShares runs a monitor as the agent does, and measures its share while
// clients connect, and while ports open and close.
func measureShares(t *testing.T, opener *worker) (all []share) {
	t.Helper()
	watcher := hire(t)
	defer watcher.End()
	watcher.ask(t, order{Do: "watch"})
	during := func(name string, do func() int) { all = append(all, during(t, watcher, name, do)) }
	opener.ask(t, order{Do: "open", N: firstPort, Address: openAddress})
	during(whileConnecting, func() int {
		return opener.ask(t, order{Do: "connect", Rate: connectsASec, For: costFor}).Done
	})
	watcher.ask(t, order{Do: "count", N: firstPort, Address: openAddress})
	during(whileCounting, func() int {
		return opener.ask(t, order{Do: "connect", Rate: connectsASec, For: costFor}).Done
	})
	time.Sleep(100 * time.Millisecond) // the last ones are collected
	total := watcher.ask(t, order{Do: "counted"})
	all[len(all)-1].counted, all[len(all)-1].atLeast = total.Done, total.AtLeast
	during(whileAborting, func() int {
		return opener.ask(t, order{Do: "connect", N: 1, Rate: connectsASec, For: costFor}).Done
	})
	opener.ask(t, order{Do: "close"})
	during(whileChurning, func() int {
		return opener.ask(t, order{Do: "churn", N: firstPort + 1, Address: openAddress, Rate: churnASec, For: costFor}).Done
	})
	return all
}

// The activities.
const (
	whileIdle       = "idle, 10 listeners"
	whileIdleMany   = "idle, 100 listeners"
	whileConnecting = "connections that touch no listener"
	whileCounting   = "connections to a watched port, each counted"
	whileAborting   = "the same, reset by the client (`SO_LINGER` 0)"
	whileChurning   = "listeners that open and close 10 ms later"
)
