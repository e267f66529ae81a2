//go:build linux

package desktop_test

import (
	"bufio"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/prop"

	"porthole/e2e/desktop"
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

func TestPanelHostsAnItem(t *testing.T) {
	d := boot(t, desktop.DefaultOptions())
	fake := register(t, d)
	tray := must(d.Tray())(t)
	defer tray.Close()
	item := must(tray.WaitItem(t.Context(), os.Getpid()))(t)

	if got := must(item.Title(t.Context()))(t); got != "A title" {
		t.Errorf("title %q, want %q", got, "A title")
	}
	if got := must(item.Tooltip(t.Context()))(t); got != "A tip\nof two lines" {
		t.Errorf("tooltip %q, want %q", got, "A tip\nof two lines")
	}
	icon := must(item.Icon(t.Context()))(t)
	if icon.Bounds().Dx() != 22 || icon.At(11, 11) != color.Color(pink) {
		t.Errorf("icon of %v, %v in its middle; want 22×22, %v", icon.Bounds(), icon.At(11, 11), pink)
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
		t.Errorf("menu\n%+v, want\n%+v", menu, want)
	}
	for _, labels := range [][]string{{"Open my_file"}, {"More", "Deep"}} {
		if err := item.Click(t.Context(), labels...); err != nil {
			t.Error(err)
		}
	}
	if err := item.Click(t.Context(), "Disabled"); err == nil {
		t.Error("a disabled entry took a click")
	}
	if err := item.Click(t.Context(), "Absent"); err == nil || !strings.Contains(err.Error(), "Watching") {
		t.Errorf("a click on an entry that is not there: %v; want what is there", err)
	}
	if err := item.Activate(t.Context()); err != nil {
		t.Error(err)
	}
	fake.expect(t, "clicked 1", "clicked 6", "activated")

	// The panel shows it where it should, and the real pointer finds it.
	seen := func() bool { return has(screen(t, d, "tray.png"), around(d.TrayPoint(), 8), pink) }
	eventually(t, "the panel shows the icon", seen)
	if err := d.ClickAt(d.TrayPoint(), 1); err != nil {
		t.Fatal(err)
	}
	fake.expect(t, "activated")

	d.StopPanel()
	if items, err := tray.Items(t.Context()); err == nil {
		t.Errorf("a tray with %v after the panel has gone", items)
	}
	if err := d.StartPanel(t.Context()); err != nil {
		t.Fatal(err)
	}
	fake.register(t)
	if _, err := tray.WaitItem(t.Context(), 0); err != nil {
		t.Error(err)
	}
}

func TestNotificationsAreRecordedAndShown(t *testing.T) {
	d := boot(t, desktop.DefaultOptions())
	if _, err := exec.LookPath("notify-send"); err != nil {
		t.Skip("notify-send is not on this machine (package libnotify-bin)")
	}
	rec := must(d.Record(t.Context()))(t)
	defer rec.Close()

	before := screen(t, d, "before.png")
	send := d.Command("notify-send", "--app-name=tester", "--icon=dialog-information", "--action=default=Open", "62893 is open", "node · acme-web")
	var invoked strings.Builder
	send.Stdout = &invoked
	if err := send.Start(); err != nil {
		t.Fatal(err)
	}
	note := must(rec.WaitNote(t.Context(), func(n desktop.Note) bool { return n.App == "tester" }))(t)
	if note.Summary != "62893 is open" || note.Body != "node · acme-web" || !slices.Equal(note.Actions, []string{"default", "Open"}) {
		t.Errorf("recorded %+v", note)
	}
	at := d.NotificationPoint()
	eventually(t, "the notification is on the screen", func() bool {
		return screen(t, d, "notification.png").At(at.X, at.Y) != before.At(at.X, at.Y)
	})
	if err := d.ClickAt(at, 1); err != nil {
		t.Fatal(err)
	}
	if err := send.Wait(); err != nil || strings.TrimSpace(invoked.String()) != "default" {
		t.Errorf("a click on the notification invoked %q (%v), want default", invoked.String(), err)
	}
	eventually(t, "the click closes the notification", func() bool {
		return screen(t, d, "after.png").At(at.X, at.Y) == before.At(at.X, at.Y)
	})

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := rec.WaitNote(ctx, func(n desktop.Note) bool { return n.Summary == "absent" }); err == nil || !strings.Contains(err.Error(), "62893 is open") {
		t.Errorf("a wait in vain says %v; want what was sent", err)
	}
}

func TestFakeNotifications(t *testing.T) {
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
	next := func() *dbus.Signal { // but for those of the bus itself
		for {
			select {
			case s := <-signals:
				if s.Path == "/org/freedesktop/Notifications" {
					return s
				}
			case <-time.After(5 * time.Second):
				t.Fatal("no signal came")
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
		t.Errorf("shown: %q, want the one that was sent", got)
	}
	if err := fake.Invoke("absent"); err == nil {
		t.Error("an action that was not offered was invoked")
	}
	if err := fake.Invoke("default"); err != nil {
		t.Fatal(err)
	}
	if s := next(); !strings.HasSuffix(s.Name, ".ActionInvoked") || !slices.Equal(s.Body, []any{id, "default"}) {
		t.Errorf("signal %s %v, want ActionInvoked [%d default]", s.Name, s.Body, id)
	}
	if s := next(); !strings.HasSuffix(s.Name, ".NotificationClosed") {
		t.Errorf("signal %s, want NotificationClosed", s.Name)
	}
	if got := fake.Shown(); len(got) != 0 {
		t.Errorf("shown after the click: %q, want none", got)
	}

	fake.Hang(true)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := notify(ctx); err == nil {
		t.Error("a daemon that hangs answered")
	}
	fake.Hang(false)
	if _, err := notify(t.Context()); err != nil {
		t.Errorf("after it hung: %v", err)
	}
}

func TestWindows(t *testing.T) {
	opts := desktop.DefaultOptions()
	opts.Notifications = false
	d := boot(t, opts)
	if _, err := exec.LookPath("xev"); err != nil {
		t.Skip("xev is not on this machine (package x11-utils)")
	}
	const title = "A window [1.0]"
	events := xev(t, d, title)
	w := must(d.WaitWindow(t.Context(), title))(t)
	xev(t, d, title+" more") // must not be taken for the other
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
		t.Errorf("geometry %v, want 300×200 below a title bar", area)
	}
	path := filepath.Join(t.ArtifactDir(), "window.png")
	if err := w.Screenshot(path); err != nil {
		t.Fatal(err)
	}
	if got := picture(t, path).Bounds(); got != image.Rect(0, 0, 300, 200) {
		t.Errorf("screenshot of %v, want 300×200", got)
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
		t.Errorf("a wait in vain says %v; want the windows that are there", err)
	}
}

func TestStopLeavesNothingBehind(t *testing.T) {
	d := boot(t, desktop.DefaultOptions())
	if len(d.Programs()) != 0 {
		t.Errorf("programs %v on a new desktop, want none", d.Programs())
	}
	// One that detaches itself, and one that does not listen.
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
		t.Errorf("programs %v, want the shell, %d, and its children", programs, shell.Process.Pid)
	}
	pids := belongTo(t, d)
	if len(pids) < 7 { // X, bus, window manager, panel, daemon, shell, sleep
		t.Errorf("%d processes of the desktop, want 7 at least", len(pids))
	}

	d.Stop()
	for _, pid := range pids {
		if alive(pid) {
			t.Errorf("process %d lives on", pid)
		}
	}
	if rest := belongTo(t, d); len(rest) != 0 {
		t.Errorf("processes %v live on", rest)
	}
	if _, err := os.Stat(d.Dir()); err == nil {
		t.Errorf("the folder %s is left", d.Dir())
	}
	d.Stop()
	if err := d.StartPanel(t.Context()); err == nil {
		t.Error("a stopped desktop started a panel")
	}
}

func TestPartsGoOneByOne(t *testing.T) {
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
		t.Error("the bus answers after its end")
	}
	rec.Close()
	d.StopX()
	if err := d.Screenshot(filepath.Join(t.TempDir(), "nothing.png")); err == nil {
		t.Error("a picture without an X server")
	}
	d.Stop()
}

func TestBootErrors(t *testing.T) {
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
			t.Errorf("%s: error %v, want %q in it", test.name, err, test.want)
		}
	}
	if err := d.Screenshot(filepath.Join(here, "screen.png")); err != nil {
		t.Errorf("the desktop that was up suffered: %v", err)
	}
}

// fakeItem is the smallest tray item that a panel takes: what fyne.io/systray
// does, with its submenus missing from the first answer.
type fakeItem struct {
	conn  *dbus.Conn
	asked atomic.Bool
	said  chan string
}

var pink = color.NRGBA{0xff, 0x20, 0xa0, 0xff}

func register(t *testing.T, d *desktop.Desktop) *fakeItem {
	conn := must(dbus.Connect(d.BusAddress()))(t)
	t.Cleanup(func() { conn.Close() })
	f := &fakeItem{conn: conn, said: make(chan string, 8)}
	type pixmap struct {
		W, H int32
		ARGB []byte
	}
	big := pixmap{22, 22, nil}
	for range 22 * 22 {
		big.ARGB = append(big.ARGB, pink.A, pink.R, pink.G, pink.B)
	}
	values := prop.Map{"org.kde.StatusNotifierItem": {}}
	for name, value := range map[string]any{
		"Id": "fake", "Title": "A title", "Category": "ApplicationStatus", "Status": "Active", "IconName": "",
		"IconPixmap": []pixmap{{1, 1, []byte{255, 0, 0, 0}}, big},
		"ItemIsMenu": false, "Menu": dbus.ObjectPath("/Menu"),
		"ToolTip": struct {
			Icon        string
			Pixmaps     []pixmap
			Title, Text string
		}{"", []pixmap{}, "A tip", "of two lines"},
	} {
		values["org.kde.StatusNotifierItem"][name] = &prop.Prop{Value: value}
	}
	if _, err := prop.Export(conn, "/StatusNotifierItem", values); err != nil {
		t.Fatal(err)
	}
	if _, err := prop.Export(conn, "/Menu", prop.Map{"com.canonical.dbusmenu": {"Version": {Value: uint32(3)}, "Status": {Value: "normal"}}}); err != nil {
		t.Fatal(err)
	}
	err := conn.ExportMethodTable(map[string]any{
		"Activate": func(x, y int32) *dbus.Error { f.said <- "activated"; return nil },
	}, "/StatusNotifierItem", "org.kde.StatusNotifierItem")
	if err != nil {
		t.Fatal(err)
	}
	err = conn.ExportMethodTable(map[string]any{
		"GetLayout":   f.layout,
		"AboutToShow": func(int32) (bool, *dbus.Error) { return false, nil },
		"Event": func(id int32, event string, _ dbus.Variant, _ uint32) *dbus.Error {
			if event == "clicked" {
				f.said <- fmt.Sprintf("clicked %d", id)
			}
			return nil
		},
	}, "/Menu", "com.canonical.dbusmenu")
	if err != nil {
		t.Fatal(err)
	}
	f.register(t)
	return f
}

func (f *fakeItem) register(t *testing.T) {
	t.Helper()
	err := f.conn.Object("org.kde.StatusNotifierWatcher", "/StatusNotifierWatcher").Call(
		"org.kde.StatusNotifierWatcher.RegisterStatusNotifierItem", 0, "/StatusNotifierItem").Err
	if err != nil {
		t.Fatal(err)
	}
}

type layout struct {
	ID       int32
	Props    map[string]dbus.Variant
	Children []dbus.Variant
}

func (f *fakeItem) layout(int32, int32, []string) (uint32, layout, *dbus.Error) {
	entry := func(id int32, props map[string]any, children ...layout) layout {
		l := layout{id, map[string]dbus.Variant{}, []dbus.Variant{}}
		for name, value := range props {
			l.Props[name] = dbus.MakeVariant(value)
		}
		for _, child := range children {
			l.Children = append(l.Children, dbus.MakeVariant(child))
		}
		return l
	}
	var below []layout
	if f.asked.Swap(true) {
		below = []layout{entry(6, map[string]any{"label": "Deep"})}
	}
	return 1, entry(0, nil,
		entry(1, map[string]any{"label": "_Open my__file"}),
		entry(2, map[string]any{"type": "separator"}),
		entry(3, map[string]any{"label": "Watching", "toggle-type": "checkmark", "toggle-state": int32(1)}),
		entry(4, map[string]any{"label": "Disabled", "enabled": false}),
		entry(5, map[string]any{"label": "More", "children-display": "submenu"}, below...),
	), nil
}

func (f *fakeItem) expect(t *testing.T, want ...string) {
	t.Helper()
	for _, w := range want {
		select {
		case got := <-f.said:
			if got != w {
				t.Errorf("the item was %s, want %s", got, w)
			}
		case <-time.After(5 * time.Second):
			t.Fatalf("the item was not %s", w)
		}
	}
}

// xevEvents are what a window of xev says that happens to it.
type xevEvents chan string

func xev(t *testing.T, d *desktop.Desktop, title string) xevEvents {
	cmd := d.Command("stdbuf", "-oL", "xev", "-name", title, "-geometry", "300x200", "-event", "keyboard", "-event", "button")
	out := must(cmd.StdoutPipe())(t)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		cmd.Wait()
	})
	events := make(xevEvents, 1024)
	go func() {
		s, event := bufio.NewScanner(out), ""
		for s.Scan() { // an event is a paragraph
			if s.Text() != "" {
				event += s.Text() + " "
				continue
			}
			events <- event
			event = ""
		}
	}()
	return events
}

// expect waits for the next event with all of these words in it.
func (e xevEvents) expect(t *testing.T, words ...string) {
	t.Helper()
	timeout := time.After(5 * time.Second)
	for {
		select {
		case event := <-e:
			if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(event, w) }) {
				return
			}
		case <-timeout:
			t.Fatalf("no event with %q came", words)
		}
	}
}

// must(f())(t) is f's value; the test ends where f failed.
func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); !is(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within 5 s: %s", what)
		}
	}
}

// screen takes a picture, which "go test -artifacts" keeps.
func screen(t *testing.T, d *desktop.Desktop, name string) image.Image {
	t.Helper()
	path := filepath.Join(t.ArtifactDir(), name)
	if err := d.Screenshot(path); err != nil {
		t.Fatal(err)
	}
	return picture(t, path)
}

func picture(t *testing.T, path string) image.Image {
	t.Helper()
	file := must(os.Open(path))(t)
	defer file.Close()
	img := must(png.Decode(file))(t)
	// Of one kind, whatever kind of PNG was fit for the colours.
	nrgba := image.NewNRGBA(img.Bounds())
	draw.Draw(nrgba, nrgba.Bounds(), img, img.Bounds().Min, draw.Src)
	return nrgba
}

func around(p image.Point, by int) image.Rectangle {
	return image.Rectangle{p, p}.Inset(-by)
}

func has(img image.Image, area image.Rectangle, want color.Color) bool {
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			if img.At(x, y) == want {
				return true
			}
		}
	}
	return false
}

// belongTo returns the processes that have the desktop's folder in their
// environment, found in another way than the desktop's own.
func belongTo(t *testing.T, d *desktop.Desktop) (pids []int) {
	t.Helper()
	out, _ := exec.Command("grep", "-lF", "XDG_RUNTIME_DIR="+d.Dir()+"/", "-r", "--include=environ", "/proc", "-s", "--exclude-dir=task").Output()
	for line := range strings.Lines(string(out)) {
		var pid int
		if _, err := fmt.Sscanf(line, "/proc/%d/environ", &pid); err == nil && pid != os.Getpid() {
			pids = append(pids, pid)
		}
	}
	return pids
}

// alive reports whether the process runs; a zombie, which an orphan stays
// where process 1 does not care, does not.
func alive(pid int) bool {
	environ, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	return len(environ) > 0
}
