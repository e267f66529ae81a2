package ui

import (
	"fmt"
	"image/color"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/theme"

	"porthole/monitor/watch"
	"porthole/ui/process"
	uitheme "porthole/ui/theme"
	"porthole/ui/uitest"
	"porthole/ui/widgets"
)

func TestF1AndQuestionMarkShowEveryKeyFromAnywhere(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(3000, "node", 10))
	for where, focus := range map[string]fyne.Focusable{
		"the table": nil, "a button": d.ports.pause, "a quick filter": d.ports.quick.segments[1], "the filter": d.ports.entry, "a card": d.ports.cards.cards[0],
	} {
		d.ports.table.Focus()
		if focus != nil {
			d.window.Canvas().Focus(focus)
		}
		uitest.Press(d.window, fyne.KeyF1)
		said := d.Overlay()
		for _, g := range append(d.keys(), process.Keys(nil, nil, nil)) {
			for _, b := range g.Bindings {
				if !strings.Contains(said, b.Label+"|"+b.Names()) {
					t.Errorf("from %s: the overlay does not say %q: %s", where, b.Label, b.Names())
				}
			}
		}
		uitest.Press(d.window, fyne.KeyEscape)
		if d.Overlay() != "" {
			t.Fatalf("from %s: Esc does not close the overlay", where)
		}
	}
	d.ports.table.Focus()
	d.window.Canvas().Focused().TypedRune('?')
	if d.Overlay() == "" || d.ports.entry.Text != "" {
		t.Errorf("? shows %q and types %q", d.Overlay(), d.ports.entry.Text)
	}
}

// Every key that the list gives to the window does what it says, and no two say
// the same key in one place.
func TestTheListOfKeysIsWhatTheKeysDo(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(3000, "node", 10))
	d.ports.table.Focus()
	for _, want := range []struct {
		keys widgets.Chord
		did  func() bool
	}{
		{widgets.Ctrl(fyne.Key2), func() bool { return d.tabs.Name() == "activity" }},
		{widgets.Ctrl(fyne.KeyPageDown), func() bool { return d.tabs.Name() == "watches" }},
		{widgets.Ctrl(fyne.KeyPageUp), func() bool { return d.tabs.Name() == "activity" }},
		{widgets.Ctrl(fyne.KeyComma), func() bool { return d.tabs.Name() == "settings" }},
		{widgets.Ctrl(fyne.Key1), func() bool { return d.tabs.Name() == "ports" }},
		{widgets.Ctrl(fyne.KeyG), func() bool { return d.ports.table.Grouped() }},
		{widgets.Ctrl(fyne.KeyC), func() bool { return d.Did("copy 3000\tnode\t10\tada\tthis machine\t\t\t127.0.0.1") }},
		{widgets.Ctrl(fyne.KeyW), func() bool { return d.Did("close") }},
		{widgets.Ctrl(fyne.KeyQ), func() bool { return d.Did("quit") }},
		{widgets.Ctrl(fyne.KeyF), func() bool { return d.window.Canvas().Focused() == d.ports.entry }},
	} {
		uitest.Shortcut(d.window, want.keys.Shortcut())
		if !want.did() {
			t.Errorf("%s does not do it: asked %q, on %s", want.keys, d.Asked, d.tabs.Name())
		}
	}
	uitest.Press(d.window, fyne.KeyF5)
	d.Want("F5", d.Asked[len(d.Asked)-1:], []string{"refresh"})
	for _, g := range append(d.keys(), process.Keys(nil, nil, nil)) {
		var seen []widgets.Chord
		for _, b := range g.Bindings {
			for _, c := range b.Keys {
				if slices.Contains(seen, c) {
					t.Errorf("%s: %s is there twice", g.Title, c)
				}
				seen = append(seen, c)
			}
		}
	}
}

func TestSpaceWatchesTheSelectedRowAndTheMenuKeyOpensItsMenu(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(3000, "node", 10), uitest.Listening(8080, "python3", 20))
	d.ports.table.Select("tcp-8080-20")
	d.ports.table.Focus()
	uitest.Press(d.window, fyne.KeySpace)
	d.window.Canvas().Focused().TypedRune(' ')
	d.Want("asked", d.Asked, []string{"watch 8080"})
	if d.ports.entry.Text != "" {
		t.Errorf("the filter has become %q", d.ports.entry.Text)
	}
	for _, key := range []fyne.KeyName{desktop.KeyMenu, fyne.KeyF10} {
		uitest.Press(d.window, key)
		if said := d.Overlay(); !strings.Contains(said, "Open process   (Enter)") || !strings.Contains(said, "Watch   (Space)") {
			t.Errorf("%s opens a menu that says %q", key, said)
		}
		uitest.Press(d.window, fyne.KeyEscape)
	}
}

// In a window that is small the keys stand in fewer columns, and scroll.
func TestTheKeysHaveRoomInASmallWindow(t *testing.T) {
	uitest.InGerman(t)
	d := newDesk(t)
	d.see(uitest.Listening(3000, "node", 10))
	for _, size := range []fyne.Size{{Width: 900, Height: 600}, {Width: 640, Height: 360}} {
		d.window.Resize(size)
		d.ports.table.Focus()
		uitest.Press(d.window, fyne.KeyF1)
		var scroll *container.Scroll
		uitest.EachVisible(d.window.Canvas().Overlays().Top(), func(o fyne.CanvasObject) {
			if s, ok := o.(*container.Scroll); ok {
				scroll = s
			}
		})
		if scroll == nil || scroll.Content.MinSize().Width > scroll.Size().Width {
			t.Fatalf("at %v the keys are wider than their place: %+v", size, scroll)
		}
		uitest.Press(d.window, fyne.KeyPageDown)
		if scroll.Content.MinSize().Height > scroll.Size().Height && scroll.Offset.Y == 0 {
			t.Errorf("at %v PageDown does not scroll", size)
		}
		uitest.Press(d.window, fyne.KeyEscape)
	}
}

// The menu stays that of the row that it was opened at.
func TestAMenuIsOfItsRowAlsoWhenThatCloses(t *testing.T) {
	d := newDesk(t)
	shop := uitest.Listening(3000, "node", 10)
	shop.Owners[0].Folder, shop.Owners[0].Command = "/home/ada/shop", []string{"node", "--password", "hunter2"}
	for label, want := range map[string]string{
		"Watch   (Space)": "watch 3000", "Copy row   (Ctrl+C)": "copy 3000\tnode\t10\tada\tthis machine\t\t\t127.0.0.1", "Copy address": "copy 127.0.0.1:3000",
		"Inspect traffic": "inspect 3000", "Copy PID": "copy 10", "Copy command": "copy node --password •••", "Open folder": "folder /home/ada/shop",
	} {
		d.see(shop, uitest.Listening(8080, "python3", 20))
		d.Asked = nil
		d.ports.menu(d.ports.table.Rows()[0], d.row(0))
		d.see(uitest.Listening(8080, "python3", 20))
		d.At = d.At.Add(markTime)
		d.Tick()
		d.Want("rows", d.rows(), []string{"8080"})
		d.Choose(label)
		d.Want("asked", d.Asked, []string{want})
	}

	// The browser would show whoever has the port by then.
	for label, open := range map[string]string{"Open in browser": "browse 127.0.0.1:3000", "Copy URL": "copy the URL of 127.0.0.1:3000"} {
		d.see(shop)
		d.Asked = nil
		d.ports.menu(d.ports.table.Rows()[0], d.row(0))
		d.Choose(label)
		d.Want(label, d.Asked, []string{open})
		d.Asked = nil
		d.ports.menu(d.ports.table.Rows()[0], d.row(0))
		d.see(uitest.Listening(3000, "python3", 20))
		d.Choose(label)
		if len(d.Asked) != 0 || d.ports.left.Text != "3000 has closed meanwhile" {
			t.Errorf("%s: asked %q, said %q; want that it has closed", label, d.Asked, d.ports.left.Text)
		}
		d.ports.showNotice("")
		d.see()
		d.At = d.At.Add(markTime)
		d.Tick()
	}

	d.see(shop)
	d.see()
	d.Want("rows", d.rows(), []string{"3000 closed"})
	d.ports.menu(d.ports.table.Rows()[0], d.row(0))
	for _, label := range []string{"Open in browser", "Copy URL", "Inspect traffic", "Stop…"} {
		if said := d.Overlay(); strings.Contains(said, label) {
			t.Errorf("the menu of a closed row says %q", said)
		}
	}
}

func TestAProcessWindowHasTheWindowsKeys(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(3000, "node", 10))
	d.OpenProcess(d.Last.Listeners[0])
	p := d.processes["10 7"]
	uitest.Shortcut(p.Fyne(), widgets.Ctrl(fyne.KeyQ).Shortcut())
	d.Want("asked", d.Asked, []string{"quit"})
	uitest.Shortcut(p.Fyne(), widgets.Ctrl(fyne.KeyW).Shortcut())
	if len(d.processes) != 0 {
		t.Error("Ctrl+W leaves the process window open")
	}
}

// Whatever Tab comes to shows that it has the keyboard, and lets the window have
// the keys that it has no use for.
func TestTabStopsOnlyWhereKeysAreOfUse(t *testing.T) {
	d := newDesk(t)
	l := uitest.Listening(3000, "node", 10)
	l.Owners[0].Folder = "/home/ada/shop"
	d.see(l)
	d.ports.table.Select(l.ID)
	d.OpenProcess(l)
	for _, w := range []fyne.Window{d.window, d.processes["10 7"].Fyne()} {
		first := w.Canvas().Focused()
		for range 40 {
			w.Canvas().FocusNext()
			switch f := w.Canvas().Focused().(type) {
			case *widgets.Button, *widgets.Link, *widgets.TabButton, *widgets.Segment, *card, *widgets.FilterEntry, nil:
			default:
				if kind := fmt.Sprintf("%T", f); !strings.HasPrefix(kind, "*table.") {
					t.Fatalf("Tab stops at a %s", kind)
				}
			}
		}
		if first == nil && w.Canvas().Focused() == nil {
			t.Error("Tab reaches nothing")
		}
	}
	w := d.processes["10 7"].Fyne()
	uitest.Press(w, fyne.KeyEscape) // from whichever button has the keyboard now
	if len(d.processes) != 0 {
		t.Error("Esc leaves the process window open")
	}
}

func TestARightClickCopiesAText(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(3000, "node", 10))
	d.ports.table.Select("tcp-3000-10")
	test.TapSecondaryAt(d.ports.details.facts.Objects[1].(*widgets.CopyText), fyne.NewPos(3, 3))
	d.Choose("Copy")
	if got := d.App.Clipboard().Content(); got != "127.0.0.1:3000" {
		t.Errorf("copied %q; want 127.0.0.1:3000", got)
	}
}

// lit is our theme, light whatever the system says.
type lit struct{ uitheme.Theme }

func (l lit) Color(name fyne.ThemeColorName, _ fyne.ThemeVariant) color.Color {
	return l.Theme.Color(name, theme.VariantLight)
}

func TestAnOpenProcessWindowFollowsTheTheme(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(3000, "node", 10))
	d.OpenProcess(d.Last.Listeners[0])
	d.App.Settings().SetTheme(lit{})
	for _, text := range uitest.Texts(d.processes["10 7"].Fyne().Content()) {
		if text.Text == "" || !text.Visible() {
			continue
		}
		ground := uitheme.Theme{}.Color(theme.ColorNameBackground, theme.VariantLight)
		if text.Text == "Open in browser" {
			ground = uitheme.Theme{}.Color(theme.ColorNamePrimary, theme.VariantLight)
		}
		if got := uitest.Contrast(text.Color, ground); got < uitest.Readable {
			t.Errorf("%q has a contrast of %.1f in the theme that was switched to", text.Text, got)
		}
	}
}

func TestARemovedWatchComesBackAsItWas(t *testing.T) {
	d := newDesk(t)
	shop := watch.Rule{Ports: uitest.Ports(t, "3000"), Name: "the shop", NotifyOn: watch.OnOpen}
	d.tellRules(watch.Rule{Ports: uitest.Ports(t, "80")}, shop, watch.Rule{Ports: uitest.Ports(t, "90")})
	d.see(uitest.Listening(3000, "node", 10))
	d.ports.table.Focus()
	uitest.Press(d.window, fyne.KeySpace)
	d.Want("asked", d.Asked, []string{"unwatch 3000"})
	d.tellRules(watch.Rule{Ports: uitest.Ports(t, "80")}, watch.Rule{Ports: uitest.Ports(t, "90")})
	if got := d.ports.left.Text; got != "Watch for 3000 removed." || !d.ports.undoLink.Visible() {
		t.Errorf("the status line says %q, Undo is there: %v", got, d.ports.undoLink.Visible())
	}
	d.Asked = nil
	test.Tap(d.ports.undoLink)
	want := watch.Rules{{Ports: uitest.Ports(t, "80")}, shop, {Ports: uitest.Ports(t, "90")}}
	d.Want("asked", d.Asked, []string{fmt.Sprintf("watches %+v", want)})
	d.Asked = nil
	uitest.Shortcut(d.window, widgets.UndoKeys.Shortcut())
	d.Want("a second time", d.Asked, nil)
	if d.ports.undoLink.Visible() {
		t.Error("Undo is still there")
	}
}

func TestUndoStandsBehindNothingElseThatIsSaid(t *testing.T) {
	d := newDesk(t)
	d.tellRules(watch.Rule{Ports: uitest.Ports(t, "3000")})
	d.see(uitest.Listening(3000, "node", 10))
	d.ports.table.Focus()
	uitest.Press(d.window, fyne.KeySpace)
	uitest.Shortcut(d.window, widgets.CopyKeys.Shortcut())
	if got := d.ports.left.Text; !strings.HasSuffix(got, "copied") || d.ports.undoLink.Visible() {
		t.Errorf("the status line says %q, Undo is there: %v", got, d.ports.undoLink.Visible())
	}
	d.Asked = nil
	uitest.Shortcut(d.window, widgets.UndoKeys.Shortcut())
	if len(d.Asked) != 1 {
		t.Errorf("Ctrl+Z asked for %q; want the watch back all the same", d.Asked)
	}
}

func TestUndoOfAWatchEnds(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(62893, "vite", 10))
	d.ports.watch(62893)
	d.At = d.At.Add(widgets.UndoTime)
	d.Tick()
	d.Asked = nil
	uitest.Shortcut(d.window, widgets.UndoKeys.Shortcut())
	d.Want("asked", d.Asked, nil)
	if d.ports.undoLink.Visible() {
		t.Error("Undo is offered for ever")
	}
}

func TestWhatIsPressedShowsTheKeyboard(t *testing.T) {
	d := newDesk(t)
	d.see()
	for name, part := range map[string]struct {
		fyne.Focusable
		ground *widgets.Rectangle
	}{
		"a tab": {d.tabs.Buttons[1], d.tabs.Buttons[1].Ground}, "a quick filter": {d.ports.quick.segments[1], d.ports.quick.segments[1].Ground},
		"the chosen one": {d.ports.quick.segments[0], d.ports.quick.segments[0].Ground}, "a card": {d.ports.cards.cards[0], d.ports.cards.cards[0].ground.Rectangle},
	} {
		without := part.ground.Rect.StrokeWidth
		part.FocusGained()
		if got := part.ground.Rect.StrokeWidth; got != 2 || !part.ground.Visible() {
			t.Errorf("%s has a line of %v around it, shown: %v; want 2", name, got, part.ground.Visible())
		}
		part.FocusLost()
		if got := part.ground.Rect.StrokeWidth; got != without {
			t.Errorf("%s keeps a line of %v when the keyboard has left it", name, got)
		}
	}
}

func TestButtonsShowTheKeyboard(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(3000, "node", 7)) // the side pane is shown
	for _, b := range []*widgets.Button{d.ports.pause, d.ports.details.browser} {
		if b.Ring.Visible() {
			t.Errorf("%q has a ring without the keyboard", b.Text)
		}
		b.FocusGained()
		ground := theme.Color(theme.ColorNameButton)
		if b == d.ports.details.browser {
			ground = theme.Color(theme.ColorNamePrimary)
		}
		if got := uitest.Contrast(b.Ring.StrokeColor, ground); !b.Ring.Visible() || got < 1.5 {
			t.Errorf("%q: ring shown %v, contrast %.1f", b.Text, b.Ring.Visible(), got)
		}
		b.FocusLost()
	}
}

func TestAButtonPressedWithAKeyKeepsTheKeyboard(t *testing.T) {
	d := newDesk(t)
	c, b := d.window.Canvas(), d.ports.pause
	pressed := 0
	for _, key := range []fyne.KeyName{fyne.KeyReturn, fyne.KeyEnter, fyne.KeySpace} {
		b.OnTapped = func() { pressed++ }
		c.Focus(b)
		b.TypedKey(&fyne.KeyEvent{Name: key})
		if c.Focused() != fyne.Focusable(b) {
			t.Errorf("after %s the keyboard is at %v; want the button", key, c.Focused())
		}
	}
	b.Disable()
	b.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if b.Enable(); pressed != 3 {
		t.Errorf("pressed %d times; want 3, and not where it is disabled", pressed)
	}
	b.OnTapped = func() { d.ShowPage(PageHistory) }
	b.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if c.Focused() == fyne.Focusable(b) {
		t.Error("a button that went with its page keeps the keyboard")
	}
	d.ShowPage(PagePorts)
	c.Focus(b)
	b.OnTapped = b.Hide
	b.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if c.Focused() != nil {
		t.Errorf("a button that has gone leaves the keyboard at %v; want nowhere", c.Focused())
	}
}

// byOtherKeys are controls that Tab does not stop at, and how the keyboard does
// what they do.
func byOtherKeys(o fyne.CanvasObject) bool {
	switch kind := fmt.Sprintf("%T", o); {
	case strings.HasPrefix(kind, "*table.rowWidget"): // arrows, Enter and Space in the table
		return true
	case kind == "*history.eventRow", kind == "*watches.ruleRow", kind == "*widgets.RowButton": // in their lists
		return true
	case kind == "*widgets.CopyText": // Ctrl+C copies the row
		return true
	case strings.HasPrefix(kind, "*widget."), strings.HasPrefix(kind, "*internal."): // a part of one of ours
		return true
	}
	return false
}

func TestTabReachesEveryControlOfEveryPageAndIsSeenThere(t *testing.T) {
	r := uitest.LivelyHistory(time.Date(2026, 11, 24, 15, 53, 0, 0, time.UTC))
	d := deskWith(t, r)
	l := uitest.Listening(62893, "node", 10)
	l.Owners[0].Folder = "/home/ada/shop"
	d.see(l, uitest.Listening(8080, "python3", 20))
	d.ports.table.Select(l.ID)
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
				t.Errorf("%s: nothing shows that the keyboard is at a %T", page, f)
			}
		}
		if len(reached) < 5 {
			t.Errorf("%s: Tab reaches %d controls only", page, len(reached))
		}
		for _, o := range uitest.Controls(canvas.Content()) {
			if !reached[o] && !byOtherKeys(o) {
				t.Errorf("%s: Tab does not reach a %T at %v", page, o, fyne.CurrentApp().Driver().AbsolutePositionForObject(o))
			}
		}
	}
}

// A question is answered first: what is behind it stays as it is.
func TestShortcutsDoNotReachThePageBehindAQuestion(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(3000, "node", 10))
	d.ports.table.Select("tcp-3000-10")
	q := widgets.Ask(d.window, "Really?", "", "Yes", func() {}, func() {})
	for _, c := range []widgets.Chord{widgets.Ctrl(fyne.KeyF), widgets.Ctrl(fyne.Key2), widgets.Ctrl(fyne.KeyPageDown), widgets.CopyKeys, groupKeys, explainKeys} {
		uitest.Shortcut(d.window, c.Shortcut())
	}
	if d.tabs.Name() != PagePorts || len(d.Asked) != 0 || d.window.Canvas().Focused() != q.No {
		t.Errorf("page %s, asked %q, the keyboard on %T", d.tabs.Name(), d.Asked, d.window.Canvas().Focused())
	}
	q.Hide()
	uitest.Shortcut(d.window, widgets.Ctrl(fyne.Key2).Shortcut())
	if d.tabs.Name() != PageHistory {
		t.Errorf("Ctrl+2 does nothing after the question: page %s", d.tabs.Name())
	}
}

func TestCtrlCOnPortsCopiesTheSelectedTextElseTheRow(t *testing.T) {
	d := newDesk(t)
	l := uitest.Listening(3000, "node", 10)
	d.see(l)
	d.ports.table.Select(l.ID)
	uitest.Shortcut(d.window, widgets.CopyKeys.Shortcut())
	row := "copy 3000\tnode\t10\tada\tthis machine\t\t\t127.0.0.1"
	d.Want("asked", d.Asked, []string{row})
	if got := d.ports.left.Text; got != "3000 node 10 ada this machine 127.0.0.1 copied" {
		t.Errorf("the status line says %q", got)
	}
	text := d.ports.details.facts.Objects[1].(*widgets.CopyText)
	uitest.Drag(text, fyne.NewPos(0, 12), fyne.NewPos(60, 12))
	if text.Part() == "" {
		t.Fatal("nothing is selected")
	}
	uitest.Shortcut(d.window, widgets.CopyKeys.Shortcut())
	d.Want("asked", d.Asked, []string{row, "copy " + text.Part()})
}
