// Package uitest has helpers shared by the tests of the ui packages: listeners, a history, and the
// keyboard and mouse of a window on Fyne's software driver. Only tests import it.
package uitest

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"net/netip"
	"os"
	"reflect"
	"strconv"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/test"

	"porthole/assets"
	"porthole/monitor"
	"porthole/monitor/connection"
	"porthole/monitor/history"
	"porthole/monitor/watch"
)

// Main runs the tests of a package in English, regardless of the language of the
// machine.
func Main(m *testing.M) {
	_ = os.Setenv("LANGUAGE", "en")
	_ = os.Setenv("LC_ALL", "en_US.UTF-8")
	texts, err := assets.Translation("en")
	if err == nil {
		err = lang.AddTranslationsForLocale(texts, lang.SystemLocale())
	}
	if err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// OpenedEvents returns the events of listeners that opened at that time.
func OpenedEvents(at time.Time, listeners []*monitor.Listener) []monitor.Event {
	var c []monitor.Event
	for _, l := range listeners {
		c = append(c, monitor.Event{At: at, Kind: monitor.Opened, Listener: l})
	}
	return c
}

// Listening returns a TCP listener whose owner is the process name of the user ada. PID 0 means
// that the owner is unknown. The default address is 127.0.0.1.
func Listening(port uint16, name string, pid int, addresses ...string) *monitor.Listener {
	l := &monitor.Listener{
		ID: fmt.Sprintf("tcp-%d-%d", port, pid), Protocol: monitor.TCP, Port: port, User: "ada", Owners: []monitor.Owner{},
	}
	if pid != 0 {
		l.Owners = append(l.Owners, monitor.Owner{PID: pid, Start: 7, Name: name, User: "ada", Command: []string{name, "--port", fmt.Sprint(port)}})
	} else {
		l.OwnerUnknown = monitor.UnknownForeign
	}
	if len(addresses) == 0 {
		addresses = []string{"127.0.0.1"}
	}
	l.Exposure = monitor.ExposureLoopback
	for i, a := range addresses {
		ip := netip.MustParseAddr(a)
		l.Addresses = append(l.Addresses, ip)
		s := monitor.HeldSocket{Socket: monitor.Socket{ID: monitor.SocketID(int(port)*100 + pid*10 + i), Address: ip}}
		if pid != 0 {
			s.Owners = []int{pid}
		}
		l.Sockets = append(l.Sockets, s)
		if monitor.ExposureOf(ip) == monitor.ExposureNetwork {
			l.Exposure = monitor.ExposureNetwork
		}
	}
	return l
}

// InGerman switches to German for the rest of the test.
func InGerman(t *testing.T) {
	t.Helper()
	use := func(language string) {
		texts, err := assets.Translation(language)
		if err != nil {
			t.Fatal(err)
		}
		if err := lang.AddTranslationsForLocale(texts, lang.SystemLocale()); err != nil {
			t.Fatal(err)
		}
	}
	use("de")
	t.Cleanup(func() { use("en") })
}

// ManyListeners returns n listeners, each owned by a different process.
func ManyListeners(n int) []*monitor.Listener {
	all := make([]*monitor.Listener, n)
	for i := range all {
		l := Listening(uint16(1024+i), []string{"node", "python3", "java", "Postgres", "nginx"}[i%5], 1000+i)
		l.Project, l.Service = "project-"+strconv.Itoa(i%97), "service "+strconv.Itoa(i%31)
		all[i] = l
	}
	return all
}

// Texts returns all texts in o, including hidden ones.
func Texts(o fyne.CanvasObject) []*canvas.Text {
	var inner []fyne.CanvasObject
	switch o := o.(type) {
	case *canvas.Text:
		return []*canvas.Text{o}
	case fyne.Widget:
		inner = test.WidgetRenderer(o).Objects()
	case *fyne.Container:
		inner = o.Objects
	}
	var found []*canvas.Text
	for _, x := range inner {
		found = append(found, Texts(x)...)
	}
	return found
}

// EachVisible calls do for o and every visible object in it.
func EachVisible(o fyne.CanvasObject, do func(fyne.CanvasObject)) {
	if !o.Visible() {
		return
	}
	do(o)
	var inner []fyne.CanvasObject
	switch o := o.(type) {
	case fyne.Widget:
		inner = test.WidgetRenderer(o).Objects()
	case *fyne.Container:
		inner = o.Objects
	}
	for _, x := range inner {
		EachVisible(x, do)
	}
}

// Press sends a key to the focused widget, or to the window if none is focused, like Fyne's driver.
func Press(w fyne.Window, key fyne.KeyName) {
	if f := w.Canvas().Focused(); f != nil {
		f.TypedKey(&fyne.KeyEvent{Name: key})
		return
	}
	w.Canvas().OnTypedKey()(&fyne.KeyEvent{Name: key})
}

// Shortcut sends a shortcut to the focused widget if it accepts shortcuts, otherwise to the window,
// like Fyne's driver.
func Shortcut(w fyne.Window, s fyne.Shortcut) {
	if f, ok := w.Canvas().Focused().(fyne.Shortcutable); ok {
		f.TypedShortcut(s)
		return
	}
	inner := reflect.ValueOf(w.Canvas()).Elem().FieldByName("WindowlessCanvas") // the test canvas wraps the one that handles shortcuts
	inner.Interface().(fyne.Shortcutable).TypedShortcut(s)
}

// Controls returns the visible, enabled objects in o that can be tapped or focused.
func Controls(o fyne.CanvasObject) (found []fyne.CanvasObject) {
	if !o.Visible() {
		return nil
	}
	_, tappable := o.(fyne.Tappable)
	_, focusable := o.(fyne.Focusable)
	if disabled, ok := o.(fyne.Disableable); (tappable || focusable) && (!ok || !disabled.Disabled()) {
		found = append(found, o)
	}
	var parts []fyne.CanvasObject
	switch o := o.(type) {
	case *fyne.Container:
		parts = o.Objects
	case fyne.Widget:
		parts = test.WidgetRenderer(o).Objects()
	}
	for _, p := range parts {
		found = append(found, Controls(p)...)
	}
	return found
}

// SampleListeners returns the listeners of a machine in use, including long names and listeners
// with warnings.
func SampleListeners(at time.Time) []*monitor.Listener {
	with := func(l *monitor.Listener, project, service string, up time.Duration) *monitor.Listener {
		l.Project, l.Service, l.ServiceBy = project, service, monitor.ByCommand
		if up > 0 {
			l.Since = at.Add(-up)
		}
		for i := range l.Owners {
			l.Owners[i].Project, l.Owners[i].StartedAt = project, at.Add(-30*time.Hour)
			l.Owners[i].Folder, l.Owners[i].Program = "/home/ada/src/"+project, "/usr/bin/"+l.Owners[i].Name
			l.Owners[i].Parents = []monitor.Parent{{PID: 812, Name: "bash"}, {PID: 640, Name: "gnome-terminal-server"}, {PID: 1, Name: "systemd"}}
		}
		return l
	}
	web := with(Listening(62893, "node", 48213, "127.0.0.1", "::1"), "acme-web", "Vite", 12*time.Minute)
	web.Owners[0].Branch = "feature/checkout-with-three-payment-providers"
	web.Owners[0].Command = []string{"node", "/home/ada/src/acme-web/node_modules/.bin/vite", "--port", "62893", "--token", "s3cret", "--host", "localhost", "--strictPort"}
	return []*monitor.Listener{
		Listening(22, "", 0, "0.0.0.0", "::"),
		Listening(631, "", 0, "127.0.0.1", "::1"),
		with(Listening(3000, "node", 48101), "shop-api", "Express", 2*time.Hour),
		with(Listening(5173, "node", 48199), "admin-ui", "Vite", 40*time.Second),
		with(Listening(5432, "postgres", 911, "127.0.0.1", "::1"), "", "PostgreSQL", 0),
		with(Listening(6379, "redis-server", 934), "", "Redis", 0),
		with(Listening(8000, "python3", 50121, "0.0.0.0"), "notes-with-a-name-that-goes-on-and-on", "Django", 5*time.Minute),
		with(Listening(8080, "java", 50999, "0.0.0.0", "::"), "warehouse", "Spring Boot", 26*time.Hour),
		with(Listening(9229, "node", 48101), "shop-api", "Node.js inspector", 2*time.Hour),
		with(Listening(49152, "a-program-of-a-very-long-name", 51000), "", "", 0),
		web,
	}
}

// SampleHistory returns events of SampleListeners from yesterday and today.
func SampleHistory(at time.Time) *FakeHistory {
	r := &FakeHistory{}
	for i := range 60 {
		l := SampleListeners(at)[i%11]
		e := history.Event{ID: int64(i + 1), At: at.Add(time.Duration(i-60) * 31 * time.Minute), Kind: monitor.Opened, Port: l.Port, Addresses: l.Addresses, Exposure: l.Exposure, Listener: fmt.Sprint(l.ID, i/2)}
		if o, ok := l.Principal(); ok {
			e.Owner = history.Owner{PID: o.PID, Name: o.Name, User: o.User, Project: o.Project, Service: l.Service, Command: o.Command}
		}
		switch i % 5 {
		case 1:
			e.Kind, e.OpenedAt, e.Duration = monitor.Closed, e.At.Add(-7*time.Minute), 7*time.Minute
		case 3:
			e.Kind, e.OwnerBefore = monitor.OwnerChanged, &history.Owner{PID: 77, Name: "postgres", User: "ada"}
		}
		r.Past = append(r.Past, e)
	}
	return r
}

// Middle returns the position of o's centre on its canvas.
func Middle(o fyne.CanvasObject) fyne.Position {
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(o)
	return at.Add(fyne.NewPos(o.Size().Width/2, o.Size().Height/2))
}

// Conn returns a connection from a local process, or, if pid is 0, from the remote address client.
// received and sent are in bytes.
func Conn(id monitor.SocketID, pid int, client string, received, sent uint64) connection.Conn {
	p := connection.Conn{ID: id, Remote: netip.MustParseAddrPort("127.0.0.1:5000"), Client: connection.Client{PID: pid, Name: client}, Received: received, Sent: sent}
	if pid == 0 {
		p.Remote, p.Client.Name = netip.AddrPortFrom(netip.MustParseAddr(client), 5000), ""
	}
	return p
}

// DifferingPixels returns the number of pixels in which a and b differ.
func DifferingPixels(a, b image.Image) (n int) {
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			if a.At(x, y) != b.At(x, y) {
				n++
			}
		}
	}
	return n
}

// Ports parses a list of ports. It fails the test on an error.
func Ports(t *testing.T, text string) monitor.Ports {
	t.Helper()
	p, err := monitor.ParsePorts(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Readable is WCAG 2.1's minimum contrast of text (1.4.3, AA). Visible is that of graphics and
// of disabled controls (1.4.11).
const (
	Readable = 4.5
	Visible  = 3
)

// Contrast returns WCAG 2.1's contrast ratio of two opaque colours, from 1 to 21.
func Contrast(a, b color.Color) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// luminance returns WCAG 2.1's relative luminance.
func luminance(c color.Color) float64 {
	r, g, b, _ := c.RGBA()
	linear := func(v uint32) float64 {
		s := float64(v) / 0xffff
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
}

// Rule returns the rule that watches ports for processes that match pattern. Either may be "".
func Rule(t *testing.T, ports, pattern string) (r watch.Rule) {
	t.Helper()
	var err error
	if ports != "" {
		r.Ports = Ports(t, ports)
	}
	if r.Match, err = watch.ParsePattern(pattern); err != nil {
		t.Fatal(err)
	}
	return r
}

// CopyableOver returns the first copyable text in w's top overlay; "" if there is none.
func CopyableOver(w fyne.Window) (text string) {
	top := w.Canvas().Overlays().Top()
	if top == nil {
		return ""
	}
	EachVisible(top, func(o fyne.CanvasObject) {
		if c, ok := o.(interface {
			fyne.Accessible
			SelectedText() string
		}); ok && text == "" && c.AccessibilityRole() == fyne.AccessibleRoleText {
			text = c.AccessibilityLabel()
		}
	})
	return text
}

// Selectable is a text that can be selected with the mouse.
type Selectable interface {
	desktop.Mouseable
	fyne.Draggable
}

// Drag selects a part of text with the mouse, like Fyne's driver.
func Drag(text Selectable, from, to fyne.Position) {
	e := &desktop.MouseEvent{Button: desktop.MouseButtonPrimary}
	e.Position = from
	text.MouseDown(e)
	step := &fyne.DragEvent{Dragged: fyne.NewDelta(to.X-from.X, to.Y-from.Y)}
	step.Position = to
	text.Dragged(step)
	text.DragEnd()
}
