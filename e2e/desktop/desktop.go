//go:build linux

// Package desktop boots a small, private X11 desktop without a screen: X
// server, session bus, window manager, a panel with a tray, a notification
// daemon. Programs run in it as they do on a user's desktop, and a test sees
// and does there what a user would.
//
// Nothing of the caller's own session leaks in, and nothing outlives Stop.
package desktop

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/godbus/dbus/v5"
)

// Options say which desktop Start boots. The zero value is a bare X server
// without a bus; DefaultOptions is a whole desktop.
type Options struct {
	Dir           string    // holds home, runtime folder and logs; where empty, a temporary folder that Stop removes
	Size          string    // of the screen, WIDTHxHEIGHTxDEPTH; 1280x800x24 where empty
	Panel         bool      // xfce4-panel with a task list and a tray; needs Bus
	Notifications bool      // dunst; needs Bus
	WindowManager bool      // openbox
	Bus           bool      // a session bus
	Wayland       bool      // weston, in a window of the desktop: see Desktop.Wayland
	Log           io.Writer // what was started and how long it took, and what ended by itself; nowhere where nil
}

// DefaultOptions returns those of a whole desktop in a temporary folder.
func DefaultOptions() Options {
	return Options{Panel: true, Notifications: true, WindowManager: true, Bus: true}
}

// Missing returns the tools that a desktop with these options needs and that
// are not on this machine, each with its Debian package.
func (o Options) Missing() []string {
	need := [][2]string{
		{"Xvfb", "xvfb"}, {"xsetroot", "x11-xserver-utils"}, {"xwininfo", "x11-utils"},
		{"xdotool", "xdotool"}, {"wmctrl", "wmctrl"}, {"import", "imagemagick"},
	}
	if o.Bus {
		need = append(need, [2]string{"dbus-daemon", "dbus"})
	}
	if o.WindowManager {
		need = append(need, [2]string{"openbox", "openbox"})
	}
	if o.Notifications {
		need = append(need, [2]string{"dunst", "dunst"})
	}
	if o.Panel {
		need = append(need, [2]string{"xfce4-panel", "xfce4-panel"})
	}
	if o.Wayland {
		need = append(need, [2]string{"weston", "weston"})
	}
	var missing []string
	for _, n := range need {
		if _, err := exec.LookPath(n[0]); err != nil {
			missing = append(missing, fmt.Sprintf("%s (package %s)", n[0], n[1]))
		}
	}
	if _, err := os.Stat(filepath.Join(stockServices, xfconf)); o.Panel && err != nil {
		missing = append(missing, "xfconfd (package xfconf)")
	}
	return missing
}

// TB is the part of testing.TB that Require uses: a program that is no test
// need not link package testing.
type TB interface {
	Helper()
	Skipf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Require skips the test where tools for a desktop with these options are
// missing. Where the environment says PORTHOLE_E2E=required, it fails instead.
func (o Options) Require(t TB) {
	t.Helper()
	missing := o.Missing()
	if len(missing) == 0 {
		return
	}
	how := t.Skipf
	if os.Getenv("PORTHOLE_E2E") == "required" {
		how = t.Fatalf
	}
	how("no desktop to test on; not on this machine: %s", strings.Join(missing, ", "))
}

// Desktop is a running desktop. Its methods may be called from any goroutine.
type Desktop struct {
	dir       string
	temporary bool // Stop removes dir
	screen    image.Point
	depth     int
	env       []string
	display   string
	address   string // of the bus
	managed   bool   // by a window manager
	log       *log.Logger

	mu      sync.Mutex
	parts   []*part // in the order of their start
	conn    *dbus.Conn
	stopped bool
}

// The parts of a desktop, by the names of their logs.
const (
	partX             = "xvfb"
	partBus           = "dbus"
	partWindowManager = "openbox"
	partPanel         = "panel"
	partNotifications = "dunst"
)

const (
	bootLimit = 30 * time.Second      // for a boot, and for one part started later
	toolLimit = 10 * time.Second      // for one run of xdotool and the like
	lookEvery = 10 * time.Millisecond // where there is no event to wait for
	longPath  = 107                   // of a unix socket, in bytes
	dunstName = "org.freedesktop.Notifications"
	markName  = "PORTHOLE_E2E_DESKTOP" // environment of everything that runs on a desktop
)

// Start boots a desktop and returns when it is usable. ctx bounds the boot
// only; the desktop lives until Stop. On an error nothing is left behind.
func Start(ctx context.Context, opts Options) (*Desktop, error) {
	if missing := opts.Missing(); len(missing) > 0 {
		return nil, fmt.Errorf("start desktop: not on this machine: %s", strings.Join(missing, ", "))
	}
	if (opts.Panel || opts.Notifications) && !opts.Bus {
		return nil, errors.New("start desktop: a panel and notifications need a bus")
	}
	d := &Desktop{managed: opts.WindowManager, log: log.New(io.Discard, "desktop: ", 0)}
	if opts.Log != nil {
		d.log.SetOutput(opts.Log)
	}
	began := time.Now()
	if err := d.prepare(opts); err != nil {
		if d.temporary {
			os.RemoveAll(d.dir)
		}
		return nil, fmt.Errorf("start desktop: %w", err)
	}
	if err := d.boot(ctx, opts); err != nil {
		d.Stop()
		return nil, fmt.Errorf("start desktop: %w", err)
	}
	d.log.Printf("up on %s after %d ms", d.display, time.Since(began).Milliseconds())
	return d, nil
}

// prepare makes the folders, the environment and the configuration.
func (d *Desktop) prepare(opts Options) error {
	size := opts.Size
	if size == "" {
		size = "1280x800x24"
	}
	if n, err := fmt.Sscanf(size, "%dx%dx%d", &d.screen.X, &d.screen.Y, &d.depth); n != 3 || err != nil {
		return fmt.Errorf("screen size %q is not WIDTHxHEIGHTxDEPTH", size)
	}
	var err error
	if opts.Dir == "" {
		d.temporary = true
		d.dir, err = os.MkdirTemp("", "desktop-")
	} else {
		d.dir, err = filepath.Abs(opts.Dir)
	}
	if err != nil {
		return fmt.Errorf("make the desktop's folder: %w", err)
	}
	in := func(name ...string) string { return filepath.Join(append([]string{d.dir}, name...)...) }
	if bus := in("runtime", "bus"); len(bus) > longPath {
		return fmt.Errorf("the folder's name is too long for sockets in it: %s", d.dir)
	}
	// Its processes would be taken for ours.
	if others := d.processes(); len(others) > 0 {
		return fmt.Errorf("another desktop runs in %s: %s, pid %d", d.dir, others[0].Name, others[0].PID)
	}
	for _, folder := range []string{"runtime", "tmp", "log", "services", "home/.config", "home/.cache", "home/.local/share", "home/.local/state"} {
		if err := os.MkdirAll(in(folder), 0o700); err != nil {
			return fmt.Errorf("make the desktop's folders: %w", err)
		}
	}

	// Without an address of the bus, libraries start one of their own that nobody ends.
	d.address = "unix:path=" + dbus.EscapeBusAddressValue(in("runtime", "bus"))
	d.env = []string{
		markName + "=" + d.dir,
		"HOME=" + in("home"), "TMPDIR=" + in("tmp"),
		"XDG_RUNTIME_DIR=" + in("runtime"),
		"XDG_CONFIG_HOME=" + in("home/.config"), "XDG_CACHE_HOME=" + in("home/.cache"),
		"XDG_DATA_HOME=" + in("home/.local/share"), "XDG_STATE_HOME=" + in("home/.local/state"),
		"XDG_SESSION_TYPE=x11", "XDG_CURRENT_DESKTOP=XFCE",
		"XAUTHORITY=" + in("runtime", "xauthority"),
		"DBUS_SESSION_BUS_ADDRESS=" + d.address,
		"LANG=C.UTF-8", "LIBGL_ALWAYS_SOFTWARE=1",
		"NO_AT_BRIDGE=1", "GTK_A11Y=none", "GSETTINGS_BACKEND=memory",
	}
	// GOCOVERDIR and GORACE are for programs built with -cover or -race.
	for _, name := range []string{"PATH", "USER", "LOGNAME", "TZ", "GOCOVERDIR", "GORACE", "GOTRACEBACK"} {
		if value, ok := os.LookupEnv(name); ok {
			d.env = append(d.env, name+"="+value)
		}
	}
	return errors.Join(writeCookie(in("runtime", "xauthority")), d.configure())
}

// writeCookie writes the X server's secret, without which every user of this
// machine could look at the desktop and type into it. The entry is for any
// display: its number is known only when the server runs.
func writeCookie(path string) error {
	cookie := make([]byte, 16)
	rand.Read(cookie)
	entry := []byte{0xff, 0xff} // FamilyWild
	for _, field := range []string{"", "", "MIT-MAGIC-COOKIE-1", string(cookie)} {
		entry = binary.BigEndian.AppendUint16(entry, uint16(len(field)))
		entry = append(entry, field...)
	}
	if err := os.WriteFile(path, entry, 0o600); err != nil {
		return fmt.Errorf("write the X server's secret: %w", err)
	}
	return nil
}

// boot starts the parts, each when what it needs is there.
func (d *Desktop) boot(ctx context.Context, opts Options) error {
	ctx, cancel := context.WithTimeout(ctx, bootLimit)
	defer cancel()
	if err := d.startX(ctx); err != nil {
		return err
	}
	if opts.Bus {
		if err := d.startBus(ctx); err != nil {
			return err
		}
	}
	// The rest does not need one another, and most of its time is waiting.
	var starts []func(context.Context) error
	if opts.WindowManager {
		starts = append(starts, d.startWindowManager)
	}
	if opts.Notifications {
		starts = append(starts, d.StartNotifications)
	}
	if opts.Panel {
		starts = append(starts, d.StartPanel)
	}
	failed := make(chan error)
	for _, start := range starts {
		go func() { failed <- start(ctx) }()
	}
	var errs []error
	for range starts {
		errs = append(errs, <-failed)
	}
	if err := errors.Join(errs...); err != nil || !opts.Wayland {
		return err
	}
	return d.startWayland(ctx)
}

func (d *Desktop) startX(ctx context.Context) error {
	// -noreset: a server resets itself when its last client goes. -s 0: no
	// screen saver. -dpi 96: what toolkits take for scale 1. -fbdir: what it
	// shows is in a file, where it can be seen within a millisecond.
	number, err := d.startTelling(ctx, partX, "Xvfb", "-displayfd", "3", "-auth", filepath.Join(d.dir, "runtime", "xauthority"),
		"-screen", "0", fmt.Sprintf("%dx%dx%d", d.screen.X, d.screen.Y, d.depth), "-dpi", "96",
		"-fbdir", filepath.Join(d.dir, "runtime"), "-nolisten", "tcp", "-noreset", "-s", "0", "+extension", "GLX", "+render")
	if err != nil {
		return err
	}
	d.display = ":" + number
	d.env = append(d.env, "DISPLAY="+d.display)
	_, err = d.run(ctx, "xsetroot", "-solid", "#3d5a73", "-cursor_name", "left_ptr")
	return err
}

func (d *Desktop) startBus(ctx context.Context) error {
	_, err := d.startTelling(ctx, partBus, "dbus-daemon", "--config-file="+d.busConfig(), "--nofork", "--nopidfile", "--print-address=3")
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
	return d.await(ctx, p, "to manage windows", func(ctx context.Context) bool {
		_, err := d.run(ctx, "wmctrl", "-m")
		return err == nil
	})
}

// StartNotifications starts the notification daemon, dunst, and returns when
// it takes notifications.
func (d *Desktop) StartNotifications(ctx context.Context) error {
	p, err := d.start(partNotifications, nil, "dunst", "-conf", d.dunstConfig())
	if err != nil {
		return err
	}
	return d.await(ctx, p, "to take notifications", func(ctx context.Context) bool {
		var has bool
		err := d.call(ctx, "org.freedesktop.DBus.NameHasOwner", dunstName).Store(&has)
		return err == nil && has
	})
}

// StartPanel starts the panel and returns when it hosts tray items.
func (d *Desktop) StartPanel(ctx context.Context) error {
	p, err := d.start(partPanel, nil, "xfce4-panel", "--disable-wm-check")
	if err != nil {
		return err
	}
	return d.await(ctx, p, "to host tray items", d.hosted)
}

// StopNotifications ends the notification daemon, if there is one.
func (d *Desktop) StopNotifications() { d.stop(partNotifications) }

// StopPanel ends the panel, and with it the tray.
func (d *Desktop) StopPanel() { d.stop(partPanel) }

// StopBus ends the session bus, as a logout does. It cannot be started again.
func (d *Desktop) StopBus() { d.stop(partBus) }

// StopX ends the X server under its clients. It cannot be started again.
func (d *Desktop) StopX() { d.stop(partX) }

// Stop ends the programs on the desktop, then its parts, the last started
// first. It may be called again.
func (d *Desktop) Stop() {
	d.mu.Lock()
	d.stopped = true // nothing starts from here on
	d.mu.Unlock()
	d.end(programGrace, d.isProgram)
	for {
		d.mu.Lock()
		var name string
		if len(d.parts) > 0 {
			name = d.parts[len(d.parts)-1].name
		}
		d.mu.Unlock()
		if name == "" {
			break
		}
		d.stop(name)
	}
	d.end(0, func(process) bool { return true }) // what started while the parts ended
	if d.temporary {
		os.RemoveAll(d.dir)
	}
}

// Dir returns the folder that holds the desktop's home, runtime folder and logs.
func (d *Desktop) Dir() string { return d.dir }

// Env returns the environment of programs on this desktop.
func (d *Desktop) Env() []string { return slices.Clone(d.env) }

// Display returns the X display, such as ":7".
func (d *Desktop) Display() string { return d.display }

// BusAddress returns the address of the session bus. Without a bus it is one
// where nobody answers.
func (d *Desktop) BusAddress() string { return d.address }

// Command returns a command that runs on this desktop when it is started. It
// gets a process group of its own. Should the caller die without a word, the
// kernel kills the program; it does so too when the thread that started it
// ends, so do not start it from a goroutine that is locked to a thread.
func (d *Desktop) Command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = d.Env()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	return cmd
}

// Screenshot writes a picture of the whole screen, PNG where path ends so.
func (d *Desktop) Screenshot(path string) error {
	_, err := d.run(context.Background(), "import", "-silent", "-window", "root", path)
	return err
}

// Resize gives the X server another screen, at most as large as the one that it
// began with, as where one was unplugged.
func (d *Desktop) Resize(to image.Point) error {
	ctx := context.Background()
	mode := fmt.Sprintf("%dx%d", to.X, to.Y)
	w, h := to.X, to.Y // the rest of a mode, its timings, means nothing to a screen that is none
	if _, err := d.run(ctx, "xrandr", "--newmode", mode, "60", fmt.Sprint(w), fmt.Sprint(w+8), fmt.Sprint(w+16), fmt.Sprint(w+24),
		fmt.Sprint(h), fmt.Sprint(h+8), fmt.Sprint(h+16), fmt.Sprint(h+24)); err != nil {
		return err
	}
	if _, err := d.run(ctx, "xrandr", "--addmode", "screen", mode); err != nil {
		return err
	}
	_, err := d.run(ctx, "xrandr", "--output", "screen", "--mode", mode)
	return err
}

// Press presses keys wherever the keyboard is.
func (d *Desktop) Press(keys ...string) error {
	_, err := d.run(context.Background(), "xdotool", append([]string{"key", "--"}, keys...)...)
	return err
}

// ClickAt clicks a mouse button (1 left, 2 middle, 3 right) at a place of the
// screen: the tray and notifications are no windows with a title.
func (d *Desktop) ClickAt(at image.Point, button int) error {
	_, err := d.run(context.Background(), "xdotool", "mousemove", fmt.Sprint(at.X), fmt.Sprint(at.Y), "click", fmt.Sprint(button))
	return err
}

// TrayPoint returns where the panel shows its only tray item.
func (d *Desktop) TrayPoint() image.Point {
	return d.screen.Sub(image.Pt(panelSize/2, panelSize/2))
}

// NotificationPoint returns a place on the uppermost notification: the oldest
// of the most urgent ones.
func (d *Desktop) NotificationPoint() image.Point {
	return image.Pt(d.screen.X-noteOffset-noteWidth/2, noteOffset+20)
}

// run runs a tool on the desktop and returns its standard output.
func (d *Desktop) run(ctx context.Context, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, toolLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = d.Env()
	var out, diag strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &diag
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		if said := strings.TrimSpace(diag.String()); said != "" {
			err = fmt.Errorf("%w: %s", err, said)
		}
		return out.String(), fmt.Errorf("run %s: %w", strings.Join(append([]string{name}, args...), " "), err)
	}
	return out.String(), nil
}

// dial returns a connection to the bus that is the caller's alone.
func (d *Desktop) dial() (*dbus.Conn, error) {
	conn, err := dbus.Connect(d.address)
	if err != nil {
		return nil, fmt.Errorf("connect to the session bus: %w", err)
	}
	return conn, nil
}

// call calls a method of the bus itself.
func (d *Desktop) call(ctx context.Context, method string, args ...any) *dbus.Call {
	d.mu.Lock()
	conn := d.conn
	d.mu.Unlock()
	if conn == nil {
		return &dbus.Call{Err: errors.New("this desktop has no bus")}
	}
	return conn.BusObject().CallWithContext(ctx, method, 0, args...)
}

// hosted reports whether somebody hosts tray items.
func (d *Desktop) hosted(ctx context.Context) bool {
	d.mu.Lock()
	conn := d.conn
	d.mu.Unlock()
	if conn == nil {
		return false
	}
	var host bool
	err := conn.Object(watcherName, watcherPath).CallWithContext(ctx, propertiesGet, 0, watcherName, "IsStatusNotifierHostRegistered").Store(&host)
	return err == nil && host
}

// await polls until ready, or the part ended, or ctx.
func (d *Desktop) await(ctx context.Context, p *part, what string, ready func(context.Context) bool) error {
	began := time.Now()
	ctx, cancel := limit(ctx, bootLimit)
	defer cancel()
	for !ready(ctx) {
		select {
		case <-p.done:
			return fmt.Errorf("%s ended by itself (%v)%s", p.name, p.state(), p.said())
		case <-ctx.Done():
			return fmt.Errorf("wait for %s %s: %w%s", p.name, what, ctx.Err(), p.said())
		case <-time.After(lookEvery):
		}
	}
	d.log.Printf("%s, pid %d, ready after %d ms", p.name, p.cmd.Process.Pid, time.Since(began).Milliseconds())
	return nil
}

// startTelling starts a part that tells by a line on descriptor 3 that it is
// ready, and returns the line.
func (d *Desktop) startTelling(ctx context.Context, name, program string, args ...string) (string, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return "", fmt.Errorf("start %s: %w", name, err)
	}
	defer r.Close()
	began := time.Now()
	p, err := d.start(name, w, program, args...)
	w.Close() // so that the part's end is the end of the pipe
	if err != nil {
		return "", err
	}
	defer context.AfterFunc(ctx, func() { r.SetReadDeadline(time.Now()) })()
	line, err := bufio.NewReader(r).ReadString('\n')
	switch {
	case ctx.Err() != nil:
		return "", fmt.Errorf("wait for %s: %w%s", name, ctx.Err(), p.said())
	case err != nil:
		return "", fmt.Errorf("%s was not ready before it ended%s", name, p.said())
	}
	d.log.Printf("%s, pid %d, ready after %d ms", name, p.cmd.Process.Pid, time.Since(began).Milliseconds())
	return strings.TrimSpace(line), nil
}

// limit gives ctx a deadline where it has none: no test should hang.
func limit(ctx context.Context, most time.Duration) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, most)
}
