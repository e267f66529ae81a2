//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"porthole/e2e/desktop"
)

// runStart measures the time from a start to the tray icon, and from a click on the icon
// to the window.
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
	t := newTable(w)
	_, _ = fmt.Fprintln(t, "the start\tPorthole\tlimit\t") // end returns the error
	_, _ = fmt.Fprintf(t, "time from the start to the tray icon, ms\t%d\t<= 150\t\n", median(icons).Milliseconds())
	_, _ = fmt.Fprintf(t, "time from a click on it to the first rows, ms\t%d\t<= 600\t\n", median(windows).Milliseconds())
	return t.end()
}

// startAndClick starts Porthole, opens its window, and ends it.
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
	time.Sleep(settleTime)
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

// waitIcon is like Tray.WaitItem, with a poll interval short enough for measurements.
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

// waitPainted waits until the first row is on the screen. Each check takes some
// milliseconds of CPU time, which the measured program needs, so it polls every 5 ms.
func waitPainted(ctx context.Context, d *desktop.Desktop) error {
	for {
		shown, err := d.Shows(painted)
		if err != nil || shown {
			return err
		}
		if ctx.Err() != nil {
			return fmt.Errorf("wait until the window is drawn: %w", ctx.Err())
		}
		time.Sleep(5 * time.Millisecond)
	}
}
