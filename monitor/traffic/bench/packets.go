package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
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

// captured measures a capture of small segments.
func captured(ctx context.Context, o options) (r captureResult, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("a capture: %w", err)
		}
	}()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return r, err
	}
	defer l.Close() // it keeps the port for this measurement
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
	began, used := time.Now(), cpuTime(c.Process.Pid)
	segments, err := sendRaw(port, o.packets, began.Add(2*o.duration))
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
