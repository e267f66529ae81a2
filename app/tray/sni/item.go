// Package sni shows an icon with a menu in the panels of Linux and BSD desktops: a
// StatusNotifierItem (https://www.freedesktop.org/wiki/Specifications/StatusNotifierItem/)
// with a menu of the interface com.canonical.dbusmenu. Unlike fyne.io/systray, it takes
// activation tokens, answers ContextMenu and SecondaryActivate, and changes labels without
// replacing the menu, which closes an open menu on LXQt.
package sni

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"
)

// D-Bus names and paths.
const (
	itemName       = "org.kde.StatusNotifierItem"
	menuName       = "com.canonical.dbusmenu"
	watcherName    = "org.kde.StatusNotifierWatcher"
	watcherPath    = "/StatusNotifierWatcher"
	propertiesName = "org.freedesktop.DBus.Properties"
	itemPath       = dbus.ObjectPath("/StatusNotifierItem")
	menuPath       = dbus.ObjectPath("/StatusNotifierItem/menu")
	provideToken   = "ProvideXdgActivationToken"
)

// registerTimeout limits how long a panel may take to accept the item.
const registerTimeout = 25 * time.Second

// maxToken is the maximum length of an activation token in bytes.
const maxToken = 1024

// Handlers handle what the user does. They are called from goroutines of the connection and
// must return soon. token permits raising a window; "" if the desktop gave none.
type Handlers struct {
	Activate func(token string) // left click
	// Secondary is called for the middle click.
	Secondary func(token string)
	// Menu is called for the right click by panels that show no menus themselves, such as
	// swaybar. x and y are where the panel would show the menu, in pixels of the screen; 0, 0 if unknown.
	Menu   func(x, y int, token string)
	Opened func() // the panel is about to show the menu
}

// Item is a tray icon with a menu. Its methods are safe for concurrent use.
type Item struct {
	handlers Handlers
	title    string
	log      *slog.Logger
	menu     *menu

	mu      sync.Mutex
	conn    *dbus.Conn // nil before Run
	pixels  []pixmap
	tooltip string
	token   string // for the call that follows
}

// pixmap is a picture: 32 bits per pixel, ARGB, the most significant byte first.
type pixmap struct {
	Width, Height int32
	Pixels        []byte
}

// tip is the value of the property ToolTip.
type tip struct {
	Icon  string
	Icons []pixmap
	Title string
	Text  string
}

// New returns an item with a menu of these entries. Run shows it.
func New(title string, entries []Entry, handlers Handlers, log *slog.Logger) *Item {
	i := &Item{handlers: handlers, title: title, log: log, pixels: []pixmap{{}}}
	i.menu = &menu{item: i, entries: entries, shown: make([]string, len(entries)), labels: make([]string, len(entries))}
	return i
}

// SetIcon sets the picture.
func (i *Item) SetIcon(img image.Image) {
	i.mu.Lock()
	i.pixels = []pixmap{pixelsOf(img)}
	i.mu.Unlock()
	i.changed("IconPixmap")
	i.emit(itemPath, itemName+".NewIcon")
}

// SetTooltip sets the text of the tooltip.
func (i *Item) SetTooltip(text string) {
	i.mu.Lock()
	i.tooltip = text
	i.mu.Unlock()
	i.changed("ToolTip")
	i.emit(itemPath, itemName+".NewToolTip")
}

// SetLabel sets the label of entry n of the menu; "" hides the entry. While the menu is open, no
// entry appears or disappears: those below would move under the pointer, and GTK's menus
// do not grow.
func (i *Item) SetLabel(n int, label string) { i.menu.setLabel(n, label) }

// Run shows the item on the bus at address, also after panels restart, until ctx or the bus ends.
func (i *Item) Run(ctx context.Context, address string) error {
	conn, err := dbus.Connect(address, dbus.WithContext(ctx), dbus.WithIncomingInterceptor(i.receive))
	if err != nil {
		return fmt.Errorf("connect to the session bus: %w", err)
	}
	defer conn.Close()
	if err := i.export(conn); err != nil {
		return err
	}
	i.mu.Lock()
	i.conn = conn
	i.mu.Unlock()
	if err := conn.AddMatchSignal(dbus.WithMatchInterface("org.freedesktop.DBus"), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, watcherName)); err != nil {
		return fmt.Errorf("subscribe to restarts of the panel: %w", err)
	}
	signals := make(chan *dbus.Signal, 16)
	conn.Signal(signals)
	i.register(ctx, conn)
	for {
		select {
		case <-ctx.Done():
			return nil
		case s, ok := <-signals:
			if !ok {
				return errors.New("the session bus has closed the connection")
			}
			if len(s.Body) == 3 && s.Body[0] == watcherName && s.Body[2] != "" {
				i.register(ctx, conn)
			}
		}
	}
}

// register announces the item to the panels. Without a panel it does nothing.
func (i *Item) register(ctx context.Context, conn *dbus.Conn) {
	ctx, cancel := context.WithTimeout(ctx, registerTimeout)
	defer cancel()
	err := conn.Object(watcherName, watcherPath).CallWithContext(ctx, watcherName+".RegisterStatusNotifierItem", 0, string(itemPath)).Err
	if err != nil && ctx.Err() == nil {
		i.log.Info("no panel shows the tray icon now", "error", err)
	}
}

// export makes the item and its menu available on conn.
func (i *Item) export(conn *dbus.Conn) error {
	for _, o := range []struct {
		path    dbus.ObjectPath
		name    string
		methods map[string]any
	}{
		{itemPath, itemName, map[string]any{
			"Activate": i.activate, "SecondaryActivate": i.secondaryActivate, "ContextMenu": i.contextMenu,
			"Scroll": func(int32, string) *dbus.Error { return nil }, provideToken: func(string) *dbus.Error { return nil }, // see receive
		}},
		{itemPath, propertiesName, properties{itemName, i.properties}.methods()},
		{itemPath, "org.freedesktop.DBus.Introspectable", introspection(itemXML)},
		{menuPath, menuName, i.menu.methods()},
		{menuPath, propertiesName, properties{menuName, menuProperties}.methods()},
		{menuPath, "org.freedesktop.DBus.Introspectable", introspection(menuXML)},
	} {
		if err := conn.ExportMethodTable(o.methods, o.path, o.name); err != nil {
			return fmt.Errorf("export the tray icon: %w", err)
		}
	}
	// The name is only for people and tools: panels use the connection that registered the item.
	if _, err := conn.RequestName(fmt.Sprintf("%s-%d-1", itemName, os.Getpid()), dbus.NameFlagDoNotQueue); err != nil {
		i.log.Info("can't request a bus name for the tray icon", "error", err)
	}
	return nil
}

func (i *Item) activate(_, _ int32) *dbus.Error {
	i.handlers.Activate(i.takeToken())
	return nil
}

func (i *Item) secondaryActivate(_, _ int32) *dbus.Error {
	i.handlers.Secondary(i.takeToken())
	return nil
}

func (i *Item) contextMenu(x, y int32) *dbus.Error {
	i.handlers.Menu(int(x), int(y), i.takeToken())
	return nil
}

// receive keeps the activation token with which Plasma and GNOME's AppIndicator extension
// permit the program to raise a window: the call of ProvideXdgActivationToken that precedes
// Activate and clicks in the menu. It gets messages in their order; godbus handles each
// method call on a goroutine of its own.
func (i *Item) receive(m *dbus.Message) {
	name, _ := m.Headers[dbus.FieldMember].Value().(string)
	if m.Type != dbus.TypeMethodCall || name != provideToken || len(m.Body) != 1 {
		return
	}
	if token, ok := m.Body[0].(string); ok && len(token) <= maxToken {
		i.mu.Lock()
		i.token = token
		i.mu.Unlock()
	}
}

// takeToken returns the last activation token. It is valid once.
func (i *Item) takeToken() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	token := i.token
	i.token = ""
	return token
}

func (i *Item) properties() map[string]dbus.Variant {
	i.mu.Lock()
	defer i.mu.Unlock()
	return map[string]dbus.Variant{
		"Category":      dbus.MakeVariant("ApplicationStatus"),
		"Id":            dbus.MakeVariant(i.title),
		"Title":         dbus.MakeVariant(i.title),
		"Status":        dbus.MakeVariant("Active"),
		"IconName":      dbus.MakeVariant(""),
		"IconThemePath": dbus.MakeVariant(""),
		"IconPixmap":    dbus.MakeVariant(i.pixels),
		"ToolTip":       dbus.MakeVariant(tip{Title: i.tooltip, Icons: []pixmap{}}),
		"ItemIsMenu":    dbus.MakeVariant(false),
		"Menu":          dbus.MakeVariant(menuPath),
	}
}

// changed announces the new value of a property of the item.
func (i *Item) changed(property string) {
	i.emit(itemPath, propertiesName+".PropertiesChanged", itemName, map[string]dbus.Variant{property: i.properties()[property]}, []string{})
}

// emit emits a signal if the item is on a bus. It fails only if the bus has gone, which
// ends Run.
func (i *Item) emit(path dbus.ObjectPath, name string, values ...any) {
	i.mu.Lock()
	conn := i.conn
	i.mu.Unlock()
	if conn == nil {
		return
	}
	if err := conn.Emit(path, name, values...); err != nil {
		i.log.Info("can't update the tray icon", "signal", name, "error", err)
	}
}

func pixelsOf(img image.Image) pixmap {
	b := img.Bounds()
	p := pixmap{int32(b.Dx()), int32(b.Dy()), make([]byte, 0, 4*b.Dx()*b.Dy())}
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			c := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
			p.Pixels = append(p.Pixels, c.A, c.R, c.G, c.B)
		}
	}
	return p
}
