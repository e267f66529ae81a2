//go:build linux

package desktop_test

import (
	"bufio"
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

// fakeItem is the smallest tray item that a panel accepts. Like fyne.io/systray, it
// leaves the submenus out of its first reply.
type fakeItem struct {
	conn     *dbus.Conn
	menuRead atomic.Bool
	events   chan string
}

var pink = color.NRGBA{0xff, 0x20, 0xa0, 0xff}

func register(t *testing.T, d *desktop.Desktop) *fakeItem {
	conn := must(dbus.Connect(d.BusAddress()))(t)
	t.Cleanup(func() { conn.Close() })
	f := &fakeItem{conn: conn, events: make(chan string, 8)}
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
		"Activate": func(x, y int32) *dbus.Error { f.events <- "activated"; return nil },
	}, "/StatusNotifierItem", "org.kde.StatusNotifierItem")
	if err != nil {
		t.Fatal(err)
	}
	err = conn.ExportMethodTable(map[string]any{
		"GetLayout":   f.layout,
		"AboutToShow": func(int32) (bool, *dbus.Error) { return false, nil },
		"Event": func(id int32, event string, _ dbus.Variant, _ uint32) *dbus.Error {
			if event == "clicked" {
				f.events <- fmt.Sprintf("clicked %d", id)
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
	if f.menuRead.Swap(true) {
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
		case got := <-f.events:
			if got != w {
				t.Errorf("got the event %q, want %q", got, w)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("got no event within 20 s, want %q", w)
		}
	}
}

// xevEvents are the events that a window of xev reports.
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
		for s.Scan() { // an event is a paragraph of lines
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

// expect waits for the next event that contains all of these words.
func (e xevEvents) expect(t *testing.T, words ...string) {
	t.Helper()
	timeout := time.After(20 * time.Second)
	for {
		select {
		case event := <-e:
			if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(event, w) }) {
				return
			}
		case <-timeout:
			t.Fatalf("got no event with %q within 20 s", words)
		}
	}
}

// must returns a function that returns value, or ends the test if err is not nil:
// must(f())(t).
func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// screen takes a picture. "go test -artifacts" keeps it.
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
	// The type of the decoded picture depends on its colours.
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

// onDesktop returns the processes with the desktop's folder in their environment. It
// finds them in another way than Desktop.
func onDesktop(d *desktop.Desktop) (pids []int) {
	out, _ := exec.Command("grep", "-lF", "XDG_RUNTIME_DIR="+d.Dir()+"/", "-r", "--include=environ", "/proc", "-s", "--exclude-dir=task").Output()
	for line := range strings.Lines(string(out)) {
		var pid int
		if _, err := fmt.Sscanf(line, "/proc/%d/environ", &pid); err == nil && pid != os.Getpid() {
			pids = append(pids, pid)
		}
	}
	return pids
}

// alive reports whether a process runs. A zombie does not.
func alive(pid int) bool {
	environ, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	return len(environ) > 0
}
