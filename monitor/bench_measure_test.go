//go:build bench && linux

package monitor_test

import (
	"cmp"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const (
	rounds     = 15
	fewest     = 3                     // rounds, of what is slow
	slow       = 3 * time.Second       // takes what is
	slowBudget = 30 * time.Second      // for all its rounds at one load
	batchTime  = 50 * time.Millisecond // what is quick is done so long in a round
	largest    = 2000                  // batch
)

// processTime is what this process used of all cores.
func processTime() time.Duration {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &now) // it cannot fail
	return time.Duration(now.Nano())
}

// spent is processTime with the children that have ended.
func spent() time.Duration {
	var children unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_CHILDREN, &children) // it cannot fail
	return processTime() + time.Duration(children.Utime.Nano()+children.Stime.Nano())
}

// busy is what everyone on this machine used of all cores since it started, and
// its host took from it.
func busy() time.Duration {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0 // then nothing is said of it
	}
	line, _, _ := strings.Cut(string(stat), "\n")
	ticks := 0
	for i, field := range strings.Fields(line) {
		if i >= 1 && i <= 8 && i != 4 && i != 5 { // user to steal, without idle and waiting for disks
			n, _ := strconv.Atoi(field) // the kernel writes numbers
			ticks += n
		}
	}
	return time.Duration(ticks) * time.Second / 100
}

// cost is of one time.
type cost struct {
	wall, cpu time.Duration
	allocs    float64
}

// contestant is something whose cost is measured beside others'.
type contestant struct {
	name   string
	run    func() (listeners int, err error) // sees at least so many
	before func()                            // is not measured; nor is after
	after  func()
	batch  int // is run so often in a round
	rounds int
	costs  []cost
}

// once measures one round of n runs.
func (c *contestant) once(t *testing.T, n, listeners int) cost {
	t.Helper()
	if c.before != nil {
		c.before()
	}
	runtime.GC() // nobody pays for what another left
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	cpu, begun := spent(), time.Now()
	for range n {
		seen, err := c.run()
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if seen < listeners {
			t.Fatalf("%s saw %d listeners of %d", c.name, seen, listeners)
		}
	}
	wall := time.Since(begun)
	cpu = spent() - cpu
	runtime.ReadMemStats(&after)
	if c.after != nil {
		c.after()
	}
	return cost{wall / time.Duration(n), cpu / time.Duration(n), float64(after.Mallocs-before.Mallocs) / float64(n)}
}

// compete measures all in turn, round after round, so that what else the
// machine does meets them alike.
func compete(t *testing.T, all []*contestant, listeners int) {
	t.Helper()
	for _, c := range all {
		c.once(t, 1, listeners) // warms up
		took := c.once(t, 1, listeners).wall
		c.batch = int(max(1, min(batchTime/max(took, 1), largest)))
		if c.before != nil {
			c.batch = 1
		}
		c.rounds = rounds
		if took > slow {
			c.rounds = int(max(fewest, min(slowBudget/took, rounds)))
		}
	}
	for round := range rounds {
		for _, c := range all {
			if round < c.rounds {
				c.costs = append(c.costs, c.once(t, c.batch, listeners))
			}
		}
	}
}

func (c *contestant) wall() time.Duration {
	return median(c.costs, func(c cost) time.Duration { return c.wall })
}

func (c *contestant) cpu() time.Duration {
	return median(c.costs, func(c cost) time.Duration { return c.cpu })
}

func (c *contestant) allocs() float64 {
	return median(c.costs, func(c cost) float64 { return c.allocs })
}

func median[T any, V cmp.Ordered](all []T, of func(T) V) V {
	return percentile(all, 50, of)
}

// percentile is the smallest value that p of 100 do not exceed.
func percentile[T any, V cmp.Ordered](all []T, p float64, of func(T) V) V {
	values := make([]V, 0, len(all))
	for _, a := range all {
		values = append(values, of(a))
	}
	slices.Sort(values)
	return values[max(int(math.Ceil(p/100*float64(len(values)))), 1)-1]
}
