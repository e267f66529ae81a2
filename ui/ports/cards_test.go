package ports

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"porthole/monitor"
	"porthole/monitor/connection"
	"porthole/monitor/history"
	"porthole/monitor/history/lastowner"
	"porthole/monitor/watch"
	"porthole/ui/uitest"
)

func (d *desk) setRules(rules ...watch.Rule) {
	d.SetStatus(Status{Rules: rules, User: "ada"})
}

func TestCards(t *testing.T) {
	d := newDesk(t)
	d.setRules(watch.Rule{Ports: uitest.Ports(t, "62893")}, watch.Rule{Ports: uitest.Ports(t, "8080")}, watch.Rule{Ports: uitest.Ports(t, "5432"), Name: "the shop's"},
		watch.Rule{Ports: uitest.Ports(t, "3000-3999")}, watch.Rule{Ports: uitest.Ports(t, "9000"), Off: true})
	vite := uitest.Listening(62893, "node", 10)
	vite.Project, vite.Service, vite.Since = "acme-web", "Vite", d.At.Add(-12*time.Minute)
	d.see(vite, uitest.Listening(8080, "python3", 20, "0.0.0.0"), uitest.Listening(3000, "node", 30), uitest.Listening(3001, "deno", 31))
	d.ShowProbe(freeProbe(5432))
	d.Want("cards", d.cards(), []string{
		"62893 ● listening: node · acme-web (Vite) · up 12 min",
		"8080 ◐ exposed to the network: python3",
		"the shop's ○ free: 5432",
		"3000-3999 ● 2 listening: 3000 node, 3001 deno",
	})
	d.setRules()
	if d.ports.cards.object.Visible() {
		t.Error("cards are visible without watches")
	}
}

func TestCardSelectsPort(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(3000, "node", 10), uitest.Listening(62893, "vite", 20))
	d.ports.setQuick(quickExposed)           // shows neither listener
	d.Window.Resize(fyne.NewSize(1001, 600)) // forces a layout
	c := d.ports.cards.cards[0]
	test.TapCanvas(d.Window.Canvas(), fyne.CurrentApp().Driver().AbsolutePositionForObject(c).Add(fyne.NewPos(30, 30)))
	if r, ok := d.ports.table.Selected(); !ok || r.port != "62893" {
		t.Errorf("got selection %+v, %v; want 62893", r, ok)
	}
	d.Want("all rows", d.rows(), []string{"3000", "62893"})
	c.FocusGained()
	d.ports.table.Select("")
	c.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if r, _ := d.ports.table.Selected(); r == nil || r.port != "62893" {
		t.Errorf("by keyboard: got selection %+v, want 62893", r)
	}
}

// lastHistory is a History that has the last owner of every port and counts the requests.
type lastHistory struct {
	last  *history.Tenure // nil: none
	asked int
}

func (m *lastHistory) LastOwner(_ monitor.Protocol, _ monitor.Ports, done func(history.Tenure, bool, error)) {
	m.asked++
	if m.last == nil {
		done(history.Tenure{}, false, nil)
		return
	}
	done(*m.last, true, nil)
}

func tenure(name string, from time.Time, d time.Duration) *history.Tenure {
	return &history.Tenure{Owner: history.Owner{Name: name}, Protocol: monitor.TCP, From: from, To: from.Add(d)}
}

func TestCardOfFreePortShowsLastOwner(t *testing.T) {
	m := &lastHistory{}
	d := deskWith(t, m)
	m.last = tenure("postgres", d.At.Add(-2*time.Hour), 5*time.Minute)
	d.see()
	d.ShowProbe(freeProbe(62893))
	c := d.ports.cards.cards[0]
	if want := "Last: postgres, today 13:53–13:58"; c.model.state != "○ free" || c.model.detail != want {
		t.Errorf("got card %q %q, want %q", c.model.state, c.model.detail, want)
	}
	asked := m.asked
	d.Tick()
	if m.asked != asked {
		t.Error("looked up again although nothing changed")
	}
	d.At = d.At.Add(24 * time.Hour)
	d.Tick()
	if want := "Last: postgres, yesterday 13:53–13:58"; c.model.detail != want {
		t.Errorf("a day later: got card %q, want %q", c.model.detail, want)
	}
}

// Two servers have the port one after the other. The history has the end of the second only
// later; card and empty page name it at once, and agree.
// A UDP port has a last owner of its own.
func TestCardOfUDPPortShowsItsLastOwner(t *testing.T) {
	h := &uitest.FakeHistory{}
	d := deskWith(t, h)
	dns, web := uitest.Listening(5353, "avahi-daemon", 10), uitest.Listening(5353, "node", 11)
	dns.Protocol = monitor.UDP
	h.Past = []history.Event{history.NewEvent(monitor.Event{Kind: monitor.Closed, Listener: dns, At: d.At.Add(-time.Hour)}, ""),
		history.NewEvent(monitor.Event{Kind: monitor.Closed, Listener: web, At: d.At.Add(-time.Minute)}, "")}
	udp := uitest.Rule(t, "5353", "")
	udp.Protocol = monitor.UDP
	d.SetStatus(Status{Rules: watch.Rules{udp, uitest.Rule(t, "5353", "")}})
	d.see()
	for _, answer := range h.Waiting {
		answer()
	}
	for i, want := range []string{"avahi-daemon", "node"} {
		if c := d.ports.cards.cards[i]; !strings.Contains(c.model.detail, want) {
			t.Errorf("card %q: got %q, want %s", c.model.title, c.model.detail, want)
		}
	}
	dns.Owners[0].Name = "dnsmasq"
	d.see(dns)
	d.see()
	if c := d.ports.cards.cards[0]; !strings.Contains(c.model.detail, "dnsmasq") {
		t.Errorf("after it closed: got %q", c.model.detail)
	}
}

func TestLastOwnerIsTheLastOne(t *testing.T) {
	m := &lastHistory{}
	d := deskWith(t, m)
	first := uitest.Listening(62893, "python3", 10)
	first.Since = d.At
	d.see()
	d.see(first)
	d.At = d.At.Add(5 * time.Minute)
	d.see()
	m.last = tenure("python3", first.Since, 5*time.Minute) // stored by now
	d.At = d.At.Add(time.Minute)
	second := uitest.Listening(62893, "node", 11)
	second.Since = d.At
	d.see(second)
	d.At = d.At.Add(3 * time.Minute)
	d.see()
	if got, want := d.ports.cards.cards[0].model.detail, "Last: node, today 15:59–16:02"; got != want {
		t.Errorf("at once: got card %q, want %q", got, want)
	}
	d.At = d.At.Add(markTime)
	d.Tick() // the closed row is gone
	d.ports.ShowPort(62893)
	agree := func(when, want string) {
		t.Helper()
		if card, empty := d.ports.cards.cards[0].model.detail, d.ports.empty.Last.Text; card != want || empty != want {
			t.Errorf("%s: got card %q and empty page %q, want %q", when, card, empty, want)
		}
	}
	d.At = d.At.Add(lastowner.HistoryDelay)
	d.Tick()
	agree("while the history lags behind", "Last: node, today 15:59–16:02")
	m.last = tenure("node · shop", second.Since.Add(time.Minute), 2*time.Minute) // it changed its owner before this window opened
	d.ports.lastOwners.Keep(func(lastowner.Port) bool { return false })
	d.Tick()
	agree("from the history", "Last: node · shop, today 16:00–16:02")
}

func TestCardOfNeverOpenPort(t *testing.T) {
	r := &uitest.FakeHistory{}
	d := deskWith(t, r)
	d.see()
	c := d.ports.cards.cards[0]
	if c.model.detail != "" {
		t.Errorf("got card %q before the history answered, want an empty one", c.model.detail)
	}
	r.Answer()
	if want := "never seen open"; c.model.detail != want {
		t.Errorf("got card %q, want %q", c.model.detail, want)
	}
	d.see(uitest.Listening(62893, "vite", 20))
	d.see() // the history has no event of it yet
	r.Answer()
	if !strings.HasPrefix(c.model.detail, "Last: vite") {
		t.Errorf("port that has just closed: got card %q, want the last owner", c.model.detail)
	}
}

// A watch of a port and a watch of a service on that port are two cards.
func TestCardOfServiceWhosePortIsUsed(t *testing.T) {
	m := &lastHistory{}
	d := deskWith(t, m)
	m.last = tenure("postgres", d.At.Add(-2*time.Hour), 5*time.Minute)
	d.setRules(watch.Rule{Ports: uitest.Ports(t, "5432")}, uitest.Rule(t, "5432", "postgres"))
	d.see(uitest.Listening(5432, "python3", 10))
	c := d.ports.cards.cards[1].model
	if c.state != "○ not running" || c.detail != "used by python3" {
		t.Errorf("got card %q %q, want that python3 uses the port", c.state, c.detail)
	}
	d.see()
	if want := "Last: python3"; !strings.HasPrefix(d.ports.cards.cards[1].model.detail, want) {
		t.Errorf("got card %q, want %q", d.ports.cards.cards[1].model.detail, want)
	}
}

// The name of a watch is the title of its card.
func TestCardTitleIsTheName(t *testing.T) {
	d := newDesk(t)
	d.setRules(watch.Rule{Ports: uitest.Ports(t, "3000"), Name: "shop"}, watch.Rule{Ports: uitest.Ports(t, "5000"), Name: "mail"}, watch.Rule{Ports: uitest.Ports(t, "8080-8084"), Name: "backends"})
	d.see(uitest.Listening(3000, "node", 30))
	d.ShowProbe(freeProbe(5000))
	d.Want("cards", d.cards(), []string{"shop ● listening: 3000 · node", "mail ○ free: 5000", "backends ○ closed: 8080-8084"})
}

// A small range is free if all its ports are, and names who had one of them last.
func TestCardOfFreeRange(t *testing.T) {
	m := &lastHistory{}
	d := deskWith(t, m)
	m.last = tenure("node", d.At.Add(-2*time.Hour), 5*time.Minute)
	m.last.Port = 40002
	d.setRules(uitest.Rule(t, "40001-40003", ""))
	d.see()
	d.ShowProbe(freeProbe(40001, 40002))
	if c := d.ports.cards.cards[0].model; c.state != "○ closed" {
		t.Errorf("nothing is known about 40003: got %q, want closed", c.state)
	}
	d.ShowProbe(freeProbe(40001, 40002, 40003))
	d.Want("cards", d.cards(), []string{"40001-40003 ○ free: Last: 40002 node, today 13:53–13:58"})
	d.setRules(uitest.Rule(t, "40001-40008", ""), uitest.Rule(t, "40011-40018", ""), uitest.Rule(t, "62893", ""))
	if got := d.ports.VacantPorts(); len(got) != maxVacant || !slices.Contains(got, 62893) {
		t.Errorf("got %v, want the single port among the %d ports", got, maxVacant)
	}
}

// A watch of any number of ports names the last owner of the one that closed last.
func TestCardOfLargeRangeNamesLastOwner(t *testing.T) {
	h := &uitest.FakeHistory{}
	d := deskWith(t, h)
	for i, name := range []string{"node", "deno", "vite"} {
		closed := uitest.Event(int64(i+1), time.Duration(3-i)*time.Hour, monitor.Closed, uint16(40010*(1+i/2)+i), name, "shop")
		closed.OpenedAt = closed.At.Add(-5 * time.Minute)
		h.Past = append(h.Past, closed)
	}
	except := watch.Rule{Name: "dev"}
	if err := except.ParsePorts("40000-40999, -40011"); err != nil {
		t.Fatal(err)
	}
	d.setRules(uitest.Rule(t, "40000-40999", ""), except, uitest.Rule(t, "50000-50999", ""))
	d.see()
	h.Answer()
	d.Want("cards", d.cards(), []string{
		"40000-40999 ○ closed: Last: 40011 deno · shop, today 13:48–13:53",
		"dev ○ closed: 40000-40999, -40011 · Last: 40010 node · shop, today 12:48–12:53",
		"50000-50999 ○ closed: never seen open",
	})
	l := uitest.Listening(40500, "java", 20)
	l.Since = d.At
	d.see(l)
	d.At = d.At.Add(time.Minute)
	d.see()
	for i, title := range []string{"40000-40999 ○ closed: ", "dev ○ closed: 40000-40999, -40011 · "} {
		if got, want := d.cards()[i], title+"Last: 40500 java, today 15:53–15:54"; got != want {
			t.Errorf("just closed: got card %q, want %q", got, want)
		}
	}
}

// Cards of two worktrees or copies of one project name what they differ in.
func TestCardsOfWorktreesDiffer(t *testing.T) {
	shop := func(port uint16, pid int, branch, folder string) *monitor.Listener {
		l := uitest.Listening(port, "node", pid)
		l.Project, l.Owners[0].Project, l.Owners[0].Branch, l.Owners[0].Folder = "shop", "shop", branch, folder
		return l
	}
	for _, c := range []struct {
		what   string
		a, b   *monitor.Listener
		ca, cb string
	}{
		{"two branches", shop(3000, 10, "main", "/src/shop"), shop(3001, 11, "feature/checkout", "/src/shop-feature"), "node · shop · main", "node · shop · feature/checkout"},
		{"two folders", shop(3000, 10, "main", "/src/shop"), shop(3001, 11, "main", "/src/copy"), "node · shop · shop", "node · shop · copy"},
		{"no repositories", shop(3000, 10, "", "/src/shop"), shop(3001, 11, "", "/src/copy"), "node · shop · shop", "node · shop · copy"},
		{"one server", shop(3000, 10, "main", "/src/shop"), shop(3001, 10, "main", "/src/shop"), "node · shop", "node · shop"},
	} {
		d := newDesk(t)
		d.setRules(uitest.Rule(t, "3000", ""), uitest.Rule(t, "3001", ""), uitest.Rule(t, "3000-3999", ""))
		d.see(c.a, c.b)
		d.Want(c.what, d.cards(), []string{"3000 ● listening: " + c.ca, "3001 ● listening: " + c.cb, "3000-3999 ● 2 listening: 3000 " + c.ca + ", 3001 " + c.cb})
	}
}

func TestDisconnectHidesState(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(62893, "vite", 20))
	d.ports.table.Select("tcp-62893-20")
	d.Disconnect()
	if m := d.ports.cards.cards[0].model; m.state != "" || m.detail != "not monitoring" {
		t.Errorf("got card %q, %q; want \"not monitoring\" and no state", m.state, m.detail)
	}
	if d.ports.details.visible() {
		t.Error("the details pane still shows its last content")
	}
}

func TestFilterAbovePortRange(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(631, "cupsd", 70000))
	for text, want := range map[string]string{"65536": "Port numbers end at 65535", "99999": "Port numbers end at 65535", "nothing": "All words must match", "-99999 x": "All words must match", "70000abc": "All words must match"} {
		d.ports.entry.SetText(text)
		if got := d.ports.empty.More.Text; !strings.HasPrefix(got, want) || d.ports.empty.Button.Visible() {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	d.ports.entry.SetText("70000")
	if d.ports.table.Len() != 1 {
		t.Error("a PID above 65535 is not found")
	}
}

func TestQuickFilterHidesPort(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(631, "cupsd", 10))
	d.ports.setQuick(quickExposed)
	for _, filter := range []string{"", "631", ":631"} {
		d.ports.entry.SetText(filter)
		if text := d.ports.empty.Title.Text; text != "Nothing matches" {
			t.Errorf("%q: got %q although the port is in use, want \"Nothing matches\"", filter, text)
		}
	}
	d.ports.entry.SetText(":632")
	d.ShowProbe(freeProbe(632))
	if text := d.ports.empty.Title.Text; text != "632 is free" {
		t.Errorf("got %q, want \"632 is free\"", text)
	}
}

func TestMoreCardsThanFit(t *testing.T) {
	d := newDesk(t)
	d.see()
	var rules []watch.Rule
	for _, p := range []string{"1", "2", "3", "4", "5", "6"} {
		rules = append(rules, watch.Rule{Ports: uitest.Ports(t, p)})
	}
	d.setRules(rules...)
	d.Window.Resize(fyne.NewSize(1001, 600)) // forces a layout
	shown := 0
	for _, c := range d.ports.cards.cards {
		if c.Visible() {
			shown++
		}
	}
	if shown != 3 || d.ports.cards.more.Text.Text != "+ 3 more" || d.ports.cards.more.Hidden {
		t.Errorf("got %d cards and %q, want 3 and \"+ 3 more\"", shown, d.ports.cards.more.Text.Text)
	}
	d.Window.Resize(fyne.NewSize(1700, 600))
	if c := d.ports.cards.cards[5]; !c.Visible() || !d.ports.cards.more.Hidden {
		t.Error("a wide window does not show all cards")
	}
}

// The German text is wider than the English one.
func TestNumberOfMoreCardsFits(t *testing.T) {
	uitest.InGerman(t)
	d := newDesk(t)
	d.see()
	for n := range 12 {
		d.setRules(append(slices.Clone(d.ports.status.Rules), watch.Rule{Ports: uitest.Ports(t, strconv.Itoa(n+1))})...)
		d.Window.Resize(fyne.NewSize(float32(1001+n%2), 600)) // forces a layout
		bar := d.ports.cards
		if end := bar.more.Position().X + bar.more.Size().Width; !bar.more.Hidden && end > bar.row.Size().Width {
			t.Errorf("%q ends at %v, but the row at %v", bar.more.Text.Text, end, bar.row.Size().Width)
		}
	}
	if d.ports.cards.more.Hidden {
		t.Error("got room for 12 cards, want a number of hidden ones")
	}
}

func TestQuickFilters(t *testing.T) {
	d := newDesk(t)
	d.setRules(watch.Default()...)
	other := uitest.Listening(631, "cupsd", 5)
	other.User = "root"
	d.see(other, uitest.Listening(8080, "python3", 20, "0.0.0.0"), uitest.Listening(62893, "vite", 30))
	var got []string
	for _, s := range d.ports.quick.segments {
		if s.Visible() {
			got = append(got, s.Text.Text)
		}
	}
	d.Want("counts", got, []string{"All 3", "Watched 1", "Exposed 1", "Mine 2", "Warnings 1", "Development 0"})
	for i, want := range [][]string{{"631", "8080", "62893"}, {"62893"}, {"8080"}, {"8080", "62893"}} {
		d.ports.quick.segments[i].TypedRune(' ')
		d.Want(got[i], d.rows(), want)
	}
	unknown := newDesk(t) // knows neither the user of the session nor the owner of the port
	unknownOwner := uitest.Listening(22, "", 0)
	unknownOwner.User = ""
	if unknown.see(unknownOwner); unknown.ports.quick.segments[quickMine].Text.Text != "Mine 0" {
		t.Errorf("unknown user: got %q, want Mine 0", unknown.ports.quick.segments[quickMine].Text.Text)
	}
	state := d.ports.State()
	next := newDesk(t)
	next.setRules()
	next.see(other, uitest.Listening(62893, "vite", 30))
	next.ports.Restore(state)
	next.Want("restored window", next.rows(), []string{"62893"})
	next.ports.entry.SetText("cups")
	if got := next.ports.quick.segments[0].Text.Text; got != "All 1" {
		t.Errorf("filtered: got %q, want All 1", got)
	}
	next.Want("both filters", next.rows(), nil)
	if text := next.ports.empty.Title.Text; text != "Nothing matches" {
		t.Errorf("got %q, want \"Nothing matches\"", text)
	}
}

func TestTooltipOfCutCard(t *testing.T) {
	d := newDesk(t)
	l := uitest.Listening(62893, "node", 10)
	l.Owners[0].Name, l.Project, l.Service = "a-program-with-a-long-name", "a-project-with-a-long-name", "a service with a long name"
	d.see(l)
	c := d.ports.cards.cards[0]
	if c.detail.Text == c.model.detail {
		t.Fatalf("got %q, want it cut", c.detail.Text)
	}
	if got, want := uitest.ShowTooltip(d.Window, uitest.Middle(c)), c.model.title+"\n"+c.model.detail; got != want {
		t.Errorf("got tooltip %q, want %q", got, want)
	}
	d.see(uitest.Listening(62893, "node", 10))
	if got := uitest.ShowTooltip(d.Window, uitest.Middle(c)); got != "" {
		t.Errorf("got tooltip %q, want none for texts that fit", got)
	}
}

// The card of a closed port says that something tries to connect.
func TestCardsShowAttempts(t *testing.T) {
	d := newDesk(t)
	rules := []watch.Rule{{Ports: uitest.Ports(t, "5432")}, {Ports: uitest.Ports(t, "3000-3999"), Name: "dev"}, {Ports: uitest.Ports(t, "80")}}
	d.SetStatus(Status{Rules: rules, Attempts: []connection.Burst{{Port: 3001, LastMinute: 1}, {Port: 3002, LastMinute: 2}, {Port: 5432, LastMinute: 1}, {Port: 80}}})
	d.see()
	d.Want("cards", d.cards(), []string{
		"5432 ○ closed: at least 1 attempt to connect in the last minute",
		"dev ○ closed: at least 3 attempts to connect in the last minute · 3000-3999",
		"80 ○ closed: ",
	})
}

// The menu of a card, for the mouse and the Menu key, opens the traffic of its port.
func TestCardMenu(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(3000, "node", 10), uitest.Listening(62893, "vite", 20))
	d.Window.Resize(fyne.NewSize(1001, 600)) // forces a layout
	c := d.ports.cards.cards[0]
	c.TappedSecondary(&fyne.PointEvent{AbsolutePosition: fyne.NewPos(50, 50)})
	d.MenuItem(1)
	c.TypedKey(&fyne.KeyEvent{Name: desktop.KeyMenu})
	d.MenuItem(0)
	d.Want("requests", d.Asked, []string{"traffic of 62893"})
	if r, _ := d.ports.table.Selected(); r == nil || r.port != "62893" {
		t.Errorf("got selection %+v, want 62893", r)
	}
}
