package ports

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"porthole/monitor/watch"
	"porthole/ui/uitest"
	"porthole/ui/widgets"
)

func TestWelcome(t *testing.T) {
	d := newDesk(t)
	if d.ports.welcome.object.Visible() {
		t.Fatal("the welcome is visible to an existing user")
	}
	d.see(uitest.Listening(3000, "node", 10))
	d.Window.Resize(fyne.NewSize(1000, 601)) // after the cards have appeared
	table := d.ports.table.Size()
	first := Status{Notifications: true, Rules: watch.Default(), Welcome: true}
	d.SetStatus(first)
	if text := d.ports.welcome.text.Segment.Text; !d.ports.welcome.object.Visible() || !strings.Contains(text, "in the tray") || !strings.Contains(text, "62893") {
		t.Errorf("got welcome %q, visible %v", text, d.ports.welcome.object.Visible())
	}
	if now := d.ports.table.Size(); now.Height >= table.Height || now.Height < table.Height-60 {
		t.Errorf("got table height %v, was %v", now.Height, table.Height)
	}
	for range 60 { // Tab must reach the link
		d.Window.Canvas().FocusNext()
		if l, ok := d.Window.Canvas().Focused().(*widgets.Link); ok && l.Text.Text == "Got it" {
			l.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
			break
		}
	}
	d.Want("requests", d.Asked, []string{"welcomed"})
	d.SetStatus(first) // sent before the agent received the request
	if d.ports.welcome.object.Visible() || d.ports.table.Size() != table {
		t.Errorf("the welcome returned: got table %v, was %v", d.ports.table.Size(), table)
	}
}

func TestWelcomeWithoutDefaultWatch(t *testing.T) {
	d := newDesk(t)
	d.SetStatus(Status{Welcome: true, Rules: watch.Rules{}.WithPort(8080)})
	if text := d.ports.welcome.text.Segment.Text; strings.Contains(text, "62893") || !strings.Contains(text, "star") {
		t.Errorf("62893 not watched: got welcome %q", text)
	}
	if d.ports.welcome.try.Visible() {
		t.Error("62893 not watched: got an offer to try it, which would show no notification and no card")
	}
	d.Disconnect()
	if d.ports.welcome.object.Visible() {
		t.Error("the welcome is visible after the agent disconnected")
	}
}

func TestWelcomeWithoutTray(t *testing.T) {
	d := newDesk(t)
	for _, rules := range []watch.Rules{watch.Default(), watch.Rules{}.WithPort(8080)} {
		d.SetStatus(Status{Welcome: true, NoTray: true, Rules: rules})
		if text := d.ports.welcome.text.Segment.Text; !d.ports.welcome.object.Visible() || strings.Contains(text, "tray") {
			t.Errorf("no tray: got welcome %q, visible %v", text, d.ports.welcome.object.Visible())
		}
	}
}
