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
	"text/tabwriter"
	"time"

	"porthole/e2e/desktop"
)

// crowded is how many other processes run while windows of a process are opened.
const crowded = 500

// runProcess measures a window of a process: how long it takes from the key to its
// first picture among many processes, and what it takes while it is open.
func runProcess(ctx context.Context, over time.Duration, porthole, _ string, w io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute+4*over)
	defer cancel()
	disperse, err := crowd(crowded)
	defer disperse()
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
	heading, painted, still, err := seen(ctx, d, window, pid, over)
	if err != nil {
		return err
	}
	hush, err := talk(ctx)
	if err != nil {
		return err
	}
	_, _, busy, err := seen(ctx, d, window, pid, over)
	hush()
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
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintf(t, "the window of a process, among %d others\tPorthole\twanted\t\n", crowded) // Flush tells
	_, _ = fmt.Fprintf(t, "from the key to its first picture, ms\t%d\t<= 100\t\n", median(times).Milliseconds())
	_, _ = fmt.Fprintf(t, "CPU while it is open, more than without, %% of a core\t%.2f\t<= 1\t\n", still)
	_, _ = fmt.Fprintf(t, "the same, where clients talk to it\t%.2f\t<= 1\t\n", busy)
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	return errors.Join(window.Close(), d.WaitNoWindow(ctx, "Porthole"))
}

// crowd starts processes that do nothing.
func crowd(n int) (disperse func(), _ error) {
	var all []*exec.Cmd
	disperse = func() {
		for _, c := range all {
			_ = c.Process.Kill()
			_ = c.Wait() // what it says of its end is no part of the measurement
		}
	}
	for range n {
		c := exec.Command("sleep", "3600")
		if err := c.Start(); err != nil {
			return disperse, fmt.Errorf("start a process: %w", err)
		}
		all = append(all, c)
	}
	return disperse, nil
}

// seen opens the window once, and returns where the name in its heading begins, how
// that looks, and how much more of a core Porthole takes with the window than
// without, in percent.
func seen(ctx context.Context, d *desktop.Desktop, window desktop.Window, pid int, over time.Duration) (heading image.Rectangle, painted []byte, more float64, err error) {
	time.Sleep(settle)
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
	time.Sleep(settle)
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

// openPainted opens the window and returns how long it takes until its heading looks
// as it did.
func openPainted(ctx context.Context, d *desktop.Desktop, window desktop.Window, heading image.Rectangle, painted []byte) (time.Duration, error) {
	if err := window.Focus(); err != nil {
		return 0, err
	}
	time.Sleep(time.Second)
	if now, err := d.Pixels(heading); err != nil || bytes.Equal(now, painted) {
		return 0, errors.Join(err, errors.New("the window is there before it is asked for"))
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
			return 0, fmt.Errorf("wait for the window of a process to be painted: %w", ctx.Err())
		}
		time.Sleep(2 * time.Millisecond)
	}
	took := time.Since(begin)
	return took, waitAndClose(ctx, d)
}
