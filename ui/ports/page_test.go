package ports

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"porthole/monitor"
	"porthole/monitor/watch"
	"porthole/ui/probe"
	"porthole/ui/table"
	"porthole/ui/uitest"
)

func TestRowMarks(t *testing.T) {
	d := newDesk(t)
	a, b := uitest.Listening(3000, "node", 10), uitest.Listening(8080, "python3", 20, "0.0.0.0")
	b.Since = d.At
	found := uitest.Listening(9000, "dns", 30) // it was open before it was monitored
	d.see(a)
	d.Want("first", d.rows(), []string{"3000"})
	d.see(a, found)
	d.Want("discovered", d.rows(), []string{"3000", "9000"})
	d.Update(monitor.Update{Snapshot: monitor.Snapshot{Listeners: []*monitor.Listener{a}}, Events: []monitor.Event{{Kind: monitor.Unlisted, Listener: found}}, Ready: true})
	d.Want("unlisted", d.rows(), []string{"3000"})
	d.see(a)
	d.see(a, b)
	d.Want("opened", d.rows(), []string{"3000", "8080 new"})
	d.see(b)
	d.Want("closed", d.rows(), []string{"3000 closed", "8080 new"})
	d.At = d.At.Add(markTime)
	d.Tick()
	d.Want("after 3 s", d.rows(), []string{"8080"})
	changed := uitest.Listening(8080, "python3", 20, "127.0.0.1")
	changed.Sockets[0].ID = b.Sockets[0].ID
	d.see(changed)
	d.Want("changed", d.rows(), []string{"8080 changed"})
	for i := range 2 { // each change is marked for 3 s
		d.At = d.At.Add(markTime - time.Second)
		d.Update(d.ChangeOwner(0, 30+i))
		d.Tick()
		d.Want("changed again", d.rows(), []string{"8080 changed"})
	}
	d.At = d.At.Add(markTime)
	d.Tick()
	d.Want("3 s after the last change", d.rows(), []string{"8080"})
}

func TestOtherAddressesAreHidden(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(3000, "node", 10, "192.168.1.5"), uitest.Listening(3001, "node", 10, "::1"))
	d.Want("rows", d.rows(), []string{"3001"})
}

func TestSelectionFollowsListener(t *testing.T) {
	d := newDesk(t)
	a, b := uitest.Listening(3000, "node", 10), uitest.Listening(8080, "python3", 20)
	d.see(a, b)
	test.TapCanvas(d.Window.Canvas(), d.row(1))
	d.see(uitest.Listening(2000, "nc", 30), a, b)
	if r, ok := d.ports.table.Selected(); !ok || r.port != "8080" {
		t.Fatalf("got selection %+v, %v; want 8080", r, ok)
	}
	d.ports.table.Sort("process", true)
	if r, ok := d.ports.table.Selected(); !ok || r.port != "8080" {
		t.Fatalf("after sorting: got selection %+v, %v; want 8080", r, ok)
	}
}

func TestAddressColumn(t *testing.T) {
	d := newDesk(t)
	v4, v6 := uitest.Listening(5173, "node", 10, "127.0.0.1"), uitest.Listening(5173, "node", 20, "::1")
	d.see(v4, v6)
	columns := portColumns(nil, d.ports.clock)
	at := slices.IndexFunc(columns, func(c table.Column[*portRow]) bool { return c.ID == "address" })
	addresses := func() []string {
		var texts []string
		for _, r := range d.ports.table.Rows() {
			texts = append(texts, columns[at].Cell(r).Text)
		}
		return texts
	}
	if !columns[at].Extra {
		t.Error("the address column is visible by default")
	}
	d.ports.table.SetColumns(table.Columns{Shown: []string{"address"}})
	d.Want("columns to restore", d.ports.State().Columns.Shown, []string{"address"})
	d.ports.table.Sort("address", true)
	d.Want("descending", addresses(), []string{"::1", "127.0.0.1"})
	d.ports.table.Sort("address", false)
	d.Want("ascending", addresses(), []string{"127.0.0.1", "::1"})
	both := uitest.Listening(5173, "node", 20, "::1", "127.0.0.2")
	d.see(v4, both)
	d.Want("one with another address", d.rows(), []string{"5173", "5173 changed"})
}

func TestStar(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(3000, "node", 10), uitest.Listening(62893, "vite", 20))
	star := func(i int) { test.TapCanvas(d.Window.Canvas(), fyne.NewPos(17, d.row(i).Y)) }
	star(0)
	star(1)
	d.Want("requests", d.Asked, []string{"watch 3000", "unwatch 62893"})
}

// The star toggles what it shows, also under a range and for UDP.
func TestStarUnderARangeAndOfUDP(t *testing.T) {
	d := newDesk(t)
	compose := watch.Rule{Ports: uitest.Ports(t, "40001-40008")}
	without := watch.Rule{Ports: uitest.Ports(t, "40001-40008"), Except: uitest.Ports(t, "40003")}
	mdns := watch.Rule{Ports: uitest.Ports(t, "5353"), Protocol: monitor.UDP}
	udp, other := uitest.Listening(5353, "avahi", 30), uitest.Listening(6000, "x", 31)
	udp.Protocol, other.Protocol = monitor.UDP, monitor.UDP
	d.setRules(compose)
	d.see(uitest.Listening(40003, "node", 10), udp, other)
	d.Want("rows without UDP", d.rows(), []string{"40003"})
	ask := func(want ...watch.Rule) {
		t.Helper()
		d.Want("requests", d.Asked, []string{fmt.Sprintf("watches %+v", watch.Rules(want))})
		d.Asked = nil
		d.setRules(want...)
	}
	d.ports.watch(d.ports.table.Rows()[0].listener)
	ask(without)
	if text := d.ports.left.Text; !strings.Contains(text, "40003 is excluded from the watch “40001-40008”") {
		t.Errorf("got the notice %q", text)
	}
	d.ports.Undo()
	ask(compose)
	d.ports.watch(udp)
	ask(compose, mdns)
	d.see(uitest.Listening(40003, "node", 10), udp, other)
	d.Want("rows with a watched UDP port", d.rows(), []string{"5353 UDP", "40003"})
	d.ports.watch(udp)
	ask(compose)
}

func TestFreePortOffersWatch(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(3000, "node", 10))
	d.ports.entry.SetText("5432")
	if got := d.ports.empty.Title.Text; got != "Nothing listens on 5432" {
		t.Errorf("before the answer: got %q", got)
	}
	d.ShowProbe(freeProbe(5432, 62893))
	if got := d.ports.empty.Title.Text; got != "5432 is free" || !d.ports.empty.Object.Visible() {
		t.Fatalf("got empty state %q", got)
	}
	test.Tap(d.ports.empty.Button)
	d.Want("requests", d.Asked, []string{"watch 5432"})
	d.ShowPort(62893)
	d.ShowProbe(freeProbe(62893))
	if got := d.ports.empty.Title.Text; got != "62893 is free" || d.ports.empty.Button.Visible() {
		t.Fatalf("watched free port: got %q, offers to watch %v", got, d.ports.empty.Button.Visible())
	}
	d.ShowPort(3000)
	if r, ok := d.ports.table.Selected(); !ok || r.port != "3000" || d.ports.entry.Text != "" {
		t.Fatalf("ShowPort(3000): got selection %+v and filter %q", r, d.ports.entry.Text)
	}
}

// A port that is open at another address than the pasted one is not called free.
func TestPortAtAnotherAddressIsNotCalledFree(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(3000, "node", 10, "127.0.0.1"))
	d.ports.entry.SetText("Error: connect ECONNREFUSED ::1:3000")
	if got := d.ports.empty.Title.Text; got != "Nothing listens on [::1]:3000" || !d.ports.empty.Object.Visible() {
		t.Errorf("got empty state %q", got)
	}
	if got := d.ports.empty.More.Text; got != "The same port is in use on 127.0.0.1:3000." {
		t.Errorf("got explanation %q", got)
	}
	if got := d.ports.empty.Button; !got.Visible() || got.Text != "Show it" {
		t.Fatalf("got button %q, visible %v; want Show it", got.Text, got.Visible())
	}
	test.Tap(d.ports.empty.Button)
	if r, ok := d.ports.table.Selected(); !ok || r.port != "3000" {
		t.Errorf("after Show it: got selection %+v", r)
	}
}

// If the ports can't be read or the agent has disconnected, no port may be called free.
func TestUnknownPortIsNotCalledFree(t *testing.T) {
	d := newDesk(t)
	failing := Status{Health: monitor.Health{Problem: "it is broken"}}
	wantTitle := func(when, want string) {
		t.Helper()
		for _, filter := range []string{"", "5432", "nothing"} {
			d.ports.entry.SetText(filter)
			if got := d.ports.empty.Title.Text; got != want || !d.ports.empty.Object.Visible() || d.ports.empty.Button.Visible() {
				t.Errorf("%s, filter %q: got %q, offers to watch %v; want %q", when, filter, got, d.ports.empty.Button.Visible(), want)
			}
		}
	}
	d.SetStatus(failing)
	wantTitle("before the first snapshot", "Can't read the ports")
	d.SetStatus(Status{})
	d.see()
	d.SetStatus(failing)
	wantTitle("later", "Can't read the ports")
	d.ports.entry.SetText("")
	d.Disconnect()
	wantTitle("disconnected", "Porthole is not monitoring")
}

func TestDisconnect(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(3000, "node", 10))
	d.Disconnect()
	if !d.ports.warning.Object.Visible() || !d.ports.warning.Again.Visible() {
		t.Fatal("no warning about the disconnected agent")
	}
	test.Tap(d.ports.warning.Again)
	d.Want("requests", d.Asked, []string{"restart"})
	if got := d.ports.right.Text; got != "not monitoring" {
		t.Errorf("got status line %q", got)
	}
}

func TestAmbiguousLocalhostInRows(t *testing.T) {
	d := newDesk(t)
	v4, v6, other := uitest.Listening(5173, "node", 10, "127.0.0.1"), uitest.Listening(5173, "deno", 20, "::1"), uitest.Listening(8080, "python3", 30, "0.0.0.0")
	d.see(v4, other)
	exposures := func() []string {
		var texts []string
		for _, r := range d.ports.table.Rows() {
			texts = append(texts, exposureCell(r).Text)
		}
		return texts
	}
	d.Want("one", exposures(), []string{"local only", "network"})
	d.see(v4, v6, other)
	d.Want("two families", exposures(), []string{"ambiguous", "ambiguous", "network"})
	d.see(v4, v6, other, uitest.Listening(8080, "caddy", 40, "::1"))
	d.Want("one of them exposed", exposures(), []string{"ambiguous", "ambiguous", "network !", "ambiguous"})
	d.see(v4, other)
	d.At = d.At.Add(markTime)
	d.Tick()
	d.Want("one family again", exposures(), []string{"local only", "network"})
}

func TestFilterKeepsSelectionAndOrder(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(3000, "node", 10), uitest.Listening(8080, "python3", 20), uitest.Listening(9000, "Node", 30))
	d.ports.table.Sort("process", true)
	d.Want("sorted", d.rows(), []string{"8080", "9000", "3000"})
	d.ports.table.Select("tcp-9000-30")
	d.ports.entry.SetText("node")
	d.Want("filtered", d.rows(), []string{"9000", "3000"})
	d.Update(d.ChangeOwner(1, 77)) // the owner of 8080, which the filter hides, changes to deno
	d.Want("still filtered", d.rows(), []string{"9000", "3000"})
	d.ports.entry.SetText("deno")
	d.Want("found by its new owner", d.rows(), []string{"8080 changed"})
	d.ports.entry.SetText("")
	d.Want("all", d.rows(), []string{"9000", "3000", "8080 changed"})
	if r, ok := d.ports.table.Selected(); !ok || r.port != "8080" {
		t.Errorf("got selection %+v, %v; want 8080, which was the only match", r, ok)
	}
}

// Ascending, then descending. The port breaks ties.
func TestSortByEachColumn(t *testing.T) {
	d := newDesk(t)
	d.setRules(watch.Rule{Ports: uitest.Ports(t, "8080")})
	node, java, deno, unowned := uitest.Listening(3000, "node", 30), uitest.Listening(7000, "java", 20), uitest.Listening(8080, "Deno", 100, "0.0.0.0"), uitest.Listening(9000, "", 0)
	node.Since, deno.Since = d.At.Add(-time.Hour), d.At.Add(-time.Minute)
	java.Owners[0].StartedAt = d.At.Add(-30 * time.Minute)
	node.Project, java.Service, unowned.User = "shop", "Express", "root"
	d.see(node, java, deno, unowned)
	d.ShowProbe(probe.Result{At: d.At, Counts: map[string]int{node.ID: 2, deno.ID: 10, java.ID: 0}})
	for column, up := range map[string][]string{
		"watch": {"8080", "3000", "7000", "9000"}, "port": {"3000", "7000", "8080", "9000"}, "process": {"8080", "7000", "3000", "9000"},
		"pid": {"9000", "7000", "3000", "8080"}, "user": {"3000", "7000", "8080", "9000"}, "exposure": {"8080", "3000", "7000", "9000"},
		"project": {"7000", "8080", "9000", "3000"}, "service": {"3000", "8080", "9000", "7000"}, "up": {"8080", "7000", "3000", "9000"},
		"conns": {"9000", "7000", "3000", "8080"},
	} {
		d.ports.table.Sort(column, false)
		d.Want(column, d.rows(), up)
		d.ports.table.Sort(column, true)
		slices.Reverse(up)
		d.Want(column+", down", d.rows(), up)
	}
}

// A change that affects the order, filters, counts or cards must update more than the row's cells.
func TestChangeUpdatesOrderFiltersAndCards(t *testing.T) {
	d := newDesk(t)
	d.setRules(watch.Rule{Ports: uitest.Ports(t, "9000")})
	d.see(uitest.Listening(3000, "node", 10), uitest.Listening(8080, "python3", 20), uitest.Listening(9000, "java", 30))
	d.ports.entry.SetText("deno")
	d.Want("no match", d.rows(), nil)
	d.Update(d.ChangeOwner(1, 77))
	d.Want("after 8080 changed to deno", d.rows(), []string{"8080 changed"})
	d.ports.entry.SetText("")
	d.ports.table.Sort("process", false)
	d.Want("by process", d.rows(), []string{"8080 changed", "9000", "3000"})
	d.Update(d.ChangeOwner(0, 78)) // the owner of 3000 changes to deno
	d.Want("moved", d.rows(), []string{"3000 changed", "8080 changed", "9000"})
	d.Update(d.ChangeOwner(2, 79))
	if got := d.ports.cards.cards[0].model.detail; got != "deno" {
		t.Errorf("got card %q, want deno", got)
	}
	before := d.Last.Listeners[1]
	after := *before
	after.Exposure, after.Addresses = monitor.ExposureNetwork, []netip.Addr{netip.MustParseAddr("0.0.0.0")}
	d.Last.Listeners = slices.Clone(d.Last.Listeners)
	d.Last.Listeners[1] = &after
	d.Update(monitor.Update{Snapshot: d.Last, Events: []monitor.Event{{Kind: monitor.ExposureChanged, Listener: &after, Before: before}}, Ready: true})
	if got := d.ports.quick.segments[quickExposed].Number; got != 1 {
		t.Errorf("got %d exposed, want 1", got)
	}
	d.ports.table.Select(after.ID)
	d.Update(d.ChangeOwner(1, 80))
	if got := d.ports.details.pid.Text; got != "PID 80" {
		t.Errorf("got details %q, want PID 80", got)
	}
	d.ports.setQuick(quickMine)
	d.Want("ada's", d.rows(), []string{"3000 changed", "8080 changed", "9000 changed"})
	before = d.Last.Listeners[0]
	roots := *before
	roots.User = "root"
	changes := []monitor.Event{{Kind: monitor.OwnerChanged, Listener: &roots, Before: before}}
	d.Last = monitor.Apply(d.Last, changes)
	d.Update(monitor.Update{Snapshot: d.Last, Events: changes, Ready: true})
	d.Want("after 3000 changed to root", d.rows(), []string{"8080 changed", "9000 changed"})
	if got := d.ports.quick.segments[quickMine].Number; got != 2 {
		t.Errorf("got %d of ada, want 2", got)
	}
}

// A port whose owner changes must move to the group of its new owner.
func TestOwnerChangeMovesToGroup(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(3000, "node", 10), uitest.Listening(8080, "deno", 20), uitest.Listening(9229, "node", 10))
	d.ports.ToggleGroup()
	d.Want("grouped", d.rows(), []string{"3000", "9229", "8080"})
	d.Update(d.ChangeOwner(2, 20))
	d.Want("after 9229 changed owner", d.rows(), []string{"3000", "8080", "9229 changed"})
	d.Update(d.ChangeOwner(0, 20))
	d.Want("after 3000 changed owner", d.rows(), []string{"3000 changed", "8080", "9229 changed"})
}

func TestTypingFiltersAfterClick(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(3000, "node", 10), uitest.Listening(9000, "java", 30))
	test.Tap(d.ports.pause)
	d.MenuItem(2)
	d.Window.Canvas().Focused().TypedRune('j')
	d.Want("filtered", d.rows(), []string{"9000"})
	d.Want("requests", d.Asked, []string{"pause 0s"})
}

func TestPauseMenu(t *testing.T) {
	d := newDesk(t)
	for i := range 3 {
		test.Tap(d.ports.pause)
		d.MenuItem(i)
	}
	d.Want("requests for", d.Asked, []string{"pause 15m0s", "pause 1h0m0s", "pause 0s"})
	d.SetStatus(Status{Paused: true})
	test.Tap(d.ports.pause)
	d.Want("requests while paused", d.Asked[3:], []string{"resume"})
}

// Before the agent has sent anything, the window must not claim anything.
func TestEmptyBeforeFirstStatus(t *testing.T) {
	d := silentDesk(t, nil)
	texts := func() []string {
		return []string{d.ports.left.Text, d.ports.right.Text, d.ports.quick.segments[0].Text.Text, d.ports.empty.Title.Text}
	}
	d.Want("initially", texts(), []string{"", "", "All", "Loading…"})
	d.SetStatus(Status{Notifications: true, Rules: watch.Default(), Health: monitor.Health{Interval: 250 * time.Millisecond}})
	d.Want("with the agent's status", texts(), []string{"", "polling every 250 ms", "All", "Loading…"})
	if d.ports.cards.object.Visible() {
		t.Error("the cards are visible before the first snapshot")
	}
	d.see(uitest.Listening(62893, "node", 10))
	d.Want("with a snapshot", texts(), []string{"1 listener · 1 of 1 watched open · 0 exposed to the network", "polling every 250 ms", "All 1", "Loading…"})
	if !d.ports.cards.object.Visible() || d.ports.empty.Object.Visible() {
		t.Error("the listeners are not shown")
	}
}

// Typing continues the filter restored from the last window.
func TestTypingContinuesRestoredFilter(t *testing.T) {
	d := newDesk(t)
	d.ports.Restore(State{Filter: "300"})
	d.ports.table.Focus()
	d.Window.Canvas().Focused().TypedRune('0')
	if got := d.ports.entry.Text; got != "3000" {
		t.Errorf("got filter %q, want 3000", got)
	}
}

// The pointer is over the table while the filter is used.
func TestFilterNeverScrollsPastTheEnd(t *testing.T) {
	d := newDesk(t)
	var all []*monitor.Listener
	for i := range 6 {
		all = append(all, uitest.Listening(uint16(3000+i), "node", 10+i))
	}
	d.see(all...)
	test.MoveMouse(d.Window.Canvas(), d.row(4))
	for _, port := range []string{"3005", "3000", "3003", "30"} {
		d.ports.entry.SetText(port)
		d.ports.entry.SetText("")
		d.Tick()
		d.see(all...)
		if top, want := d.row(0).Y, fyne.CurrentApp().Driver().AbsolutePositionForObject(d.ports.table).Y+1.5*table.RowHeight; top != want {
			t.Errorf("after filter %s: got the first row at %v, want %v", port, top, want)
		}
	}
}

func TestOnlyMatchIsSelected(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(3000, "node", 10), uitest.Listening(8080, "python3", 20), uitest.Listening(9000, "java", 30))
	d.ports.table.Select("tcp-3000-10")
	d.ports.entry.SetText("python")
	if r, ok := d.ports.table.Selected(); !ok || r.port != "8080" {
		t.Errorf("got selection %+v, %v; want the only match, 8080", r, ok)
	}
	if !d.ports.details.visible() || d.ports.details.model.name != "python3" {
		t.Errorf("got details of %q, want those of python3", d.ports.details.model.name)
	}
}

// labels returns all texts of the table.
func (d *desk) labels() (labels []string) {
	for _, text := range uitest.Texts(d.ports.table) {
		labels = append(labels, text.Text)
	}
	return labels
}

// Worktrees of one project differ in nothing but the branch, and two servers on one port only in
// the address.
func TestDistinguishingColumnsAppear(t *testing.T) {
	d := newDesk(t)
	d.Window.Resize(fyne.NewSize(1600, 600))
	listening := func(port uint16, pid int, branch string, command ...string) *monitor.Listener {
		l := uitest.Listening(port, "node", pid)
		l.Project, l.Owners[0].Project, l.Owners[0].Branch, l.Owners[0].Command = "shop", "shop", branch, command
		return l
	}
	main := listening(3000, 10, "main", "node", "a.js")
	shown := func(label string) bool { return slices.Contains(d.labels(), label) }
	want := func(when string, address, branch, command bool) {
		t.Helper()
		if shown("Address") != address || shown("Branch") != branch || shown("Command") != command {
			t.Errorf("%s: got address %v, branch %v, command %v, want %v, %v, %v", when, shown("Address"), shown("Branch"), shown("Command"), address, branch, command)
		}
	}
	d.see(main, uitest.Listening(8080, "python3", 20))
	want("different programs", false, false, false)
	d.see(main, listening(3001, 11, "feature/checkout", "node", "a.js"))
	want("two worktrees", false, true, false)
	d.see(main, listening(3001, 12, "main", "node", "b.js"))
	want("two commands", false, true, true)
	other := uitest.Listening(3000, "python3", 20, "127.0.0.2")
	d.see(main, other)
	want("one port at two addresses", true, true, true)
	if left := d.ports.State().Columns; len(left.Shown) > 0 {
		t.Errorf("got stored columns %v, want none: the user chose none", left.Shown)
	}
}

// What becomes known later about listeners makes columns appear too.
func TestBranchAppearsAfterEnrichment(t *testing.T) {
	d := newDesk(t)
	d.Window.Resize(fyne.NewSize(1600, 600))
	a, b := uitest.Listening(3000, "node", 10), uitest.Listening(3001, "node", 11)
	d.see(a, b)
	for _, l := range []struct {
		l      *monitor.Listener
		branch string
	}{{a, "main"}, {b, "feature"}} {
		known := *l.l
		known.Project, known.Owners = "shop", []monitor.Owner{l.l.Owners[0]}
		known.Owners[0].Branch = l.branch
		events := []monitor.Event{{At: d.At, Kind: monitor.Updated, Listener: &known, Before: l.l}}
		d.Last = monitor.Apply(d.Last, events)
		d.Update(monitor.Update{Snapshot: d.Last, Events: events, Ready: true})
	}
	d.Tick()
	if !slices.Contains(d.labels(), "feature") {
		t.Errorf("got texts %q, want the branch", d.labels())
	}
}

// A warning is a sign in the row, a text for screen readers, and a quick filter.
func TestWarningsInRows(t *testing.T) {
	d := newDesk(t)
	odd, plain := uitest.Listening(3000, "node", 10), uitest.Listening(8080, "python3", 20)
	odd.Owners[0].Program = "/tmp/node"
	d.see(odd, plain)
	marked := func() (out []string) {
		for _, r := range d.ports.table.Rows() {
			if warningCell(r).Text != "" {
				out = append(out, r.port)
			}
		}
		return out
	}
	d.Want("marked", marked(), []string{"3000"})
	if got := d.ports.table.Rows()[0].AccessibleText(); !strings.Contains(got, "1 warning") {
		t.Errorf("got accessible text %q, want it to contain the warning", got)
	}
	quick := d.ports.quick.segments[quickWarnings]
	if got := quick.Text.Text; got != "Warnings 1" {
		t.Errorf("got %q, want \"Warnings 1\"", got)
	}
	test.Tap(quick)
	d.Want("filtered", d.rows(), []string{"3000"})
	test.Tap(d.ports.quick.segments[quickAll])
	if asked := d.ports.Unchecked(); len(asked) != 2 {
		t.Errorf("got %d processes to check, want both", len(asked))
	}
	d.ShowProbe(probe.Result{At: d.At, Processes: map[probe.ProcessID]monitor.ProcessState{
		probe.IDOf(odd.Owners[0]): {}, probe.IDOf(plain.Owners[0]): {Preload: "/tmp/x.so"}}})
	d.Want("after a probe", marked(), []string{"3000", "8080"})
	if asked := d.ports.Unchecked(); len(asked) != 0 {
		t.Errorf("got %d processes to check, want none so soon", len(asked))
	}
	if d.At = d.At.Add(recheckAfter); len(d.ports.Unchecked()) != 2 {
		t.Error("the processes are not checked again")
	}
}

// The details pane keeps its place, so that no column moves when a selected row closes.
func TestColumnsStayWithoutSelection(t *testing.T) {
	d := newDesk(t)
	a, b := uitest.Listening(3000, "node", 10), uitest.Listening(4000, "node", 11)
	d.see(a, b)
	d.ports.table.Select(a.ID)
	width := d.ports.table.Size().Width
	d.see(b)
	d.At = d.At.Add(markTime)
	d.Tick()
	if got := d.ports.table.Size().Width; got != width || d.ports.details.visible() {
		t.Errorf("selected row closed: got width %v, details %v, want %v and none", got, d.ports.details.visible(), width)
	}
	d.ports.entry.SetText("nothing like this")
	if got := d.ports.table.Size().Width; got != width {
		t.Errorf("nothing found: got width %v, want %v", got, width)
	}
}

func TestGroupHeadNamesProcess(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(3000, "node", 10), uitest.Listening(8080, "deno", 20), uitest.Listening(9229, "node", 10))
	d.ports.ToggleGroup()
	has := func(text string) bool { return slices.Contains(d.labels(), text) }
	if !has("PID 10 · 2 ports") {
		t.Errorf("got texts %q, want the head of PID 10", d.labels())
	}
	d.ports.table.Select("tcp-3000-10")
	d.Window.Canvas().Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyLeft})
	if !has("PID 10 · 2 ports: 3000, 9229") || has("9229") {
		t.Errorf("folded: got texts %q", d.labels())
	}
	d.ports.CopyRow()
	if last := d.Asked[len(d.Asked)-1]; !strings.Contains(last, "3000") || !strings.Contains(last, "9229") {
		t.Errorf("got %q, want both rows copied", last)
	}
	next := newDesk(t)
	next.ports.Restore(d.ports.State())
	next.see(d.Last.Listeners...)
	if got := next.ports.table.Folded(); len(got) != 1 {
		t.Errorf("restored: got folded %q, want one group", got)
	}
	d.ShowPort(9229)
	if !has("9229") {
		t.Error("the group of a port that is shown is not unfolded")
	}
}

// At 200 % on a screen of 1280 pixels the window is 640 wide.
func TestNarrowPageFits(t *testing.T) {
	for _, german := range []bool{false, true} {
		if german {
			uitest.InGerman(t)
		}
		d := newDesk(t)
		d.see(uitest.SampleListeners(d.At)...)
		d.Window.Resize(fyne.NewSize(640, 400))
		if got := d.ports.Content.MinSize().Width; got > 640 {
			t.Errorf("German %v: got minimum width %v, want at most 640", german, got)
		}
		if got := d.ports.entry.Size().Width; got < minFilterWidth {
			t.Errorf("German %v: got a filter field %v wide, want at least %v", german, got, minFilterWidth)
		}
		for _, s := range append(slices.Clone(d.ports.quick.segments), d.ports.udp, d.ports.allAddresses, d.ports.grouped) {
			at := fyne.CurrentApp().Driver().AbsolutePositionForObject(s)
			if at.X+s.Size().Width > 640 {
				t.Errorf("German %v: %q ends at %v", german, s.Text.Text, at.X+s.Size().Width)
			}
		}
		labels := d.labels()
		for _, label := range []string{"Port", "Process"} {
			if !german && !slices.Contains(labels, label) {
				t.Errorf("got no column %q", label)
			}
		}
	}
}

// In a narrow table, too, two servers on one port differ: the branch or the address stays longer
// than the age.
func TestNarrowRowsDiffer(t *testing.T) {
	shop := func(pid int, branch, address string) *monitor.Listener {
		l := uitest.Listening(5173, "node", pid, address)
		l.Project, l.Owners[0].Project, l.Owners[0].Branch, l.Owners[0].Folder = "shop", "shop", branch, "/src/shop"
		return l
	}
	for _, c := range []struct {
		what           string
		a, b           *monitor.Listener
		wanted, absent string
	}{
		{"two worktrees", shop(10, "main", "127.0.0.1"), shop(11, "feature/checkout", "::1"), "Branch", "Address"},
		{"two addresses", shop(10, "main", "127.0.0.1"), shop(11, "main", "::1"), "Address", "Branch"},
		{"one server", shop(10, "main", "127.0.0.1"), uitest.Listening(3000, "node", 12), "Up", "Address"},
	} {
		d := newDesk(t)
		d.Window.Resize(fyne.NewSize(480, 400))
		d.see(c.a, c.b)
		labels := d.labels()
		for _, label := range []string{"Port", "Process", "Exposure", c.wanted} {
			if !slices.Contains(labels, label) {
				t.Errorf("%s: got %q, want the column %q", c.what, labels, label)
			}
		}
		if slices.Contains(labels, c.absent) {
			t.Errorf("%s: got %q, want no column %q", c.what, labels, c.absent)
		}
	}
}

// A long text gets the space that other columns do not need, and no column changes its width
// because a row closes.
func TestCutTextsGetSpareSpace(t *testing.T) {
	const project = "warehouse-management"
	d := newDesk(t)
	d.Window.Resize(fyne.NewSize(900, 400))
	l := uitest.Listening(8080, "java", 20)
	l.Project, l.Owners[0].Project = project, project
	d.see(uitest.Listening(3000, "node", 10), l)
	if labels := d.labels(); !slices.Contains(labels, project) || !slices.Contains(labels, "local only") || !slices.Contains(labels, "Exposure") {
		t.Errorf("got texts %q, want the whole project, exposure and labels", labels)
	}
	d.see(uitest.Listening(3000, "node", 10))
	d.At = d.At.Add(markTime)
	d.Tick()
	before := d.labels()
	d.see(uitest.Listening(3000, "node", 10), l)
	d.At = d.At.Add(markTime)
	d.Tick()
	if after := d.labels(); len(before) == 0 || !slices.Contains(after, project) {
		t.Errorf("after it opened again: got texts %q", after)
	}
	other := uitest.Listening(8080, "ruby", 30, "::1") // the addresses appear, and need less than their column
	other.Owners = append(other.Owners, monitor.Owner{PID: 12345, Name: "ruby"})
	other.Owners[0].PID = 12344
	d = newDesk(t)
	d.Window.Resize(fyne.NewSize(940, 400))
	d.see(l, other)
	for _, text := range []string{"Address", project, "12344 +1"} {
		if !slices.Contains(d.labels(), text) {
			t.Errorf("with addresses: got texts %q, want %q", d.labels(), text)
		}
	}
}

// The status line counts the rows, like "All": two servers on one port are two listeners.
func TestStatusLineCountsRows(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(3000, "node", 10, "127.0.0.1"), uitest.Listening(3000, "ruby", 20, "::1"))
	if got := d.ports.left.Text; len(d.ports.table.Rows()) != 2 || !strings.HasPrefix(got, "2 listeners ·") {
		t.Errorf("got status %q with %d rows, want 2 listeners", got, len(d.ports.table.Rows()))
	}
}
