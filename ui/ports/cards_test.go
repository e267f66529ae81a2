package ports

import (
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"porthole/monitor"
	"porthole/monitor/history"
	"porthole/monitor/watch"
	"porthole/ui/uitest"
)

func (d *desk) tellRules(rules ...watch.Rule) {
	d.SetStatus(Status{Rules: rules, User: "ada"})
}

func TestCardsSayHowTheWatchesStand(t *testing.T) {
	d := newDesk(t)
	d.tellRules(watch.Rule{Ports: uitest.Ports(t, "62893")}, watch.Rule{Ports: uitest.Ports(t, "8080")}, watch.Rule{Ports: uitest.Ports(t, "5432"), Name: "the shop's"},
		watch.Rule{Ports: uitest.Ports(t, "3000-3999")}, watch.Rule{Ports: uitest.Ports(t, "9000"), Off: true})
	vite := uitest.Listening(62893, "node", 10)
	vite.Project, vite.Service, vite.Since = "acme-web", "Vite", d.At.Add(-12*time.Minute)
	d.see(vite, uitest.Listening(8080, "python3", 20, "0.0.0.0"), uitest.Listening(3000, "node", 30), uitest.Listening(3001, "deno", 31))
	var got []string
	for _, c := range d.ports.cards.cards {
		got = append(got, c.model.title+" "+c.model.state+": "+c.model.detail)
	}
	d.Want("cards", got, []string{
		"62893 ● listening: node · acme-web (Vite) · up 12 min",
		"8080 ◐ exposed to the network: python3",
		"5432 ○ free: the shop's",
		"3000-3999 ● 2 listening: 3000 node, 3001 deno",
	})
	d.tellRules()
	if d.ports.cards.object.Visible() {
		t.Error("cards are shown where nothing is watched")
	}
}

func TestACardShowsItsPortInTheTable(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(3000, "node", 10), uitest.Listening(62893, "vite", 20))
	d.ports.setQuick(quickExposed)           // which shows neither
	d.Window.Resize(fyne.NewSize(1001, 600)) // which gives everything its place
	c := d.ports.cards.cards[0]
	test.TapCanvas(d.Window.Canvas(), fyne.CurrentApp().Driver().AbsolutePositionForObject(c).Add(fyne.NewPos(30, 30)))
	if r, ok := d.ports.table.Selected(); !ok || r.port != "62893" {
		t.Errorf("selected %+v, %v; want 62893", r, ok)
	}
	d.Want("all rows again", d.rows(), []string{"3000", "62893"})
	c.FocusGained()
	d.ports.table.Select("")
	c.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if r, _ := d.ports.table.Selected(); r == nil || r.port != "62893" {
		t.Errorf("by the keyboard: selected %+v; want 62893", r)
	}
}

// holderMemory remembers who had a port.
type holderMemory struct {
	History
	events []history.Event
	asked  int
}

func (m *holderMemory) Lookup(_ history.Query, done func([]history.Event, error)) {
	m.asked++
	done(m.events, nil)
}

func (m *holderMemory) LastOwner(uint16, func(history.Tenure, bool, error)) {}

func TestACardOfAFreePortSaysWhoHadIt(t *testing.T) {
	m := &holderMemory{}
	d := deskWith(t, m)
	from := d.At.Add(-2 * time.Hour)
	m.events = []history.Event{{Kind: monitor.Closed, Port: 62893, Listener: "a", OpenedAt: from, At: from.Add(5 * time.Minute), Owner: history.Owner{Name: "postgres"}}}
	clear(d.ports.cards.pastOwners)
	d.see()
	c := d.ports.cards.cards[0]
	if want := "Last: postgres, today 13:53–13:58"; c.model.detail != want {
		t.Errorf("the card says %q; want %q", c.model.detail, want)
	}
	asked := m.asked
	d.Tick()
	if m.asked != asked {
		t.Error("it asks again though nothing changed")
	}
	d.see(uitest.Listening(62893, "vite", 20))
	d.see()
	if m.asked != asked+1 {
		t.Errorf("it asked %d times after the port was held again; want once", m.asked-asked)
	}
}

func TestACardOfAPortThatWasNeverOpenSaysSo(t *testing.T) {
	r := &uitest.FakeHistory{}
	d := deskWith(t, r)
	d.see()
	c := d.ports.cards.cards[0]
	if c.model.detail != "" {
		t.Errorf("before the memory has answered the card says %q", c.model.detail)
	}
	r.Answer()
	if want := "never seen open"; c.model.detail != want {
		t.Errorf("the card says %q; want %q", c.model.detail, want)
	}
	d.see(uitest.Listening(62893, "vite", 20))
	d.see() // what it was is not in the memory yet
	r.Answer()
	if c.model.detail != "" {
		t.Errorf("of a port that has just closed the card says %q", c.model.detail)
	}
}

// A watch of a port and one of a service there are two cards: what the one has
// asked the other does not forget.
func TestTwoCardsOfOnePortAskOnce(t *testing.T) {
	m := &holderMemory{}
	d := deskWith(t, m)
	from := d.At.Add(-2 * time.Hour)
	m.events = []history.Event{{Kind: monitor.Closed, Port: 5432, Listener: "a", OpenedAt: from, At: from.Add(5 * time.Minute), Owner: history.Owner{Name: "postgres"}}}
	d.tellRules(watch.Rule{Ports: uitest.Ports(t, "5432")}, uitest.Rule(t, "5432", "postgres"))
	asked := m.asked
	d.see(uitest.Listening(5432, "python3", 10))
	for range 3 {
		d.Tick()
	}
	if m.asked > asked+1 {
		t.Errorf("it asked %d times", m.asked-asked)
	}
	c := d.ports.cards.cards[1]
	if want := "Last: postgres, today 13:53–13:58"; c.model.detail != want {
		t.Errorf("the card says %q; want %q", c.model.detail, want)
	}
	d.At = d.At.Add(24 * time.Hour)
	d.Tick()
	if want := "Last: postgres, yesterday 13:53–13:58"; c.model.detail != want {
		t.Errorf("a day later it says %q; want %q", c.model.detail, want)
	}
}

func TestNothingIsShownAsLiveWhenNobodyWatches(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(62893, "vite", 20))
	d.ports.table.Select("tcp-62893-20")
	d.Disconnect()
	if m := d.ports.cards.cards[0].model; m.state != "" || m.detail != "not monitoring" {
		t.Errorf("the card says %q, %q", m.state, m.detail)
	}
	if d.ports.details.object.Visible() {
		t.Error("the side pane offers what it last saw")
	}
}

func TestANumberThatNoPortHasIsSaidToBeNone(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(631, "cupsd", 70000))
	for text, want := range map[string]string{"65536": "Port numbers end at 65535", "99999": "Port numbers end at 65535", "nothing": "All words must match", "-99999 x": "All words must match", "70000abc": "All words must match"} {
		d.ports.entry.SetText(text)
		if got := d.ports.empty.More.Text; !strings.HasPrefix(got, want) || d.ports.empty.Button.Visible() {
			t.Errorf("%q: it says %q; want %q", text, got, want)
		}
	}
	d.ports.entry.SetText("70000")
	if d.ports.table.Len() != 1 {
		t.Error("a PID above all ports is not found")
	}
}

func TestAQuickFilterNeverCallsAPortFree(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(631, "cupsd", 10))
	d.ports.setQuick(quickExposed)
	for _, filter := range []string{"", "631", ":631"} {
		d.ports.entry.SetText(filter)
		if text := d.ports.empty.Title.Text; text != "Nothing matches" {
			t.Errorf("%q: it says %q of what listens", filter, text)
		}
	}
	d.ports.entry.SetText(":632")
	if text := d.ports.empty.Title.Text; text != "632 is free" {
		t.Errorf("it says %q", text)
	}
}

func TestCardsThatDoNotFitAreCounted(t *testing.T) {
	d := newDesk(t)
	d.see()
	var rules []watch.Rule
	for _, p := range []string{"1", "2", "3", "4", "5", "6"} {
		rules = append(rules, watch.Rule{Ports: uitest.Ports(t, p)})
	}
	d.tellRules(rules...)
	d.Window.Resize(fyne.NewSize(1001, 600)) // which gives everything its place
	shown := 0
	for _, c := range d.ports.cards.cards {
		if c.Visible() {
			shown++
		}
	}
	if shown != 3 || d.ports.cards.more.Text.Text != "+ 3 more" || d.ports.cards.more.Hidden {
		t.Errorf("%d cards and %q; want 3 and + 3 more", shown, d.ports.cards.more.Text.Text)
	}
	d.Window.Resize(fyne.NewSize(1700, 600))
	if c := d.ports.cards.cards[5]; !c.Visible() || !d.ports.cards.more.Hidden {
		t.Error("in a wide window they are not all shown")
	}
}

func TestQuickFiltersCountAndChoose(t *testing.T) {
	d := newDesk(t)
	d.tellRules(watch.Default()...)
	other := uitest.Listening(631, "cupsd", 5)
	other.User = "root"
	d.see(other, uitest.Listening(8080, "python3", 20, "0.0.0.0"), uitest.Listening(62893, "vite", 30))
	var got []string
	for _, s := range d.ports.quick.segments {
		got = append(got, s.Text.Text)
	}
	d.Want("counts", got, []string{"All 3", "Watched 1", "Exposed 1", "Mine 2"})
	for i, want := range [][]string{{"631", "8080", "62893"}, {"62893"}, {"8080"}, {"8080", "62893"}} {
		d.ports.quick.segments[i].TypedRune(' ')
		d.Want(got[i], d.rows(), want)
	}
	nobody := newDesk(t) // knows not who looks, nor who has the port
	hidden := uitest.Listening(22, "", 0)
	hidden.User = ""
	if nobody.see(hidden); nobody.ports.quick.segments[quickMine].Text.Text != "Mine 0" {
		t.Errorf("whose is unknown: %q; want Mine 0", nobody.ports.quick.segments[quickMine].Text.Text)
	}
	state := d.ports.State()
	next := newDesk(t)
	next.tellRules()
	next.see(other, uitest.Listening(62893, "vite", 30))
	next.ports.Restore(state)
	next.Want("the next window", next.rows(), []string{"62893"})
	next.ports.entry.SetText("cups")
	if got := next.ports.quick.segments[0].Text.Text; got != "All 1" {
		t.Errorf("filtered: %q; want All 1", got)
	}
	next.Want("filtered by both", next.rows(), nil)
	if text := next.ports.empty.Title.Text; text != "Nothing matches" {
		t.Errorf("it says %q", text)
	}
}
