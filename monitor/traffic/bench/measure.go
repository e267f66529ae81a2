package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// result is what was measured of a forwarder.
type result struct {
	rate     float64       // requests a second
	p50, p99 time.Duration // of a request; measureForwarders makes it what was added to one
	bulk     float64       // bytes a second
	err      error
}

// rounds is how often each forwarder is measured, in turn; the best round counts, which
// other programs disturbed least.
const rounds = 3

// measureForwarders measures all forwarders.
func measureForwarders(ctx context.Context, o options, web, bulk int) map[string]result {
	all := forwarders(o.porthole)
	pipes := forwarders(o.porthole)
	for i, f := range all {
		f.err = f.start(web)
		if f.err == nil && f.bulk {
			f.err = pipes[i].start(bulk)
		}
		defer f.stop()
		defer pipes[i].stop()
	}
	results := make(map[string]result)
	for range rounds {
		for i, f := range all {
			r := results[f.name]
			if r.err = errors.Join(r.err, f.err); r.err == nil {
				r.measure(ctx, o, f, pipes[i])
			}
			results[f.name] = r
		}
	}
	direct := results[all[0].name]
	for name, r := range results {
		r.p50, r.p99 = r.p50-direct.p50, r.p99-direct.p99
		results[name] = r
	}
	return results
}

// measure measures one forwarder once and keeps the better figures.
func (r *result) measure(ctx context.Context, o options, f, pipe *forwarder) {
	n, err := rate(ctx, f.port, o.duration)
	r.rate = max(r.rate, n)
	if err != nil {
		r.err = err
		return
	}
	took, err := latencies(ctx, f.port, o.duration/2)
	if err != nil || len(took) == 0 {
		r.err = errors.Join(err, errors.New("no request was answered"))
		return
	}
	r.p50, r.p99 = best(r.p50, took[len(took)/2]), best(r.p99, took[len(took)*99/100])
	if f.bulk {
		b, err := bulkRate(pipe.port, o.duration/2)
		r.bulk, r.err = max(r.bulk, b), err
	}
}

// best returns the smaller duration; 0 is unknown.
func best(a, b time.Duration) time.Duration {
	if a == 0 {
		return b
	}
	return min(a, b)
}

// memoryResult is the resident memory of a tap in MB.
type memoryResult struct {
	before, after float64
	exchanges     int
}

// memory measures the memory of a tap after many exchanges.
func memory(ctx context.Context, o options, web int) (memoryResult, error) {
	var m memoryResult
	f := forwarders(o.porthole)[1]
	if err := f.start(web); err != nil {
		return m, fmt.Errorf("the memory of a tap: %w", err)
	}
	defer f.stop()
	m.before = residentMB(f.cmd.Process.Pid)
	for end := time.Now().Add(o.patience); m.exchanges < o.exchanges && time.Now().Before(end); {
		began := time.Now()
		n, err := rate(ctx, f.port, o.duration)
		if err != nil {
			return m, fmt.Errorf("the memory of a tap: %w", err)
		}
		m.exchanges += int(n * time.Since(began).Seconds())
	}
	m.after = residentMB(f.cmd.Process.Pid)
	return m, nil
}

// residentMB returns the resident memory of a process in MB.
func residentMB(pid int) float64 {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(b)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, _ := strconv.ParseFloat(strings.Fields(value)[0], 64)
			return kb / 1000
		}
	}
	return 0
}

// cpuTime returns the processor time of a process.
func cpuTime(pid int) time.Duration {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := strings.Cut(string(b), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	const tick = 10 * time.Millisecond // USER_HZ is 100
	return time.Duration(user+system) * tick
}
