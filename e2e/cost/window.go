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

// painted is the background of the selected row, which the window draws first, and of
// the bare program's window.
var painted = color.RGBA{0x1d, 0x3b, 0x40, 255}

// Numbers of starts of the window beside the bare one, and of times it is opened and
// closed to find leaks.
const (
	starts = 7
	opens  = 50
)

// processWindows are the numbers of process windows that one main window opens and
// closes, first and then again.
var processWindows = [2]int{100, 1000}

// restTime is longer than the time after which a window probes the selected process less often
// (app/window) and shows all ages together (ui/ports).
const restTime = 90 * time.Second

// releaseTime is longer than the time after which a window releases the memory of its
// process windows (tidyAfter of app/window).
const releaseTime = 100 * time.Second

// runWindow measures the window beside a bare Fyne window: its start, and its resources while
// nothing changes, first in the time after it was opened and then at rest.
func runWindow(ctx context.Context, over time.Duration, porthole, bare string, w io.Writer) error {
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
	idle, err := idleWindows(ctx, d, over, porthole, bare)
	if err != nil {
		return err
	}
	t := newTable(w)
	t.row("the window", "Porthole", "bare Fyne", "difference", "limit")
	for _, x := range []struct {
		name, limit string
		of          func(startTimes) []time.Duration
	}{
		{"time from the start of its process to the first rows, ms", "<= 100", func(b startTimes) []time.Duration { return b.started }},
		{"the same from the start of the command, ms", "", func(b startTimes) []time.Duration { return b.requested }},
	} {
		a, b := median(x.of(ours)), median(x.of(theirs))
		t.row(x.name, a.Milliseconds(), b.Milliseconds(), (a - b).Milliseconds(), x.limit)
	}
	for i, when := range []string{"after it was opened", fmt.Sprintf("%.0f s later", restTime.Seconds())} {
		shown, bareCost := idle[i][0], idle[i][1]
		t.row("CPU while nothing changes, "+when+", % of a core", fmt.Sprintf("%.2f", shown.cpu), fmt.Sprintf("%.2f", bareCost.cpu),
			fmt.Sprintf("%+.0f %%", 100*(shown.cpu/bareCost.cpu-1)), "<= +10 %")
	}
	shown, bareCost := idle[1][0], idle[1][1]
	t.row("RSS, MB", fmt.Sprintf("%.0f", shown.rss), fmt.Sprintf("%.0f", bareCost.rss), fmt.Sprintf("%.0f", shown.rss-bareCost.rss), "")
	return t.end()
}

// runLeaks measures what the window keeps of closed process windows, and the agent of
// closed windows.
func runLeaks(ctx context.Context, _ time.Duration, porthole, _ string, w io.Writer) error {
	d, agent, err := quietDesktop(ctx, porthole)
	if err != nil {
		return err
	}
	defer d.Stop()
	defer end(agent)
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
	time.Sleep(settleTime)
	after, err := agentHolds(d, agent.Process.Pid)
	if err != nil {
		return err
	}
	t := newTable(w)
	t.row(fmt.Sprintf("a window after %d and another %d process windows", processWindows[0], processWindows[1]), "before", "after", "difference", "limit")
	t.row("anonymous memory, MB", fmt.Sprintf("%.1f", grown[0].anonymous/1024), fmt.Sprintf("%.1f", grown[1].anonymous/1024), fmt.Sprintf("%.1f", (grown[1].anonymous-grown[0].anonymous)/1024), "<= 10")
	t.row("threads", grown[0].threads, grown[1].threads, grown[1].threads-grown[0].threads, 0)
	t.row(fmt.Sprintf("the agent before and after %d windows", opens), "before", "after", "difference", "limit")
	t.row("processes", before.processes, after.processes, after.processes-before.processes, 0)
	t.row("descriptors", before.descriptors, after.descriptors, after.descriptors-before.descriptors, 0)
	t.row("anonymous memory, MB", fmt.Sprintf("%.1f", before.anonymous/1024), fmt.Sprintf("%.1f", after.anonymous/1024), fmt.Sprintf("%.1f", (after.anonymous-before.anonymous)/1024), "")
	return t.end()
}

// table writes rows with aligned columns.
type table struct{ *tabwriter.Writer }

func newTable(w io.Writer) table {
	return table{tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)}
}

func (t table) row(cells ...any) {
	for _, c := range cells {
		_, _ = fmt.Fprint(t, c, "\t") // end returns the error
	}
	_, _ = fmt.Fprintln(t)
}

func (t table) end() error {
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	return nil
}

// quietDesktop starts a desktop without panel and notifications, and an agent. It waits
// until the row's age is shown in minutes, because seconds would change all the time.
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
	time.Sleep(settleTime)
	return d, agent, nil
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}

// startTimes are the times until windows were drawn, from the start of their process and
// from the start of the command. For Porthole the command asks the agent for the window.
type startTimes struct{ started, requested []time.Duration }

// startWindows starts both windows several times, in turn.
func startWindows(ctx context.Context, d *desktop.Desktop, porthole, bare string) (ours, theirs startTimes, err error) {
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

// add starts a window, adds the time until it is drawn, and closes it.
func (b *startTimes) add(ctx context.Context, d *desktop.Desktop, c *exec.Cmd, title string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for len(d.Programs()) > 1 && ctx.Err() == nil { // the process of the last window ends a little later
		time.Sleep(10 * time.Millisecond)
	}
	begin := time.Now()
	if err := c.Start(); err != nil {
		return fmt.Errorf("start %s: %w", c.Path, err)
	}
	defer func() { _ = c.Wait() }() // it exits with its window, or after the request to the agent
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
	b.requested = append(b.requested, shown.Sub(begin))
	return errors.Join(w.Close(), d.WaitNoWindow(ctx, title))
}

// idleWindows measures both windows at the same time: after they were opened, and again at
// rest. Each measurement is Porthole's and the bare program's.
func idleWindows(ctx context.Context, d *desktop.Desktop, over time.Duration, porthole, bare string) (idle [2][2]cost, err error) {
	limited, cancel := context.WithTimeout(ctx, time.Minute+2*over+restTime)
	defer cancel()
	if err := d.Command(porthole).Run(); err != nil {
		return idle, fmt.Errorf("open the window: %w", err)
	}
	window, err := d.WaitWindow(limited, "Porthole")
	if err != nil {
		return idle, err
	}
	other := d.Command(bare, "window")
	if err := other.Start(); err != nil {
		return idle, fmt.Errorf("start %s: %w", bare, err)
	}
	defer end(other)
	if _, err := d.WaitWindow(limited, "bare"); err != nil {
		return idle, err
	}
	pid, err := window.PID()
	if err != nil {
		return idle, err
	}
	for i, wait := range []time.Duration{settleTime, restTime} {
		time.Sleep(wait)
		if idle[i][0], idle[i][1], err = measure(over, pid, other.Process.Pid); err != nil {
			return idle, err
		}
	}
	return idle, errors.Join(window.Close(), d.WaitNoWindow(limited, "Porthole"))
}

// openProcesses opens and closes process windows, and returns the usage of the window
// process after the first ones and after the others.
func openProcesses(ctx context.Context, d *desktop.Desktop, porthole string) (grown [2]usage, _ error) {
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
		time.Sleep(releaseTime)
		if grown[i], err = readUsage(pid); err != nil {
			return grown, err
		}
	}
	return grown, errors.Join(window.Close(), d.WaitNoWindow(ctx, "Porthole"))
}

// showRow opens the window, selects this program's row, and returns the window and the
// PID of its process.
func showRow(ctx context.Context, d *desktop.Desktop, porthole string) (window desktop.Window, pid int, err error) {
	if err := d.Command(porthole, "show", strconv.Itoa(rowPort)).Run(); err != nil {
		return window, 0, fmt.Errorf("open the window: %w", err)
	}
	if window, err = d.WaitWindow(ctx, "Porthole"); err != nil {
		return window, 0, err
	}
	pid, err = window.PID()
	time.Sleep(settleTime)
	return window, pid, err
}

// processTitle returns the title of the process window of this program.
func processTitle() string {
	return fmt.Sprintf("%s %d – Porthole", filepath.Base(os.Args[0]), os.Getpid())
}

// waitAndClose waits for the process window of this program, and closes it.
func waitAndClose(ctx context.Context, d *desktop.Desktop) error {
	w, err := d.WaitWindow(ctx, processTitle())
	if err != nil {
		return err
	}
	return errors.Join(w.Close(), d.WaitNoWindow(ctx, processTitle()))
}

// holdings are the resources of the agent and the number of processes on its desktop.
type holdings struct {
	processes, descriptors int
	anonymous              float64 // kB
}

func agentHolds(d *desktop.Desktop, pid int) (h holdings, _ error) {
	u, err := readUsage(pid)
	if err != nil {
		return h, err
	}
	descriptors, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return h, fmt.Errorf("count the descriptors of the agent: %w", err)
	}
	return holdings{processes: len(d.Programs()), descriptors: len(descriptors), anonymous: u.anonymous}, nil
}
