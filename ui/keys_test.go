package ui

import (
	"fmt"
	"image/color"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"

	"porthole/ui/ports"
	"porthole/ui/process"
	uitheme "porthole/ui/theme"
	"porthole/ui/uitest"
	"porthole/ui/widgets"
)

func TestShortcutListOpensFromEveryWidget(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(3000, "node", 10))
	for _, focus := range d.focusables() {
		where := fmt.Sprintf("%T", focus)
		d.window.Canvas().Focus(focus)
		uitest.Press(d.window, fyne.KeyF1)
		shown := d.Overlay()
		for _, g := range append(d.keys(), process.Keys(nil, nil, nil)) {
			for _, b := range g.Bindings {
				if !strings.Contains(shown, b.Label+"|"+b.Names()) {
					t.Errorf("from %s: the overlay lacks %q: %s", where, b.Label, b.Names())
				}
			}
		}
		uitest.Press(d.window, fyne.KeyEscape)
		if d.Overlay() != "" {
			t.Fatalf("from %s: Esc does not close the overlay", where)
		}
	}
	d.ports.Table().Focus()
	d.window.Canvas().Focused().TypedRune('?')
	if d.Overlay() == "" || d.ports.FilterField().Text != "" {
		t.Errorf("after ?: got overlay %q and filter %q, want the shortcuts and an empty filter", d.Overlay(), d.ports.FilterField().Text)
	}
}

// Every key in the list must do what is described there, and no key may appear twice in
// one group.
func TestListedShortcutsWork(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(3000, "node", 10))
	d.ports.Table().Focus()
	for _, want := range []struct {
		keys widgets.Chord
		did  func() bool
	}{
		{widgets.Ctrl(fyne.Key2), func() bool { return d.tabs.Name() == "history" }},
		{widgets.Ctrl(fyne.KeyPageDown), func() bool { return d.tabs.Name() == "watches" }},
		{widgets.Ctrl(fyne.KeyPageUp), func() bool { return d.tabs.Name() == "history" }},
		{widgets.Ctrl(fyne.KeyComma), func() bool { return d.tabs.Name() == "settings" }},
		{widgets.Ctrl(fyne.Key1), func() bool { return d.tabs.Name() == "ports" }},
		{widgets.Ctrl(fyne.KeyG), func() bool { return d.ports.Table().Grouped() }},
		{widgets.Ctrl(fyne.KeyC), func() bool { return d.Did("copy 3000\tnode\t10\tada\tlocal only\t\t\t127.0.0.1") }},
		{widgets.Ctrl(fyne.KeyW), func() bool { return d.Did("close") }},
		{widgets.Ctrl(fyne.KeyQ), func() bool { return d.Did("quit") }},
		{widgets.Ctrl(fyne.KeyF), func() bool { return d.window.Canvas().Focused() == d.ports.FilterField() }},
	} {
		uitest.Shortcut(d.window, want.keys.Shortcut())
		if !want.did() {
			t.Errorf("%s has no effect: requests %q, page %s", want.keys, d.Asked, d.tabs.Name())
		}
	}
	uitest.Press(d.window, fyne.KeyF5)
	d.Want("F5", d.Asked[len(d.Asked)-1:], []string{"refresh"})
	for _, g := range append(d.keys(), process.Keys(nil, nil, nil)) {
		var seen []widgets.Chord
		for _, b := range g.Bindings {
			for _, c := range b.Keys {
				if slices.Contains(seen, c) {
					t.Errorf("%s: %s is listed twice", g.Title, c)
				}
				seen = append(seen, c)
			}
		}
	}
}

// In a small window the shortcuts use fewer columns and scroll.
func TestShortcutListFitsSmallWindow(t *testing.T) {
	uitest.InGerman(t)
	d := newDesk(t)
	d.see(uitest.Listening(3000, "node", 10))
	for _, size := range []fyne.Size{{Width: 900, Height: 600}, {Width: 640, Height: 360}} {
		d.window.Resize(size)
		d.ports.Table().Focus()
		uitest.Press(d.window, fyne.KeyF1)
		var scroll *container.Scroll
		uitest.EachVisible(d.window.Canvas().Overlays().Top(), func(o fyne.CanvasObject) {
			if s, ok := o.(*container.Scroll); ok {
				scroll = s
			}
		})
		if scroll == nil || scroll.Content.MinSize().Width > scroll.Size().Width {
			t.Fatalf("at %v the shortcuts are wider than their scroll area: %+v", size, scroll)
		}
		uitest.Press(d.window, fyne.KeyPageDown)
		if scroll.Content.MinSize().Height > scroll.Size().Height && scroll.Offset.Y == 0 {
			t.Errorf("at %v Page Down does not scroll", size)
		}
		uitest.Press(d.window, fyne.KeyEscape)
	}
}

func TestProcessWindowShortcuts(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(3000, "node", 10))
	d.OpenProcess(d.Last.Listeners[0])
	p := d.processes["10 7"]
	uitest.Shortcut(p.Fyne(), widgets.Ctrl(fyne.KeyQ).Shortcut())
	d.Want("requests", d.Asked, []string{"quit"})
	uitest.Shortcut(p.Fyne(), widgets.Ctrl(fyne.KeyW).Shortcut())
	if len(d.processes) != 0 {
		t.Error("Ctrl+W does not close the process window")
	}
}

// Everything that Tab focuses must show the focus, and pass keys that it does not handle to the
// window.
func TestTabFocusesOnlyControls(t *testing.T) {
	d := newDesk(t)
	l := uitest.Listening(3000, "node", 10)
	l.Owners[0].Folder = "/home/ada/shop"
	d.see(l)
	d.ports.Table().Select(l.ID)
	d.OpenProcess(l)
	for _, w := range []fyne.Window{d.window, d.processes["10 7"].Fyne()} {
		first := w.Canvas().Focused()
		for range 40 {
			w.Canvas().FocusNext()
			switch f := w.Canvas().Focused().(type) {
			case *widgets.Button, *widgets.Link, *widgets.TabButton, *widgets.Segment, *widgets.FilterEntry, nil:
			default:
				if kind := fmt.Sprintf("%T", f); !strings.HasPrefix(kind, "*table.") && kind != "*ports.card" {
					t.Fatalf("Tab focuses a %s", kind)
				}
			}
		}
		if first == nil && w.Canvas().Focused() == nil {
			t.Error("Tab focuses nothing")
		}
	}
	w := d.processes["10 7"].Fyne()
	uitest.Press(w, fyne.KeyEscape) // from the button that is focused now
	if len(d.processes) != 0 {
		t.Error("Esc does not close the process window")
	}
}

// lightTheme is Porthole's light theme, regardless of the system's variant.
type lightTheme struct{ uitheme.Theme }

func (l lightTheme) Color(name fyne.ThemeColorName, _ fyne.ThemeVariant) color.Color {
	return l.Theme.Color(name, theme.VariantLight)
}

func TestProcessWindowFollowsTheme(t *testing.T) {
	d := newDesk(t)
	web := uitest.Listening(3000, "node", 10)
	web.Framework = "Vite" // speaks HTTP, so the browser is the main action
	d.see(web)
	d.OpenProcess(d.Last.Listeners[0])
	d.App.Settings().SetTheme(lightTheme{})
	for _, text := range uitest.Texts(d.processes["10 7"].Fyne().Content()) {
		if text.Text == "" || !text.Visible() {
			continue
		}
		ground := uitheme.Theme{}.Color(theme.ColorNameBackground, theme.VariantLight)
		if text.Text == "Open in browser" {
			ground = uitheme.Theme{}.Color(theme.ColorNamePrimary, theme.VariantLight)
		}
		if got := uitest.Contrast(text.Color, ground); got < uitest.Readable {
			t.Errorf("%q: got contrast %.1f after the theme changed, too low", text.Text, got)
		}
	}
}

// byOtherKeys reports whether o is a control that Tab skips because other keys do the same.
func byOtherKeys(o fyne.CanvasObject) bool {
	switch kind := fmt.Sprintf("%T", o); {
	case strings.HasPrefix(kind, "*table.rowWidget"): // arrows, Enter and Space in the table
		return true
	case kind == "*history.eventRow", kind == "*watches.ruleRow", kind == "*widgets.RowButton": // arrows and Enter in their lists
		return true
	case kind == "*widgets.CopyText": // Ctrl+C copies the row
		return true
	case strings.HasPrefix(kind, "*widget."), strings.HasPrefix(kind, "*internal."): // a part of one of Porthole's widgets
		return true
	}
	return false
}

func TestTabReachesEveryControl(t *testing.T) {
	r := uitest.SampleHistory(time.Date(2026, 11, 24, 15, 53, 0, 0, time.UTC))
	d := deskWith(t, r)
	l := uitest.Listening(62893, "node", 10)
	l.Owners[0].Folder = "/home/ada/shop"
	d.see(l, uitest.Listening(8080, "python3", 20))
	d.ports.Table().Select(l.ID)
	canvas := d.window.Canvas()
	for _, page := range []string{PagePorts, PageHistory, PageWatches, PageSettings} {
		d.ShowPage(page)
		r.Answer()
		canvas.Unfocus()
		without := canvas.Capture()
		reached := map[fyne.CanvasObject]bool{}
		for range 60 {
			canvas.FocusNext()
			f, ok := canvas.Focused().(fyne.CanvasObject)
			if !ok || reached[f] {
				break
			}
			reached[f] = true
			if uitest.DifferingPixels(without, canvas.Capture()) == 0 {
				t.Errorf("%s: a focused %T looks like an unfocused one", page, f)
			}
		}
		if len(reached) < 5 {
			t.Errorf("%s: Tab reaches only %d controls", page, len(reached))
		}
		for _, o := range uitest.Controls(canvas.Content()) {
			if !reached[o] && !byOtherKeys(o) {
				t.Errorf("%s: Tab does not reach a %T at %v", page, o, fyne.CurrentApp().Driver().AbsolutePositionForObject(o))
			}
		}
	}
}

// A dialog must be answered first: the page behind it must not change.
func TestDialogBlocksShortcutsOfPage(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(3000, "node", 10))
	d.ports.Table().Select("tcp-3000-10")
	q := widgets.Ask(d.window, "Really?", "", "Yes", func() {}, func() {})
	for _, c := range []widgets.Chord{widgets.Ctrl(fyne.KeyF), widgets.Ctrl(fyne.Key2), widgets.Ctrl(fyne.KeyPageDown), widgets.CopyKeys, ports.GroupKeys, ports.ExplainKeys} {
		uitest.Shortcut(d.window, c.Shortcut())
	}
	if d.tabs.Name() != PagePorts || len(d.Asked) != 0 || d.window.Canvas().Focused() != q.No {
		t.Errorf("got page %s, requests %q, focus on %T; want no effect", d.tabs.Name(), d.Asked, d.window.Canvas().Focused())
	}
	q.Hide()
	uitest.Shortcut(d.window, widgets.Ctrl(fyne.Key2).Shortcut())
	if d.tabs.Name() != PageHistory {
		t.Errorf("Ctrl+2 after the dialog closed: got page %s, want history", d.tabs.Name())
	}
}

func TestCopyOnPortsPage(t *testing.T) {
	d := newDesk(t)
	l := uitest.Listening(3000, "node", 10)
	d.see(l)
	d.ports.Table().Select(l.ID)
	uitest.Shortcut(d.window, widgets.CopyKeys.Shortcut())
	row := "copy 3000\tnode\t10\tada\tlocal only\t\t\t127.0.0.1"
	d.Want("requests", d.Asked, []string{row})
	if !shows(d.window.Content(), "3000 node 10 ada local only 127.0.0.1 copied") {
		t.Error("the status line does not confirm the copy")
	}
	text := copyText(d.window.Content(), "127.0.0.1:3000")
	uitest.Drag(text, fyne.NewPos(0, 12), fyne.NewPos(60, 12))
	if text.Selection() == "" {
		t.Fatal("dragging selected no text")
	}
	uitest.Shortcut(d.window, widgets.CopyKeys.Shortcut())
	d.Want("requests", d.Asked, []string{row, "copy " + text.Selection()})
}

// shows reports whether o contains a visible text that equals text.
func shows(o fyne.CanvasObject, text string) bool {
	return slices.ContainsFunc(uitest.Texts(o), func(t *canvas.Text) bool { return t.Visible() && t.Text == text })
}

// copyText returns the visible copyable text in o that equals text; nil if there is none.
func copyText(o fyne.CanvasObject, text string) (found *widgets.CopyText) {
	uitest.EachVisible(o, func(o fyne.CanvasObject) {
		if c, ok := o.(*widgets.CopyText); ok && c.Text == text {
			found = c
		}
	})
	return found
}

func TestExplainAndStopOnlyOnPortsPage(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(3000, "node", 10))
	d.ports.Table().Select("tcp-3000-10")
	d.ShowPage(PageHistory)
	for _, c := range []widgets.Chord{ports.ExplainKeys, ports.StopKeys} {
		if c.Mod == 0 {
			d.window.Canvas().OnTypedKey()(&fyne.KeyEvent{Name: c.Key})
		} else {
			uitest.Shortcut(d.window, c.Shortcut())
		}
		if d.Overlay() != "" || len(d.Asked) > 0 {
			t.Errorf("on another page: %s shows %q and requests %q, want no effect", c, d.Overlay(), d.Asked)
		}
	}
}

func TestTabButtonShowsFocus(t *testing.T) {
	d := newDesk(t)
	tab := d.tabs.Buttons[1]
	tab.FocusGained()
	if got := tab.Ground.Rect.StrokeWidth; got != 2 || !tab.Ground.Visible() {
		t.Errorf("focused: got outline %v, shown %v; want 2, true", got, tab.Ground.Visible())
	}
	tab.FocusLost()
	if got := tab.Ground.Rect.StrokeWidth; got != 0 {
		t.Errorf("unfocused: got outline %v, want 0", got)
	}
}
