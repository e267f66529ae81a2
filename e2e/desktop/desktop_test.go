//go:build linux

package desktop_test

import (
	"bufio"
	"context"
	"fmt"
	"image"
	"image/color"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"porthole/e2e/desktop"
	"porthole/internal/await"
)

func boot(t *testing.T, opts desktop.Options) *desktop.Desktop {
	t.Helper()
	opts.Require(t)
	opts.Log = t.Output()
	d, err := desktop.Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Stop)
	return d
}

func TestTray(t *testing.T) {
	t.Parallel()
	d := boot(t, desktop.DefaultOptions())
	fake := register(t, d)
	tray := must(d.Tray())(t)
	defer tray.Close()
	item := must(tray.WaitItem(t.Context(), os.Getpid()))(t)

	if got := must(item.Title(t.Context()))(t); got != "A title" {
		t.Errorf("got the title %q, want %q", got, "A title")
	}
	if got := must(item.Tooltip(t.Context()))(t); got != "A tip\nof two lines" {
		t.Errorf("got the tooltip %q, want %q", got, "A tip\nof two lines")
	}
	icon := must(item.Icon(t.Context()))(t)
	if icon.Bounds().Dx() != 22 || icon.At(11, 11) != color.Color(pink) {
		t.Errorf("got an icon of %v with %v in its centre; want 22×22, %v", icon.Bounds(), icon.At(11, 11), pink)
	}

	menu := must(item.Menu(t.Context()))(t)
	want := []desktop.MenuEntry{
		{ID: 1, Label: "Open my_file", Enabled: true, Visible: true},
		{ID: 2, Enabled: true, Visible: true, Separator: true},
		{ID: 3, Label: "Watching", Enabled: true, Visible: true, Checked: true},
		{ID: 4, Label: "Disabled", Visible: true},
		{ID: 5, Label: "More", Enabled: true, Visible: true, Children: []desktop.MenuEntry{{ID: 6, Label: "Deep", Enabled: true, Visible: true}}},
	}
	if fmt.Sprint(menu) != fmt.Sprint(want) {
		t.Errorf("got the menu\n%+v, want\n%+v", menu, want)
	}
	for _, labels := range [][]string{{"Open my_file"}, {"More", "Deep"}} {
		if err := item.Click(t.Context(), labels...); err != nil {
			t.Error(err)
		}
	}
	if err := item.Click(t.Context(), "Disabled"); err == nil {
		t.Error("a click on a disabled entry succeeded; want an error")
	}
	if err := item.Click(t.Context(), "Absent"); err == nil || !strings.Contains(err.Error(), "Watching") {
		t.Errorf("a click on a missing entry: got %v; want an error with the entries", err)
	}
	if err := item.Activate(t.Context()); err != nil {
		t.Error(err)
	}
	fake.expect(t, "clicked 1", "clicked 6", "activated")

	// The panel shows it at TrayPoint, where a click reaches it.
	shown := func() bool { return has(screen(t, d, "tray.png"), around(d.TrayPoint(), 8), pink) }
	await.Until(t, "the panel shows the icon", shown)
	if err := d.ClickAt(d.TrayPoint(), 1); err != nil {
		t.Fatal(err)
	}
	fake.expect(t, "activated")

	d.StopPanel()
	if items, err := tray.Items(t.Context()); err == nil {
		t.Errorf("after the end of the panel got the items %v; want an error", items)
	}
	if err := d.StartPanel(t.Context()); err != nil {
		t.Fatal(err)
	}
	fake.register(t)
	if _, err := tray.WaitItem(t.Context(), 0); err != nil {
		t.Error(err)
	}
}

func TestNotifications(t *testing.T) {
	t.Parallel()
	d := boot(t, desktop.DefaultOptions())
	if _, err := exec.LookPath("notify-send"); err != nil {
		t.Skip("notify-send is not installed (package libnotify-bin)")
	}
	rec := must(d.Record(t.Context()))(t)
	defer rec.Close()

	before := screen(t, d, "before.png")
	send := d.Command("notify-send", "--expire-time=60000", "--app-name=tester", "--icon=dialog-information", "--action=default=Open", "62893 is open", "node · acme-web")
	var invoked strings.Builder
	send.Stdout = &invoked
	if err := send.Start(); err != nil {
		t.Fatal(err)
	}
	note := must(rec.WaitNote(t.Context(), func(n desktop.Note) bool { return n.App == "tester" }))(t)
	if note.Summary != "62893 is open" || note.Body != "node · acme-web" || !slices.Equal(note.Actions, []string{"default", "Open"}) {
		t.Errorf("got %+v", note)
	}
	at := d.NotificationPoint()
	await.Until(t, "the notification is on the screen", func() bool {
		return screen(t, d, "notification.png").At(at.X, at.Y) != before.At(at.X, at.Y)
	})
	if err := d.ClickAt(at, 1); err != nil {
		t.Fatal(err)
	}
	if err := send.Wait(); err != nil || strings.TrimSpace(invoked.String()) != "default" {
		t.Errorf("a click on the notification: got the action %q (%v), want default", invoked.String(), err)
	}
	await.Until(t, "the click closes the notification", func() bool {
		return screen(t, d, "after.png").At(at.X, at.Y) == before.At(at.X, at.Y)
	})

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := rec.WaitNote(ctx, func(n desktop.Note) bool { return n.Summary == "absent" }); err == nil || !strings.Contains(err.Error(), "62893 is open") {
		t.Errorf("a wait for a missing notification: got %v; want an error with those that were sent", err)
	}
}

func TestFakeNotifications(t *testing.T) {
	t.Parallel()
	opts := desktop.Options{Bus: true}
	d := boot(t, opts)
	fake := must(d.StartFakeNotifications())(t)
	defer fake.Close()
	conn := must(dbus.Connect(d.BusAddress()))(t)
	defer conn.Close()
	signals := make(chan *dbus.Signal, 8)
	conn.Signal(signals)
	if err := conn.AddMatchSignal(dbus.WithMatchInterface("org.freedesktop.Notifications")); err != nil {
		t.Fatal(err)
	}
	next := func() *dbus.Signal { // without those of the bus itself
		for {
			select {
			case s := <-signals:
				if s.Path == "/org/freedesktop/Notifications" {
					return s
				}
			case <-time.After(20 * time.Second):
				t.Fatal("got no signal within 20 s")
			}
		}
	}
	notify := func(ctx context.Context) (id uint32, err error) {
		err = conn.Object("org.freedesktop.Notifications", "/org/freedesktop/Notifications").CallWithContext(ctx, "org.freedesktop.Notifications.Notify", 0,
			"tester", uint32(0), "", "summary", "body", []string{"default", "Open"}, map[string]dbus.Variant{}, int32(-1)).Store(&id)
		return id, err
	}

	id := must(notify(t.Context()))(t)
	if got := fake.Shown(); !slices.Equal(got, []string{"summary"}) {
		t.Errorf("got the open notifications %q, want the one that was sent", got)
	}
	if err := fake.Invoke("absent"); err == nil {
		t.Error("a missing action was invoked; want an error")
	}
	if err := fake.Invoke("default"); err != nil {
		t.Fatal(err)
	}
	if s := next(); !strings.HasSuffix(s.Name, ".ActionInvoked") || !slices.Equal(s.Body, []any{id, "default"}) {
		t.Errorf("got the signal %s %v, want ActionInvoked [%d default]", s.Name, s.Body, id)
	}
	if s := next(); !strings.HasSuffix(s.Name, ".NotificationClosed") {
		t.Errorf("got the signal %s, want NotificationClosed", s.Name)
	}
	if got := fake.Shown(); len(got) != 0 {
		t.Errorf("after the click got the open notifications %q, want none", got)
	}

	fake.Hang(true)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := notify(ctx); err == nil {
		t.Error("a hanging daemon answered; want an error")
	}
	fake.Hang(false)
	if _, err := notify(t.Context()); err != nil {
		t.Errorf("after the hang: %v", err)
	}
}

func TestWindows(t *testing.T) {
	t.Parallel()
	opts := desktop.DefaultOptions()
	opts.Notifications = false
	d := boot(t, opts)
	if _, err := exec.LookPath("xev"); err != nil {
		t.Skip("xev is not installed (package x11-utils)")
	}
	const title = "A window [1.0]"
	events := xev(t, d, title)
	w := must(d.WaitWindow(t.Context(), title))(t)
	xev(t, d, title+" more") // another window whose title begins the same
	other := must(d.WaitWindow(t.Context(), title+" more"))(t)
	if out, err := d.Command("wmctrl", "-i", "-r", fmt.Sprint(other.ID), "-N", "node · 62893").CombinedOutput(); err != nil {
		t.Fatalf("wmctrl: %v: %s", err, out)
	}
	must(d.WaitWindow(t.Context(), "node · 62893"))(t)
	if err := w.Focus(); err != nil {
		t.Fatal(err)
	}

	if err := w.DoubleClick(30, 40); err != nil {
		t.Error(err)
	}
	events.expect(t, "ButtonPress", "(30,40)")
	events.expect(t, "ButtonPress", "(30,40)")
	if err := w.RightClick(50, 60); err != nil {
		t.Error(err)
	}
	events.expect(t, "ButtonPress", "button 3")
	if err := w.Scroll(50, 60, 1); err != nil {
		t.Error(err)
	}
	events.expect(t, "ButtonPress", "button 5")
	if err := w.Key("Return"); err != nil {
		t.Error(err)
	}
	events.expect(t, "KeyPress", "Return")
	if err := w.Type("-é"); err != nil {
		t.Error(err)
	}
	events.expect(t, "KeyPress", "minus")
	events.expect(t, "KeyPress", "eacute")

	area := must(w.Geometry())(t)
	if area.Dx() != 300 || area.Dy() != 200 || area.Min.Y < 10 {
		t.Errorf("got the geometry %v, want 300×200 below a title bar", area)
	}
	path := filepath.Join(t.ArtifactDir(), "window.png")
	if err := w.Screenshot(path); err != nil {
		t.Fatal(err)
	}
	if got := picture(t, path).Bounds(); got != image.Rect(0, 0, 300, 200) {
		t.Errorf("got a screenshot of %v, want 300×200", got)
	}
	screen(t, d, "windows.png")

	if err := w.Iconify(); err != nil {
		t.Error(err)
	}
	if err := d.WaitNoWindow(t.Context(), title); err != nil {
		t.Error(err)
	}
	if err := w.Focus(); err != nil {
		t.Error(err)
	}
	must(d.WaitWindow(t.Context(), title))(t)
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if err := d.WaitNoWindow(t.Context(), title); err != nil {
		t.Error(err)
	}

	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if _, err := d.WaitWindow(ctx, "absent"); err == nil || !strings.Contains(err.Error(), "node · 62893") {
		t.Errorf("a wait for a missing window: got %v; want an error with the windows", err)
	}
}

func TestStopEndsEverything(t *testing.T) {
	t.Parallel()
	d := boot(t, desktop.DefaultOptions())
	if len(d.Programs()) != 0 {
		t.Errorf("got the programs %v on a new desktop, want none", d.Programs())
	}
	// One program leaves its session, and one ignores SIGTERM.
	shell := d.Command("sh", "-c", `setsid sleep 600 & trap "" TERM; echo ready; while :; do sleep 1; done`)
	out := must(shell.StdoutPipe())(t)
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	defer shell.Wait()
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	programs := d.Programs()
	if !slices.ContainsFunc(programs, func(p desktop.Process) bool { return p.PID == shell.Process.Pid }) || len(programs) < 2 {
		t.Errorf("got the programs %v, want the shell, %d, and its children", programs, shell.Process.Pid)
	}
	pids := onDesktop(d)
	if len(pids) < 7 { // X, bus, window manager, panel, daemon, shell, sleep
		t.Errorf("got %d processes on the desktop, want at least 7", len(pids))
	}

	d.Stop()
	for _, pid := range pids {
		if alive(pid) {
			t.Errorf("process %d is alive after Stop", pid)
		}
	}
	if rest := onDesktop(d); len(rest) != 0 {
		t.Errorf("got the processes %v after Stop, want none", rest)
	}
	if _, err := os.Stat(d.Dir()); err == nil {
		t.Errorf("the folder %s exists after Stop", d.Dir())
	}
	d.Stop()
	if err := d.StartPanel(t.Context()); err == nil {
		t.Error("a stopped desktop started a panel; want an error")
	}
}

func TestStopParts(t *testing.T) {
	t.Parallel()
	d := boot(t, desktop.DefaultOptions())
	rec := must(d.Record(t.Context()))(t)
	d.StopNotifications()
	if err := d.StartNotifications(t.Context()); err != nil {
		t.Error(err)
	}
	d.StopNotifications()
	d.StopBus()
	if conn, err := dbus.Connect(d.BusAddress()); err == nil {
		conn.Close()
		t.Error("the bus answers after StopBus; want an error")
	}
	rec.Close()
	d.StopX()
	if err := d.Screenshot(filepath.Join(t.TempDir(), "nothing.png")); err == nil {
		t.Error("a screenshot without an X server succeeded; want an error")
	}
	d.Stop()
}

func TestStartErrors(t *testing.T) {
	t.Parallel()
	here := t.TempDir()
	d := boot(t, desktop.Options{Dir: here})
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, test := range []struct {
		name string
		ctx  context.Context
		opts desktop.Options
		want string
	}{
		{"size", t.Context(), desktop.Options{Size: "big"}, `screen size "big"`},
		{"panel without a bus", t.Context(), desktop.Options{Panel: true}, "need a bus"},
		{"long folder", t.Context(), desktop.Options{Dir: "/tmp/" + strings.Repeat("x", 100)}, "too long"},
		{"screen that X refuses", t.Context(), desktop.Options{Size: "1280x800x99"}, "xvfb was not ready before it ended"},
		{"folder in use", t.Context(), desktop.Options{Dir: here}, "another desktop runs in " + here},
		{"cancelled", cancelled, desktop.DefaultOptions(), "context canceled"},
	} {
		failed, err := desktop.Start(test.ctx, test.opts)
		if err == nil {
			failed.Stop()
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got the error %v, want %q in it", test.name, err, test.want)
		}
	}
	if err := d.Screenshot(filepath.Join(here, "screen.png")); err != nil {
		t.Errorf("the desktop that was running: %v", err)
	}
}
