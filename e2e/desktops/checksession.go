//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Figures that the agent must keep.
const (
	costTime   = 20 * time.Second
	mostMemory = 32.0 // MB
	mostCPU    = 0.1  // percent of a core
)

// checkCost measures the idle agent.
func (t *trial) checkCost() (string, error) {
	pids := agents()
	if len(pids) != 1 {
		return "", fmt.Errorf("there are %d agents", len(pids))
	}
	time.Sleep(5 * time.Second)
	before, err := cpuTime(pids[0])
	if err != nil {
		return "", err
	}
	time.Sleep(costTime)
	after, err := cpuTime(pids[0])
	if err != nil {
		return "", err
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pids[0]))
	if err != nil {
		return "", fmt.Errorf("read the agent's memory: %w", err)
	}
	memory, own := megabytes(string(status), "VmRSS:"), megabytes(string(status), "RssAnon:")
	percent := 100 * float64(after-before) / float64(costTime)
	figure := fmt.Sprintf("%.2f %%; %.0f MB", percent, memory)
	if percent > mostCPU*1.05 || memory == 0 || memory > mostMemory+0.5 {
		return figure, fmt.Errorf("more than %.1f %% of a core, or than %.0f MB of resident memory; %.0f MB of it are private to the process, the rest are pages of its file", mostCPU, mostMemory, own)
	}
	return figure, nil
}

// cpuTime returns the CPU time of all threads of a process. The first number of schedstat is in
// nanoseconds (Documentation/scheduler/sched-stats.rst).
func cpuTime(pid int) (time.Duration, error) {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid)) // the pattern is valid
	var sum time.Duration
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		first, _, _ := strings.Cut(string(text), " ")
		ns, err := strconv.ParseInt(first, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read %s: %w", file, err)
		}
		sum += time.Duration(ns)
	}
	if sum == 0 {
		return 0, errors.New("the agent has no CPU time")
	}
	return sum, nil
}

// megabytes returns a field of /proc/PID/status (proc(5)), which is in kB; 0 if it is missing.
func megabytes(status, field string) float64 {
	for line := range strings.Lines(status) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == field {
			kb, _ := strconv.Atoi(fields[1]) // the kernel writes numbers
			return float64(kb) / 1024
		}
	}
	return 0
}
