package sni

import (
	"strings"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"
)

// Entry is an entry of the menu. Its label is set with Item.SetLabel.
type Entry struct {
	Separator bool
	// Click is called when the user has chosen the entry, from a goroutine of the connection.
	// token is as for Handlers.
	Click func(token string)
}

// menu implements com.canonical.dbusmenu. Entry n has the id n+1; 0 is the menu itself.
type menu struct {
	item    *Item
	entries []Entry

	mu     sync.Mutex
	shown  []string  // labels as the panel knows them; "" for a hidden entry
	labels []string  // labels as they shall be
	opened time.Time // zero while the menu is closed
}

// maxOpen is after what time a menu is taken for closed whose panel has not said so.
const maxOpen = 2 * time.Minute

// layout is the layout of an entry with its children, of the D-Bus type (ia{sv}av).
type layout struct {
	ID       int32
	Props    map[string]dbus.Variant
	Children []dbus.Variant
}

// entryProperties are the properties of one entry, of the D-Bus type (ia{sv}).
type entryProperties struct {
	ID    int32
	Props map[string]dbus.Variant
}

// removedProperties are names of properties of one entry, of the D-Bus type (ias).
type removedProperties struct {
	ID    int32
	Names []string
}

// event is an event of one entry, of the D-Bus type (isvu).
type event struct {
	ID   int32
	Name string
	Data dbus.Variant
	Time uint32
}

func (m *menu) methods() map[string]any {
	return map[string]any{
		"GetLayout": m.getLayout, "GetGroupProperties": m.getGroupProperties, "GetProperty": m.getProperty,
		"Event": m.handleEvent, "EventGroup": m.handleEvents, "AboutToShow": m.aboutToShow, "AboutToShowGroup": m.aboutToShowGroup,
	}
}

// menuProperties returns the properties of the menu. Version is that of the interface.
func menuProperties() map[string]dbus.Variant {
	return map[string]dbus.Variant{
		"Version": dbus.MakeVariant(uint32(3)), "TextDirection": dbus.MakeVariant("ltr"), "Status": dbus.MakeVariant("normal"), "IconThemePath": dbus.MakeVariant([]string{}),
	}
}

// mnemonicEscaper escapes "_", which otherwise marks the mnemonic.
var mnemonicEscaper = strings.NewReplacer("_", "__")

// properties returns the properties of entry n. The caller holds mu.
func (m *menu) properties(n int) map[string]dbus.Variant {
	if m.entries[n].Separator {
		return map[string]dbus.Variant{"type": dbus.MakeVariant("separator")}
	}
	return map[string]dbus.Variant{
		"label": dbus.MakeVariant(mnemonicEscaper.Replace(m.shown[n])), "visible": dbus.MakeVariant(m.shown[n] != ""), "enabled": dbus.MakeVariant(true),
	}
}

func (m *menu) setLabel(n int, label string) {
	m.mu.Lock()
	m.labels[n] = label
	changed := m.apply()
	m.mu.Unlock()
	m.announce(changed)
}

// apply makes the labels known to the panel what they shall be, except those that must wait
// until the menu closes, and returns the changed entries. The caller holds mu.
func (m *menu) apply() (changed []entryProperties) {
	open := !m.opened.IsZero() && time.Since(m.opened) < maxOpen
	for n, label := range m.labels {
		if label == m.shown[n] || open && (label == "") != (m.shown[n] == "") {
			continue
		}
		m.shown[n] = label
		changed = append(changed, entryProperties{int32(n + 1), m.properties(n)})
	}
	return changed
}

// announce tells the panel the changed properties. It does not emit LayoutUpdated, on which
// LXQt's panel builds the menu anew and closes an open one: the layout never changes.
func (m *menu) announce(changed []entryProperties) {
	if len(changed) > 0 {
		m.item.emit(menuPath, menuName+".ItemsPropertiesUpdated", changed, []removedProperties{})
	}
}

func (m *menu) getLayout(parent, depth int32, _ []string) (revision uint32, _ layout, _ *dbus.Error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	const first = 1 // the layout never changes
	if parent != 0 {
		n, err := m.index(parent)
		if err != nil {
			return 0, layout{}, err
		}
		return first, layout{parent, m.properties(n), []dbus.Variant{}}, nil
	}
	l := layout{0, map[string]dbus.Variant{"children-display": dbus.MakeVariant("submenu")}, []dbus.Variant{}}
	for n := range m.entries {
		if depth != 0 {
			l.Children = append(l.Children, dbus.MakeVariant(layout{int32(n + 1), m.properties(n), []dbus.Variant{}}))
		}
	}
	return first, l, nil
}

// index returns the index of the entry with that id.
func (m *menu) index(id int32) (int, *dbus.Error) {
	if id < 1 || int(id) > len(m.entries) {
		return 0, dbus.NewError("com.canonical.dbusmenu.Error", []any{"there is no such entry"})
	}
	return int(id - 1), nil
}

func (m *menu) getGroupProperties(ids []int32, _ []string) (all []entryProperties, _ *dbus.Error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(ids) == 0 { // means all
		for n := range m.entries {
			ids = append(ids, int32(n+1))
		}
	}
	all = []entryProperties{}
	for _, id := range ids {
		if n, err := m.index(id); err == nil {
			all = append(all, entryProperties{id, m.properties(n)})
		}
	}
	return all, nil
}

func (m *menu) getProperty(id int32, name string) (dbus.Variant, *dbus.Error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.index(id)
	if err != nil {
		return dbus.Variant{}, err
	}
	v, ok := m.properties(n)[name]
	if !ok {
		return dbus.Variant{}, dbus.NewError("com.canonical.dbusmenu.Error", []any{"the entry has no such property"})
	}
	return v, nil
}

func (m *menu) handleEvent(id int32, name string, _ dbus.Variant, _ uint32) *dbus.Error {
	switch {
	case id == 0 && name == "opened":
		m.setOpened(time.Now())
		m.item.handlers.Opened()
	case id == 0 && name == "closed":
		m.setOpened(time.Time{})
	case name == "clicked":
		n, err := m.index(id)
		if err != nil {
			return err
		}
		m.setOpened(time.Time{})
		if click := m.entries[n].Click; click != nil {
			click(m.item.takeToken())
		}
	}
	return nil
}

func (m *menu) handleEvents(events []event) (unknown []int32, _ *dbus.Error) {
	unknown = []int32{}
	for _, e := range events {
		if err := m.handleEvent(e.ID, e.Name, e.Data, e.Time); err != nil {
			unknown = append(unknown, e.ID)
		}
	}
	return unknown, nil
}

// setOpened records when the menu was opened; zero: it was closed.
func (m *menu) setOpened(at time.Time) {
	m.mu.Lock()
	m.opened = at
	changed := m.apply()
	m.mu.Unlock()
	m.announce(changed)
}

// aboutToShow is called before the menu opens. It applies what waited until the menu closed, and
// takes the menu for open from now on: GTK's panels (Cinnamon, Xfce) report neither that it is
// open nor that it has closed. Their menus get arrows when they grow, which hide the last entries.
func (m *menu) aboutToShow(id int32) (needsUpdate bool, _ *dbus.Error) {
	if id == 0 {
		m.setOpened(time.Time{})
		m.setOpened(time.Now())
		m.item.handlers.Opened()
	}
	return false, nil
}

func (m *menu) aboutToShowGroup(ids []int32) (updates, unknown []int32, _ *dbus.Error) {
	unknown = []int32{}
	for _, id := range ids {
		if _, err := m.index(id); err != nil && id != 0 {
			unknown = append(unknown, id)
			continue
		}
		_, _ = m.aboutToShow(id) // it never fails
	}
	return []int32{}, unknown, nil
}
