package ports

import (
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"porthole/monitor"
	"porthole/monitor/history"
	"porthole/monitor/watch"
	"porthole/ui/uitest"
	"porthole/ui/widgets"
)

func facts(p *detailsPane) string {
	var out []string
	for _, f := range p.model.facts {
		out = append(out, f[0]+": "+strings.ReplaceAll(f[1], "\n", " "))
	}
	return strings.Join(out, "; ")
}

func TestDetails(t *testing.T) {
	d := newDesk(t)
	vite := uitest.Listening(62893, "node", 10, "127.0.0.1", "::1")
	vite.Project, vite.Service = "acme-web", "Vite"
	o := &vite.Owners[0]
	o.Folder, o.StartedAt = "/home/ada/acme-web", d.At.Add(-12*time.Minute)
	o.Command = []string{"vite", "--password=hunter2"}
	o.Parents = []monitor.Parent{{Name: "zsh"}, {Name: "systemd"}}
	unknown := uitest.Listening(631, "", 0)
	d.see(unknown, vite)
	d.ports.table.Select(vite.ID)
	pane := d.ports.details
	if pane.name.Text != "node" || pane.pid.Text != "PID 10" || pane.about.Text != "Vite in acme-web" {
		t.Errorf("got heading %q %q %q", pane.name.Text, pane.pid.Text, pane.about.Text)
	}
	want := "Listening: 127.0.0.1:62893 [::1]:62893; Exposure: local only; Port range: dynamic (49152–65535); " +
		"Command: vite --password=•••; Folder: /home/ada/acme-web; Started: today 15:41 (12 min ago)"
	if got := strings.ReplaceAll(facts(pane), monitor.MaskCommand([]string{"--password=hunter2"})[0], "--password=•••"); got != want {
		t.Errorf("facts: got\n%s\nwant\n%s", got, want)
	}
	if strings.Contains(facts(pane), "hunter2") {
		t.Error("a password is visible")
	}
	if pane.chain.Text != "Started in zsh\nsystemd › zsh › node" {
		t.Errorf("got chain %q", pane.chain.Text)
	}
	for _, b := range []interface{ Tapped(*fyne.PointEvent) }{pane.browser, pane.copyURL, pane.folder} {
		b.Tapped(nil)
	}
	d.Want("requests", d.Asked, []string{"browse 127.0.0.1:62893", "copy the URL of 127.0.0.1:62893", "folder /home/ada/acme-web"})

	d.ports.table.Select(unknown.ID)
	if got := facts(pane); !strings.Contains(got, "Owner: process of another user") || pane.folder.Visible() || pane.chainBox.Visible() {
		t.Errorf("unknown owner: got facts %q", got)
	}
	d.see()
	if pane.about.Text != "closed" || pane.stop.Visible() || !pane.object.Visible() {
		t.Errorf("closed listener: got %q, want \"closed\" without a Stop button", pane.about.Text)
	}
	d.At = d.At.Add(markTime)
	d.Tick()
	if pane.visible() {
		t.Error("the pane is visible after its listener is gone")
	}
}

// After a listener has closed, the browser would reach another server or none.
func TestDetailsOfClosedListener(t *testing.T) {
	d := newDesk(t)
	a, b := uitest.Listening(3000, "node", 10), uitest.Listening(4000, "node", 11)
	d.see(a, b)
	d.ports.table.Select(a.ID)
	browser, copyURL := d.ports.details.browser, d.ports.details.copyURL
	d.see(b)
	if browser.Visible() || copyURL.Visible() {
		t.Error("the pane offers to open a closed listener")
	}
	browser.OnTapped() // a click at the same moment
	copyURL.OnTapped()
	d.Want("requests", d.Asked, nil)
	if !strings.Contains(d.ports.left.Text, "3000 is already closed") {
		t.Errorf("got status line %q", d.ports.left.Text)
	}
}

func TestTickKeepsFactWidgets(t *testing.T) {
	d := newDesk(t)
	a := uitest.Listening(3000, "node", 10)
	a.Owners[0].StartedAt = d.At.Add(-time.Minute)
	d.see(a)
	d.ports.table.Select(a.ID)
	values := slices.Clone(d.ports.details.values)
	before := facts(d.ports.details)
	d.At = d.At.Add(time.Minute)
	d.Tick()
	if facts(d.ports.details) == before {
		t.Fatal("the age of the process did not change")
	}
	if !slices.Equal(values, d.ports.details.values) {
		t.Error("the fact widgets were replaced, so a selection in them is lost")
	}
}

func TestNoRequestsWithoutAgent(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(3000, "node", 10))
	d.Disconnect()
	for what, do := range map[string]func(){
		"★": func() { d.ports.star(d.ports.table.Rows()[0]) }, "UDP": d.ports.udp.Press, "Other addresses": d.ports.allAddresses.Press, "Pause": d.ports.pause.OnTapped,
	} {
		d.ports.ShowNotice("")
		do()
		if !strings.Contains(d.ports.left.Text, "has stopped monitoring") {
			t.Errorf("%s: got status line %q", what, d.ports.left.Text)
		}
	}
	d.Want("requests", d.Asked, nil)
}

func TestFreePortWithLongerMatches(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(30001, "node", 10))
	d.ports.entry.SetText("3000")
	d.ShowProbe(freeProbe(3000))
	if got := d.ports.left.Text; got != "Port 3000 is free" {
		t.Errorf("got status line %q, want \"Port 3000 is free\"", got)
	}
	d.ports.entry.SetText("30001")
	if got := d.ports.left.Text; !strings.Contains(got, "1 listener") {
		t.Errorf("open port: got status line %q", got)
	}
}

func TestNarrowWindowHidesDetails(t *testing.T) {
	d := newDesk(t)
	a := uitest.Listening(3000, "node", 10)
	d.see(a)
	d.ports.table.Select(a.ID)
	if !d.ports.details.object.Visible() {
		t.Fatal("no details pane at width 1000")
	}
	d.Window.Resize(fyne.NewSize(800, 600))
	if d.ports.details.object.Visible() {
		t.Error("details pane at width 800")
	}
}

func TestAmbiguousLocalhostWarning(t *testing.T) {
	d := newDesk(t)
	four, six := uitest.Listening(3000, "node", 10), uitest.Listening(3000, "deno", 20, "::1")
	other := uitest.Listening(3000, "caddy", 30, "127.0.0.2")
	d.see(four, other)
	d.ports.table.Select(four.ID)
	if w := d.ports.details.model.ambiguity; w != "" {
		t.Errorf("two IPv4 addresses: got warning %q, want none", w)
	}
	d.see(four, six)
	if w := d.ports.details.model.ambiguity; !strings.Contains(w, "ambiguous") {
		t.Errorf("got warning %q", w)
	}
	d.see(other, six)
	d.ports.table.Select(other.ID)
	if w := d.ports.details.model.ambiguity; w != "" {
		t.Errorf("127.0.0.2 is not localhost: got warning %q, want none", w)
	}
	d.ports.table.Select(four.ID)
	d.see(four)
	if w := d.ports.details.model.ambiguity; w != "" {
		t.Errorf("after the other closed: got warning %q, want none", w)
	}
}

func TestSelectionScrollsDetailsToTop(t *testing.T) {
	d := newDesk(t)
	a, b := uitest.Listening(3000, "node", 10), uitest.Listening(4000, "deno", 20)
	a.Owners[0].Command = []string{strings.Repeat("a long command ", 30)}
	d.see(a, b)
	d.Window.Resize(fyne.NewSize(1000, 400))
	d.ports.table.Select(a.ID)
	scroll := d.ports.details.scroll
	scroll.ScrollToBottom()
	if scroll.Offset.Y == 0 {
		t.Fatal("the content is too short to scroll")
	}
	d.ports.table.Select(b.ID)
	if scroll.Offset.Y != 0 {
		t.Errorf("got offset %v, want 0", scroll.Offset.Y)
	}
}

func TestShowNotice(t *testing.T) {
	d := newDesk(t)
	d.ShowNotice("The folder is gone")
	if d.ports.left.Text != "The folder is gone" {
		t.Errorf("got status line %q", d.ports.left.Text)
	}
	d.At = d.At.Add(widgets.NoticeTime)
	d.Tick()
	if strings.Contains(d.ports.left.Text, "gone") {
		t.Error("the notice did not disappear")
	}
}

func TestFilterHintFits(t *testing.T) {
	d := newDesk(t)
	for _, width := range []float32{1400, 900, 700, 1400} {
		d.Window.Resize(fyne.NewSize(width, 600))
		e := d.ports.entry
		if got, room := fyne.MeasureText(e.PlaceHolder, theme.Size(theme.SizeNameText), e.TextStyle).Width, e.Size().Width-48; got > room {
			t.Errorf("at %v: %q is %v wide, want at most %v", width, e.PlaceHolder, got, room)
		}
		if whole := e.PlaceHolder == e.Hint; !whole && width != 900 { // the field has a line of its own at 700
			t.Errorf("at %v: the hint is complete: %v", width, whole)
		}
	}
}

func TestSettingSwitches(t *testing.T) {
	d := newDesk(t)
	far := uitest.Listening(3000, "node", 10, "192.168.1.5")
	d.see(far, uitest.Listening(3001, "node", 11))
	test.Tap(d.ports.udp)
	test.Tap(d.ports.allAddresses)
	d.Want("requests", d.Asked, []string{`set udp "true"`, `set all_addresses "true"`})
	d.Want("before the answer", d.rows(), []string{"3001"})
	d.SetStatus(Status{Notifications: true, UDP: true, AllAddresses: true, Rules: watch.Default(), Health: monitor.Health{Interval: 250 * time.Millisecond}})
	d.Want("all addresses", d.rows(), []string{"3000", "3001"})
	if got := d.ports.table.Rows()[0].exposure; got != "192.168.1.5" {
		t.Errorf("got exposure %q, want the address", got)
	}
	if !d.ports.udp.Chosen || !d.ports.allAddresses.Chosen {
		t.Error("the switches do not show the settings")
	}
	d.SetStatus(Status{Notifications: true, Rules: watch.Default(), Health: monitor.Health{Interval: 250 * time.Millisecond}})
	d.Want("loopback only", d.rows(), []string{"3001"})
	d.ShowNotice("Can't change the setting: no")
	if got := d.ports.left.Text; got != "Can't change the setting: no" {
		t.Errorf("got status line %q", got)
	}
}

func TestHealthInStatusLine(t *testing.T) {
	d := newDesk(t)
	working, failing := monitor.Health{Interval: 250 * time.Millisecond}, monitor.Health{Problem: "it is broken"}
	until := time.Date(2026, 11, 24, 18, 30, 0, 0, time.Local).In(time.FixedZone("", 20700)) // from a clock in another time zone
	for _, c := range []struct {
		status Status
		want   string
	}{
		{Status{Health: working, Notifications: true}, "polling every 250 ms"},
		{Status{Health: working}, "notifications off · polling every 250 ms"},
		{Status{Health: working, Notifications: true, Paused: true}, "notifications paused · polling every 250 ms"},
		{Status{Health: working, Notifications: true, Paused: true, PausedUntil: until}, "notifications paused until 18:30 · polling every 250 ms"},
		{Status{Health: failing, Notifications: true}, "can't read the ports"},
		{Status{Health: failing}, "notifications off · can't read the ports"},
	} {
		if d.SetStatus(c.status); d.ports.right.Text != c.want {
			t.Errorf("got status line %q, want %q", d.ports.right.Text, c.want)
		}
	}
}

func TestWarningBarAppearsLater(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(3000, "node", 10))
	bar := d.ports.warning.Object
	for _, problems := range [][]string{nil, {"The settings file cannot be used"}, nil} {
		d.SetStatus(Status{Problems: problems})
		if shown := bar.Visible() && bar.Size().Height > 0; shown != (problems != nil) {
			t.Errorf("problems %q: bar shown %t, size %v", problems, shown, bar.Size())
		}
	}
}

func TestFreePortShowsLastOwner(t *testing.T) {
	e := uitest.Event(1, 106*time.Minute, monitor.Closed, 5432, "postgres", "")
	e.OpenedAt = e.At.Add(-5 * time.Minute)
	m := &uitest.FakeHistory{Past: []history.Event{e}}
	d := deskWith(t, m)
	d.see(uitest.Listening(3000, "node", 10))
	d.ports.entry.SetText("5432")
	m.Answer()
	if got := d.ports.empty.Last.Text; got != "Last: postgres, today 14:02–14:07" || !d.ports.empty.Last.Visible() {
		t.Errorf("got %q", got)
	}
	d.ports.entry.SetText("5431")
	if d.ports.empty.Last.Visible() {
		t.Errorf("another port: got %q", d.ports.empty.Last.Text)
	}
	m.Answer()
	if got := d.ports.empty.Last.Text; got != "Never seen open" {
		t.Errorf("port without history: got %q", got)
	}
}

// Opening a database in the browser is possible, but not the main action.
func TestBrowserIsMainActionOnlyForWeb(t *testing.T) {
	d := newDesk(t)
	web, database := uitest.Listening(3000, "node", 10), uitest.Listening(5432, "postgres", 11)
	web.Service, web.ServiceBy = "Vite", monitor.ByCommand
	database.Service, database.ServiceBy = "PostgreSQL", monitor.ByProgram
	d.see(web, database)
	for _, c := range []struct {
		l    *monitor.Listener
		want widget.Importance
	}{{database, widget.MediumImportance}, {web, widget.HighImportance}, {database, widget.MediumImportance}} {
		d.ports.table.Select(c.l.ID)
		if b := d.ports.details.browser; !b.Visible() || b.Importance != c.want {
			t.Errorf("%s: got button visible %v, importance %v, want %v", c.l.Service, b.Visible(), b.Importance, c.want)
		}
	}
}
