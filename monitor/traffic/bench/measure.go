package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// result is what was measured of a forwarder.
type result struct {
	rate     float64       // requests a second
	p50, p99 time.Duration // added to a request
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
		var direct []time.Duration
		for i, f := range all {
			r := results[f.name]
			if r.err = errors.Join(r.err, f.err); r.err == nil {
				direct = r.measure(ctx, o, f, pipes[i], direct)
			}
			results[f.name] = r
		}
	}
	return results
}

// measure measures one forwarder once and keeps the better figures. It returns the
// latencies that others are compared with.
func (r *result) measure(ctx context.Context, o options, f, pipe *forwarder, direct []time.Duration) []time.Duration {
	n, err := rate(ctx, f.port, o.duration)
	r.rate = max(r.rate, n)
	if err != nil {
		r.err = err
		return direct
	}
	took, err := latencies(ctx, f.port, o.duration/2)
	if err != nil || len(took) == 0 {
		r.err = errors.Join(err, errors.New("no request was answered"))
		return direct
	}
	if f.command == nil {
		direct = took
	} else if len(direct) > 0 {
		r.p50 = best(r.p50, took[len(took)/2]-direct[len(direct)/2])
		r.p99 = best(r.p99, took[len(took)*99/100]-direct[len(direct)*99/100])
	}
	if f.bulk {
		b, err := bulkRate(pipe.port, o.duration/2)
		r.bulk, r.err = max(r.bulk, b), err
	}
	return direct
}

// best returns the smaller duration; 0 is unknown.
func best(a, b time.Duration) time.Duration {
	if a == 0 {
		return b
	}
	return min(a, b)
}

// memory measures the memory of a tap after many exchanges.
func memory(ctx context.Context, o options, web int, write func(string, ...any)) {
	f := forwarders(o.porthole)[1]
	if err := f.start(web); err != nil {
		write("Memory: not measured: %v", err)
		return
	}
	defer f.stop()
	before := residentMB(f.cmd.Process.Pid)
	sent := 0.0
	for sent < float64(o.exchanges) {
		began := time.Now()
		n, err := rate(ctx, f.port, o.duration)
		if err != nil {
			write("Memory: not measured: %v", err)
			return
		}
		sent += n * time.Since(began).Seconds()
	}
	write("After %.0f exchanges the tap has %.0f MB of memory (RSS), %.0f MB before.", sent, residentMB(f.cmd.Process.Pid), before)
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

// dropsLine is what "porthole capture" says at its end.
var dropsLine = regexp.MustCompile(`kernel dropped (\d+) of (\d+) packets`)

// captured measures a capture of small segments.
func captured(ctx context.Context, o options, write func(string, ...any)) {
	if err := capturedError(ctx, o, write); err != nil {
		write("\nCapture: not measured: %v", err)
	}
}

func capturedError(_ context.Context, o options, write func(string, ...any)) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(c, c) }()
		}
	}()
	port := l.Addr().(*net.TCPAddr).Port
	c := exec.Command(o.porthole, "capture", strconv.Itoa(port))
	stderr, err := c.StderrPipe()
	if err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	lines := bufio.NewScanner(stderr)
	if !lines.Scan() || !strings.Contains(lines.Text(), "capturing") {
		_ = c.Wait()
		return errors.New(lines.Text())
	}
	end := time.Now().Add(o.duration)
	began, used, segments := time.Now(), cpuTime(c.Process.Pid), segmentsSent()
	var clients sync.WaitGroup
	for range 16 {
		clients.Go(func() { pingPong(port, end) })
	}
	clients.Wait()
	took := time.Since(began)
	used, segments = cpuTime(c.Process.Pid)-used, segmentsSent()-segments
	_ = c.Process.Signal(os.Interrupt)
	said := "nothing was dropped"
	for lines.Scan() {
		if m := dropsLine.FindStringSubmatch(lines.Text()); m != nil {
			said = fmt.Sprintf("it says that %s of %s packets were dropped", m[1], m[2])
		}
	}
	_ = c.Wait()
	write("\nA capture of %.0f small packets a second: %s; it used %.2f of a processor, which is %.1f µs for each.",
		float64(segments)/took.Seconds(), said, used.Seconds()/took.Seconds(), float64(used.Microseconds())/float64(segments))
	return nil
}

// pingPong sends a few bytes and waits until they come back, again and again.
func pingPong(port int, end time.Time) {
	c, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return
	}
	defer c.Close()
	b := []byte("hello\n")
	for time.Now().Before(end) {
		if _, err := c.Write(b); err != nil {
			return
		}
		if _, err := io.ReadFull(c, b); err != nil {
			return
		}
	}
}

// segmentsSent returns how many TCP segments this network has sent (OutSegs in
// /proc/net/snmp).
func segmentsSent() int {
	b, _ := os.ReadFile("/proc/net/snmp")
	var names []string
	for line := range strings.Lines(string(b)) {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0 || fields[0] != "Tcp:":
		case names == nil:
			names = fields
		default:
			n, _ := strconv.Atoi(fields[slices.Index(names, "OutSegs")])
			return n
		}
	}
	return 0
}
