//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"
)

// gnomeShell is GNOME's shell and compositor on a screen without a monitor.
type gnomeShell struct {
	extensions string // a list in the text format of GVariant
}

// gnomeSettings are made before the shell starts: no tour, no corner that opens the overview.
const gnomeSettings = `
gsettings set org.gnome.shell welcome-dialog-last-shown-version 999
gsettings set org.gnome.desktop.interface enable-hot-corners false
gsettings set org.gnome.shell disable-user-extensions false
gsettings set org.gnome.desktop.session idle-delay 0
gsettings set org.gnome.shell enabled-extensions "%s"
`

func (g gnomeShell) start(ctx context.Context, s *session) error {
	s.env = append(s.env, "XDG_SESSION_TYPE=wayland", "GNOME_SHELL_SESSION_MODE=user", "MUTTER_DEBUG_DUMMY_MODE_SPECS=1280x800")
	if _, err := s.run(ctx, fmt.Sprintf(gnomeSettings, g.extensions)); err != nil {
		return err
	}
	command := fmt.Sprintf("gnome-shell --headless --unsafe-mode --wayland-display=wayland-0 --virtual-monitor %dx%d", screenSize.X, screenSize.Y)
	if err := s.startPart(part{"shell", command}); err != nil {
		return err
	}
	shell := &gnome{s: s}
	s.screen = shell
	if err := wait(ctx, "GNOME Shell starts", func() bool {
		var ready bool
		err := shell.eval("Main.layoutManager._startingUp === false", &ready)
		return err == nil && ready
	}); err != nil {
		return err
	}
	s.env = append(s.env, "WAYLAND_DISPLAY=wayland-0", "DISPLAY=:0")
	if files, _ := filepath.Glob(runtimeDir + "/.mutter-Xwaylandauth.*"); len(files) > 0 { // the pattern is valid
		s.env = append(s.env, "XAUTHORITY="+files[0])
	}
	if err := shell.eval("Main.overview.hide(); true", new(bool)); err != nil {
		return err
	}
	return shell.openInput(ctx)
}

// gnome is the screen of GNOME Shell. It uses Shell.Eval, which only --unsafe-mode permits, and
// the remote desktop of mutter. It is safe for concurrent use.
type gnome struct {
	s     *session
	input dbus.BusObject // a session of org.gnome.Mutter.RemoteDesktop

	mu      sync.Mutex
	pointer image.Point
}

const (
	remoteDesktop = "org.gnome.Mutter.RemoteDesktop"
	shellName     = "org.gnome.Shell"
)

// eval evaluates JavaScript in the shell and decodes the result.
func (g *gnome) eval(script string, result any) error {
	ctx, cancel := context.WithTimeout(context.Background(), toolTimeout)
	defer cancel()
	var ok bool
	var text string
	if err := g.s.bus.Object(shellName, "/org/gnome/Shell").CallWithContext(ctx, shellName+".Eval", 0, script).Store(&ok, &text); err != nil {
		return fmt.Errorf("ask GNOME Shell: %w", err)
	}
	if !ok {
		return fmt.Errorf("ask GNOME Shell: %s", text)
	}
	if err := json.Unmarshal([]byte(text), result); err != nil {
		return fmt.Errorf("ask GNOME Shell: %w in %.100q", err, text)
	}
	return nil
}

// openInput starts a remote desktop and moves the pointer to a known point.
func (g *gnome) openInput(ctx context.Context) error {
	var path dbus.ObjectPath
	if err := g.s.bus.Object(remoteDesktop, "/org/gnome/Mutter/RemoteDesktop").CallWithContext(ctx, remoteDesktop+".CreateSession", 0).Store(&path); err != nil {
		return fmt.Errorf("start a remote desktop: %w", err)
	}
	g.input = g.s.bus.Object(remoteDesktop, path)
	if err := g.input.CallWithContext(ctx, remoteDesktop+".Session.Start", 0).Err; err != nil {
		return fmt.Errorf("start a remote desktop: %w", err)
	}
	g.pointer = screenSize.Sub(image.Pt(1, 1)) // the corner stops it
	return g.send("NotifyPointerMotionRelative", 5000.0, 5000.0)
}

func (g *gnome) send(method string, args ...any) error {
	ctx, cancel := context.WithTimeout(context.Background(), toolTimeout)
	defer cancel()
	if err := g.input.CallWithContext(ctx, remoteDesktop+".Session."+method, 0, args...).Err; err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	return nil
}

func (g *gnome) picture() (*image.RGBA, error) {
	ctx, cancel := context.WithTimeout(context.Background(), toolTimeout)
	defer cancel()
	file := filepath.Join(runtimeDir, "picture.png")
	var ok bool
	var used string
	err := g.s.bus.Object("org.gnome.Shell.Screenshot", "/org/gnome/Shell/Screenshot").CallWithContext(ctx, "org.gnome.Shell.Screenshot.Screenshot", 0, false, false, file).Store(&ok, &used)
	if err != nil {
		return nil, fmt.Errorf("take a picture: %w", err)
	}
	f, err := os.Open(used)
	if err != nil {
		return nil, fmt.Errorf("take a picture: %w", err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		return nil, fmt.Errorf("take a picture: %w", err)
	}
	rgba := image.NewRGBA(img.Bounds())
	draw.Draw(rgba, rgba.Rect, img, img.Bounds().Min, draw.Src)
	return rgba, nil
}

func (g *gnome) move(to image.Point) error {
	g.mu.Lock()
	by := to.Sub(g.pointer)
	g.pointer = to
	g.mu.Unlock()
	return g.send("NotifyPointerMotionRelative", float64(by.X), float64(by.Y))
}

// button does not wait for the shell, which draws in software: the second press of a double click would be late.
func (g *gnome) button(n int, down bool) error {
	return g.input.Go(remoteDesktop+".Session.NotifyPointerButton", dbus.FlagNoReplyExpected, nil, int32(evdevButtons[n]), down).Err
}

func (g *gnome) key(k key, down bool) error {
	code, ok := evdevKeys[k]
	if !ok {
		return fmt.Errorf("the keyboard has no key %#x", uint32(k))
	}
	return g.send("NotifyKeyboardKeycode", code, down)
}

// gnomeWindows lists the windows.
const gnomeWindows = `global.get_window_actors().map(a => a.meta_window).filter(w => w.title && !w.skip_taskbar).map(w => {
	let f = w.get_frame_rect(), c = w.frame_rect_to_client_rect(f);
	return {ID: w.get_id(), Title: w.title, Active: w.has_focus(), Shown: !w.minimized && w.located_on_workspace(global.workspace_manager.get_active_workspace()),
		Frame: [f.x, f.y, f.x + f.width, f.y + f.height], Content: [c.x, c.y, c.x + c.width, c.y + c.height]};
})`

func (g *gnome) windows() ([]window, error) {
	var list []struct {
		ID             uint32
		Title          string
		Active, Shown  bool
		Frame, Content [4]int
	}
	if err := g.eval(gnomeWindows, &list); err != nil {
		return nil, err
	}
	var all []window
	for _, w := range list {
		rect := func(r [4]int) image.Rectangle { return image.Rect(r[0], r[1], r[2], r[3]) }
		all = append(all, window{id: w.ID, title: w.Title, active: w.Active, shown: w.Shown, content: rect(w.Content), frame: rect(w.Frame)})
	}
	return all, nil
}

// withWindow calls a method of a window in the shell.
func (g *gnome) withWindow(id uint32, do string) error {
	return g.eval(fmt.Sprintf("(() => { let w = global.get_window_actors().map(a => a.meta_window).find(w => w.get_id() === %d); if (w) %s; return true; })()", id, do), new(bool))
}

func (g *gnome) cover() (*cover, error) {
	if _, err := g.s.start("cover", "exec foot --maximized --title "+coverTitle+" sleep 600"); err != nil {
		return nil, err
	}
	c := &cover{close: func() {
		g.s.stop("cover")
		_ = within(5*time.Second, "the other window closes", func() bool { _, ok := titled(g, coverTitle); return !ok })
	}}
	err := within(20*time.Second, "the other window is in front", func() bool {
		w, ok := titled(g, coverTitle)
		if ok && !w.active { // the shell only reports new windows without a token
			_ = g.withWindow(w.id, "Main.activateWindow(w)")
		}
		return ok && w.active
	})
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (g *gnome) closeWindow(w window) error {
	return g.withWindow(w.id, "w.delete(global.get_current_time())")
}

func (g *gnome) workspace(n int) error {
	return g.eval(fmt.Sprintf(`(() => { let m = global.workspace_manager; while (m.n_workspaces <= %d) m.append_new_workspace(false, global.get_current_time());
		m.get_workspace_by_index(%d).activate(global.get_current_time()); return true; })()`, n, n), new(bool))
}

// displayConfig is mutter's interface for monitors.
const displayConfig = "org.gnome.Mutter.DisplayConfig"

// scale sets the scale of the only monitor.
func (g *gnome) scale(_ *session, factor float64) error {
	if factor != 1 && factor != 2 {
		return notTried("GNOME 43 has whole scales only, unless an experimental feature is on")
	}
	ctx, cancel := context.WithTimeout(context.Background(), toolTimeout)
	defer cancel()
	object := g.s.bus.Object(displayConfig, "/org/gnome/Mutter/DisplayConfig")
	call := object.CallWithContext(ctx, displayConfig+".GetCurrentState", 0)
	if call.Err != nil {
		return fmt.Errorf("read the monitors: %w", call.Err)
	}
	type mode struct {
		ID            string
		Width, Height int32
		Rate, Scale   float64
		Scales        []float64
		Properties    map[string]dbus.Variant
	}
	var state struct {
		Serial   uint32
		Monitors []struct {
			Spec       struct{ Connector, Vendor, Product, Serial string }
			Modes      []mode
			Properties map[string]dbus.Variant
		}
	}
	if err := dbus.Store(call.Body[:2], &state.Serial, &state.Monitors); err != nil {
		return fmt.Errorf("read the monitors: %w", err)
	}
	if len(state.Monitors) != 1 || len(state.Monitors[0].Modes) == 0 {
		return errors.New("read the monitors: there is not exactly one")
	}
	type output struct {
		Connector, Mode string
		Properties      map[string]dbus.Variant
	}
	type logical struct {
		X, Y      int32
		Scale     float64
		Transform uint32
		Primary   bool
		Outputs   []output
	}
	m := state.Monitors[0]
	const temporary = 1
	err := object.CallWithContext(ctx, displayConfig+".ApplyMonitorsConfig", 0, state.Serial, uint32(temporary),
		[]logical{{Scale: factor, Primary: true, Outputs: []output{{m.Spec.Connector, m.Modes[0].ID, map[string]dbus.Variant{}}}}}, map[string]dbus.Variant{}).Err
	if err != nil {
		return fmt.Errorf("set the scale: %w", err)
	}
	time.Sleep(2 * time.Second)
	return nil
}

func (g *gnome) end() { g.s.stop("shell") }
