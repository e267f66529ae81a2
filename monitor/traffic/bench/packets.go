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
	"sync/atomic"
	"time"
)

// captureResult is what was measured of a capture.
type captureResult struct {
	rate      float64 // packets a second
	processor float64 // its share of a processor
	each      float64 // µs of processor time for a packet
	dropped   string  // what the capture says
}

// What "porthole capture" says at its end.
var (
	dropsLine    = regexp.MustCompile(`kernel dropped (\d+) of (\d+) packets`)
	capturedLine = regexp.MustCompile(`packets captured: (\d+)`)
)

// captured measures a capture of small segments: of connections, as many as this machine can send,
// or of packets from a raw socket.
func captured(ctx context.Context, o options, raw bool) (r captureResult, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("a capture: %w", err)
		}
	}()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return r, err
	}
	defer l.Close()
	go swallow(l)
	port := l.Addr().(*net.TCPAddr).Port
	c := exec.CommandContext(ctx, o.porthole, "capture", strconv.Itoa(port))
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	stderr, err := c.StderrPipe()
	if err != nil {
		return r, err
	}
	if err := c.Start(); err != nil {
		return r, err
	}
	lines := bufio.NewScanner(stderr)
	if !lines.Scan() || !strings.Contains(lines.Text(), "capturing") {
		_ = c.Wait() // the line says why
		return r, errors.New(lines.Text())
	}
	began, used, segments := time.Now(), cpuTime(c.Process.Pid), segmentsSent()
	if raw {
		segments, err = sendRaw(port, o.packets, began.Add(2*o.duration))
	} else {
		send(port, o.packets, began.Add(2*o.duration))
		segments = segmentsSent() - segments
	}
	took := time.Since(began)
	used = cpuTime(c.Process.Pid) - used
	_ = c.Process.Signal(os.Interrupt)
	r.dropped = "it says nothing about drops"
	for lines.Scan() {
		if m := capturedLine.FindStringSubmatch(lines.Text()); m != nil {
			r.dropped = fmt.Sprintf("%s of %d packets sent were captured", m[1], segments)
		}
		if m := dropsLine.FindStringSubmatch(lines.Text()); m != nil {
			r.dropped = fmt.Sprintf("it says that %s of %s packets were dropped", m[1], m[2])
		}
	}
	_ = c.Wait() // an interrupted program may have any status
	if err != nil {
		return r, err
	}
	r.rate = float64(segments) / took.Seconds()
	r.processor = used.Seconds() / took.Seconds()
	r.each = float64(used.Microseconds()) / float64(max(segments, 1))
	return r, nil
}

// swallow reads what clients send.
func swallow(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			_, _ = io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{c}, make([]byte, 256<<10)) // until the client closes
		}()
	}
}

// senders is how many connections send packets.
const senders = 4

// send sends small segments until end, so that all together, with those that only
// acknowledge, there are as many a second as wanted, or as many as this machine can send.
func send(port, wanted int, end time.Time) {
	var budget atomic.Int64
	var all sync.WaitGroup
	for range senders {
		all.Go(func() { sendSegments(port, &budget, end) })
	}
	began, first := time.Now(), segmentsSent()
	for time.Now().Before(end) {
		due := int(time.Since(began).Seconds() * float64(wanted))
		budget.Store(int64(due - (segmentsSent() - first)))
		time.Sleep(2 * time.Millisecond)
	}
	budget.Store(0)
	all.Wait()
}

// sendSegments sends a segment with each write, as long as there is a budget.
func sendSegments(port int, budget *atomic.Int64, end time.Time) {
	c, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return
	}
	defer c.Close()
	b := []byte(line)
	for time.Now().Before(end) {
		for range 32 {
			if budget.Add(-1) < 0 {
				time.Sleep(200 * time.Microsecond)
				break
			}
			if _, err := c.Write(b); err != nil {
				return
			}
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
