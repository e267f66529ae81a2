//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"porthole/e2e/desktop"
)

// The program as its package installs it.
const (
	program = "/usr/bin/porthole"
	entry   = "/usr/share/applications/io.github.porthole.porthole.desktop"
)

// watchedPort is the port that Porthole watches by default.
const watchedPort = "62893"

// trial is Porthole on a running desktop. It belongs to one goroutine.
type trial struct {
	*session
	ctx      context.Context
	notes    *desktop.Recorder
	tray     *desktop.Tray
	hasTray  bool
	icon     image.Rectangle // of the tray icon on the screen
	calm     *image.RGBA     // the desktop with nothing else on it
	listener net.Listener    // on watchedPort, or nil
	closed   int             // how many of notes are closed
	events   []time.Time     // when servers started and ended, the oldest first
	result   result
	covering *cover // the other window; nil if there is none
}

// tryInside starts a desktop and makes all checks. It runs as an ordinary user in the desktop's namespaces.
func tryInside(name, only string) error {
	defer keepLog()
	i := slices.IndexFunc(desktops, func(d environment) bool { return d.name == name })
	if i < 0 {
		return fmt.Errorf("no desktop is called %q", name)
	}
	ctx, cancel := context.WithTimeout(context.Background(), tryTimeout-time.Minute)
	defer cancel()
	t := &trial{ctx: ctx, result: newResult(desktops[i])}
	pattern, err := regexp.Compile(only)
	if err != nil {
		return fmt.Errorf("-check: %w", err)
	}
	err = t.makeAll(desktops[i], pattern)
	if err != nil {
		t.result.Error = err.Error()
	}
	return errors.Join(err, t.result.write(records))
}

// keepLog copies Porthole's log into the records.
func keepLog() {
	text, err := os.ReadFile(filepath.Join(home, ".local/state/porthole/porthole.log"))
	if err == nil {
		_ = os.WriteFile(filepath.Join(records, "porthole-state.log"), text, 0o644) // worth no failed check
	}
}

// makeAll starts the desktop and makes all checks. Failed checks are in the result; an error means that
// the desktop did not start.
func (t *trial) makeAll(d environment, only *regexp.Regexp) (err error) {
	began := time.Now()
	if t.session, err = newSession(t.ctx, d); err != nil {
		return err
	}
	t.result.Versions = t.versions()
	if t.notes, err = desktop.Record(t.ctx, busAddress); err != nil {
		return err
	}
	if t.tray, err = desktop.DialTray(busAddress); err != nil {
		return err
	}
	if err := t.settle(); err != nil {
		return err
	}
	fmt.Printf("the desktop has started after %v\n", time.Since(began).Round(time.Second))
	for _, c := range checks {
		if c.name == "start" || c.name == "icon" || only.MatchString(c.name) {
			t.make(c)
		}
	}
	return nil
}

// settle waits until the desktop has started and draws nothing new.
func (t *trial) settle() error {
	if !t.desk.noTray {
		t.hasTray = within(partTimeout, "the panel shows tray icons", func() bool {
			_, err := t.tray.Items(t.ctx)
			return err == nil
		}) == nil
	}
	if err := t.move(center(image.Rectangle{Max: screenSize})); err != nil {
		return err
	}
	last, calm := (*image.RGBA)(nil), 0
	return within(partTimeout, "the desktop is calm", func() bool {
		now, err := t.picture()
		if err != nil {
			return false
		}
		calm++
		if last == nil || len(changes(last, now)) > 0 {
			calm = 0
		}
		last, t.calm = now, now
		save(now, "desktop")
		time.Sleep(500 * time.Millisecond)
		return calm >= 4
	})
}

// make makes one check and records its result.
func (t *trial) make(c check) {
	if err := t.ctx.Err(); err != nil {
		t.result.Cells[c.name] = cellOf(notTried("no time was left"), "")
		return
	}
	if reason, ok := t.desk.notTried[c.name]; ok {
		t.result.Cells[c.name] = cellOf(notTried(reason), "")
		return
	}
	if c.tray && !t.hasTray {
		t.result.Cells[c.name] = cellOf(notTried("the desktop shows no tray icons: it has no StatusNotifierWatcher"), "")
		return
	}
	if c.tray && t.icon.Empty() && c.name != "icon" {
		t.result.Cells[c.name] = cellOf(notTried("the icon was not found on the screen"), "")
		return
	}
	began := time.Now()
	figure, err := c.run(t)
	if err != nil && !c.last {
		if img, failed := t.picture(); failed == nil {
			save(img, c.name+"-wrong")
		}
	}
	t.result.Cells[c.name] = cellOf(err, figure)
	fmt.Printf("%-13s %-10s %s %v (%v)\n", c.name, t.result.Cells[c.name].Verdict, figure, t.result.Cells[c.name].Note, time.Since(began).Round(100*time.Millisecond))
	_ = t.result.write(records) // the last write reports failures
	if !c.last {
		t.clean()
	}
}

// clean returns to a desktop with Porthole hidden, no server and no popup.
func (t *trial) clean() {
	t.uncover()
	_ = t.goTo(0)
	time.Sleep(time.Second) // Openbox 3.6 crashed when a window closed at the same time
	t.unserve()
	_ = press(t, keyEscape)
	_ = t.move(center(image.Rectangle{Max: screenSize}))
	// For the grace period, after which the closed server is reported. A second click may open the window again.
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(500 * time.Millisecond) {
		if w, ok := porthole(t); ok {
			_ = t.closeWindow(w)
		}
	}
	t.closeNotifications()
}

// uncover closes the other window.
func (t *trial) uncover() {
	if t.covering != nil {
		t.covering.close()
		t.covering = nil
	}
}

// goTo shows a workspace, counted from 0.
func (t *trial) goTo(n int) error {
	if t.desk.workspaces == "" {
		return t.workspace(n)
	}
	_, err := t.run(t.ctx, fmt.Sprintf(t.desk.workspaces, n+1))
	return err
}

// closeNotifications closes those that were sent.
func (t *trial) closeNotifications() {
	service := t.bus.Object("org.freedesktop.Notifications", "/org/freedesktop/Notifications")
	for _, n := range t.notes.Notes()[t.closed:] {
		if n.ID != 0 {
			service.Go("org.freedesktop.Notifications.CloseNotification", 0, nil, n.ID) // it may have expired
		}
	}
	t.closed = len(t.notes.Notes())
	// GNOME closes none for others, and none at all before the user moves the pointer.
	middle := center(image.Rectangle{Max: screenSize})
	for n := range 12 {
		_ = t.move(middle.Add(image.Pt(n%2, 0)))
		time.Sleep(time.Second)
		if now, err := t.picture(); err == nil && len(t.popups(t.calm, now)) == 0 {
			return
		}
	}
}

// leastPopup is the least size of a notification in pixels.
var leastPopup = image.Pt(120, 36)

// popups returns the parts of the screen that may be notifications which have appeared or gone.
func (t *trial) popups(before, now *image.RGBA) []image.Rectangle {
	return slices.DeleteFunc(changes(before, now), func(r image.Rectangle) bool { return r.Dx() < leastPopup.X || r.Dy() < leastPopup.Y })
}

// setting adds a line to Porthole's settings. The result takes it away again.
func (t *trial) setting(line string) (restore func(), _ error) {
	file := filepath.Join(home, ".config/porthole/settings.yaml")
	before, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("change a setting: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return nil, fmt.Errorf("change a setting: %w", err)
	}
	if err := os.WriteFile(file, append(slices.Clone(before), line+"\n"...), 0o644); err != nil {
		return nil, fmt.Errorf("change a setting: %w", err)
	}
	time.Sleep(2 * time.Second) // it is read again
	return func() { _ = os.WriteFile(file, before, 0o644) }, nil
}

// serve starts a server on the watched port.
func (t *trial) serve() error {
	l, err := net.Listen("tcp", "127.0.0.1:"+watchedPort)
	if err != nil {
		return fmt.Errorf("start a server: %w", err)
	}
	t.listener = l
	t.events = append(t.events, time.Now())
	return nil
}

func (t *trial) unserve() {
	if t.listener != nil {
		_ = t.listener.Close()
		t.listener = nil
		t.events = append(t.events, time.Now())
	}
}

// agents returns the PIDs of running agents: processes of the program except the window.
func agents() (pids []int) {
	links, _ := filepath.Glob("/proc/[0-9]*/exe") // the pattern is valid
	for _, link := range links {
		file, err := os.Readlink(link)
		if err != nil || file != program {
			continue
		}
		arguments, err := os.ReadFile(filepath.Join(filepath.Dir(link), "cmdline"))
		if err != nil || strings.Contains(string(arguments), "\x00window") {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(link))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// waitWindow waits until Porthole's window has the focus on the visible workspace.
func (t *trial) waitWindow(what string) (window, error) {
	var w window
	err := within(20*time.Second, what, func() bool {
		var ok bool
		w, ok = porthole(t)
		return ok && w.active && w.shown
	})
	if err != nil {
		return w, fmt.Errorf("%w; %s", err, describe(t))
	}
	return w, nil
}

// second starts the program again, as a click in the desktop's menu does, with more environment variables, and
// returns the time until the window has the focus.
func (t *trial) second(env ...string) (time.Duration, error) {
	began := time.Now()
	if err := t.launch(env...); err != nil {
		return 0, err
	}
	for end := began.Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if w, ok := porthole(t); ok && w.active && w.shown {
			return time.Since(began), nil
		}
	}
	return 0, fmt.Errorf("a second start did not bring the window to the front; %s", describe(t))
}

// launch starts the program through its desktop entry, with more environment variables.
func (t *trial) launch(env ...string) error {
	c := exec.Command("gio", "launch", entry)
	c.Env, c.Dir = append(slices.Clone(t.env), env...), home
	log, err := os.OpenFile(filepath.Join(records, "porthole.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return fmt.Errorf("make the log: %w", err)
	}
	defer log.Close()
	c.Stdout, c.Stderr = log, log
	if err := c.Run(); err != nil {
		return fmt.Errorf("start Porthole through its desktop entry: %w", err)
	}
	return nil
}

// appeared waits for a part of the screen of at least this size that differs from before and has
// come to rest.
func (t *trial) appeared(what string, before *image.RGBA, least image.Point, limit time.Duration) (image.Rectangle, *image.RGBA, error) {
	var place image.Rectangle
	var last *image.RGBA
	err := within(limit, what, func() bool {
		now, err := t.picture()
		if err != nil {
			return false
		}
		big := largest(slices.DeleteFunc(changes(before, now), func(r image.Rectangle) bool { return r.Dx() < least.X || r.Dy() < least.Y }))
		still := !big.Empty() && big == place && last != nil && same(last, now, big)
		place, last = big, now
		return still
	})
	return place, last, err
}

// openWindow opens the window by a second start and returns it.
func (t *trial) openWindow() (window, error) {
	if _, err := t.second(); err != nil {
		return window{}, err
	}
	time.Sleep(time.Second) // it draws
	w, _ := porthole(t)
	return w, nil
}

// versions returns the versions of the desktop's packages.
func (t *trial) versions() []string {
	var all []string
	for _, p := range t.desk.packages {
		out, err := t.run(t.ctx, "dpkg-query -W -f '${Version}' "+p)
		if err != nil {
			continue // not installed
		}
		all = append(all, p+" "+upstream(out))
	}
	return all
}

// upstream returns the upstream part of a Debian version: without epoch and revision.
func upstream(version string) string {
	if _, rest, ok := strings.Cut(version, ":"); ok {
		version = rest
	}
	if i := strings.LastIndexByte(version, '-'); i > 0 {
		version = version[:i]
	}
	return version
}
