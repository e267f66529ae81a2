//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// used is what a process has taken since its start, and what it holds.
type used struct {
	ticks, switches float64
	rss, anonymous  float64 // kB
	threads         int
}

// ticksPerSecond is USER_HZ, which is 100 on every Linux that Go runs on.
const ticksPerSecond = 100

func (u used) since(before used, seconds float64) cost {
	return cost{
		anonymous: u.anonymous / 1024, rss: u.rss / 1024,
		cpu:   100 * (u.ticks - before.ticks) / ticksPerSecond / seconds,
		wakes: (u.switches - before.switches) / seconds,
	}
}

// age is for how long a process has run, to the hundredth of a second in which it
// started (field 22 of its stat).
func age(pid int) (time.Duration, error) {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0, fmt.Errorf("look at process %d: %w", pid, err)
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	start, err := strconv.ParseInt(fields[19], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read the start of process %d: %w", pid, err)
	}
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &now); err != nil {
		return 0, fmt.Errorf("read the clock: %w", err)
	}
	return time.Duration(now.Nano()) - time.Duration(start)*time.Second/ticksPerSecond, nil
}

// look reads what a process has used (proc(5)).
func look(pid int) (u used, _ error) {
	folder := filepath.Join("/proc", strconv.Itoa(pid))
	stat, err := os.ReadFile(filepath.Join(folder, "stat"))
	if err != nil {
		return u, fmt.Errorf("look at process %d: %w", pid, err)
	}
	// Behind the name, which may hold anything: utime and stime are 14 and 15.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	for _, field := range fields[11:13] {
		n, err := strconv.ParseFloat(field, 64)
		if err != nil {
			return u, fmt.Errorf("read the times of process %d: %w", pid, err)
		}
		u.ticks += n
	}
	memory, err := os.ReadFile(filepath.Join(folder, "smaps_rollup"))
	if err != nil {
		return u, fmt.Errorf("look at the memory of process %d: %w", pid, err)
	}
	u.rss, u.anonymous = number(memory, "Rss:"), number(memory, "Anonymous:")
	threads, err := filepath.Glob(filepath.Join(folder, "task", "*", "status"))
	if err != nil {
		return u, fmt.Errorf("list the threads of process %d: %w", pid, err)
	}
	u.threads = len(threads)
	for _, path := range threads {
		status, err := os.ReadFile(path)
		if err == nil { // else the thread has just ended
			u.switches += number(status, "voluntary_ctxt_switches:")
		}
	}
	return u, nil
}

// number is the number behind a name at the beginning of a line; 0 without one.
func number(text []byte, name string) float64 {
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			n, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			if err == nil {
				return n
			}
		}
	}
	return 0
}
