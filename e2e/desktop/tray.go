//go:build linux

package desktop

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"slices"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
)

// Names of the tray on the bus (StatusNotifierItem), and of its menus.
const (
	watcherName   = "org.kde.StatusNotifierWatcher"
	watcherPath   = "/StatusNotifierWatcher"
	itemName      = "org.kde.StatusNotifierItem"
	itemPath      = "/StatusNotifierItem"
	menuName      = "com.canonical.dbusmenu"
	propertiesGet = "org.freedesktop.DBus.Properties.Get"
)

const (
	trayTimeout = 5 * time.Second  // for one call
	waitTimeout = 45 * time.Second // for waits whose context has no deadline
)

// Tray reads the desktop's tray over the bus, as the panel does. It is safe for
// concurrent use.
type Tray struct {
	conn *dbus.Conn
}

// Tray connects to the desktop's tray.
func (d *Desktop) Tray() (*Tray, error) { return DialTray(d.address) }

// DialTray connects to the tray of the session bus at address.
func DialTray(address string) (*Tray, error) {
	conn, err := dbus.Connect(address)
	if err != nil {
		return nil, fmt.Errorf("connect to the session bus: %w", err)
	}
	return &Tray{conn}, nil
}

// Close ends the connection.
func (t *Tray) Close() error { return t.conn.Close() }

// Item is a program's item in the tray. It is valid until the program leaves the
// tray.
type Item struct {
	Service string // the program's name on the bus
	Path    dbus.ObjectPath
	PID     int
	conn    *dbus.Conn
}

// MenuEntry is a line of an item's menu.
type MenuEntry struct {
	ID        int32
	Label     string // as shown, without the mark of its mnemonic
	Enabled   bool
	Visible   bool
	Separator bool
	Checked   bool
	Children  []MenuEntry // entries of the submenu
}

// Items returns the items in the tray.
func (t *Tray) Items(ctx context.Context) ([]Item, error) {
	ctx, cancel := context.WithTimeout(ctx, trayTimeout)
	defer cancel()
	var registered []string
	err := t.conn.Object(watcherName, watcherPath).CallWithContext(ctx, propertiesGet, 0, watcherName, "RegisteredStatusNotifierItems").Store(&registered)
	if err != nil {
		return nil, fmt.Errorf("list the tray's items: %w", err)
	}
	var items []Item
	for _, name := range registered {
		item := Item{Service: name, Path: itemPath, conn: t.conn}
		if i := strings.IndexByte(name, '/'); i >= 0 {
			// GNOME's extension separates the two with "@".
			item.Service, item.Path = strings.TrimSuffix(name[:i], "@"), dbus.ObjectPath(name[i:])
		}
		// An item whose program has just ended has no PID.
		var pid uint32
		if t.conn.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.GetConnectionUnixProcessID", 0, item.Service).Store(&pid) == nil {
			item.PID = int(pid)
			items = append(items, item)
		}
	}
	return items, nil
}

// WaitItem waits for the tray item of the process pid. With a pid of 0 it waits
// until there is exactly one item.
func (t *Tray) WaitItem(ctx context.Context, pid int) (Item, error) {
	ctx, cancel := limit(ctx, waitTimeout)
	defer cancel()
	for {
		items, err := t.Items(ctx)
		if pid != 0 {
			items = slices.DeleteFunc(items, func(i Item) bool { return i.PID != pid })
		}
		if len(items) == 1 {
			return items[0], nil
		}
		select {
		case <-ctx.Done():
			if err == nil {
				err = fmt.Errorf("there are %d", len(items))
			}
			return Item{}, fmt.Errorf("wait for one tray item (pid %d): %w", pid, err)
		case <-time.After(pollInterval):
		}
	}
}

// Title returns the item's title.
func (i Item) Title(ctx context.Context) (string, error) {
	var title string
	err := i.property(ctx, "Title", &title)
	return title, err
}

// Tooltip returns the title and the text of the item's tooltip, a line each.
func (i Item) Tooltip(ctx context.Context) (string, error) {
	var tip struct {
		Icon    string
		Pixmaps []pixmap
		Title   string
		Text    string
	}
	err := i.property(ctx, "ToolTip", &tip)
	return strings.Trim(tip.Title+"\n"+tip.Text, "\n"), err
}

type pixmap struct {
	Width, Height int32
	ARGB          []byte
}

// Icon returns the largest of the item's pictures.
func (i Item) Icon(ctx context.Context) (image.Image, error) {
	var pixmaps []pixmap
	if err := i.property(ctx, "IconPixmap", &pixmaps); err != nil {
		return nil, err
	}
	if len(pixmaps) == 0 {
		return nil, errors.New("the tray item has no picture")
	}
	p := slices.MaxFunc(pixmaps, func(a, b pixmap) int { return int(a.Width) - int(b.Width) })
	if p.Width < 0 || p.Height < 0 || int64(p.Width)*int64(p.Height)*4 != int64(len(p.ARGB)) {
		return nil, fmt.Errorf("the tray item's picture of %d×%d has %d bytes", p.Width, p.Height, len(p.ARGB))
	}
	img := image.NewNRGBA(image.Rect(0, 0, int(p.Width), int(p.Height)))
	for n := 0; n < len(p.ARGB); n += 4 {
		b := p.ARGB[n:]
		img.SetNRGBA(n/4%int(p.Width), n/4/int(p.Width), color.NRGBA{b[1], b[2], b[3], b[0]})
	}
	return img, nil
}

// Menu returns the item's menu.
func (i Item) Menu(ctx context.Context) ([]MenuEntry, error) {
	menu, err := i.menu(ctx)
	if err != nil {
		return nil, err
	}
	// fyne.io/systray leaves the submenus out of the first reply after a new menu,
	// as a workaround for GTK. The second reply has them.
	for again := false; ; again = true {
		entries, complete, err := readMenu(ctx, menu)
		if err != nil {
			return nil, fmt.Errorf("read the tray menu: %w", err)
		}
		if complete || again {
			return entries, nil
		}
	}
}

// readMenu returns the entries of a menu, and whether every submenu has some.
func readMenu(ctx context.Context, menu dbus.BusObject) ([]MenuEntry, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, trayTimeout)
	defer cancel()
	var revision uint32
	var root layout
	err := menu.CallWithContext(ctx, menuName+".GetLayout", 0, int32(0), int32(-1), []string{}).Store(&revision, &root)
	if err != nil {
		return nil, false, err
	}
	return root.entries()
}

// Click chooses the menu entry with a label; further labels lead through submenus.
// It fails if the entry is missing, invisible or disabled.
func (i Item) Click(ctx context.Context, labels ...string) error {
	entries, err := i.Menu(ctx)
	if err != nil {
		return err
	}
	var chosen MenuEntry
	for _, label := range labels {
		n := slices.IndexFunc(entries, func(e MenuEntry) bool { return e.Visible && !e.Separator && e.Label == label })
		if n < 0 {
			var have []string
			for _, e := range entries {
				have = append(have, e.Label)
			}
			return fmt.Errorf("the tray menu has no entry %q; it has %q", label, have)
		}
		if chosen = entries[n]; !chosen.Enabled {
			return fmt.Errorf("the tray menu's entry %q is disabled", label)
		}
		entries = chosen.Children
	}
	menu, err := i.menu(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, trayTimeout)
	defer cancel()
	err = menu.CallWithContext(ctx, menuName+".Event", 0, chosen.ID, "clicked", dbus.MakeVariant(int32(0)), uint32(time.Now().Unix())).Err
	if gone, ok := errors.AsType[dbus.Error](err); ok && gone.Name == "org.freedesktop.DBus.Error.NoReply" && strings.Contains(gone.Error(), "disconnected") {
		return nil // the click ended the program
	}
	if err != nil {
		return fmt.Errorf("click %q in the tray menu: %w", labels, err)
	}
	return nil
}

// Activate acts as a left click on the item.
func (i Item) Activate(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, trayTimeout)
	defer cancel()
	if err := i.conn.Object(i.Service, i.Path).CallWithContext(ctx, itemName+".Activate", 0, int32(0), int32(0)).Err; err != nil {
		return fmt.Errorf("activate the tray item: %w", err)
	}
	return nil
}

func (i Item) property(ctx context.Context, name string, value any) error {
	ctx, cancel := context.WithTimeout(ctx, trayTimeout)
	defer cancel()
	if err := i.conn.Object(i.Service, i.Path).CallWithContext(ctx, propertiesGet, 0, itemName, name).Store(value); err != nil {
		return fmt.Errorf("read the tray item's %s: %w", name, err)
	}
	return nil
}

func (i Item) menu(ctx context.Context) (dbus.BusObject, error) {
	var path dbus.ObjectPath
	if err := i.property(ctx, "Menu", &path); err != nil {
		return nil, err
	}
	return i.conn.Object(i.Service, path), nil
}

// layout is a menu entry in the format of the bus (com.canonical.dbusmenu).
type layout struct {
	ID       int32
	Props    map[string]dbus.Variant
	Children []dbus.Variant
}

// entries returns the entries below l, and whether every submenu has some.
func (l layout) entries() (entries []MenuEntry, complete bool, err error) {
	complete = true
	for _, child := range l.Children {
		var c layout
		if err := dbus.Store([]any{child.Value()}, &c); err != nil {
			return nil, false, err
		}
		// Missing properties have their defaults.
		e := MenuEntry{ID: c.ID, Enabled: true, Visible: true}
		if v, ok := c.Props["enabled"].Value().(bool); ok {
			e.Enabled = v
		}
		if v, ok := c.Props["visible"].Value().(bool); ok {
			e.Visible = v
		}
		e.Label = withoutMnemonic(c.text("label"))
		e.Separator = c.text("type") == "separator"
		state, _ := c.Props["toggle-state"].Value().(int32)
		e.Checked = c.text("toggle-type") != "" && state == 1
		var below bool
		if e.Children, below, err = c.entries(); err != nil {
			return nil, false, err
		}
		if !below || c.text("children-display") == "submenu" && len(e.Children) == 0 {
			complete = false
		}
		entries = append(entries, e)
	}
	return entries, complete, nil
}

func (l layout) text(property string) string {
	s, _ := l.Props[property].Value().(string)
	return s
}

// withoutMnemonic returns a label as it is shown: "_" marks the next letter as the
// mnemonic, "__" is an underscore.
func withoutMnemonic(label string) string {
	const underscore = "\x00"
	label = strings.ReplaceAll(label, "__", underscore)
	label = strings.ReplaceAll(label, "_", "")
	return strings.ReplaceAll(label, underscore, "_")
}
