package sni

import (
	"context"
	"image"
	"image/color"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"porthole/internal/await"
	"porthole/internal/fakebus"
)

// testTimeout limits how long a test waits for something that must happen.
const testTimeout = 20 * time.Second

// panel is a panel that shows tray icons.
type panel struct {
	t          *testing.T
	conn       *dbus.Conn
	registered chan string // bus names of items
	signals    chan *dbus.Signal
	item, menu dbus.BusObject
}

// startPanel starts a panel on the bus at address.
func startPanel(t *testing.T, address string) *panel {
	t.Helper()
	p := &panel{t: t, conn: fakebus.Dial(t, address), registered: make(chan string, 8), signals: make(chan *dbus.Signal, 256)}
	err := p.conn.ExportMethodTable(map[string]any{
		"RegisterStatusNotifierItem": func(path string, sender dbus.Sender) *dbus.Error {
			if path != "/StatusNotifierItem" {
				t.Errorf("registered %q", path)
			}
			p.registered <- string(sender)
			return nil
		},
	}, watcherPath, watcherName)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.conn.AddMatchSignal(dbus.WithMatchInterface(menuName)); err != nil {
		t.Fatal(err)
	}
	p.conn.Signal(p.signals)
	fakebus.Own(t, p.conn, watcherName)
	return p
}

// await waits until the item is registered.
func (p *panel) await() {
	p.t.Helper()
	select {
	case name := <-p.registered:
		p.item, p.menu = p.conn.Object(name, itemPath), p.conn.Object(name, menuPath)
	case <-time.After(testTimeout):
		p.t.Fatal("the item was not registered")
	}
}

// call calls a method, which must succeed, and stores its result.
func (p *panel) call(o dbus.BusObject, method string, args []any, result ...any) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), testTimeout)
	defer cancel()
	if err := o.CallWithContext(ctx, method, 0, args...).Store(result...); err != nil {
		p.t.Fatalf("%s%v: %v", method, args, err)
	}
}

func (p *panel) event(id int32, name string) {
	p.t.Helper()
	p.call(p.menu, menuName+".Event", []any{id, name, dbus.MakeVariant(int32(0)), uint32(0)})
}

// visible returns the labels of the visible entries; "-" for separators.
func (p *panel) visible() (labels []string) {
	p.t.Helper()
	var revision uint32
	var root layout
	p.call(p.menu, menuName+".GetLayout", []any{int32(0), int32(-1), []string{}}, &revision, &root)
	for _, child := range root.Children {
		var l layout
		if err := dbus.Store([]any{child.Value()}, &l); err != nil {
			p.t.Fatal(err)
		}
		if l.Props["type"].Value() == "separator" {
			labels = append(labels, "-")
		} else if l.Props["visible"].Value() == true {
			labels = append(labels, l.Props["label"].Value().(string))
		}
	}
	return labels
}

func (p *panel) wantVisible(what string, want ...string) {
	p.t.Helper()
	if got := p.visible(); !slices.Equal(got, want) {
		p.t.Errorf("%s: got entries %q, want %q", what, got, want)
	}
}

// newItem returns an item with three entries and a separator and what the user does with it.
func newItem(t *testing.T, address string) (*Item, <-chan string) {
	did := make(chan string, 64)
	click := func(name string) func(string) { return func(token string) { did <- name + " " + token } }
	entries := []Entry{{Click: click("first")}, {Click: click("second")}, {Separator: true}, {Click: click("quit")}}
	i := New("Porthole", entries, Handlers{
		Activate: click("activate"), Secondary: click("secondary"),
		Menu:   func(x, y int, token string) { did <- "menu " + token; _, _ = x, y },
		Opened: func() { did <- "opened" },
	}, slog.New(slog.DiscardHandler))
	i.SetLabel(0, "62893_x")
	i.SetLabel(3, "Quit")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- i.Run(ctx, address) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return i, did
}

func want(t *testing.T, did <-chan string, want string) {
	t.Helper()
	select {
	case got := <-did:
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	case <-time.After(testTimeout):
		t.Fatalf("got nothing, want %q", want)
	}
}

// Panels that show no menus, such as swaybar, call ContextMenu.
func TestClicks(t *testing.T) {
	address := fakebus.Start(t)
	p := startPanel(t, address)
	_, did := newItem(t, address)
	p.await()
	at := []any{int32(3), int32(4)}
	for method, name := range map[string]string{"Activate": "activate ", "SecondaryActivate": "secondary ", "ContextMenu": "menu "} {
		p.call(p.item, itemName+"."+method, at)
		want(t, did, name)
	}
	p.event(1, "clicked")
	want(t, did, "first ")
	p.event(0, "opened")
	want(t, did, "opened")
	var unknown []int32
	p.call(p.menu, menuName+".EventGroup", []any{[]event{{4, "clicked", dbus.MakeVariant(int32(0)), 0}, {9, "clicked", dbus.MakeVariant(int32(0)), 0}}}, &unknown)
	want(t, did, "quit ")
	if !slices.Equal(unknown, []int32{9}) {
		t.Errorf("unknown entries: got %v, want [9]", unknown)
	}
	var isMenu dbus.Variant
	p.call(p.item, propertiesName+".Get", []any{itemName, "ItemIsMenu"}, &isMenu)
	if isMenu.Value() != false {
		t.Errorf("ItemIsMenu: got %v, want false: otherwise the left click opens the menu", isMenu)
	}
}

// A desktop sends the token in a call of its own, without waiting for the answer.
func TestActivationTokens(t *testing.T) {
	address := fakebus.Start(t)
	p := startPanel(t, address)
	_, did := newItem(t, address)
	p.await()
	for range 100 {
		p.item.Go(itemName+".ProvideXdgActivationToken", dbus.FlagNoReplyExpected, nil, "token-1")
		p.call(p.item, itemName+".Activate", []any{int32(0), int32(0)})
		want(t, did, "activate token-1")
	}
	p.item.Go(itemName+".ProvideXdgActivationToken", dbus.FlagNoReplyExpected, nil, "token-2")
	p.event(1, "clicked")
	want(t, did, "first token-2")
	p.event(1, "clicked") // a token is used once
	want(t, did, "first ")
}

// LXQt's panel builds the menu anew for LayoutUpdated, which closes it.
func TestOpenMenuChangesOnlyLabels(t *testing.T) {
	address := fakebus.Start(t)
	p := startPanel(t, address)
	i, _ := newItem(t, address)
	p.await()
	p.wantVisible("at first", "62893__x", "-", "Quit")
	p.event(0, "opened")
	i.SetLabel(0, "62893 closed")
	i.SetLabel(1, "new")
	p.wantVisible("open", "62893 closed", "-", "Quit")
	i.SetLabel(0, "")
	p.wantVisible("open, an entry less", "62893 closed", "-", "Quit")
	p.event(0, "closed")
	p.wantVisible("closed", "new", "-", "Quit")

	// A panel that does not report that the menu closed.
	p.event(0, "opened")
	i.SetLabel(1, "")
	var update bool
	p.call(p.menu, menuName+".AboutToShow", []any{int32(0)}, &update)
	p.wantVisible("opened again", "-", "Quit")

	// A panel that reports nothing else, such as Cinnamon's and Xfce's.
	i.SetLabel(0, "an entry more")
	p.wantVisible("open for a panel of GTK", "-", "Quit")
	var updates, unknown []int32
	p.call(p.menu, menuName+".AboutToShowGroup", []any{[]int32{0}}, &updates, &unknown)
	p.wantVisible("opened a third time", "an entry more", "-", "Quit")
	i.SetLabel(0, "")
	p.event(4, "clicked")
	p.wantVisible("closed by a click", "-", "Quit")

	var names []string
	await.Until(t, "all signals", func() bool {
		for {
			select {
			case s := <-p.signals:
				if strings.HasPrefix(s.Name, menuName) { // others are of the bus
					names = append(names, s.Name)
				}
			default:
				return len(names) >= 3
			}
		}
	})
	for _, name := range names {
		if name != menuName+".ItemsPropertiesUpdated" {
			t.Errorf("got signal %s, want only changed properties", name)
		}
	}
}

func TestPropertiesOfTheMenu(t *testing.T) {
	address := fakebus.Start(t)
	p := startPanel(t, address)
	newItem(t, address)
	p.await()
	var all []entryProperties
	p.call(p.menu, menuName+".GetGroupProperties", []any{[]int32{}, []string{}}, &all)
	if len(all) != 4 {
		t.Errorf("got properties of %d entries, want 4", len(all))
	}
	var label dbus.Variant
	p.call(p.menu, menuName+".GetProperty", []any{int32(4), "label"}, &label)
	if label.Value() != "Quit" {
		t.Errorf("got label %v, want Quit", label)
	}
	if err := p.menu.Call(menuName+".GetProperty", 0, int32(9), "label").Err; err == nil {
		t.Error("unknown entry: got no error")
	}
}

func TestItemReturnsAfterThePanelRestarts(t *testing.T) {
	address := fakebus.Start(t)
	i, _ := newItem(t, address) // no panel yet
	p := startPanel(t, address)
	p.await()
	_ = p.conn.Close()
	p = startPanel(t, address)
	p.await()
	img := image.NewNRGBA(image.Rect(0, 0, 2, 1))
	img.Set(1, 0, color.NRGBA{1, 2, 3, 4})
	i.SetIcon(img)
	i.SetTooltip("tip")
	var pixels []pixmap
	p.call(p.item, propertiesName+".Get", []any{itemName, "IconPixmap"}, &pixels)
	if len(pixels) != 1 || pixels[0].Width != 2 || pixels[0].Height != 1 || !slices.Equal(pixels[0].Pixels, []byte{0, 0, 0, 0, 4, 1, 2, 3}) {
		t.Errorf("got icon %v", pixels)
	}
	var shown tip
	p.call(p.item, propertiesName+".Get", []any{itemName, "ToolTip"}, &shown)
	if shown.Title != "tip" {
		t.Errorf("got tooltip %+v", shown)
	}
}

func TestRunEndsWithTheBus(t *testing.T) {
	i := New("Porthole", nil, Handlers{}, slog.New(slog.DiscardHandler))
	if err := i.Run(t.Context(), "unix:path="+t.TempDir()+"/none"); err == nil {
		t.Error("no bus: got no error")
	}
}
