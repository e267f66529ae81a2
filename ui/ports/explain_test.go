package ports

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"porthole/monitor"
	"porthole/monitor/explain"
	"porthole/ui/uitest"
)

// explained returns the explanation in the details pane; "" if it is collapsed.
func (d *desk) explained() string {
	if d.ports.details.explanationBox.Visible() {
		return d.ports.details.explanation.Text
	}
	return ""
}

func TestExplainInDetailsPane(t *testing.T) {
	d := newDesk(t)
	ephemeral, _ := monitor.ParsePorts("32768-60999")
	d.SetStatus(Status{Notifications: true, System: explain.System{EphemeralPorts: ephemeral}})
	node, web := uitest.Listening(62893, "node", 10, "127.0.0.1", "::1"), uitest.Listening(40000, "web", 20, "0.0.0.0")
	d.see(node, web)
	d.ports.table.Select(node.ID)
	if d.explained() != "" {
		t.Errorf("got explanation %q before Explain", d.explained())
	}
	uitest.Shortcut(d.Window, ExplainKeys.Shortcut())
	want := "127.0.0.1 and ::1 are the IPv4 and IPv6 loopback addresses. Traffic to them never leaves this machine. " +
		"Port 62893 is a dynamic port (49152–65535). It is not assigned to any service, and any program can use it. " +
		"The port is outside the ephemeral port range of this system (32768–60999), so a program has to ask for it by number. " +
		"node (PID 10) listens on 127.0.0.1:62893, [::1]:62893. Local only: other machines cannot connect."
	if d.explained() != want {
		t.Errorf("got explanation\n%s\nwant\n%s", d.explained(), want)
	}
	if d.Window.Canvas().Overlays().Top() != nil {
		t.Error("Explain opens an overlay too")
	}
	d.ports.table.Select(web.ID)
	if text := d.explained(); !strings.HasPrefix(text, "0.0.0.0 means all IPv4 addresses") || !strings.Contains(text, "may have been assigned automatically") || !strings.Contains(text, "Exposed to the network: other machines can connect") {
		t.Errorf("next port: got %q", text)
	}
	d.see(node)
	if text := d.explained(); !strings.HasPrefix(text, "Port 40000 is a registered port") || !strings.HasSuffix(text, "Nothing listens there.") {
		t.Errorf("closed port: got %q", text)
	}
	d.ports.table.Select(node.ID)
	d.ports.details.explain.Tapped(nil)
	if d.explained() != "" || d.ports.details.explain.Text.Text != "Explain" {
		t.Errorf("after the link: got explanation %q and link %q", d.explained(), d.ports.details.explain.Text.Text)
	}
	d.ports.details.explain.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if d.explained() != want || d.ports.details.explain.Text.Text != "Hide explanation" {
		t.Errorf("after Enter on the link: got explanation %q and link %q", d.explained(), d.ports.details.explain.Text.Text)
	}
	next := deskWith(t, nil)
	next.ports.Restore(d.ports.State())
	next.see(node)
	next.ports.table.Select(node.ID)
	if !strings.HasPrefix(next.explained(), "127.0.0.1 and ::1") {
		t.Errorf("restored window: got explanation %q", next.explained())
	}
}

func TestExplainScrollsToExplanation(t *testing.T) {
	d := newDesk(t)
	d.Window.Resize(fyne.NewSize(1000, 420))
	a := uitest.Listening(3000, "node", 10)
	a.Owners[0].Folder, a.Owners[0].Command = "/home/ada/shop", strings.Fields(strings.Repeat("--word ", 30))
	d.see(a)
	d.ports.table.Select(a.ID)
	pane, driver := d.ports.details, d.App.Driver()
	d.ports.Explain()
	link, bottom := driver.AbsolutePositionForObject(pane.explain).Y, driver.AbsolutePositionForObject(pane.scroll).Y+pane.scroll.Size().Height
	box := driver.AbsolutePositionForObject(pane.explanationBox).Y
	if top := driver.AbsolutePositionForObject(pane.scroll).Y; pane.scroll.Offset.Y == 0 || link < top || box > bottom-100 {
		t.Errorf("the link is at %v and the explanation at %v; the pane extends from %v to %v, scrolled by %v", link, box, top, bottom, pane.scroll.Offset.Y)
	}
	offset := pane.scroll.Offset
	d.Tick()
	if pane.scroll.Offset != offset {
		t.Error("a tick scrolled the pane")
	}
}

// All of an explanation that fits is visible, also the first time, when its text has no width yet.
func TestExplainShowsWholeExplanation(t *testing.T) {
	d := newDesk(t)
	d.Window.Resize(fyne.NewSize(1180, 600))
	a := uitest.Listening(3001, "node", 10)
	a.Owners[0].Folder, a.Owners[0].Command = "/home/ada/projects/shop-feature-branch", strings.Fields(strings.Repeat("--word ", 20))
	d.see(a)
	d.ports.table.Select(a.ID)
	pane, driver := d.ports.details, d.App.Driver()
	for _, when := range []string{"first", "again"} {
		d.ports.Explain()
		d.Window.Canvas().Capture() // Fyne's next frame
		top, height := driver.AbsolutePositionForObject(pane.scroll).Y, pane.scroll.Size().Height
		link, box := driver.AbsolutePositionForObject(pane.explain).Y, driver.AbsolutePositionForObject(pane.explanationBox).Y
		if end := box + pane.explanationBox.Size().Height; pane.explanationBox.Size().Height < 100 || end-link > height || link < top || end > top+height {
			t.Errorf("%s: the explanation extends from %v to %v; the pane from %v to %v, scrolled by %v", when, link, end, top, top+height, pane.scroll.Offset.Y)
		}
		d.ports.Explain()
	}
}

func TestExplainInNarrowWindow(t *testing.T) {
	d := newDesk(t)
	d.Window.Resize(fyne.NewSize(700, 500))
	a := uitest.Listening(3000, "node", 10)
	uitest.Shortcut(d.Window, ExplainKeys.Shortcut())
	if d.Window.Canvas().Overlays().Top() != nil {
		t.Fatal("Explain opens an overlay without a selection")
	}
	d.see(a)
	d.ports.table.Select(a.ID)
	uitest.Shortcut(d.Window, ExplainKeys.Shortcut())
	if text := uitest.CopyableOver(d.Window); !strings.HasPrefix(text, "127.0.0.1 is the loopback address") {
		t.Errorf("got overlay %q", text)
	}
	uitest.Press(d.Window, fyne.KeyEscape)
	if d.Window.Canvas().Overlays().Top() != nil {
		t.Error("Esc does not close the overlay")
	}
}

func TestExplainFromRowMenu(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(3000, "node", 10))
	d.ports.table.Select(d.ports.table.Rows()[0].Key())
	d.ports.menu(d.ports.table.Rows()[0], fyne.NewPos(200, 200))
	d.MenuItem(2)
	if !strings.HasPrefix(d.explained(), "127.0.0.1 is the loopback address") {
		t.Errorf("got explanation %q", d.explained())
	}
}
