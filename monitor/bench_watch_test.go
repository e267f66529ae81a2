//go:build bench && linux

package monitor_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"porthole/monitor"
)

// Where the ports are that come and go: below those that the kernel gives, so
// that none is in two listeners.
const firstPort = 10_000

var openAddress = [4]byte{127, 0, 0, 250}

const (
	latencies     = 200
	calmLatencies = 24
	calmAfter     = 3200 * time.Millisecond // a change lets the monitor look faster for 3 s
	calmInterval  = 250 * time.Millisecond
	hurryInterval = 100 * time.Millisecond
	costFor       = 10 * time.Second
	idleFor       = time.Minute // a search for recent holders comes at the latest after so long
	connectsASec  = 10_000
	churnASec     = 1000
	settle        = 4 * time.Second // what happened before is over
)

// delays are from the system call to the change that the monitor's subscriber
// takes.
type delays struct{ opened, closed, openedCalm []time.Duration }

// measureDelays has opener open and close ports at random moments of the
// monitor's interval.
func measureDelays(t *testing.T, opener *worker) (d delays) {
	t.Helper()
	watcher := hire(t)
	defer watcher.end()
	watcher.ask(t, order{Do: "watch", N: 1})
	port := firstPort
	until := func(kind monitor.Kind) time.Duration {
		for {
			if a := watcher.hears(t); a.Kind == string(kind) && a.Port == port {
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
	for range calmLatencies {
		time.Sleep(calmAfter + rand.N(calmInterval))
		d.openedCalm = append(d.openedCalm, open())
		shut()
	}
	for range latencies {
		time.Sleep(rand.N(hurryInterval))
		d.opened = append(d.opened, open())
		time.Sleep(rand.N(hurryInterval))
		d.closed = append(d.closed, shut())
	}
	return d
}

// share is what a running monitor used of one core while something happened.
type share struct {
	name           string
	cpu            float64
	done           float64 // how often a second it happened
	opened, closed int
}

// measureIdle runs a monitor as the agent has it, while nothing happens.
func measureIdle(t *testing.T, name string) share {
	t.Helper()
	watcher := hire(t)
	defer watcher.end()
	watcher.ask(t, order{Do: "watch"})
	return during(t, watcher, name, func() int { time.Sleep(idleFor); return 0 })
}

// during is what watcher uses while something is done.
func during(t *testing.T, watcher *worker, name string, what func() int) share {
	t.Helper()
	time.Sleep(settle)
	before := watcher.ask(t, order{Do: "cost"})
	done := what()
	after := watcher.ask(t, order{Do: "cost"})
	passed := after.At - before.At
	return share{
		name: name, cpu: float64(after.CPU-before.CPU) / float64(passed), done: float64(done) / passed.Seconds(),
		opened: after.Opened - before.Opened, closed: after.Closed - before.Closed,
	}
}

// measureShares runs a monitor as the agent has it and looks at what it uses
// while others connect, and while ports open and close.
func measureShares(t *testing.T, opener *worker) (all []share) {
	t.Helper()
	watcher := hire(t)
	defer watcher.end()
	watcher.ask(t, order{Do: "watch"})
	during := func(name string, what func() int) { all = append(all, during(t, watcher, name, what)) }
	opener.ask(t, order{Do: "open", N: firstPort, Address: openAddress})
	during(whileConnecting, func() int {
		return opener.ask(t, order{Do: "connect", Rate: connectsASec, For: costFor}).Done
	})
	during(whileAborting, func() int {
		return opener.ask(t, order{Do: "connect", N: 1, Rate: connectsASec, For: costFor}).Done
	})
	opener.ask(t, order{Do: "close"})
	during(whileChurning, func() int {
		return opener.ask(t, order{Do: "churn", N: firstPort + 1, Address: openAddress, Rate: churnASec, For: costFor}).Done
	})
	return all
}

// What happens meanwhile.
const (
	whileIdle       = "idle, a look every 250 ms, 10 listeners"
	whileIdleMany   = "idle, a look every 250 ms, 100 listeners"
	whileConnecting = "connections that come and go, no listener touched"
	whileAborting   = "the same, each cut off by its client (`SO_LINGER` 0)"
	whileChurning   = "listeners that open, and close 10 ms later"
)
