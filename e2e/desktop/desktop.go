//go:build linux

// Package desktop starts a small, private X11 desktop without a monitor: X
// server, session bus, window manager, a panel with a tray, and a notification
// daemon. Programs run on it as they do on a user's desktop. A test reads its
// screen, uses its mouse and keyboard, and talks to its tray.
//
// Nothing of the caller's own session leaks in, and nothing outlives Stop.
package desktop

import (
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
