package history

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"porthole/monitor"
	"porthole/monitor/history"
	uitheme "porthole/ui/theme"
	"porthole/ui/uitest"
	"porthole/ui/widgets"
	"porthole/ui/words"
)

// desk is the page in a window, with a record of its requests.
type desk struct {
	uitest.Desk
	history *Page
}

// newDesk returns a desk whose page is not visible yet. store may be nil.
func newDesk(t testing.TB, store Store) *desk {
	t.Helper()
	d := &desk{Desk: uitest.NewDesk(t, uitheme.Theme{})}
	d.Window = d.App.NewWindow("")
	d.history = New(d, store, d.Now, d.Window, Callbacks{ShowPort: func(port uint16) { d.Ask("show port %d", port) }, Key: d.Key})
	d.history.Content.Hide()
	d.Host(d.history.Content, fyne.NewSize(1000, 600), func() {})
	d.Window.Canvas().SetOnTypedKey(func(e *fyne.KeyEvent) { // like the main window
		if e.Name == fyne.KeyEscape {
			d.history.Escape()
			return
		}
		d.Ask("key %s", e.Name)
	})
	d.Window.Canvas().SetOnTypedRune(d.history.FilterField().Append)
	return d
}

// show shows the page.
func (d *desk) show() {
	d.history.Content.Show()
	d.history.OnShown()
	d.history.Focus()
}

// historyDesk returns a desk that shows events.
func historyDesk(t testing.TB, events []history.Event) (*desk, *uitest.FakeHistory) {
	t.Helper()
	m := &uitest.FakeHistory{Past: events}
	d := newDesk(t, m)
	d.show()
	m.Answer()
	return d, m
}

// lines returns the lines of the page as text.
func (d *desk) lines() []string {
	var out []string
	for _, r := range d.history.rows {
		if r.event == nil {
			out = append(out, "# "+words.Day(r.at, d.At))
			continue
		}
		out = append(out, fmt.Sprintf("%s %s %s", r.at.Format(time.TimeOnly), words.Port(r.event.Protocol, r.event.Port), eventSentence(r.event)))
	}
	return out
}

// eventAt returns the position of line i on the canvas.
func (d *desk) eventAt(i int) fyne.Position {
	top := fyne.CurrentApp().Driver().AbsolutePositionForObject(d.history.list)
	return top.Add(fyne.NewPos(250, float32(i)*eventHeight+eventHeight/2-d.history.list.GetScrollOffset()))
}

func (d *desk) press(key fyne.KeyName) {
	d.Window.Canvas().Focused().TypedKey(&fyne.KeyEvent{Name: key})
}

// pass advances the clock second by second, with a tick each.
func (d *desk) pass(seconds int) {
	for range seconds {
		d.At = d.At.Add(time.Second)
		d.history.Tick()
	}
}

func TestEventsByDay(t *testing.T) {
	closed := uitest.Event(4, time.Minute, monitor.Closed, 3000, "node", "acme-web")
	closed.Duration = 12 * time.Minute
	unobserved := uitest.Event(3, 26*time.Hour, monitor.Closed, 5432, "postgres", "")
	unobserved.Unobserved = true
	owner := uitest.Event(2, 27*time.Hour, monitor.OwnerChanged, 5432, "python3", "")
	owner.OwnerBefore = &history.Owner{PID: 9, Name: "postgres"}
	exposure := uitest.Event(1, 5*24*time.Hour, monitor.ExposureChanged, 53, "dns\u202e\x1b[31m", "")
	exposure.Exposure = monitor.ExposureNetwork
	d, _ := historyDesk(t, []history.Event{exposure, owner, unobserved, closed})
	d.Want("lines", d.lines(), []string{
		"# Today", "15:52:00 3000 node · acme-web closed after 12 min",
		"# Yesterday", "13:53:00 5432 postgres closed while Porthole was not running", "12:53:00 5432 owner changed from postgres to python3",
		"# Thursday 19 November", "15:53:00 53 dns [31m is now exposed to the network",
	})
}

func TestCloseSentence(t *testing.T) {
	e := uitest.Event(1, 0, monitor.Closed, 80, "nginx", "")
	for _, c := range []struct {
		alreadyOpen, unobserved bool
		lasted                  time.Duration
		want                    string
	}{
		{false, false, 90 * time.Second, "nginx closed after 1 min"},
		{false, false, 20 * time.Millisecond, "nginx closed after less than a second"},
		{true, false, 2 * time.Hour, "nginx closed after at least 2 h"},
		{false, true, time.Hour, "nginx closed while Porthole was not running"},
		{true, true, time.Hour, "nginx closed while Porthole was not running"},
	} {
		e.AlreadyOpen, e.Unobserved, e.Duration = c.alreadyOpen, c.unobserved, c.lasted
		if got := eventSentence(&e); got != c.want {
			t.Errorf("already open %v, unobserved %v, %v: got %q, want %q", c.alreadyOpen, c.unobserved, c.lasted, got, c.want)
		}
	}
}

// The sentence names how the user stopped the owner, without control characters.
func TestStoppedByYou(t *testing.T) {
	e := uitest.Event(1, 0, monitor.Closed, 80, "nginx", "")
	e.Duration = 90 * time.Second
	for how, want := range map[string]string{
		"":                        "nginx closed after 1 min",
		"SIGTERM":                 "nginx closed after 1 min, stopped by you (SIGTERM)",
		"docker stop \x1b[31mweb": "nginx closed after 1 min, stopped by you (docker stop [31mweb)",
	} {
		e.Stopped = how
		if got := eventSentence(&e); got != want {
			t.Errorf("%q: got %q, want %q", how, got, want)
		}
	}
}

// A close that was a crash has the sign of something that needs attention, unless the
// user stopped the process.
func TestHowTheOwnerEnded(t *testing.T) {
	for _, c := range []struct {
		exit          monitor.Exit
		stopped, want string
		crashed       bool
	}{
		{monitor.ExitStatus(1), "", "nginx closed after 1 min: it exited with status 1", true},
		{monitor.Exit{Signal: "SIGKILL", OutOfMemory: true}, "", "nginx closed after 1 min: it was killed by SIGKILL: out of memory", true},
		{monitor.Exit{Signal: "SIGTERM"}, "", "nginx closed after 1 min: it was killed by SIGTERM", false},
		{monitor.Exit{Signal: "SIGKILL"}, "SIGKILL", "nginx closed after 1 min, stopped by you (SIGKILL)", false},
	} {
		e := uitest.Event(1, 0, monitor.Closed, 80, "nginx", "")
		e.Duration, e.Exit, e.Stopped = 90*time.Second, c.exit, c.stopped
		if got := eventSentence(&e); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
		if _, colour := eventMark(&e); (colour == uitheme.ColorAlert) != c.crashed {
			t.Errorf("%q: got colour %s, crashed %t", c.want, colour, c.crashed)
		}
	}
}

// The client of an event is stored as data, and its words are those of the language.
func TestFirstConnection(t *testing.T) {
	e := uitest.Event(1, 0, monitor.Connected, 5432, "postgres", "")
	for _, c := range []struct {
		client          monitor.Client
		english, german string
	}{
		{monitor.Client{Name: "psql", PID: 812, User: "ann"}, "psql (PID 812, user ann) connected to postgres for the first time", "psql (PID 812, Benutzer ann) hat sich zum ersten Mal mit postgres verbunden"},
		{monitor.Client{User: "ann"}, "a program of user ann connected to postgres for the first time", "ein Programm des Benutzers ann hat sich zum ersten Mal mit postgres verbunden"},
		{monitor.ParseClient("192.168.1.20"), "192.168.1.20 connected to postgres for the first time", "192.168.1.20 hat sich zum ersten Mal mit postgres verbunden"},
		{monitor.Client{}, "a program that was not identified connected to postgres for the first time", "ein Programm, das nicht erkannt wurde, hat sich zum ersten Mal mit postgres verbunden"},
	} {
		e.Client = c.client
		if got := eventSentence(&e); got != c.english {
			t.Errorf("got %q, want %q", got, c.english)
		}
		t.Run("German", func(t *testing.T) {
			uitest.InGerman(t)
			if got := eventSentence(&e); got != c.german {
				t.Errorf("got %q, want %q", got, c.german)
			}
		})
	}
}

func TestScrollLoadsPages(t *testing.T) {
	d, m := historyDesk(t, uitest.ManyEvents(100_000))
	if n := len(d.history.events); n != pageOfEvents {
		t.Fatalf("initially: got %d events, want %d", n, pageOfEvents)
	}
	test.Scroll(d.Window.Canvas(), d.eventAt(2), 0, -150*eventHeight)
	m.Answer()
	if n := len(d.history.events); n != 2*pageOfEvents {
		t.Fatalf("near the end: got %d events after %d, want %d", n, pageOfEvents, 2*pageOfEvents)
	}
	d.history.Focus()
	for range 600 {
		d.press(fyne.KeyEnd)
		m.Answer()
	}
	if n := len(d.history.events); n != 100_000 {
		t.Fatalf("at the end: got %d events, want 100000", n)
	}
	if last := d.history.chosen(); last == nil || last.ID != 1 {
		t.Errorf("at the end: got selection %+v, want the oldest event", last)
	}
	asked := len(m.Asked)
	d.press(fyne.KeyEnd)
	if len(m.Asked) != asked {
		t.Error("loads more events at the end")
	}
	for i, e := range d.history.events {
		if e.ID != int64(100_000-i) {
			t.Fatalf("event %d: got id %d, want %d", i, e.ID, 100_000-i)
		}
	}
}

func TestFilter(t *testing.T) {
	d, m := historyDesk(t, []history.Event{
		uitest.Event(1, 4*time.Minute, monitor.Opened, 5432, "postgres", ""),
		uitest.Event(2, 3*time.Minute, monitor.Opened, 3000, "node", "acme-web"),
		uitest.Event(3, 2*time.Minute, monitor.Opened, 3999, "python3", ""),
	})
	for text, want := range map[string]int{"": 3, "5432": 1, ":3000": 1, "3": 2, "3000-3999": 2, "3000-3999 node": 1, "NODE acme": 1, "5432 3000": 0, "ruby": 0} {
		d.history.entry.SetText(text)
		m.Answer()
		if n := len(d.history.events); n != want {
			t.Errorf("%q: got %d events, want %d", text, n, want)
		}
		if n := d.history.chart.sum(); n != want {
			t.Errorf("%q: got %d events in the chart, want %d", text, n, want)
		}
	}
	d.history.entry.SetText("5432")
	m.Answer()
	if got := d.history.left.Text; got != "1 matching event in the last 24 hours" {
		t.Errorf("one port: got status line %q", got)
	}
	d.history.entry.SetText("5433")
	m.Answer()
	if got := d.history.empty.Title.Text; got != "No history for 5433" {
		t.Errorf("unknown port: got %q", got)
	}
	d.history.Focus()
	d.press(fyne.KeyEscape)
	m.Answer()
	if d.history.entry.Text != "" || len(d.history.events) != 3 {
		t.Errorf("after Esc: got filter %q and %d events, want none and 3", d.history.entry.Text, len(d.history.events))
	}
	d.Window.Canvas().Focused().TypedRune('n')
	m.Answer()
	if len(d.history.events) != 2 { // node and python3
		t.Errorf("after typing: got %d events, want 2", len(d.history.events))
	}
}

func TestLateAnswerIsIgnored(t *testing.T) {
	d, m := historyDesk(t, uitest.ManyEvents(500))
	d.history.entry.SetText("node")
	late := m.Waiting
	m.Waiting = nil
	d.history.entry.SetText("vite")
	m.Answer()
	shown := len(d.history.events)
	m.Newest["events"] = 2 // simulates a history that does not cancel old requests
	m.Waiting = late
	m.Answer()
	if len(d.history.events) != shown || d.history.events[0].Owner.Name != "vite" {
		t.Error("a late answer replaced a newer one")
	}
}

// change sends an event like the monitor.
func (d *desk) change() {
	l := uitest.Listening(4321, "nc", 77)
	d.history.Update(monitor.Update{Snapshot: d.Last, Ready: true, Events: []monitor.Event{{At: d.At, Kind: monitor.Opened, Listener: l}}})
}

func TestNewEventAppearsAtTop(t *testing.T) {
	d, m := historyDesk(t, uitest.ManyEvents(500))
	m.Past = append(m.Past, uitest.Event(501, 0, monitor.Opened, 4321, "nc", ""))
	d.change()
	d.change()
	asked := len(m.Asked)
	d.pass(1)
	if n := len(m.Asked) - asked; n != 1 {
		t.Errorf("two updates: got %d requests, want 1", n)
	}
	m.Answer()
	if d.history.events[0].ID != 501 || d.history.pill.Visible() {
		t.Errorf("got first event %d, pill visible %v; want 501, false", d.history.events[0].ID, d.history.pill.Visible())
	}
}

// Events about clients come with no update.
func TestEventWithoutAnUpdateAppears(t *testing.T) {
	d, m := historyDesk(t, uitest.ManyEvents(10))
	m.Past = append(m.Past, uitest.Event(11, 0, monitor.Attempted, 4321, "", ""))
	d.history.LoadSoon()
	d.pass(1)
	m.Answer()
	if d.history.events[0].ID != 11 {
		t.Errorf("got first event %d, want 11", d.history.events[0].ID)
	}
}

func TestLateEventIsLoaded(t *testing.T) {
	d, m := historyDesk(t, uitest.ManyEvents(10))
	d.change()
	d.pass(1)
	m.Answer()
	m.Past = append(m.Past, uitest.Event(11, 0, monitor.Opened, 4321, "nc", ""))
	d.pass(3)
	m.Answer()
	if d.history.events[0].ID != 11 {
		t.Errorf("got first event %d, want 11", d.history.events[0].ID)
	}
	asked := len(m.Asked)
	d.pass(20)
	m.Answer()
	if n := len(m.Asked) - asked; n != 0 {
		t.Errorf("got %d requests without an update, want 0", n)
	}
}

func TestNewEventsKeepScrollPosition(t *testing.T) {
	d, m := historyDesk(t, uitest.ManyEvents(500))
	test.Scroll(d.Window.Canvas(), d.eventAt(2), 0, -40*eventHeight)
	m.Answer()
	offset := d.history.list.GetScrollOffset()
	first := d.history.rows[int(offset/eventHeight)].id()
	for id := int64(501); id <= 503; id++ {
		m.Past = append(m.Past, uitest.Event(id, 0, monitor.Opened, 4321, "nc", ""))
	}
	d.change()
	d.pass(1)
	m.Answer()
	if now := d.history.rows[int(d.history.list.GetScrollOffset()/eventHeight)].id(); now != first {
		t.Errorf("got event %d at the top of the view, want %d", now, first)
	}
	if !d.history.pill.Visible() || d.history.pill.Text != "3 new" {
		t.Fatalf("got pill visible %v, text %q; want true, \"3 new\"", d.history.pill.Visible(), d.history.pill.Text)
	}
	test.TapCanvas(d.Window.Canvas(), uitest.Middle(d.history.pill))
	if d.history.list.GetScrollOffset() != 0 || d.history.pill.Visible() {
		t.Errorf("after a click: got offset %v, pill visible %v", d.history.list.GetScrollOffset(), d.history.pill.Visible())
	}
}

// An event that is stored late appears where it belongs by its time, and no page repeats or skips
// one.
func TestLateEventIsOrderedByTime(t *testing.T) {
	d, m := historyDesk(t, uitest.ManyEvents(500))
	late := uitest.Event(501, 9*time.Minute, monitor.Attempted, 4321, "", "") // others happened 8 and 10 minutes ago
	m.Past = append(m.Past, late)
	d.change()
	d.pass(1)
	m.Answer()
	d.history.Focus()
	for range 10 {
		d.press(fyne.KeyEnd)
		m.Answer()
	}
	if n := len(d.history.events); n != 501 {
		t.Fatalf("got %d events, want 501", n)
	}
	seen := map[int64]bool{}
	for i, e := range d.history.events {
		if seen[e.ID] || i > 0 && e.Position().Compare(d.history.events[i-1].Position()) >= 0 {
			t.Errorf("event %d of %v is repeated or out of order", e.ID, e.At)
		}
		seen[e.ID] = true
	}
}

// A late event below the first visible line moves nothing and is not counted as new.
func TestLateEventBelowIsNotNew(t *testing.T) {
	d, m := historyDesk(t, uitest.ManyEvents(500))
	test.Scroll(d.Window.Canvas(), d.eventAt(2), 0, -40*eventHeight)
	m.Answer()
	offset := d.history.list.GetScrollOffset()
	first := d.history.rows[d.history.firstVisible()].id()
	m.Past = append(m.Past, uitest.Event(501, 121*time.Minute, monitor.Attempted, 4321, "", "")) // two lines lower
	d.change()
	d.pass(1)
	m.Answer()
	if got := d.history.rows[d.history.firstVisible()].id(); got != first || d.history.list.GetScrollOffset() != offset || d.history.pill.Visible() {
		t.Errorf("got event %d at the top of the view, offset %v, pill %q visible %t; want %d, %v, no pill", got, d.history.list.GetScrollOffset(), d.history.pill.Text, d.history.pill.Visible(), first, offset)
	}
	if !slices.ContainsFunc(d.history.events, func(e *history.Event) bool { return e.ID == 501 }) {
		t.Error("the late event is missing")
	}
}

func TestMoreNewEventsThanAPage(t *testing.T) {
	d, m := historyDesk(t, uitest.ManyEvents(500))
	test.Scroll(d.Window.Canvas(), d.eventAt(2), 0, -40*eventHeight)
	m.Answer()
	m.Past = uitest.ManyEvents(1000)
	d.change()
	d.pass(1)
	m.Answer()
	if got := d.history.pill.Text; got != "200+ new" || !d.history.pill.Visible() {
		t.Fatalf("got pill %q, want \"200+ new\"", got)
	}
	test.Tap(d.history.pill)
	m.Answer()
	for i, e := range d.history.events {
		if e.ID != int64(1000-i) {
			t.Fatalf("event %d: got id %d, want %d", i, e.ID, 1000-i)
		}
	}
}

func TestClickOnHour(t *testing.T) {
	d, m := historyDesk(t, uitest.ManyEvents(2000))
	chart := d.history.chart
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(chart)
	hour := at.Add(fyne.NewPos(chart.Size().Width/chartHours*20.5, 40)) // from 12:00 to 13:00
	test.MoveMouse(d.Window.Canvas(), hour)
	if got := chart.detail.Text; got != "12:00–13:00: 30 events" {
		t.Errorf("pointer on an hour: got %q", got)
	}
	test.TapCanvas(d.Window.Canvas(), hour)
	m.Answer()
	if n := len(d.history.events); n != 30 {
		t.Errorf("got %d events, want the 30 of that hour", n)
	}
	for _, e := range d.history.events {
		if e.At.Hour() != 12 || e.At.Day() != d.history.events[0].At.Day() {
			t.Errorf("got an event of %v, want only those between 12:00 and 13:00", e.At)
		}
	}
	back, list := uitest.Middle(d.history.back), fyne.CurrentApp().Driver().AbsolutePositionForObject(d.history.list)
	if got := d.history.back.Text; got != "today 12:00–13:00" || back.Y > list.Y {
		t.Errorf("got %q at %v, want the hour above the list, which begins at %v", got, back, list)
	}
	test.TapCanvas(d.Window.Canvas(), uitest.Middle(d.history.back))
	m.Answer()
	if e := d.history.events[0]; e.ID != 2000 || d.history.back.Visible() {
		t.Errorf("after going back: got first event %d, want 2000", e.ID)
	}
}

func TestKeysInChart(t *testing.T) {
	d, m := historyDesk(t, uitest.ManyEvents(2000))
	chart := d.history.chart
	d.Window.Canvas().Focus(chart)
	for range chartHours - 1 - 20 {
		uitest.Press(d.Window, fyne.KeyLeft)
	}
	if got := chart.detail.Text; got != "12:00–13:00: 30 events" {
		t.Errorf("keyboard on an hour: got %q", got)
	}
	uitest.Press(d.Window, fyne.KeySpace)
	m.Answer()
	if e := d.history.events[0]; e.At.Hour() != 12 || e.At.Minute() != 59 {
		t.Errorf("got first event of %v, want 12:59", e.At)
	}
	d.Window.Canvas().Unfocus()
	uitest.Press(d.Window, fyne.KeyF1)
	if !d.Did("key F1") {
		t.Error("F1 does not exposure the window")
	}
}

func TestClickShowsDetails(t *testing.T) {
	opened := uitest.Event(1, 20*time.Minute, monitor.Opened, 5432, "postgres", "shop-db")
	closed := uitest.Event(3, 5*time.Minute, monitor.Closed, 5432, "postgres", "shop-db")
	closed.Listener, closed.OpenedAt, closed.Duration = opened.Listener, opened.At, 15*time.Minute
	other := opened
	other.ID, other.Boot, other.At = 0, "before", uitest.Start.Add(-30*24*time.Hour)
	d, m := historyDesk(t, []history.Event{other, opened, uitest.Event(2, 6*time.Minute, monitor.Opened, 80, "nginx", ""), closed})
	test.TapCanvas(d.Window.Canvas(), d.eventAt(1))
	m.Answer()
	s := d.history.details
	if !s.object.Visible() || len(s.events) != 2 || s.heading.Text != "postgres · shop-db" {
		t.Fatalf("got details visible %v, %d events, heading %q; want the two events of this boot", s.object.Visible(), len(s.events), s.heading.Text)
	}
	if got := words.Tenure(s.tenure(), d.At); got != "today 15:33–15:48" {
		t.Errorf("got period %q", got)
	}
	test.TapCanvas(d.Window.Canvas(), uitest.Middle(s.watchPort))
	d.Want("requests", d.Asked, []string{"watch 5432"})
	d.press(fyne.KeyEscape)
	if s.object.Visible() {
		t.Error("Esc does not close the details")
	}
	d.press(fyne.KeyUp) // to the selected line
	d.press(fyne.KeyReturn)
	m.Answer()
	if !s.object.Visible() || s.heading.Text != "postgres · shop-db" {
		t.Errorf("after Enter: got heading %q", s.heading.Text)
	}
	test.TapCanvas(d.Window.Canvas(), uitest.Middle(s.showPort))
	d.Want("requests", d.Asked, []string{"watch 5432", "show port 5432"})
}

func TestDeleteHistory(t *testing.T) {
	d, m := historyDesk(t, uitest.ManyEvents(500))
	test.TapCanvas(d.Window.Canvas(), d.eventAt(1))
	m.Answer()
	s, e := d.history.details, d.history.events[0]
	test.TapCanvas(d.Window.Canvas(), uitest.Middle(s.forgetPort))
	want := fmt.Sprintf("The history of port %d will be deleted. This cannot be undone.", e.Port)
	if got := d.history.dialog.Text.Text; got != want {
		t.Errorf("got question %q, want %q", got, want)
	}
	d.press(fyne.KeyReturn) // the default button is the harmless one
	if len(m.Forgotten) != 0 || d.Window.Canvas().Overlays().Top() != nil {
		t.Fatalf("after Cancel: got deletions %v, want none", m.Forgotten)
	}
	test.TapCanvas(d.Window.Canvas(), uitest.Middle(s.forgetPort))
	d.press(fyne.KeyEscape)
	test.TapCanvas(d.Window.Canvas(), uitest.Middle(s.forgetProject))
	test.TapCanvas(d.Window.Canvas(), uitest.Middle(d.history.dialog.Yes))
	m.Answer()
	if want := []history.Forget{{Project: e.Owner.Project}}; !slices.Equal(m.Forgotten, want) {
		t.Errorf("got deletions %+v, want %+v", m.Forgotten, want)
	}
	if d.history.events[0].ID == e.ID || s.object.Visible() || d.history.left.Text != "History deleted" {
		t.Errorf("after Delete: got first event %d, details visible %v, status line %q", d.history.events[0].ID, s.object.Visible(), d.history.left.Text)
	}
	test.TapCanvas(d.Window.Canvas(), uitest.Middle(d.history.more))
	d.press(fyne.KeyDown)
	d.press(fyne.KeyReturn)
	test.TapCanvas(d.Window.Canvas(), uitest.Middle(d.history.dialog.Yes))
	m.Answer()
	if len(m.Past) != 0 || d.history.empty.Title.Text != "No events yet" {
		t.Errorf("after deleting all: got %d events, %q", len(m.Past), d.history.empty.Title.Text)
	}
}

// A click beside the buttons of a dialog removes the focus. Even then the page behind it must not
// receive keys.
func TestDialogKeepsKeysFromPage(t *testing.T) {
	d, _ := historyDesk(t, uitest.ManyEvents(500))
	c, keys := d.Window.Canvas(), 0
	c.SetOnTypedKey(func(*fyne.KeyEvent) { keys++ })
	c.SetOnTypedRune(func(rune) { keys++ })
	q := widgets.Ask(d.Window, "Delete history?", "", "Delete", func() { t.Error("deleted without confirmation") }, func() {})
	c.Unfocus()
	c.OnTypedKey()(&fyne.KeyEvent{Name: fyne.KeyDown})
	c.OnTypedRune()('?')
	if keys != 0 || q.PopUp.Hidden {
		t.Errorf("got %d keys in the page, dialog hidden %t; want 0, false", keys, q.PopUp.Hidden)
	}
	c.OnTypedKey()(&fyne.KeyEvent{Name: fyne.KeyEscape})
	if c.OnTypedKey()(&fyne.KeyEvent{Name: fyne.KeyDown}); !q.PopUp.Hidden || keys != 1 {
		t.Errorf("after Esc: got dialog hidden %t, %d keys in the page; want true, 1", q.PopUp.Hidden, keys)
	}
}

func TestExport(t *testing.T) {
	d, m := historyDesk(t, uitest.ManyEvents(500))
	d.history.entry.SetText("node 3000-3999")
	m.Answer()
	test.TapCanvas(d.Window.Canvas(), uitest.Middle(d.history.export))
	d.press(fyne.KeyDown)
	d.press(fyne.KeyDown)
	d.press(fyne.KeyReturn)
	d.WantText("Save", "porthole-history-2026-11-24.json")
	if len(m.Exported) != 0 {
		t.Errorf("before a file is chosen: got exports %+v", m.Exported)
	}
	d.Window.Canvas().Overlays().Top().Hide()
	d.history.exportTo("json", "/home/ada/events.json")
	m.Answer()
	if len(m.Exported) != 1 || m.Exported[0].Text != "node" || m.Exported[0].Ports.String() != "3000-3999" || m.Exported[0].Limit != 0 {
		t.Errorf("got exports %+v", m.Exported)
	}
	if got := d.history.left.Text; got != "Saved as /home/ada/events.json" {
		t.Errorf("got status line %q", got)
	}
	d.pass(21)
	m.Answer()
	if got := d.history.left.Text; got != "100 matching events in the last 24 hours" {
		t.Errorf("later: got status line %q", got)
	}
}

func TestErrorKeepsEvents(t *testing.T) {
	d, m := historyDesk(t, uitest.ManyEvents(500))
	m.Err = errors.New("SQLITE_CORRUPT (11)")
	d.change()
	d.pass(1)
	m.Answer()
	if got := d.history.left.Text; got != "Can't read the history. See the log for details." {
		t.Errorf("got status line %q", got)
	}
	if len(d.history.events) == 0 {
		t.Error("an error emptied the list")
	}
	asked := len(m.Asked)
	d.pass(3)
	if len(m.Asked) != asked {
		t.Error("retries immediately")
	}
	m.Err = nil
	d.pass(3)
	m.Answer()
	if got := d.history.left.Text; strings.Contains(got, "cannot") {
		t.Errorf("after recovery: got status line %q", got)
	}
}

func TestChartFollowsFilter(t *testing.T) {
	d, m := historyDesk(t, uitest.ManyEvents(500))
	if got := d.history.chart.title.Text; got != "Events in the last 24 hours" {
		t.Errorf("without a filter: got title %q", got)
	}
	d.history.entry.SetText("node")
	d.pass(1)
	if got := d.history.left.Text; got != "500 events in the last 24 hours" {
		t.Errorf("while loading: got status line %q, want that of the events shown", got)
	}
	m.Answer()
	if got := d.history.chart.title.Text; got != "Matching events in the last 24 hours" || d.history.chart.sum() != 100 {
		t.Errorf("filter node: got title %q and %d events", got, d.history.chart.sum())
	}
	m.Err = errors.New("SQLITE_BUSY (5)")
	d.history.entry.SetText("python3")
	m.Answer()
	if sum := d.history.chart.sum(); sum != 0 || strings.Contains(d.history.left.Text, "24 hours") {
		t.Errorf("after an error: got %d events in the chart and status line %q, want none", sum, d.history.left.Text)
	}
	m.Err = nil
	d.pass(6)
	m.Answer()
	if d.history.chart.sum() == 0 {
		t.Error("does not retry")
	}
}

func TestNoHistory(t *testing.T) {
	d := newDesk(t, nil)
	d.show()
	d.change()
	d.pass(2)
	if got := d.history.empty.Title.Text; got != "History is not available" || !d.history.empty.Object.Visible() {
		t.Errorf("got %q", got)
	}
	d.history.entry.SetText("node")
	if !d.history.export.Disabled() || !d.history.more.Disabled() {
		t.Error("export or deletion is offered")
	}
}

func TestHiddenPageLoadsNothing(t *testing.T) {
	m := &uitest.FakeHistory{Past: uitest.ManyEvents(500)}
	d := newDesk(t, m)
	d.change()
	d.pass(5)
	if len(m.Asked) != 0 {
		t.Errorf("got requests %v, want none", m.Asked)
	}
}

func TestDetailsButtonsFitInGerman(t *testing.T) {
	uitest.InGerman(t)
	d, m := historyDesk(t, []history.Event{uitest.Event(1, time.Minute, monitor.Opened, 5432, "postgres", "shop-db")})
	test.TapCanvas(d.Window.Canvas(), d.eventAt(1))
	m.Answer()
	d.Window.Canvas().Capture() // forces a layout of the details
	s, right := d.history.details, d.Window.Canvas().Size().Width
	for _, b := range []*widgets.Button{s.showPort, s.watchPort, s.forgetPort, s.forgetProject} {
		if end := fyne.CurrentApp().Driver().AbsolutePositionForObject(b).X + b.Size().Width; !b.Visible() || end > right || b.Size().Width < b.MinSize().Width {
			t.Errorf("%q ends at %v, the window at %v", b.Text, end, right)
		}
	}
}

func BenchmarkScroll(b *testing.B) {
	d, m := historyDesk(b, uitest.ManyEvents(100_000))
	for !d.history.complete {
		d.history.list.ScrollToBottom()
		m.Answer()
	}
	canvas, at := d.Window.Canvas(), d.eventAt(0)
	at = fyne.NewPos(at.X, 400)
	b.ResetTimer()
	for i := range b.N {
		if i%2000 == 0 {
			d.history.list.ScrollToOffset(0)
		}
		test.Scroll(canvas, at, 0, -90)
	}
}

// The first Down selects the newest event and Enter opens it, and so does Enter alone.
func TestFirstKeysOpenNewestEvent(t *testing.T) {
	for _, keys := range [][]fyne.KeyName{{fyne.KeyDown, fyne.KeyReturn}, {fyne.KeyReturn}} {
		d, m := historyDesk(t, uitest.ManyEvents(20))
		d.history.Focus()
		for _, key := range keys {
			d.press(key)
		}
		m.Answer()
		if e, newest := d.history.details.event, d.history.events[0]; e == nil || e.ID != newest.ID {
			t.Errorf("keys %v: got details of %+v, want those of the newest event, %d", keys, e, newest.ID)
		}
	}
}

func TestTooltipOfCutEvent(t *testing.T) {
	events := uitest.ManyEvents(1)
	events[0].Owner.Name = "a-program-with-a-long-name"
	d, _ := historyDesk(t, events)
	if got := uitest.ShowTooltip(d.Window, d.eventAt(1)); got != "" {
		t.Errorf("wide window: got tooltip %q, want none", got)
	}
	d.Window.Resize(fyne.NewSize(480, 600))
	if got := uitest.ShowTooltip(d.Window, d.eventAt(1)); got != "a-program-with-a-long-name · acme-web opened\nPID 4000 · ada" {
		t.Errorf("narrow window: got tooltip %q, want the whole texts", got)
	}
	if got := uitest.ShowTooltip(d.Window, d.eventAt(0)); got != "" {
		t.Errorf("heading: got tooltip %q, want none", got)
	}
}
