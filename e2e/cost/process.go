//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"os/exec"
	"time"

	"porthole/e2e/desktop"
)

// otherProcesses is the number of other processes while process windows are opened.
const otherProcesses = 500

// runProcess measures a process window: the time from the key to its first picture while
// many processes run, and the CPU time while it is open.
func runProcess(ctx context.Context, over time.Duration, porthole, _ string, w io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute+4*over)
	defer cancel()
	stop, err := startIdle(otherProcesses)
	defer stop()
	if err != nil {
		return err
	}
	d, agent, err := quietDesktop(ctx, porthole)
	if err != nil {
		return err
	}
	defer d.Stop()
	defer end(agent)
	window, pid, err := showRow(ctx, d, porthole)
	if err != nil {
		return err
	}
	heading, painted, still, err := measureOpen(ctx, d, window, pid, over)
	if err != nil {
		return err
	}
	stopTalk, err := talk(ctx)
	if err != nil {
		return err
	}
	_, _, busy, err := measureOpen(ctx, d, window, pid, over)
	stopTalk()
	if err != nil {
		return err
	}
	var times []time.Duration
	for range starts {
		took, err := openPainted(ctx, d, window, heading, painted)
		if err != nil {
			return err
		}
		times = append(times, took)
	}
	t := newTable(w)
	_, _ = fmt.Fprintf(t, "a process window beside %d others\tPorthole\tlimit\t\n", otherProcesses) // end returns the error
	_, _ = fmt.Fprintf(t, "time from the key to its first picture, ms\t%d\t<= 100\t\n", median(times).Milliseconds())
	_, _ = fmt.Fprintf(t, "additional CPU while it is open, %% of a core\t%.2f\t<= 1\t\n", still)
	_, _ = fmt.Fprintf(t, "the same with active clients\t%.2f\t<= 1\t\n", busy)
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	return errors.Join(window.Close(), d.WaitNoWindow(ctx, "Porthole"))
}

// startIdle starts n processes that do nothing.
func startIdle(n int) (stop func(), _ error) {
	var all []*exec.Cmd
	stop = func() {
		for _, c := range all {
			_ = c.Process.Kill()
			_ = c.Wait() // the exit status has no meaning here
		}
	}
	for range n {
		c := exec.Command("sleep", "3600")
		if err := c.Start(); err != nil {
			return stop, fmt.Errorf("start a process: %w", err)
		}
		all = append(all, c)
	}
	return stop, nil
}

// measureOpen opens the window once. It returns the place of the name in its heading,
// the pixels there, and the additional CPU time of Porthole with the window in percent
// of a core.
func measureOpen(ctx context.Context, d *desktop.Desktop, window desktop.Window, pid int, over time.Duration) (heading image.Rectangle, painted []byte, more float64, err error) {
	time.Sleep(settleTime)
	without, _, err := measure(over, pid, pid)
	if err != nil {
		return heading, nil, 0, err
	}
	if err := errors.Join(window.Focus(), window.Key("Return")); err != nil {
		return heading, nil, 0, err
	}
	w, err := d.WaitWindow(ctx, processTitle())
	if err != nil {
		return heading, nil, 0, err
	}
	time.Sleep(settleTime)
	frame, err := w.Geometry()
	if err != nil {
		return heading, nil, 0, err
	}
	heading = image.Rect(20, 16, 50, 50).Add(frame.Min)
	if painted, err = d.Pixels(heading); err != nil {
		return heading, nil, 0, err
	}
	with, _, err := measure(over, pid, pid)
	if err != nil {
		return heading, nil, 0, err
	}
	return heading, painted, with.cpu - without.cpu, waitAndClose(ctx, d)
}

// openPainted opens the window and returns the time until its heading has the same
// pixels as before.
func openPainted(ctx context.Context, d *desktop.Desktop, window desktop.Window, heading image.Rectangle, painted []byte) (time.Duration, error) {
	if err := window.Focus(); err != nil {
		return 0, err
	}
	time.Sleep(time.Second)
	if now, err := d.Pixels(heading); err != nil || bytes.Equal(now, painted) {
		return 0, errors.Join(err, errors.New("the window is open before the key"))
	}
	begin := time.Now()
	if err := d.Press("Return"); err != nil {
		return 0, err
	}
	for {
		now, err := d.Pixels(heading)
		if err != nil {
			return 0, err
		}
		if bytes.Equal(now, painted) {
			break
		}
		if ctx.Err() != nil {
			return 0, fmt.Errorf("wait until a process window is drawn: %w", ctx.Err())
		}
		time.Sleep(2 * time.Millisecond)
	}
	took := time.Since(begin)
	return took, waitAndClose(ctx, d)
}
