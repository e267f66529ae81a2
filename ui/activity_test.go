package ui

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"porthole/monitor"
	"porthole/monitor/history"
)

// remembers is a Memory of events, the oldest first. It answers as the real one
// does: later, when the test lets it.
type remembers struct {
	events   []history.Event
	err      error
	asked    []string
	waiting  []func()
	newest   map[string]int
	forgot   []history.Forget
	exported []history.Query
}

// answer gives all answers, those to the questions that they bring about too.
func (r *remembers) answer() {
	for len(r.waiting) > 0 {
		next := r.waiting[0]
		r.waiting = r.waiting[1:]
		next()
	}
}

func (r *remembers) later(kind string, do func()) {
	if r.newest == nil {
		r.newest = map[string]int{}
	}
	r.newest[kind]++
	this := r.newest[kind]
	r.waiting = append(r.waiting, func() {
		if kind == "" || this == r.newest[kind] {
			do()
		}
	})
}

func (r *remembers) list(q history.Query) []history.Event {
	limit := q.Limit
	if limit == 0 {
		limit = history.DefaultLimit
	}
	var out []history.Event
	words, without := q.Words()
	events := r.events
	if q.Before > 0 {
		n, _ := slices.BinarySearchFunc(events, q.Before, func(e history.Event, id int64) int { return int(e.ID - id) })
		events = events[:n]
	}
	for _, e := range slices.Backward(events) {
		has := func(w string) bool {
			if _, err := strconv.Atoi(w); err == nil { // as if no word had digits
				return strings.HasPrefix(strconv.Itoa(int(e.Port)), w)
			}
			return strings.Contains(strings.ToLower(fmt.Sprint(e.Owner.Name, " ", e.Owner.Project, " ", e.Owner.User, " ", e.Owner.Command)), w)
		}
		lacks := slices.ContainsFunc(without, has) || slices.ContainsFunc(words, func(w string) bool { return !has(w) })
		if !q.Until.IsZero() && !e.At.Before(q.Until) || e.At.Before(q.Since) ||
			q.Ports != nil && !q.Ports.Contains(e.Port) || lacks || !q.UDP && e.Protocol == monitor.UDP {
			continue
		}
		if out = append(out, e); len(out) == limit {
			break
		}
	}
	return out
}

func (r *remembers) Events(q history.Query, done func([]history.Event, error)) {
	r.asked = append(r.asked, fmt.Sprintf("events before %d", q.Before))
	r.later("events", func() { done(r.list(q), r.err) })
}

func (r *remembers) Lookup(q history.Query, done func([]history.Event, error)) {
	r.later("", func() { done(r.list(q), r.err) })
}

func (r *remembers) ListenerEvents(listener string, done func([]history.Event, error)) {
	r.later("story", func() {
		var out []history.Event
		for _, e := range r.events {
			if e.Listener == listener {
				out = append(out, e)
			}
		}
		done(out, r.err)
	})
}

func (r *remembers) LastOwner(port uint16, done func(history.Tenure, bool, error)) {
	r.later("last", func() {
		for _, e := range slices.Backward(r.events) {
			if e.Port == port {
				done(e.Tenure(), true, r.err)
				return
			}
		}
		done(history.Tenure{}, false, r.err)
	})
}

func (r *remembers) Hours(q history.Query, done func([]history.HourCount, error)) {
	r.later("hours", func() {
		var out []history.HourCount
		q.Limit = len(r.events)
		for _, e := range slices.Backward(r.list(q)) {
			start := e.At.UTC().Truncate(time.Hour)
			if n := len(out); n > 0 && out[n-1].Start.Equal(start) {
				out[n-1].Count++
			} else {
				out = append(out, history.HourCount{Start: start, Count: 1})
			}
		}
		done(out, r.err)
	})
}

func (r *remembers) Forget(f history.Forget, done func(error)) {
	r.forgot = append(r.forgot, f)
	r.events = slices.DeleteFunc(r.events, func(e history.Event) bool {
		return f.Everything || e.Port == f.Port || f.Project != "" && e.Owner.Project == f.Project
	})
	r.later("", func() { done(r.err) })
}

func (r *remembers) Export(format string, q history.Query, done func(string, error)) {
	r.exported = append(r.exported, q)
	r.later("", func() { done("/home/ada/porthole-activity-2026-11-24."+format, r.err) })
}

var start = time.Date(2026, 11, 24, 15, 53, 0, 0, time.UTC) // the desk's clock

// happened makes an event so long ago.
func happened(id int64, ago time.Duration, kind monitor.Kind, port uint16, name, project string) history.Event {
	return history.Event{
		ID: id, At: start.Add(-ago), Kind: kind, Protocol: monitor.TCP, Port: port, Exposure: monitor.ExposureLoopback,
		Addresses: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, Listener: fmt.Sprintf("tcp-%d-%d", port, id), Boot: "b",
		Owner: history.Owner{PID: 4000 + int(port%1000), Name: name, User: "ada", Project: project,
			Command: []string{name, "--port", fmt.Sprint(port)}},
		OpenedAt: start.Add(-ago),
	}
}

// aYear is n events of many kinds, two minutes apart.
func aYear(n int) []history.Event {
	names := []string{"node", "python3", "postgres", "java", "vite"}
	projects := []string{"acme-web", "", "shop-db", "admin-ui", "acme-web"}
	kinds := []monitor.Kind{monitor.Opened, monitor.Closed, monitor.Opened, monitor.OwnerChanged, monitor.ExposureChanged, monitor.Discovered}
	events := make([]history.Event, n)
	for i := range events {
		e := happened(int64(i+1), time.Duration(n-i)*2*time.Minute, kinds[i%len(kinds)], uint16(3000+i%5000), names[i%5], projects[i%5])
		e.Duration = time.Duration(i%9000) * time.Second
		e.OpenedAt = e.At.Add(-e.Duration)
		if e.Kind == monitor.OwnerChanged {
			before := e.Owner
			before.Name = "bash"
			e.OwnerBefore = &before
		}
		events[i] = e
	}
	return events
}

// activityDesk is a desk at the Activity page.
func activityDesk(t testing.TB, events []history.Event) (*desk, *remembers) {
	t.Helper()
	m := &remembers{events: events}
	d := deskWith(t, m)
	d.tabs.open("activity")
	m.answer()
	return d, m
}

// lines are the page's lines in words.
func (d *desk) lines() []string {
	var out []string
	for _, r := range d.history.rows {
		if r.event == nil {
			out = append(out, "# "+Day(r.at, d.at))
			continue
		}
		out = append(out, fmt.Sprintf("%s %s %s", r.at.Format(time.TimeOnly), portText(r.event.Protocol, r.event.Port), eventSentence(r.event)))
	}
	return out
}

// eventAt is where line i is on the canvas.
func (d *desk) eventAt(i int) fyne.Position {
	top := fyne.CurrentApp().Driver().AbsolutePositionForObject(d.history.list)
	return top.Add(fyne.NewPos(250, float32(i)*eventHeight+eventHeight/2-d.history.list.GetScrollOffset()))
}

func (d *desk) press(key fyne.KeyName) {
	d.window.Canvas().Focused().TypedKey(&fyne.KeyEvent{Name: key})
}

// pass lets time pass, a second a tick.
func (d *desk) pass(seconds int) {
	for range seconds {
		d.at = d.at.Add(time.Second)
		d.Tick()
	}
}

func TestActivityIsToldByDayTheNewestFirst(t *testing.T) {
	closed := happened(4, time.Minute, monitor.Closed, 3000, "node", "acme-web")
	closed.Duration = 12 * time.Minute
	unwatched := happened(3, 26*time.Hour, monitor.Closed, 5432, "postgres", "")
	unwatched.Unobserved = true
	hands := happened(2, 27*time.Hour, monitor.OwnerChanged, 5432, "python3", "")
	hands.OwnerBefore = &history.Owner{PID: 9, Name: "postgres"}
	reach := happened(1, 5*24*time.Hour, monitor.ExposureChanged, 53, "dns\u202e\x1b[31m", "")
	reach.Exposure = monitor.ExposureNetwork
	d, _ := activityDesk(t, []history.Event{reach, hands, unwatched, closed})
	d.want("lines", d.lines(), []string{
		"# Today", "15:52:00 3000 node · acme-web closed after 12 min",
		"# Yesterday", "13:53:00 5432 postgres ended while Porthole was not running", "12:53:00 5432 changed hands from postgres to python3",
		"# Thursday 19 November", "15:53:00 53 dns [31m became reachable from the network",
	})
}

func TestWhatAClosingSaysIsWhatIsKnown(t *testing.T) {
	e := happened(1, 0, monitor.Closed, 80, "nginx", "")
	for _, c := range []struct {
		older, unwatched bool
		lasted           time.Duration
		want             string
	}{
		{false, false, 90 * time.Second, "nginx closed after 1 min"},
		{false, false, 20 * time.Millisecond, "nginx closed within a second"},
		{true, false, 2 * time.Hour, "nginx closed after at least 2 h"},
		{false, true, time.Hour, "nginx ended while Porthole was not running"},
		{true, true, time.Hour, "nginx ended while Porthole was not running"},
	} {
		e.AlreadyOpen, e.Unobserved, e.Duration = c.older, c.unwatched, c.lasted
		if got := eventSentence(&e); got != c.want {
			t.Errorf("older %v, unwatched %v, %v: %q; want %q", c.older, c.unwatched, c.lasted, got, c.want)
		}
	}
}

func TestScrollingLoadsOnlyAsFarAsItGoes(t *testing.T) {
	d, m := activityDesk(t, aYear(100_000))
	if n := len(d.history.events); n != pageOfEvents {
		t.Fatalf("%d events at first; want %d", n, pageOfEvents)
	}
	test.Scroll(d.window.Canvas(), d.eventAt(2), 0, -150*eventHeight)
	m.answer()
	if n := len(d.history.events); n != 2*pageOfEvents {
		t.Fatalf("%d events after scrolling near the end of %d; want %d", n, pageOfEvents, 2*pageOfEvents)
	}
	d.history.focus()
	for range 600 {
		d.press(fyne.KeyEnd)
		m.answer()
	}
	if n := len(d.history.events); n != 100_000 {
		t.Fatalf("%d events at the end; want 100000", n)
	}
	if last := d.history.chosen(); last == nil || last.ID != 1 {
		t.Errorf("at the end the chosen one is %+v; want the oldest", last)
	}
	asked := len(m.asked)
	d.press(fyne.KeyEnd)
	if len(m.asked) != asked {
		t.Error("at the end it asks for more")
	}
	for i, e := range d.history.events {
		if e.ID != int64(100_000-i) {
			t.Fatalf("event %d has id %d; want %d", i, e.ID, 100_000-i)
		}
	}
}

func TestAFilterAsksForPortsAndWords(t *testing.T) {
	d, m := activityDesk(t, []history.Event{
		happened(1, 4*time.Minute, monitor.Opened, 5432, "postgres", ""),
		happened(2, 3*time.Minute, monitor.Opened, 3000, "node", "acme-web"),
		happened(3, 2*time.Minute, monitor.Opened, 3999, "python3", ""),
	})
	for text, want := range map[string]int{"": 3, "5432": 1, ":3000": 1, "3": 2, "3000-3999": 2, "3000-3999 node": 1, "NODE acme": 1, "5432 3000": 0, "ruby": 0} {
		d.history.entry.SetText(text)
		m.answer()
		if n := len(d.history.events); n != want {
			t.Errorf("%q shows %d events; want %d", text, n, want)
		}
		if n := d.history.chart.sum(); n != want {
			t.Errorf("%q: the chart has %d events; want %d", text, n, want)
		}
	}
	d.history.entry.SetText("5432")
	m.answer()
	if got := d.history.left.Text; got != "1 change of the last 24 hours matches" {
		t.Errorf("of one port it says %q", got)
	}
	d.history.entry.SetText("5433")
	m.answer()
	if got := d.history.empty.title.Text; got != "Nothing is remembered of 5433" {
		t.Errorf("of an unknown port it says %q", got)
	}
	d.history.focus()
	d.press(fyne.KeyEscape)
	m.answer()
	if d.history.entry.Text != "" || len(d.history.events) != 3 {
		t.Errorf("Esc left the filter %q with %d events", d.history.entry.Text, len(d.history.events))
	}
	d.window.Canvas().Focused().TypedRune('n')
	m.answer()
	if len(d.history.events) != 2 { // node, and python3
		t.Errorf("typing filters: %d events; want 2", len(d.history.events))
	}
}

func TestAnswersToOldQuestionsAreNotShown(t *testing.T) {
	d, m := activityDesk(t, aYear(500))
	d.history.entry.SetText("node")
	late := m.waiting
	m.waiting = nil
	d.history.entry.SetText("vite")
	m.answer()
	shown := len(d.history.events)
	m.newest["events"] = 2 // a Memory that answers all
	m.waiting = late
	m.answer()
	if len(d.history.events) != shown || d.history.events[0].Owner.Name != "vite" {
		t.Error("a late answer replaced the newer one")
	}
}

// change is what the monitor tells of a change.
func (d *desk) change() {
	l := listening(4321, "nc", 77)
	d.Update(monitor.Update{Snapshot: d.last, Ready: true, Events: []monitor.Event{{At: d.at, Kind: monitor.Opened, Listener: l}}})
}

func TestWhatIsNewAppearsAtTheTop(t *testing.T) {
	d, m := activityDesk(t, aYear(500))
	m.events = append(m.events, happened(501, 0, monitor.Opened, 4321, "nc", ""))
	d.change()
	d.change()
	asked := len(m.asked)
	d.pass(1)
	if n := len(m.asked) - asked; n != 1 {
		t.Errorf("two changes made %d questions; want 1", n)
	}
	m.answer()
	if d.history.events[0].ID != 501 || d.history.pill.Visible() {
		t.Errorf("the first is %d, the pill shows: %v; want 501 without it", d.history.events[0].ID, d.history.pill.Visible())
	}
}

func TestWhatIsStoredLateIsAskedForAgain(t *testing.T) {
	d, m := activityDesk(t, aYear(10))
	d.change()
	d.pass(1)
	m.answer()
	m.events = append(m.events, happened(11, 0, monitor.Opened, 4321, "nc", ""))
	d.pass(3)
	m.answer()
	if d.history.events[0].ID != 11 {
		t.Errorf("the first is %d; want 11", d.history.events[0].ID)
	}
	asked := len(m.asked)
	d.pass(20)
	m.answer()
	if n := len(m.asked) - asked; n != 0 {
		t.Errorf("%d questions without a change; want none", n)
	}
}

func TestWhatIsNewMovesNothingUnderTheReader(t *testing.T) {
	d, m := activityDesk(t, aYear(500))
	test.Scroll(d.window.Canvas(), d.eventAt(2), 0, -40*eventHeight)
	m.answer()
	offset := d.history.list.GetScrollOffset()
	first := d.history.rows[int(offset/eventHeight)].id()
	for id := int64(501); id <= 503; id++ {
		m.events = append(m.events, happened(id, 0, monitor.Opened, 4321, "nc", ""))
	}
	d.change()
	d.pass(1)
	m.answer()
	if now := d.history.rows[int(d.history.list.GetScrollOffset()/eventHeight)].id(); now != first {
		t.Errorf("event %d is at the top of the view; want %d", now, first)
	}
	if !d.history.pill.Visible() || d.history.pill.Text != "3 new" {
		t.Fatalf("the pill shows: %v, %q; want \"3 new\"", d.history.pill.Visible(), d.history.pill.Text)
	}
	test.TapCanvas(d.window.Canvas(), middle(d.history.pill))
	if d.history.list.GetScrollOffset() != 0 || d.history.pill.Visible() {
		t.Errorf("after a click: offset %v, pill %v", d.history.list.GetScrollOffset(), d.history.pill.Visible())
	}
}

func TestMoreNewOnesThanAPageLeaveNoGap(t *testing.T) {
	d, m := activityDesk(t, aYear(500))
	test.Scroll(d.window.Canvas(), d.eventAt(2), 0, -40*eventHeight)
	m.answer()
	m.events = aYear(1000)
	d.change()
	d.pass(1)
	m.answer()
	if got := d.history.pill.Text; got != "200 or more new" || !d.history.pill.Visible() {
		t.Fatalf("the pill says %q", got)
	}
	test.Tap(d.history.pill)
	m.answer()
	for i, e := range d.history.events {
		if e.ID != int64(1000-i) {
			t.Fatalf("event %d has id %d; want %d", i, e.ID, 1000-i)
		}
	}
}

func middle(o fyne.CanvasObject) fyne.Position {
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(o)
	return at.Add(fyne.NewPos(o.Size().Width/2, o.Size().Height/2))
}

func TestAClickOnAnHourGoesThere(t *testing.T) {
	d, m := activityDesk(t, aYear(2000))
	chart := d.history.chart
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(chart)
	hour := at.Add(fyne.NewPos(chart.Size().Width/chartHours*20.5, 40)) // from 12:00 to 13:00
	test.MoveMouse(d.window.Canvas(), hour)
	if got := chart.detail.Text; got != "12:00–13:00: 30 changes" {
		t.Errorf("over an hour it says %q", got)
	}
	test.TapCanvas(d.window.Canvas(), hour)
	m.answer()
	if e := d.history.events[0]; e.At.Hour() != 12 || e.At.Minute() != 59 {
		t.Errorf("the first event is of %v; want 12:59", e.At)
	}
	test.TapCanvas(d.window.Canvas(), middle(d.history.back))
	m.answer()
	if e := d.history.events[0]; e.ID != 2000 || d.history.back.Visible() {
		t.Errorf("back to now shows event %d first", e.ID)
	}
}

func TestTheHoursAreReachedByKeys(t *testing.T) {
	d, m := activityDesk(t, aYear(2000))
	chart := d.history.chart
	d.window.Canvas().Focus(chart)
	for range chartHours - 1 - 20 {
		press(d.window, fyne.KeyLeft)
	}
	if got := chart.detail.Text; got != "12:00–13:00: 30 changes" {
		t.Errorf("it says %q", got)
	}
	press(d.window, fyne.KeySpace)
	m.answer()
	if e := d.history.events[0]; e.At.Hour() != 12 || e.At.Minute() != 59 {
		t.Errorf("the first event is of %v; want 12:59", e.At)
	}
	d.window.Canvas().Unfocus()
	press(d.window, fyne.KeyF1)
	if d.overlay() == "" {
		t.Error("F1 shows no keys")
	}
}

func TestAClickTellsTheWholeStory(t *testing.T) {
	opened := happened(1, 20*time.Minute, monitor.Opened, 5432, "postgres", "shop-db")
	closed := happened(3, 5*time.Minute, monitor.Closed, 5432, "postgres", "shop-db")
	closed.Listener, closed.OpenedAt, closed.Duration = opened.Listener, opened.At, 15*time.Minute
	other := opened
	other.ID, other.Boot, other.At = 0, "before", start.Add(-30*24*time.Hour)
	d, m := activityDesk(t, []history.Event{other, opened, happened(2, 6*time.Minute, monitor.Opened, 80, "nginx", ""), closed})
	test.TapCanvas(d.window.Canvas(), d.eventAt(1))
	m.answer()
	s := d.history.details
	if !s.object.Visible() || len(s.events) != 2 || s.heading.Text != "postgres · shop-db" {
		t.Fatalf("shown: %v, %d events, %q; want the two of this boot", s.object.Visible(), len(s.events), s.heading.Text)
	}
	if got := TenureText(s.tenure(), d.at); got != "today 15:33–15:48" {
		t.Errorf("open %q", got)
	}
	test.TapCanvas(d.window.Canvas(), middle(s.watchPort))
	d.want("asked", d.asked, []string{"watch 5432"})
	d.press(fyne.KeyEscape)
	if s.object.Visible() {
		t.Error("Esc leaves the story open")
	}
	d.press(fyne.KeyUp) // from the chosen line
	d.press(fyne.KeyReturn)
	m.answer()
	if !s.object.Visible() || s.heading.Text != "postgres · shop-db" {
		t.Errorf("Enter shows %q", s.heading.Text)
	}
	d.see()
	test.TapCanvas(d.window.Canvas(), middle(s.showPort))
	if d.tabs.name() != "ports" || d.ports.entry.Text != ":5432" {
		t.Errorf("Show port leads to %s, %q", d.tabs.name(), d.ports.entry.Text)
	}
}

func TestForgettingAsksOnceAndErases(t *testing.T) {
	d, m := activityDesk(t, aYear(500))
	test.TapCanvas(d.window.Canvas(), d.eventAt(1))
	m.answer()
	s, e := d.history.details, d.history.events[0]
	test.TapCanvas(d.window.Canvas(), middle(s.forgetPort))
	want := fmt.Sprintf("Everything remembered of port %d is erased. This cannot be undone.", e.Port)
	if got := d.history.asking.text.Text; got != want {
		t.Errorf("it asks %q; want %q", got, want)
	}
	d.press(fyne.KeyReturn) // the keyboard is on what does nothing
	if len(m.forgot) != 0 || d.window.Canvas().Overlays().Top() != nil {
		t.Fatalf("Keep forgot %v", m.forgot)
	}
	test.TapCanvas(d.window.Canvas(), middle(s.forgetPort))
	d.press(fyne.KeyEscape)
	test.TapCanvas(d.window.Canvas(), middle(s.forgetProject))
	test.TapCanvas(d.window.Canvas(), middle(d.history.asking.yes))
	m.answer()
	if want := []history.Forget{{Project: e.Owner.Project}}; !slices.Equal(m.forgot, want) {
		t.Errorf("forgot %+v; want %+v", m.forgot, want)
	}
	if d.history.events[0].ID == e.ID || s.object.Visible() || d.history.left.Text != "Erased" {
		t.Errorf("after that: first %d, story %v, %q", d.history.events[0].ID, s.object.Visible(), d.history.left.Text)
	}
	test.TapCanvas(d.window.Canvas(), middle(d.history.more))
	d.press(fyne.KeyDown)
	d.press(fyne.KeyReturn)
	test.TapCanvas(d.window.Canvas(), middle(d.history.asking.yes))
	m.answer()
	if len(m.events) != 0 || d.history.empty.title.Text != "Nothing has happened yet" {
		t.Errorf("%d events left; it says %q", len(m.events), d.history.empty.title.Text)
	}
}

// After a click beside its buttons nothing has the keyboard: the page behind the
// question must not have it either.
func TestAQuestionKeepsItsKeysFromThePage(t *testing.T) {
	d, _ := activityDesk(t, aYear(500))
	c, heard := d.window.Canvas(), 0
	c.SetOnTypedKey(func(*fyne.KeyEvent) { heard++ })
	c.SetOnTypedRune(func(rune) { heard++ })
	q := ask(d.window, "Forget?", "", "Forget", func() { t.Error("it is done") }, func() {})
	c.Unfocus()
	c.OnTypedKey()(&fyne.KeyEvent{Name: fyne.KeyDown})
	c.OnTypedRune()('?')
	if heard != 0 || q.popUp.Hidden {
		t.Errorf("the page heard %d keys, hidden %t; want none, and the question there", heard, q.popUp.Hidden)
	}
	c.OnTypedKey()(&fyne.KeyEvent{Name: fyne.KeyEscape})
	if c.OnTypedKey()(&fyne.KeyEvent{Name: fyne.KeyDown}); !q.popUp.Hidden || heard != 1 {
		t.Errorf("after Esc: hidden %t, the page heard %d; want its keys back", q.popUp.Hidden, heard)
	}
}

func TestExportWritesWhatTheFilterShows(t *testing.T) {
	d, m := activityDesk(t, aYear(500))
	d.history.entry.SetText("node 3000-3999")
	m.answer()
	test.TapCanvas(d.window.Canvas(), middle(d.history.export))
	d.press(fyne.KeyDown)
	d.press(fyne.KeyDown)
	d.press(fyne.KeyReturn)
	m.answer()
	if len(m.exported) != 1 || m.exported[0].Text != "node" || m.exported[0].Ports.String() != "3000-3999" || m.exported[0].Limit != 0 {
		t.Errorf("exported %+v", m.exported)
	}
	if got := d.history.left.Text; got != "Saved as /home/ada/porthole-activity-2026-11-24.json" {
		t.Errorf("it says %q", got)
	}
	d.pass(21)
	m.answer()
	if got := d.history.left.Text; got != "100 changes of the last 24 hours match" {
		t.Errorf("later it says %q", got)
	}
}

func TestAnErrorIsOneCalmLine(t *testing.T) {
	d, m := activityDesk(t, aYear(500))
	m.err = errors.New("SQLITE_CORRUPT (11)")
	d.change()
	d.pass(1)
	m.answer()
	if got := d.history.left.Text; got != "What is remembered cannot be read just now; the log says why" {
		t.Errorf("it says %q", got)
	}
	if len(d.history.events) == 0 {
		t.Error("an error emptied the list")
	}
	asked := len(m.asked)
	d.pass(3)
	if len(m.asked) != asked {
		t.Error("it asks again at once")
	}
	m.err = nil
	d.pass(3)
	m.answer()
	if got := d.history.left.Text; strings.Contains(got, "cannot") {
		t.Errorf("when it can be read again it says %q", got)
	}
}

func TestTheChartNeverShowsWhatAnotherFilterHad(t *testing.T) {
	d, m := activityDesk(t, aYear(500))
	if got := d.history.chart.title.Text; got != "Changes in the last 24 hours" {
		t.Errorf("of all it says %q", got)
	}
	d.history.entry.SetText("node")
	d.pass(1)
	if got := d.history.left.Text; got != "500 changes in the last 24 hours" {
		t.Errorf("while it is asked it says %q; want what it still shows", got)
	}
	m.answer()
	if got := d.history.chart.title.Text; got != "Matching changes in the last 24 hours" || d.history.chart.sum() != 100 {
		t.Errorf("of node it says %q with %d", got, d.history.chart.sum())
	}
	m.err = errors.New("SQLITE_BUSY (5)")
	d.history.entry.SetText("python3")
	m.answer()
	if sum := d.history.chart.sum(); sum != 0 || strings.Contains(d.history.left.Text, "24 hours") {
		t.Errorf("after an error it shows %d of another filter, and says %q", sum, d.history.left.Text)
	}
	m.err = nil
	d.pass(6)
	m.answer()
	if d.history.chart.sum() == 0 {
		t.Error("it does not ask again")
	}
}

func TestWhereNothingIsKeptThePageSaysSo(t *testing.T) {
	d := newDesk(t)
	d.tabs.open("activity")
	d.change()
	d.pass(2)
	if got := d.history.empty.title.Text; got != "Activity is not kept here" || !d.history.empty.object.Visible() {
		t.Errorf("it says %q", got)
	}
	d.history.entry.SetText("node")
	if !d.history.export.Disabled() || !d.history.more.Disabled() {
		t.Error("there is something to export or to forget")
	}
}

func TestAPageThatIsNotSeenAsksNothing(t *testing.T) {
	m := &remembers{events: aYear(500)}
	d := deskWith(t, m)
	d.change()
	d.pass(5)
	if len(m.asked) != 0 {
		t.Errorf("asked %v", m.asked)
	}
}

func TestAFreePortSaysWhoHadItLast(t *testing.T) {
	e := happened(1, 106*time.Minute, monitor.Closed, 5432, "postgres", "")
	e.OpenedAt = e.At.Add(-5 * time.Minute)
	m := &remembers{events: []history.Event{e}}
	d := deskWith(t, m)
	d.see(listening(3000, "node", 10))
	d.ports.entry.SetText("5432")
	m.answer()
	if got := d.ports.empty.last.Text; got != "Last: postgres, today 14:02–14:07" || !d.ports.empty.last.Visible() {
		t.Errorf("it says %q", got)
	}
	d.ports.entry.SetText("")
	d.ports.entry.SetText("5432")
	late := m.waiting
	m.waiting = nil
	d.ports.entry.SetText("5431")
	m.newest["last"]-- // a Memory that answers all
	m.waiting = append(late, m.waiting...)
	m.waiting[0]()
	m.newest["last"]++
	m.waiting = m.waiting[1:]
	if d.ports.empty.last.Visible() {
		t.Errorf("of another port it says %q", d.ports.empty.last.Text)
	}
	m.answer()
	if d.ports.empty.last.Visible() {
		t.Errorf("of a port without a past it says %q", d.ports.empty.last.Text)
	}
}

func TestSpan(t *testing.T) {
	at := func(hour, minute, second int) time.Time {
		return time.Date(2026, 11, 24, hour, minute, second, 0, time.UTC)
	}
	for _, c := range []struct {
		spell history.Tenure
		want  string
	}{
		{history.Tenure{From: at(14, 2, 5), To: at(14, 7, 1)}, "today 14:02–14:07"},
		{history.Tenure{From: at(14, 2, 5), To: at(14, 2, 9)}, "today 14:02:05–14:02:09"},
		{history.Tenure{From: at(-10, 2, 0), To: at(9, 7, 0)}, "yesterday 14:02 – today 09:07"},
		{history.Tenure{From: at(-82, 2, 0), To: at(-80, 7, 0)}, "2026-11-20 14:02–16:07"},
		{history.Tenure{From: at(14, 2, 5)}, "since today 14:02"},
		{history.Tenure{From: at(14, 2, 5), AlreadyOpen: true}, "since before today 14:02"},
		{history.Tenure{From: at(14, 2, 5), To: at(14, 7, 1), AlreadyOpen: true}, "until today 14:07"},
		{history.Tenure{From: at(14, 2, 5), To: at(16, 7, 1), Unobserved: true}, "from today 14:02, ended before 16:07 while Porthole was not running"},
		{history.Tenure{From: at(14, 2, 5), To: at(16, 7, 1), Unobserved: true, AlreadyOpen: true}, "ended before today 16:07 while Porthole was not running"},
		{history.Tenure{}, "at a time that is not known"},
	} {
		if got := TenureText(c.spell, at(17, 0, 0)); got != c.want {
			t.Errorf("%+v: %q; want %q", c.spell, got, c.want)
		}
	}
}

func TestHoldersAreThoseWhoLetGo(t *testing.T) {
	opened := happened(1, 60*time.Minute, monitor.Opened, 5432, "postgres", "")
	hands := happened(2, 40*time.Minute, monitor.OwnerChanged, 5432, "python3", "")
	before := opened.Owner
	hands.Listener, hands.OpenedAt, hands.OwnerBefore = opened.Listener, opened.At, &before
	closed := happened(3, 20*time.Minute, monitor.Closed, 5432, "python3", "")
	closed.Listener, closed.OpenedAt = opened.Listener, opened.At
	now := happened(4, 10*time.Minute, monitor.Opened, 5432, "node", "")
	again := happened(5, 5*time.Minute, monitor.Closed, 5432, "ruby", "") // shutdown, then listen: the same socket
	again.Listener, again.OpenedAt = opened.Listener, start.Add(-15*time.Minute)
	var got []string
	for _, h := range pastTenures([]history.Event{again, now, closed, hands, opened}) {
		got = append(got, h.Owner.Name+" "+TenureText(h.Tenure, start))
	}
	if want := []string{"ruby today 15:38–15:48", "python3 today 15:13–15:33", "postgres today 14:53–15:13"}; !slices.Equal(got, want) {
		t.Errorf("%q; want %q", got, want)
	}
}

func TestTheButtonsOfAStoryHaveRoomInGerman(t *testing.T) {
	inGerman(t)
	d, m := activityDesk(t, []history.Event{happened(1, time.Minute, monitor.Opened, 5432, "postgres", "shop-db")})
	test.TapCanvas(d.window.Canvas(), d.eventAt(1))
	m.answer()
	d.window.Canvas().Capture() // lays the story out
	s, right := d.history.details, d.window.Canvas().Size().Width
	for _, b := range []*keyButton{s.showPort, s.watchPort, s.forgetPort, s.forgetProject} {
		if end := fyne.CurrentApp().Driver().AbsolutePositionForObject(b).X + b.Size().Width; !b.Visible() || end > right || b.Size().Width < b.MinSize().Width {
			t.Errorf("%q ends at %v of %v", b.Text, end, right)
		}
	}
}

func TestTheProcessWindowSaysWhoHadItsPortBefore(t *testing.T) {
	e := happened(1, 20*time.Hour, monitor.Closed, 3000, "python3", "api")
	e.OpenedAt = e.At.Add(-9 * time.Hour)
	m := &remembers{events: []history.Event{e}}
	d := deskWith(t, m)
	a, b := listening(3000, "node", 10), listening(8080, "java", 20)
	d.see(a, b)
	d.OpenProcess(a)
	d.OpenProcess(b)
	m.answer()
	for _, p := range d.processes {
		want := map[int]string{10: "yesterday 10:53–19:53  python3 · api", 20: ""}[p.owner.PID]
		if p.pastOwners.Text != want || p.pastOwnersBox.Visible() != (want != "") {
			t.Errorf("%d: %q, shown: %v; want %q", p.owner.PID, p.pastOwners.Text, p.pastOwnersBox.Visible(), want)
		}
		if want != "" && p.pastOwnersBox.Position().Y < p.listening.Position().Y+p.listening.Size().Height {
			t.Errorf("the past is at %v, over the rest", p.pastOwnersBox.Position())
		}
	}
}

func BenchmarkScrollActivity(b *testing.B) {
	d, m := activityDesk(b, aYear(100_000))
	for !d.history.complete {
		d.history.list.ScrollToBottom()
		m.answer()
	}
	canvas, at := d.window.Canvas(), d.eventAt(0)
	at = fyne.NewPos(at.X, 400)
	b.ResetTimer()
	for i := range b.N {
		if i%2000 == 0 {
			d.history.list.ScrollToOffset(0)
		}
		test.Scroll(canvas, at, 0, -90)
	}
}
