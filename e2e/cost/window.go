//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"image/color"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"

	"porthole/e2e/desktop"
)

// painted is the ground of the selected row, the first one that the window
// paints, and of the bare program's window.
var painted = color.RGBA{0x1d, 0x3b, 0x40, 255}

// How often the window is started beside the bare one, and how often it is opened
// and closed to see what stays.
const (
	starts = 7
	opens  = 50
)

// processWindows are how many windows of a process one window opens and closes,
// first and once more.
var processWindows = [2]int{100, 1000}

// cached is how long it takes until a window has given back what its process windows
// took (tidyAfter of app/window), with some to spare.
const cached = 100 * time.Second

// runWindows measures the window beside a bare one of Fyne's: its start, what it
// takes while nothing changes, and what fifty of them leave behind.
func runWindows(ctx context.Context, over time.Duration, porthole, bare string, w io.Writer) error {
	d, agent, err := quietDesktop(ctx, porthole)
	if err != nil {
		return err
	}
	defer d.Stop()
	defer end(agent)
	ours, theirs, err := startWindows(ctx, d, porthole, bare)
	if err != nil {
		return err
	}
	shown, beside, err := idleWindows(ctx, d, over, porthole, bare)
	if err != nil {
		return err
	}
	grown, err := openProcesses(ctx, d, porthole)
	if err != nil {
		return err
	}
	before, err := agentHolds(d, agent.Process.Pid)
	if err != nil {
		return err
	}
	for range opens {
		if err := openAndClose(ctx, d, porthole); err != nil {
			return err
		}
	}
	time.Sleep(settle)
	after, err := agentHolds(d, agent.Process.Pid)
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(cells ...any) {
		for _, c := range cells {
			_, _ = fmt.Fprint(t, c, "\t") // Flush tells
		}
		_, _ = fmt.Fprintln(t)
	}
	row("the window", "Porthole", "bare Fyne", "more", "wanted")
	for _, x := range []struct {
		name, wanted string
		of           func(begun) []time.Duration
	}{
		{"start of its process to the first rows, ms", "<= 100", func(b begun) []time.Duration { return b.started }},
		{"the same, from the command that asks for it, ms", "", func(b begun) []time.Duration { return b.asked }},
	} {
		a, b := median(x.of(ours)), median(x.of(theirs))
		row(x.name, a.Milliseconds(), b.Milliseconds(), (a - b).Milliseconds(), x.wanted)
	}
	row("CPU while nothing changes, % of a core", fmt.Sprintf("%.2f", shown.cpu), fmt.Sprintf("%.2f", beside.cpu),
		fmt.Sprintf("%+.0f %%", 100*(shown.cpu/beside.cpu-1)), "<= +10 %")
	row("RSS, MB", fmt.Sprintf("%.0f", shown.rss), fmt.Sprintf("%.0f", beside.rss), fmt.Sprintf("%.0f", shown.rss-beside.rss), "")
	row(fmt.Sprintf("a window after %d and %d process windows more", processWindows[0], processWindows[1]), "before", "after", "more", "wanted")
	row("anonymous memory, MB", fmt.Sprintf("%.1f", grown[0].anonymous/1024), fmt.Sprintf("%.1f", grown[1].anonymous/1024), fmt.Sprintf("%.1f", (grown[1].anonymous-grown[0].anonymous)/1024), "<= 10")
	row("threads", grown[0].threads, grown[1].threads, grown[1].threads-grown[0].threads, 0)
	row(fmt.Sprintf("the agent before and after %d windows", opens), "before", "after", "more", "wanted")
	row("processes", before.processes, after.processes, after.processes-before.processes, 0)
	row("descriptors", before.descriptors, after.descriptors, after.descriptors-before.descriptors, 0)
	row("anonymous memory, MB", fmt.Sprintf("%.1f", before.anonymous/1024), fmt.Sprintf("%.1f", after.anonymous/1024), fmt.Sprintf("%.1f", (after.anonymous-before.anonymous)/1024), "")
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	return nil
}

// quietDesktop starts a desktop on which nothing moves by itself, with an agent,
// once the row is so old that it tells minutes rather than seconds.
func quietDesktop(ctx context.Context, porthole string) (*desktop.Desktop, *exec.Cmd, error) {
	time.Sleep(time.Until(rowSince.Add(time.Minute)))
	opts := desktop.DefaultOptions()
	opts.Panel, opts.Notifications = false, false
	d, err := desktop.Start(ctx, opts)
	if err != nil {
		return nil, nil, err
	}
	agent := d.Command(porthole, "--hidden")
	if err := agent.Start(); err != nil {
		d.Stop()
		return nil, nil, fmt.Errorf("start the agent: %w", err)
	}
	time.Sleep(settle)
	return d, agent, nil
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}

// begun is how long windows took to be painted: from the start of their process, and
// from that of the command, which for Porthole asks the agent.
type begun struct{ started, asked []time.Duration }

// startWindows starts both windows in turn.
func startWindows(ctx context.Context, d *desktop.Desktop, porthole, bare string) (ours, theirs begun, err error) {
	for range starts {
		if err := ours.add(ctx, d, d.Command(porthole), "Porthole"); err != nil {
			return ours, theirs, err
		}
		if err := theirs.add(ctx, d, d.Command(bare, "window"), "bare"); err != nil {
			return ours, theirs, err
		}
	}
	return ours, theirs, nil
}

// add starts a window, adds how long it takes to paint, and closes it.
func (b *begun) add(ctx context.Context, d *desktop.Desktop, c *exec.Cmd, title string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for len(d.Programs()) > 1 && ctx.Err() == nil { // the last window's process ends a little after it
		time.Sleep(10 * time.Millisecond)
	}
	begin := time.Now()
	if err := c.Start(); err != nil {
		return fmt.Errorf("start %s: %w", c.Path, err)
	}
	defer func() { _ = c.Wait() }() // it ends with its window, or has asked the agent for one
	if err := waitPainted(ctx, d); err != nil {
		return fmt.Errorf("start %s: %w", title, err)
	}
	shown := time.Now()
	w, err := d.WaitWindow(ctx, title)
	if err != nil {
		return err
	}
	pid, err := w.PID()
	if err != nil {
		return err
	}
	ran, err := age(pid)
	if err != nil {
		return err
	}
	b.started = append(b.started, ran-time.Since(shown))
	b.asked = append(b.asked, shown.Sub(begin))
	return errors.Join(w.Close(), d.WaitNoWindow(ctx, title))
}

// idleWindows measures both windows at the same time, beside each other.
func idleWindows(ctx context.Context, d *desktop.Desktop, over time.Duration, porthole, bare string) (ours, theirs cost, err error) {
	limited, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := d.Command(porthole).Run(); err != nil {
		return ours, theirs, fmt.Errorf("open the window: %w", err)
	}
	window, err := d.WaitWindow(limited, "Porthole")
	if err != nil {
		return ours, theirs, err
	}
	other := d.Command(bare, "window")
	if err := other.Start(); err != nil {
		return ours, theirs, fmt.Errorf("start %s: %w", bare, err)
	}
	defer end(other)
	if _, err := d.WaitWindow(limited, "bare"); err != nil {
		return ours, theirs, err
	}
	pid, err := window.PID()
	if err != nil {
		return ours, theirs, err
	}
	time.Sleep(settle)
	if ours, theirs, err = measure(over, pid, other.Process.Pid); err != nil {
		return ours, theirs, err
	}
	return ours, theirs, errors.Join(window.Close(), d.WaitNoWindow(limited, "Porthole"))
}

// openProcesses opens and closes windows of a process, and returns what the window's
// process has after the first ones and after the others.
func openProcesses(ctx context.Context, d *desktop.Desktop, porthole string) (grown [2]used, _ error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Minute)
	defer cancel()
	window, pid, err := showRow(ctx, d, porthole)
	if err != nil {
		return grown, err
	}
	for i, times := range processWindows {
		for range times {
			if err := window.Key("Return"); err != nil {
				return grown, err
			}
			if err := waitAndClose(ctx, d); err != nil {
				return grown, err
			}
		}
		time.Sleep(cached)
		if grown[i], err = look(pid); err != nil {
			return grown, err
		}
	}
	return grown, errors.Join(window.Close(), d.WaitNoWindow(ctx, "Porthole"))
}

// showRow opens the window with this program's row selected, and returns it with the
// PID of its process.
func showRow(ctx context.Context, d *desktop.Desktop, porthole string) (window desktop.Window, pid int, err error) {
	if err := d.Command(porthole, "show", strconv.Itoa(rowPort)).Run(); err != nil {
		return window, 0, fmt.Errorf("open the window: %w", err)
	}
	if window, err = d.WaitWindow(ctx, "Porthole"); err != nil {
		return window, 0, err
	}
	pid, err = window.PID()
	time.Sleep(settle)
	return window, pid, err
}

// processTitle is the title of this program's own window of a process.
func processTitle() string {
	return fmt.Sprintf("%s %d – Porthole", filepath.Base(os.Args[0]), os.Getpid())
}

// waitAndClose waits for that window, and closes it.
func waitAndClose(ctx context.Context, d *desktop.Desktop) error {
	w, err := d.WaitWindow(ctx, processTitle())
	if err != nil {
		return err
	}
	return errors.Join(w.Close(), d.WaitNoWindow(ctx, processTitle()))
}

// holds is what the agent has, and who is on its desktop.
type holds struct {
	processes, descriptors int
	anonymous              float64 // kB
}

func agentHolds(d *desktop.Desktop, pid int) (h holds, _ error) {
	u, err := look(pid)
	if err != nil {
		return h, err
	}
	descriptors, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return h, fmt.Errorf("count the descriptors of the agent: %w", err)
	}
	return holds{processes: len(d.Programs()), descriptors: len(descriptors), anonymous: u.anonymous}, nil
}
