//go:build bench && linux

package bench

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
	fewest     = 3                     // rounds of a slow contestant
	slow       = 3 * time.Second       // duration from which a contestant is slow
	slowBudget = 30 * time.Second      // for all rounds of a slow contestant at one load
	batchTime  = 50 * time.Millisecond // a quick contestant runs this long per round
	largest    = 2000                  // runs per round
)

// processTime returns the CPU time of this process.
func processTime() time.Duration {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &now) // does not fail
	return time.Duration(now.Nano())
}

// spent returns the CPU time of this process and its exited children.
func spent() time.Duration {
	var children unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_CHILDREN, &children) // does not fail
	return processTime() + time.Duration(children.Utime.Nano()+children.Stime.Nano())
}

// busy returns the CPU time of all processes since the machine was started,
// including what its host took.
func busy() time.Duration {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0 // then the report omits it
	}
	line, _, _ := strings.Cut(string(stat), "\n")
	ticks := 0
	for i, field := range strings.Fields(line) {
		if i >= 1 && i <= 8 && i != 4 && i != 5 { // user to steal, without idle and iowait
			n, _ := strconv.Atoi(field) // the kernel writes numbers
			ticks += n
		}
	}
	return time.Duration(ticks) * time.Second / 100
}

// cost is the cost of one run.
type cost struct {
	wall, cpu time.Duration
	allocs    float64
}

// contestant is something whose cost is compared with that of others.
type contestant struct {
	name   string
	run    func() (listeners int, err error) // returns how many listeners it saw
	before func()                            // not measured, like after
	after  func()
	batch  int // runs per round
	rounds int
	costs  []cost
}

// once measures one round of n runs.
func (c *contestant) once(t *testing.T, n, listeners int) cost {
	t.Helper()
	if c.before != nil {
		c.before()
	}
	runtime.GC() // no contestant pays for the garbage of another
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	cpu, begun := spent(), time.Now()
	for range n {
		seen, err := c.run()
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if seen < listeners {
			t.Fatalf("%s saw %d listeners, want %d", c.name, seen, listeners)
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

// compete measures all contestants in turn, round after round, so that other load on
// the machine affects them alike.
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

// percentile returns the smallest value that p percent do not exceed.
func percentile[T any, V cmp.Ordered](all []T, p float64, of func(T) V) V {
	values := make([]V, 0, len(all))
	for _, a := range all {
		values = append(values, of(a))
	}
	slices.Sort(values)
	return values[max(int(math.Ceil(p/100*float64(len(values)))), 1)-1]
}
