//go:build linux

package desktop

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// This file starts and stops the parts of a desktop.

func (d *Desktop) startX(ctx context.Context) error {
	// -noreset: without it the server resets itself when its last client leaves.
	// -s 0: no screen saver. -dpi 96: toolkits use scale 1. -fbdir: the screen's
	// content is in a file, which can be read within a millisecond.
	start := func() (string, error) {
		return d.startReady(ctx, partX, "Xvfb", "-displayfd", "3", "-auth", filepath.Join(d.dir, "runtime", "xauthority"),
			"-screen", "0", fmt.Sprintf("%dx%dx%d", d.screen.X, d.screen.Y, d.depth), "-dpi", "96",
			"-fbdir", filepath.Join(d.dir, "runtime"), "-nolisten", "tcp", "-noreset", "-s", "0", "+extension", "GLX", "+render")
	}
	number, err := start()
	// The servers of all desktops compile their keyboards into the same folder, and one
	// may remove the file of another that has the same display number.
	for again := 0; again < 3 && err != nil && strings.Contains(err.Error(), "virtual core keyboard"); again++ {
		d.stop(partX)
		number, err = start()
	}
	if err != nil {
		return err
	}
	d.display = ":" + number
	d.env = append(d.env, "DISPLAY="+d.display)
	x, err := dialX(d.display, d.cookie)
	if err != nil {
		return err
	}
	d.mu.Lock()
	d.x = x
	d.mu.Unlock()
	_, err = d.run(ctx, "xsetroot", "-solid", "#3d5a73", "-cursor_name", "left_ptr")
	return err
}

// xServer returns the connection to the X server.
func (d *Desktop) xServer() *xConn {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.x
}

func (d *Desktop) startBus(ctx context.Context) error {
	_, err := d.startReady(ctx, partBus, "dbus-daemon", "--config-file="+d.busConfig(), "--nofork", "--nopidfile", "--print-address=3")
	if err != nil {
		return err
	}
	conn, err := d.dial()
	if err != nil {
		return err
	}
	d.mu.Lock()
	d.conn = conn
	d.mu.Unlock()
	return nil
}

func (d *Desktop) startWindowManager(ctx context.Context) error {
	p, err := d.start(partWindowManager, nil, "openbox", "--sm-disable")
	if err != nil {
		return err
	}
	return d.await(ctx, p, "to manage windows", func(context.Context) bool { return d.xServer().managed() })
}

// StartNotifications starts the notification daemon, dunst, and returns when it
// accepts notifications.
func (d *Desktop) StartNotifications(ctx context.Context) error {
	p, err := d.start(partNotifications, nil, "dunst", "-conf", d.dunstConfig())
	if err != nil {
		return err
	}
	return d.await(ctx, p, "to accept notifications", func(ctx context.Context) bool {
		var has bool
		err := d.call(ctx, "org.freedesktop.DBus.NameHasOwner", notificationsName).Store(&has)
		return err == nil && has
	})
}

// StartPanel starts the panel and returns when it shows tray items.
func (d *Desktop) StartPanel(ctx context.Context) error {
	p, err := d.start(partPanel, nil, "xfce4-panel", "--disable-wm-check")
	if err != nil {
		return err
	}
	return d.await(ctx, p, "to show tray items", d.hasTray)
}

// StopNotifications ends the notification daemon if one runs.
func (d *Desktop) StopNotifications() { d.stop(partNotifications) }

// StopPanel ends the panel, and with it the tray.
func (d *Desktop) StopPanel() { d.stop(partPanel) }

// StopBus ends the session bus, as a logout does. It cannot be started again.
func (d *Desktop) StopBus() { d.stop(partBus) }

// StopX ends the X server under its clients. It cannot be started again.
func (d *Desktop) StopX() { d.stop(partX) }

// await polls until ready returns true. It fails if the part or ctx ends first.
func (d *Desktop) await(ctx context.Context, p *part, what string, ready func(context.Context) bool) error {
	began := time.Now()
	ctx, cancel := limit(ctx, bootTimeout)
	defer cancel()
	for !ready(ctx) {
		select {
		case <-p.done:
			return fmt.Errorf("%s ended unexpectedly (%v)%s", p.name, p.state(), p.logEnd())
		case <-ctx.Done():
			return fmt.Errorf("wait for %s %s: %w%s", p.name, what, ctx.Err(), p.logEnd())
		case <-time.After(pollInterval):
		}
	}
	d.log.Printf("%s, pid %d, ready after %d ms", p.name, p.cmd.Process.Pid, time.Since(began).Milliseconds())
	return nil
}

// startReady starts a part that writes a line to descriptor 3 when it is ready,
// and returns the line.
func (d *Desktop) startReady(ctx context.Context, name, program string, args ...string) (string, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return "", fmt.Errorf("start %s: %w", name, err)
	}
	defer r.Close()
	began := time.Now()
	p, err := d.start(name, w, program, args...)
	w.Close() // the pipe then ends with the part
	if err != nil {
		return "", err
	}
	defer context.AfterFunc(ctx, func() { r.SetReadDeadline(time.Now()) })()
	line, err := bufio.NewReader(r).ReadString('\n')
	switch {
	case ctx.Err() != nil:
		return "", fmt.Errorf("wait for %s: %w%s", name, ctx.Err(), p.logEnd())
	case err != nil:
		return "", fmt.Errorf("%s was not ready before it ended%s", name, p.logEnd())
	}
	d.log.Printf("%s, pid %d, ready after %d ms", name, p.cmd.Process.Pid, time.Since(began).Milliseconds())
	return strings.TrimSpace(line), nil
}

// limit adds a timeout to a context that has no deadline, so that no test hangs.
func limit(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, timeout)
}
