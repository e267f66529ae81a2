//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/godbus/dbus/v5"
)

// session is a running desktop. It belongs to one goroutine, except its parts.
type session struct {
	desk  environment
	env   []string
	parts map[string]*running
	bus   *dbus.Conn
	screen
}

// running is a started program.
type running struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

// busAddress is the address of the session's bus.
const busAddress = "unix:path=" + runtimeDir + "/bus"

// Timeouts on a busy machine.
const (
	partTimeout = 90 * time.Second // until a desktop has started
	poll        = 100 * time.Millisecond
)

// newSession starts the desktop.
func newSession(ctx context.Context, d environment) (*session, error) {
	s := &session{desk: d, parts: map[string]*running{}}
	s.env = append(os.Environ(),
		"XDG_RUNTIME_DIR="+runtimeDir, "DBUS_SESSION_BUS_ADDRESS="+busAddress, "XDG_CURRENT_DESKTOP="+d.current,
		"XDG_SESSION_DESKTOP="+strings.ToLower(d.current), "XDG_SESSION_ID=1", "XDG_SEAT=seat0", "XDG_DATA_DIRS=/usr/local/share:/usr/share", "XDG_CONFIG_DIRS=/etc/xdg",
		"LIBGL_ALWAYS_SOFTWARE=1", "NO_AT_BRIDGE=1", "GTK_A11Y=none")
	s.env = append(s.env, d.env...)
	for name, text := range d.files {
		path := filepath.Join(home, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return nil, fmt.Errorf("configure the desktop: %w", err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			return nil, fmt.Errorf("configure the desktop: %w", err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, partTimeout)
	defer cancel()
	if err := s.startBuses(ctx); err != nil {
		return nil, err
	}
	if err := d.display.start(ctx, s); err != nil {
		return nil, err
	}
	if err := s.exportEnvironment(ctx); err != nil {
		return nil, err
	}
	for _, p := range d.parts {
		if err := s.startPart(p); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// startBuses starts the session bus, with the services of the desktop, and a system bus with a fake logind if the
// desktop needs one.
func (s *session) startBuses(ctx context.Context) error {
	if s.desk.logind {
		const address = "unix:path=" + runtimeDir + "/system"
		s.env = append(s.env, "DBUS_SYSTEM_BUS_ADDRESS="+address)
		if err := s.startPart(part{"system-bus", "dbus-daemon --nofork --nopidfile --session --address=" + address}); err != nil {
			return err
		}
		if _, err := s.dial(ctx, address); err != nil {
			return err
		}
		for _, template := range []string{"logind", "upower", "polkitd"} {
			if err := s.startPart(part{"fake-" + template, "python3 -m dbusmock --system --template " + template}); err != nil {
				return err
			}
		}
	}
	if err := s.startPart(part{"bus", "dbus-daemon --nofork --nopidfile --session --address=" + busAddress}); err != nil {
		return err
	}
	var err error
	s.bus, err = s.dial(ctx, busAddress)
	return err
}

// exportEnvironment passes the environment to the services that the bus starts.
func (s *session) exportEnvironment(ctx context.Context) error {
	variables := map[string]string{}
	for _, pair := range s.env {
		name, value, _ := strings.Cut(pair, "=")
		variables[name] = value
	}
	if err := s.bus.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.UpdateActivationEnvironment", 0, variables).Err; err != nil {
		return fmt.Errorf("pass the environment to the bus: %w", err)
	}
	return nil
}

// dial connects to a bus that has just been started.
func (s *session) dial(ctx context.Context, address string) (c *dbus.Conn, err error) {
	failed := wait(ctx, "connect to "+address, func() bool {
		c, err = dbus.Connect(address)
		return err == nil
	})
	return c, errors.Join(failed, err)
}

// startPart starts a program of the desktop with a log of its own.
func (s *session) startPart(p part) error {
	_, err := s.start(p.name, "exec "+p.command)
	return err
}

// start starts a command of the shell.
func (s *session) start(name, command string) (*running, error) {
	c := exec.Command("/bin/sh", "-c", command)
	c.Env, c.Dir = s.env, home
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	log, err := os.OpenFile(filepath.Join(records, name+".log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("make the log of %s: %w", name, err)
	}
	defer log.Close()
	c.Stdout, c.Stderr = log, log
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	r := &running{c, make(chan struct{})}
	go func() { // ends with the program
		_ = c.Wait()
		close(r.done)
	}()
	s.parts[name] = r
	return r, nil
}

// stop ends a part with SIGTERM, and with SIGKILL after five seconds.
func (s *session) stop(name string) {
	r := s.parts[name]
	if r == nil {
		return
	}
	delete(s.parts, name)
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		_ = syscall.Kill(-r.cmd.Process.Pid, signal) // it may have ended
		select {
		case <-r.done:
			return
		case <-time.After(5 * time.Second):
		}
	}
}

// run runs a command of the shell and returns its output.
func (s *session) run(ctx context.Context, command string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, "/bin/sh", "-c", command)
	c.Env, c.Dir, c.WaitDelay = s.env, home, time.Second
	out, err := c.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("%s: %w: %s", command, err, strings.TrimSpace(string(out)))
	}
	return string(out), nil
}

// wait waits until ok returns true.
func wait(ctx context.Context, what string, ok func() bool) error {
	for !ok() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", what, ctx.Err())
		case <-time.After(poll):
		}
	}
	return nil
}

// within is wait with a timeout.
func within(d time.Duration, what string, ok func() bool) error {
	for end := time.Now().Add(d); !ok(); time.Sleep(poll) {
		if time.Now().After(end) {
			return fmt.Errorf("%s: not within %v", what, d)
		}
	}
	return nil
}
