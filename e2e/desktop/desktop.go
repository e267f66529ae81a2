//go:build linux

// Package desktop starts a small, private X11 desktop without a monitor: X
// server, session bus, window manager, a panel with a tray, and a notification
// daemon. Programs run on it as they do on a user's desktop. A test reads its
// screen, uses its mouse and keyboard, and talks to its tray.
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

// Options configure the desktop that Start starts. The zero value is a bare X
// server without a bus; DefaultOptions is a complete desktop.
type Options struct {
	Dir           string    // holds home, runtime folder and logs; default: a temporary folder that Stop removes
	Size          string    // size of the screen, WIDTHxHEIGHTxDEPTH; default: 1280x800x24
	Panel         bool      // xfce4-panel with a task list and a tray; needs Bus
	Notifications bool      // dunst; needs Bus
	WindowManager bool      // openbox
	Bus           bool      // a session bus
	Wayland       bool      // weston, in a window of the desktop: see Desktop.Wayland
	Log           io.Writer // reports each part's start, its duration, and unexpected ends; default: none
}

// DefaultOptions returns the options of a complete desktop in a temporary folder.
func DefaultOptions() Options {
	return Options{Panel: true, Notifications: true, WindowManager: true, Bus: true}
}

// Missing returns the tools that a desktop with these options needs and that
// this machine lacks, each with its Debian package.
func (o Options) Missing() []string {
	need := [][2]string{
		{"Xvfb", "xvfb"}, {"xsetroot", "x11-xserver-utils"}, {"xdotool", "xdotool"}, {"wmctrl", "wmctrl"},
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

// TB is the part of testing.TB that Require uses. With it, programs that are not
// tests do not link package testing.
type TB interface {
	Helper()
	Skipf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Require skips the test if tools for a desktop with these options are missing.
// With PORTHOLE_E2E=required in the environment it fails instead.
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
	how("no desktop to test on; these tools are missing: %s", strings.Join(missing, ", "))
}

// Desktop is a running desktop. It is safe for concurrent use.
type Desktop struct {
	dir       string
	temporary bool // Stop removes dir
	screen    image.Point
	depth     int
	env       []string
	display   string
	address   string // address of the bus
	managed   bool   // has a window manager
	cookie    []byte // the X server's secret
	log       *log.Logger

	mu      sync.Mutex
	parts   []*part // in the order of their start
	conn    *dbus.Conn
	x       *xConn
	stopped bool
}

// Names of the desktop's parts and of their logs.
const (
	partX             = "xvfb"
	partBus           = "dbus"
	partWindowManager = "openbox"
	partPanel         = "panel"
	partNotifications = "dunst"
)

const (
	bootTimeout   = 30 * time.Second       // for Start, and for one part started later
	toolTimeout   = 30 * time.Second       // for one run of xdotool and the like
	pollInterval  = 10 * time.Millisecond  // between two checks if there is no event to wait for
	windowPoll    = 40 * time.Millisecond  // the same for windows, where a check costs more
	maxSocketPath = 107                    // in bytes (unix(7))
	markName      = "PORTHOLE_E2E_DESKTOP" // environment variable of every process on a desktop

	notificationsName = "org.freedesktop.Notifications"
)

// Start starts a desktop and returns when it is usable. ctx limits the start
// only; the desktop runs until Stop. After an error no process and no file is left.
func Start(ctx context.Context, opts Options) (*Desktop, error) {
	if missing := opts.Missing(); len(missing) > 0 {
		return nil, fmt.Errorf("start desktop: these tools are missing: %s", strings.Join(missing, ", "))
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

// prepare creates the folders, the environment and the configuration.
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
		return fmt.Errorf("create the desktop's folder: %w", err)
	}
	in := func(name ...string) string { return filepath.Join(append([]string{d.dir}, name...)...) }
	if bus := in("runtime", "bus"); len(bus) > maxSocketPath {
		return fmt.Errorf("the folder's name is too long for sockets in it: %s", d.dir)
	}
	// Two desktops in one folder would end each other's processes.
	if others := d.processes(); len(others) > 0 {
		return fmt.Errorf("another desktop runs in %s: %s, pid %d", d.dir, others[0].Name, others[0].PID)
	}
	for _, folder := range []string{"runtime", "tmp", "log", "services", "home/.config", "home/.cache", "home/.local/share", "home/.local/state"} {
		if err := os.MkdirAll(in(folder), 0o700); err != nil {
			return fmt.Errorf("create the desktop's folders: %w", err)
		}
	}

	// Without a bus address, libraries start their own bus, which nothing ends.
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
	// GOCOVERDIR and GORACE configure programs built with -cover or -race.
	for _, name := range []string{"PATH", "USER", "LOGNAME", "TZ", "GOCOVERDIR", "GORACE", "GOTRACEBACK"} {
		if value, ok := os.LookupEnv(name); ok {
			d.env = append(d.env, name+"="+value)
		}
	}
	d.cookie = make([]byte, 16)
	rand.Read(d.cookie)
	return errors.Join(writeCookie(in("runtime", "xauthority"), d.cookie), d.configure())
}

// writeCookie writes the X server's secret. Without one, every user of this
// machine could see the desktop and type into it. The entry is valid for any
// display because the number is known only when the server runs.
func writeCookie(path string, cookie []byte) error {
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

// boot starts the parts in the order of their dependencies.
func (d *Desktop) boot(ctx context.Context, opts Options) error {
	ctx, cancel := context.WithTimeout(ctx, bootTimeout)
	defer cancel()
	if err := d.startX(ctx); err != nil {
		return err
	}
	if opts.Bus {
		if err := d.startBus(ctx); err != nil {
			return err
		}
	}
	// The other parts do not depend on each other and mostly wait.
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

// Stop ends the programs on the desktop, then its parts in reverse order of their
// start. Further calls do nothing.
func (d *Desktop) Stop() {
	d.mu.Lock()
	d.stopped = true // no part starts from here on
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
	if x := d.xServer(); x != nil {
		x.close()
	}
	d.end(0, func(process) bool { return true }) // processes that started while the parts ended
	if d.temporary {
		os.RemoveAll(d.dir)
	}
}

// Dir returns the folder with the desktop's home, runtime folder and logs.
func (d *Desktop) Dir() string { return d.dir }

// Env returns the environment of programs on this desktop.
func (d *Desktop) Env() []string { return slices.Clone(d.env) }

// Display returns the X display, such as ":7".
func (d *Desktop) Display() string { return d.display }

// BusAddress returns the address of the session bus. Without a bus nothing
// listens there.
func (d *Desktop) BusAddress() string { return d.address }

// Command returns a command that runs on this desktop in a process group of its
// own. If the caller dies, the kernel kills the program. It also kills the
// program when the thread that started it ends, so do not start it from a
// goroutine that is locked to a thread.
func (d *Desktop) Command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = d.Env()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	return cmd
}

// Resize changes the size of the screen, as if a monitor was unplugged. The new
// size is at most the one that the desktop started with.
func (d *Desktop) Resize(to image.Point) error {
	ctx := context.Background()
	mode := fmt.Sprintf("%dx%d", to.X, to.Y)
	w, h := to.X, to.Y // the timings of a mode have no meaning for a virtual screen
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

// Workspace shows the workspace with that number, counted from 0. Windows of the others are
// not visible then.
func (d *Desktop) Workspace(number int) error {
	_, err := d.run(context.Background(), "wmctrl", "-s", fmt.Sprint(number))
	return err
}

// Press presses keys in the window that has the keyboard focus.
func (d *Desktop) Press(keys ...string) error {
	_, err := d.run(context.Background(), "xdotool", append([]string{"key", "--"}, keys...)...)
	return err
}

// ClickAt clicks a mouse button (1 left, 2 middle, 3 right) at a point of the
// screen. It is for the tray and notifications, which are not windows with a
// title.
func (d *Desktop) ClickAt(at image.Point, button int) error {
	_, err := d.run(context.Background(), "xdotool", "mousemove", fmt.Sprint(at.X), fmt.Sprint(at.Y), "click", fmt.Sprint(button))
	return err
}

// TrayPoint returns the point where the panel shows its only tray item.
func (d *Desktop) TrayPoint() image.Point {
	return d.screen.Sub(image.Pt(panelSize/2, panelSize/2))
}

// NotificationPoint returns a point on the topmost notification, which is the
// oldest of the most urgent ones.
func (d *Desktop) NotificationPoint() image.Point {
	return image.Pt(d.screen.X-noteOffset-noteWidth/2, noteOffset+20)
}

// run runs a tool on the desktop and returns its standard output.
func (d *Desktop) run(ctx context.Context, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, toolTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = d.Env()
	var out, diag strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &diag
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		if text := strings.TrimSpace(diag.String()); text != "" {
			err = fmt.Errorf("%w: %s", err, text)
		}
		return out.String(), fmt.Errorf("run %s: %w", strings.Join(append([]string{name}, args...), " "), err)
	}
	return out.String(), nil
}

// dial returns a new connection to the bus.
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

// hasTray reports whether a panel shows tray items.
func (d *Desktop) hasTray(ctx context.Context) bool {
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
