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

// usage is the CPU time of a process since its start, and its memory and threads.
type usage struct {
	ticks, switches float64
	rss, anonymous  float64 // kB
	threads         int
}

// ticksPerSecond is USER_HZ, which is 100 on every Linux that Go supports.
const ticksPerSecond = 100

// since returns the cost of the time after an earlier measurement.
func (u usage) since(before usage, seconds float64) cost {
	return cost{
		anonymous: u.anonymous / 1024, rss: u.rss / 1024,
		cpu:   100 * (u.ticks - before.ticks) / ticksPerSecond / seconds,
		wakes: (u.switches - before.switches) / seconds,
	}
}

// age returns the time since the start of a process with a resolution of 10 ms (field 22
// of /proc/PID/stat, proc(5)).
func age(pid int) (time.Duration, error) {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0, fmt.Errorf("read process %d: %w", pid, err)
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

// readUsage reads the usage of a process (proc(5)).
func readUsage(pid int) (u usage, _ error) {
	folder := filepath.Join("/proc", strconv.Itoa(pid))
	stat, err := os.ReadFile(filepath.Join(folder, "stat"))
	if err != nil {
		return u, fmt.Errorf("read process %d: %w", pid, err)
	}
	// The name may contain any character. After it, utime and stime are fields 14 and 15.
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
		return u, fmt.Errorf("read the memory of process %d: %w", pid, err)
	}
	u.rss, u.anonymous = number(memory, "Rss:"), number(memory, "Anonymous:")
	threads, err := filepath.Glob(filepath.Join(folder, "task", "*", "status"))
	if err != nil {
		return u, fmt.Errorf("list the threads of process %d: %w", pid, err)
	}
	u.threads = len(threads)
	for _, path := range threads {
		status, err := os.ReadFile(path)
		if err == nil { // otherwise the thread has just ended
			u.switches += number(status, "voluntary_ctxt_switches:")
		}
	}
	return u, nil
}

// number returns the number after a name at the beginning of a line, or 0.
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
