package ports

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/theme"

	"porthole/monitor"
	"porthole/monitor/watch"
	"porthole/ui/uitest"
	"porthole/ui/widgets"
)

func TestSpaceAndMenuKeys(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(3000, "node", 10), uitest.Listening(8080, "python3", 20))
	d.ports.table.Select("tcp-8080-20")
	d.ports.table.Focus()
	uitest.Press(d.Window, fyne.KeySpace)
	d.Window.Canvas().Focused().TypedRune(' ')
	d.Want("requests", d.Asked, []string{"watch 8080"})
	if d.ports.entry.Text != "" {
		t.Errorf("got filter %q, want an empty one", d.ports.entry.Text)
	}
	for _, key := range []fyne.KeyName{desktop.KeyMenu, fyne.KeyF10} {
		uitest.Press(d.Window, key)
		if menu := d.Overlay(); !strings.Contains(menu, "Show process   (Enter)") || !strings.Contains(menu, "Watch   (Space)") {
			t.Errorf("%s: got menu %q", key, menu)
		}
		uitest.Press(d.Window, fyne.KeyEscape)
	}
}

// The folder of a process in another mount namespace is another folder here.
func TestFolderInAnotherMountNamespace(t *testing.T) {
	d := newDesk(t)
	shop := uitest.Listening(3000, "node", 10)
	shop.Owners[0].Folder, shop.Owners[0].Inside, shop.Owners[0].ProjectUnknown = "/app", true, monitor.UnknownDisk
	d.see(shop)
	d.ports.menu(d.ports.table.Rows()[0], d.row(0))
	d.Choose("Open folder (inside its container or mount namespace)")
	d.Want("requests", d.Asked, nil)
	m := newDetails(shop, false, monitor.ProcessState{}, d.At)
	for _, want := range [][2]string{{"Folder", "/app (inside its container or mount namespace)"}, {"Project", "unknown: the disk with its folder does not answer"}} {
		if !slices.Contains(m.facts, want) {
			t.Errorf("got facts %q, want %q among them", m.facts, want)
		}
	}
	if m.folderProblem == "" {
		t.Error("the button of the folder is enabled, want a reason why not")
	}
}

// The menu belongs to the row that it was opened on, even after that row has closed.
func TestMenuOfClosedRow(t *testing.T) {
	d := newDesk(t)
	shop := uitest.Listening(3000, "node", 10)
	shop.Owners[0].Folder, shop.Owners[0].Command = "/home/ada/shop", []string{"node", "--password", "hunter2"}
	for label, want := range map[string]string{
		"Watch   (Space)": "watch 3000", "Copy row   (Ctrl+C)": "copy 3000\tnode\t10\tada\tlocal only\t\t\t127.0.0.1", "Copy address": "copy 127.0.0.1:3000",
		"Inspect traffic": "inspect 3000", "Copy PID": "copy 10", "Copy command": "copy node --password '•••'", "Open folder": "folder /home/ada/shop",
	} {
		d.see(shop, uitest.Listening(8080, "python3", 20))
		d.Asked = nil
		d.ports.menu(d.ports.table.Rows()[0], d.row(0))
		d.see(uitest.Listening(8080, "python3", 20))
		d.At = d.At.Add(markTime)
		d.Tick()
		d.Want("rows", d.rows(), []string{"8080"})
		d.Choose(label)
		d.Want("requests", d.Asked, []string{want})
	}

	// The browser would show the port's new owner.
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
		if len(d.Asked) != 0 || d.ports.left.Text != "3000 is already closed" {
			t.Errorf("%s: got requests %q and status line %q, want none and that the port is closed", label, d.Asked, d.ports.left.Text)
		}
		d.ports.ShowNotice("")
		d.see()
		d.At = d.At.Add(markTime)
		d.Tick()
	}

	d.see(shop)
	d.see()
	d.Want("rows", d.rows(), []string{"3000 closed"})
	d.ports.menu(d.ports.table.Rows()[0], d.row(0))
	for _, label := range []string{"Open in browser", "Copy URL", "Inspect traffic", "Stop…"} {
		if menu := d.Overlay(); strings.Contains(menu, label) {
			t.Errorf("closed row: got menu %q", menu)
		}
	}
}

func TestRightClickCopiesFact(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(3000, "node", 10))
	d.ports.table.Select("tcp-3000-10")
	test.TapSecondaryAt(d.ports.details.facts.Objects[1].(*widgets.CopyText), fyne.NewPos(3, 3))
	d.Choose("Copy")
	if got := d.App.Clipboard().Content(); got != "127.0.0.1:3000" {
		t.Errorf("got %q copied, want 127.0.0.1:3000", got)
	}
}

func TestUndoRestoresWatch(t *testing.T) {
	d := newDesk(t)
	shop := watch.Rule{Ports: uitest.Ports(t, "3000"), Name: "the shop", NotifyOn: watch.OnOpen}
	d.setRules(watch.Rule{Ports: uitest.Ports(t, "80")}, shop, watch.Rule{Ports: uitest.Ports(t, "90")})
	d.see(uitest.Listening(3000, "node", 10))
	d.ports.table.Focus()
	uitest.Press(d.Window, fyne.KeySpace)
	d.Want("requests", d.Asked, []string{"unwatch 3000"})
	d.setRules(watch.Rule{Ports: uitest.Ports(t, "80")}, watch.Rule{Ports: uitest.Ports(t, "90")})
	if got := d.ports.left.Text; got != "Stopped watching 3000" || !d.ports.undoLink.Visible() {
		t.Errorf("got status line %q, Undo visible %v", got, d.ports.undoLink.Visible())
	}
	d.Asked = nil
	test.Tap(d.ports.undoLink)
	want := watch.Rules{{Ports: uitest.Ports(t, "80")}, shop, {Ports: uitest.Ports(t, "90")}}
	d.Want("requests", d.Asked, []string{fmt.Sprintf("watches %+v", want)})
	d.Asked = nil
	uitest.Shortcut(d.Window, widgets.UndoKeys.Shortcut())
	d.Want("requests by a second Undo", d.Asked, nil)
	if d.ports.undoLink.Visible() {
		t.Error("Undo is still visible")
	}
}

func TestUndoLinkOnlyWithItsNotice(t *testing.T) {
	d := newDesk(t)
	d.setRules(watch.Rule{Ports: uitest.Ports(t, "3000")})
	d.see(uitest.Listening(3000, "node", 10))
	d.ports.table.Focus()
	uitest.Press(d.Window, fyne.KeySpace)
	uitest.Shortcut(d.Window, widgets.CopyKeys.Shortcut())
	if got := d.ports.left.Text; !strings.HasSuffix(got, "copied") || d.ports.undoLink.Visible() {
		t.Errorf("got status line %q, Undo visible %v", got, d.ports.undoLink.Visible())
	}
	d.Asked = nil
	uitest.Shortcut(d.Window, widgets.UndoKeys.Shortcut())
	if len(d.Asked) != 1 {
		t.Errorf("Ctrl+Z: got requests %q, want the watch restored", d.Asked)
	}
}

func TestUndoExpires(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(62893, "vite", 10))
	d.ports.watch(d.ports.table.Rows()[0].listener)
	d.At = d.At.Add(widgets.UndoTime)
	d.Tick()
	d.Asked = nil
	uitest.Shortcut(d.Window, widgets.UndoKeys.Shortcut())
	d.Want("requests", d.Asked, nil)
	if d.ports.undoLink.Visible() {
		t.Error("Undo does not expire")
	}
}

func TestCardsAndQuickFiltersShowFocus(t *testing.T) {
	d := newDesk(t)
	d.see()
	for name, part := range map[string]struct {
		fyne.Focusable
		ground *widgets.Rectangle
	}{
		"a quick filter": {d.ports.quick.segments[1], d.ports.quick.segments[1].Ground},
		"the chosen one": {d.ports.quick.segments[0], d.ports.quick.segments[0].Ground}, "a card": {d.ports.cards.cards[0], d.ports.cards.cards[0].ground.Rectangle},
	} {
		without := part.ground.Rect.StrokeWidth
		part.FocusGained()
		if got := part.ground.Rect.StrokeWidth; got != 2 || !part.ground.Visible() {
			t.Errorf("focused %s: got outline %v, shown %v; want 2, true", name, got, part.ground.Visible())
		}
		part.FocusLost()
		if got := part.ground.Rect.StrokeWidth; got != without {
			t.Errorf("unfocused %s: got outline %v", name, got)
		}
	}
}

func TestButtonsShowFocus(t *testing.T) {
	d := newDesk(t)
	web := uitest.Listening(3000, "node", 7)
	web.Service, web.ServiceBy = "Vite", monitor.ByCommand
	d.see(web) // shows the details pane
	for _, b := range []*widgets.Button{d.ports.pause, d.ports.details.browser} {
		if b.Ring.Visible() {
			t.Errorf("unfocused %q has a focus ring", b.Text)
		}
		b.FocusGained()
		ground := theme.Color(theme.ColorNameButton)
		if b == d.ports.details.browser {
			ground = theme.Color(theme.ColorNamePrimary)
		}
		if got := uitest.Contrast(b.Ring.StrokeColor, ground); !b.Ring.Visible() || got < 1.5 {
			t.Errorf("focused %q: ring visible %v, contrast %.1f", b.Text, b.Ring.Visible(), got)
		}
		b.FocusLost()
	}
}

func TestKeyPressKeepsButtonFocused(t *testing.T) {
	d := newDesk(t)
	c, b := d.Window.Canvas(), d.ports.pause
	pressed := 0
	for _, key := range []fyne.KeyName{fyne.KeyReturn, fyne.KeyEnter, fyne.KeySpace} {
		b.OnTapped = func() { pressed++ }
		c.Focus(b)
		b.TypedKey(&fyne.KeyEvent{Name: key})
		if c.Focused() != fyne.Focusable(b) {
			t.Errorf("after %s: got focus on %v, want the button", key, c.Focused())
		}
	}
	b.Disable()
	b.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if b.Enable(); pressed != 3 {
		t.Errorf("pressed %d times, want 3 (none while disabled)", pressed)
	}
	b.OnTapped = func() { d.ports.Content.Hide() }
	b.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if c.Focused() == fyne.Focusable(b) {
		t.Error("a button hidden with its page keeps the focus")
	}
	d.ports.Content.Show()
	c.Focus(b)
	b.OnTapped = b.Hide
	b.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if c.Focused() != nil {
		t.Errorf("a hidden button: got focus on %v, want none", c.Focused())
	}
}

// The row's menu offers what the button in the notification does, which not every desktop shows.
func TestExposedRowIsAccepted(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(3000, "node", 10, "0.0.0.0"), uitest.Listening(8080, "python3", 20))
	const label = "Exposed: this is fine"
	offered := func(row int) bool {
		d.ports.menu(d.ports.table.Rows()[row], d.row(row))
		defer d.Window.Canvas().Overlays().Top().Hide()
		return strings.Contains(d.Overlay(), label)
	}
	if offered(0) {
		t.Error("the menu offers it although newly exposed servers are not reported")
	}
	d.SetStatus(Status{NewExposed: true})
	if offered(1) {
		t.Error("the menu of a local server offers it")
	}
	d.ports.menu(d.ports.table.Rows()[0], d.row(0))
	d.Choose(label)
	if !d.Did("accept 3000") {
		t.Errorf("got requests %q, want that 3000 is accepted", d.Asked)
	}
}
