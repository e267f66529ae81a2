package ports

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2/test"

	"porthole/monitor"
	"porthole/monitor/explain"
	"porthole/monitor/history"
	"porthole/monitor/inuse"
	"porthole/monitor/watch"
	"porthole/ui/probe"
	"porthole/ui/uitest"
)

// uses are the ways in which a port can be taken, with what the window shows of them.
var uses = []struct {
	name                 string
	use                  inuse.Use
	title, reason, brief string
	deTitle, deReason    string
}{
	{"bound",
		inuse.Use{Kind: inuse.Bound, Local: at("127.0.0.1:62893"), Owners: python},
		"Nothing listens on 62893, but the port is not free", "python3 (PID 812) has bound 127.0.0.1:62893 without listening, so no other program can bind it.",
		"python3 (PID 812) has bound it",
		"Auf 62893 lauscht nichts, aber der Port ist nicht frei", "python3 (PID 812) hat 127.0.0.1:62893 gebunden, ohne zu lauschen; kein anderes Programm kann es binden."},
	{"the end of a connection",
		inuse.Use{Kind: inuse.Connected, State: "ESTABLISHED", Local: at("127.0.0.1:62893"), Remote: at("127.0.0.1:8001"), Owners: python},
		"Nothing listens on 62893, but the port is not free",
		"python3 (PID 812) uses 127.0.0.1:62893 as the local end of a connection to 127.0.0.1:8001, so a server can't bind the port until the connection ends, unless both programs set SO_REUSEADDR. The port is in the ephemeral port range of this system (60000-65535), from which connections get their ports.",
		"python3 (PID 812): connection to 127.0.0.1:8001",
		"Auf 62893 lauscht nichts, aber der Port ist nicht frei",
		"python3 (PID 812) benutzt 127.0.0.1:62893 als lokales Ende einer Verbindung zu 127.0.0.1:8001; bis sie endet, kann kein Server den Port binden, außer beide Programme setzen SO_REUSEADDR. Der Port liegt im Bereich der flüchtigen Ports dieses Systems (60000-65535), aus dem Verbindungen ihre Ports erhalten."},
	{"TIME_WAIT",
		inuse.Use{Kind: inuse.TimeWait, State: "TIME_WAIT", Local: at("127.0.0.1:62893"), Remote: at("127.0.0.1:4000"), Expires: 41 * time.Second},
		"Nothing listens on 62893, but the port is not free", "A closed connection keeps 127.0.0.1:62893 for another 41 s (TIME_WAIT), unless the server sets SO_REUSEADDR.",
		"closing connection (TIME_WAIT)",
		"Auf 62893 lauscht nichts, aber der Port ist nicht frei", "Eine geschlossene Verbindung belegt 127.0.0.1:62893 noch 41 s (TIME_WAIT), außer der Server setzt SO_REUSEADDR."},
	{"another address, an interface, an unknown owner",
		inuse.Use{Kind: inuse.Listening, Local: at("192.168.7.2:62893"), Device: "eth0", User: "ann", OwnerUnknown: monitor.UnknownForeign},
		"Nothing listens on 62893 on loopback, but the port is not free", "A process of ann listens on 192.168.7.2:62893 on the interface eth0, so another server can't bind that address or all addresses.",
		"A process of ann on 192.168.7.2 on the interface eth0",
		"Auf 62893 lauscht im Loopback nichts, aber der Port ist nicht frei",
		"Ein Prozess von ann lauscht auf 192.168.7.2:62893 an der Schnittstelle eth0; ein anderer Server kann deshalb weder diese Adresse noch alle Adressen binden."},
	{"the kernel, UDP",
		inuse.Use{Kind: inuse.Listening, Protocol: monitor.UDP, Local: at("0.0.0.0:62893"), OwnerUnknown: monitor.UnknownKernel},
		"62893 is free for TCP", "The Linux kernel uses UDP port 62893 (0.0.0.0:62893).", "",
		"62893 ist für TCP frei", "Der Linux-Kernel benutzt den UDP-Port 62893 (0.0.0.0:62893)."},
}

var (
	at     = netip.MustParseAddrPort
	python = []monitor.Owner{{PID: 812, Name: "python3"}}
)

// found is the result of a probe that finds u on port 62893.
func found(u inuse.Use) probe.Result {
	if u.Protocol == "" {
		u.Protocol = monitor.TCP
	}
	return probe.Result{Vacant: map[uint16]inuse.Answer{62893: {Port: 62893, Uses: []inuse.Use{u}}}}
}

func (d *desk) watchDefault() {
	d.SetStatus(Status{Notifications: true, Rules: watch.Default(), System: explain.System{EphemeralPorts: monitor.Ports{{First: 60000, Last: 65535}}}})
}

func TestTakenPortSaysWhy(t *testing.T) {
	for _, c := range uses {
		for _, german := range []bool{false, true} {
			t.Run(c.name, func(t *testing.T) {
				title, reason := c.title, c.reason
				if german {
					uitest.InGerman(t)
					title, reason = c.deTitle, c.deReason
				}
				d := newDesk(t)
				d.watchDefault()
				d.see(uitest.Listening(3000, "node", 10))
				d.ShowProbe(found(c.use))
				d.ShowPort(62893)
				d.ShowProbe(found(c.use))
				e := d.ports.empty
				if e.Title.Text != title || e.Reason.Text != reason || !e.Reason.Visible() {
					t.Errorf("empty page: got %q %q, want %q %q", e.Title.Text, e.Reason.Text, title, reason)
				}
				if size := e.Reason.Size(); size.Width < 300 || size.Height < e.Reason.MinSize().Height {
					t.Errorf("the reason has the size %v, want room for all its lines", size)
				}
				m := d.ports.cards.cards[0].model
				if german {
					return
				}
				if state := map[bool]string{true: "○ not free", false: "○ free"}[c.brief != ""]; m.state != state || m.detail != c.brief {
					t.Errorf("card: got %q %q, want %q %q", m.state, m.detail, state, c.brief)
				}
			})
		}
	}
}

func (d *desk) wantVacant(when string, want ...uint16) {
	d.T.Helper()
	if got := d.ports.VacantPorts(); !slices.Equal(got, want) {
		d.T.Errorf("%s: got vacant ports %v, want %v", when, got, want)
	}
}

// The page asks about the port in the filter and those of cards, once, and forgets the answer when
// the port opens.
func TestPageAsksAboutVacantPorts(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(3000, "node", 10))
	d.wantVacant("card", 62893)
	probes := d.probes
	d.ports.entry.SetText("5432")
	d.wantVacant("card and filter", 5432, 62893)
	if d.probes != probes+1 {
		t.Errorf("got %d probes for a new port, want 1", d.probes-probes)
	}
	d.Tick()
	if d.probes != probes+1 {
		t.Error("the page asks again although nothing changed")
	}
	d.ports.entry.SetText("3000")
	d.wantVacant("open port", 62893)
	d.ShowProbe(found(uses[0].use))
	d.see(uitest.Listening(3000, "node", 10), uitest.Listening(62893, "vite", 20))
	d.wantVacant("all open")
	d.see(uitest.Listening(3000, "node", 10))
	if m := d.ports.cards.cards[0].model; m.state != "○ closed" {
		t.Errorf("closed again: got card %q, want no old answer", m.state)
	}
	d.Disconnect()
	d.wantVacant("without an agent")
}

// A port that a server has at another address has an owner, not a last owner.
func TestLastOwnerOfPortAtAnotherAddress(t *testing.T) {
	m := &uitest.FakeHistory{Past: []history.Event{history.NewEvent(monitor.Event{Kind: monitor.Opened, At: time.Now(), Listener: uitest.Listening(62893, "python3", 812)}, "")}}
	d := deskWith(t, m)
	d.see(uitest.Listening(3000, "node", 10))
	d.ports.entry.SetText("62893")
	for _, c := range []struct {
		use  inuse.Use
		last bool
	}{{uses[0].use, true}, {uses[3].use, false}} {
		d.ShowProbe(found(c.use))
		m.Answer()
		if last := d.ports.empty.Last; last.Visible() != c.last {
			t.Errorf("%s: got last owner %q, want one: %v", c.use.Kind, last.Text, c.last)
		}
	}
}

// Other rows match the digits of a port that is not free.
func TestStatusLineOfTakenPort(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(62893, "node", 10))
	d.ports.entry.SetText("6289")
	a := inuse.Answer{Port: 6289, Uses: []inuse.Use{{Kind: inuse.Bound, Protocol: monitor.TCP, Local: at("127.0.0.1:6289"), Owners: python}}}
	d.ShowProbe(probe.Result{Vacant: map[uint16]inuse.Answer{6289: a}})
	if want := "Port 6289 is not free: python3 (PID 812) has bound it"; d.ports.left.Text != want {
		t.Errorf("got status line %q, want %q", d.ports.left.Text, want)
	}
}

// The details of a listener that has just closed say what keeps its port.
func TestDetailsOfClosedListenerSayWhatKeepsThePort(t *testing.T) {
	d := newDesk(t)
	d.watchDefault()
	l := uitest.Listening(62893, "vite", 20)
	d.see(l)
	d.ports.table.Select(l.ID)
	d.see()
	if !slices.Contains(d.ports.VacantPorts(), 62893) {
		t.Fatalf("got vacant ports %v, want the closed one", d.ports.VacantPorts())
	}
	d.ShowProbe(found(uses[2].use))
	if got := facts(d.ports.details); !strings.HasPrefix(got, "Port now: Nothing listens on 62893, but the port is not free. A closed connection keeps") {
		t.Errorf("got facts %q", got)
	}
}

// A process that listens only on another address is not on the page until "Show it" is pressed.
func TestShowOwnerAtAnotherAddress(t *testing.T) {
	d := newDesk(t)
	status := Status{Notifications: true}
	d.SetStatus(status)
	d.see(uitest.Listening(3000, "node", 10, "127.0.0.1"))
	d.ports.setQuick(quickWatched)
	d.ports.entry.SetText("listen EADDRINUSE 0.0.0.0:62893")
	d.ShowProbe(found(inuse.Use{Kind: inuse.Listening, Local: at("192.168.7.2:62893"), Owners: python}))
	if got := d.ports.empty.Button; !got.Visible() || got.Text != "Show it" {
		t.Fatalf("got button %q, visible %v; want Show it", got.Text, got.Visible())
	}
	test.Tap(d.ports.empty.Button)
	if want := `set all_addresses "true"`; !slices.Contains(d.Asked, want) {
		t.Errorf("got requests %q, want %q", d.Asked, want)
	}
	status.AllAddresses = true
	d.SetStatus(status)
	d.see(uitest.Listening(3000, "node", 10, "127.0.0.1"), uitest.Listening(62893, "python3", 812, "192.168.7.2"))
	if r, ok := d.ports.table.Selected(); !ok || r.port != "62893" {
		t.Errorf("got selection %+v and rows %q, want 62893", r, d.rows())
	}
}
