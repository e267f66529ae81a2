//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"porthole/e2e/desktop"
)

// runStart measures what a user waits for: the tray's icon after a start, and the
// window after a click on that.
func runStart(ctx context.Context, _ time.Duration, porthole, _ string, w io.Writer) error {
	opts := desktop.DefaultOptions()
	opts.Notifications = false
	d, err := desktop.Start(ctx, opts)
	if err != nil {
		return err
	}
	defer d.Stop()
	var icons, windows []time.Duration
	for range starts {
		icon, window, err := startAndClick(ctx, d, porthole)
		if err != nil {
			return err
		}
		icons, windows = append(icons, icon), append(windows, window)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(t, "the start\tPorthole\twanted\t") // Flush tells
	_, _ = fmt.Fprintf(t, "tray icon after the start, ms\t%d\t<= 150\t\n", median(icons).Milliseconds())
	_, _ = fmt.Fprintf(t, "first rows after the click on it, ms\t%d\t<= 600\t\n", median(windows).Milliseconds())
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	return nil
}

// startAndClick starts Porthole, and ends it after its window has come.
func startAndClick(ctx context.Context, d *desktop.Desktop, porthole string) (icon, window time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	tray, err := d.Tray()
	if err != nil {
		return 0, 0, err
	}
	defer tray.Close()
	agent := d.Command(porthole, "--hidden")
	begin := time.Now()
	if err := agent.Start(); err != nil {
		return 0, 0, fmt.Errorf("start the agent: %w", err)
	}
	defer end(agent)
	item, err := waitIcon(ctx, tray, agent.Process.Pid)
	if err != nil {
		return 0, 0, err
	}
	icon = time.Since(begin)
	time.Sleep(settle)
	begin = time.Now()
	if err := item.Activate(ctx); err != nil {
		return 0, 0, err
	}
	if err := waitPainted(ctx, d); err != nil {
		return 0, 0, err
	}
	window = time.Since(begin)
	shown, err := d.WaitWindow(ctx, "Porthole")
	if err != nil {
		return 0, 0, err
	}
	return icon, window, errors.Join(shown.Close(), d.WaitNoWindow(ctx, "Porthole"))
}

// waitIcon is Tray.WaitItem, which looks too seldom to measure with.
func waitIcon(ctx context.Context, tray *desktop.Tray, pid int) (desktop.Item, error) {
	for {
		items, err := tray.Items(ctx)
		if err != nil {
			return desktop.Item{}, err
		}
		for _, item := range items {
			if item.PID == pid {
				return item, nil
			}
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// waitPainted waits for the first row to be on the screen. A look costs some
// milliseconds of a core, which the program wants: it does not look all the time.
func waitPainted(ctx context.Context, d *desktop.Desktop) error {
	for {
		shown, err := d.Shows(painted)
		if err != nil || shown {
			return err
		}
		if ctx.Err() != nil {
			return fmt.Errorf("wait for the window to be painted: %w", ctx.Err())
		}
		time.Sleep(5 * time.Millisecond)
	}
}
