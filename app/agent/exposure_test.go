package agent

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"porthole/app/ipc"
	"porthole/monitor"
	"porthole/monitor/watch"
)

// exposedListener returns a listener of program that the network can reach.
func exposedListener(id string, port uint16, program string) *monitor.Listener {
	l := testListener()
	l.ID, l.Port, l.Exposure = id, port, monitor.ExposureNetwork
	l.Owners = nil
	if program != "" {
		l.Owners = []monitor.Owner{{PID: 9, Start: 9, Name: program, Program: "/bin/" + program, Folder: "/"}}
	}
	return l
}

func TestNewlyExposed(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	path := filepath.Join(t.TempDir(), "exposed.json")
	first := time.Now()
	x := newExposure(path)
	x.ephemeral = monitor.Ports{{First: 40000, Last: 50000}}
	at := first
	want := func(what string, n int, reported []watch.Alert, events ...monitor.Event) {
		t.Helper()
		alerts := x.handle(at, events, reported)
		if len(alerts) != n {
			t.Errorf("%s: got %d alerts, want %d", what, len(alerts), n)
		}
		for _, a := range alerts {
			if a.Kind != watch.NewlyExposed {
				t.Errorf("%s: got kind %s", what, a.Kind)
			}
		}
	}
	opened := func(l *monitor.Listener) monitor.Event { return monitor.Event{Kind: monitor.Opened, Listener: l} }
	sshd, chat := exposedListener("a", 22, "sshd"), exposedListener("b", 41000, "chat")
	want("switched off", 0, nil, opened(sshd))

	x.turn(true, at, monitor.Snapshot{}, log)
	want("first day", 0, nil, monitor.Event{Kind: monitor.Discovered, Listener: sshd}, opened(chat))
	x.saveNew(log)
	at = at.Add(learningTime + time.Minute)
	x = newExposure(path) // a restart
	x.ephemeral = monitor.Ports{{First: 40000, Last: 50000}}
	x.turn(true, at, monitor.Snapshot{}, log)
	want("familiar", 0, nil, opened(exposedListener("c", 22, "sshd")), opened(exposedListener("d", 42000, "chat")))
	want("another program on a familiar port", 1, nil, opened(exposedListener("e", 22, "evil")))
	want("the same soon after", 0, nil, opened(exposedListener("e2", 22, "evil")))
	at = at.Add(2 * realertTime)
	want("the same later", 1, nil, opened(exposedListener("e3", 22, "evil")))
	want("only local", 0, nil, opened(testListener()))
	want("opened while Porthole was not running", 1, nil, monitor.Event{Kind: monitor.Discovered, Listener: exposedListener("f", 8080, "node")})
	client := exposedListener("g", 41001, "dns")
	client.Protocol = monitor.UDP
	want("a client's UDP socket", 0, nil, opened(client))

	node := exposedListener("h", 3000, "node")
	want("reported by a watch", 0, []watch.Alert{{Kind: watch.Opened, Listener: node}}, opened(node))
	unknown := exposedListener("i", 3001, "")
	want("owner not known yet", 0, nil, opened(unknown))
	want("owner found", 1, nil, monitor.Event{Kind: monitor.Updated, Listener: exposedListener("i", 3001, "node"), Before: unknown})
	want("more is known", 0, nil, monitor.Event{Kind: monitor.Updated, Listener: exposedListener("i", 3001, "node"), Before: exposedListener("i", 3001, "node")})

	x.accept([]*monitor.Listener{node}, log) // "This is fine"
	x = newExposure(path)
	x.turn(true, at, monitor.Snapshot{}, log)
	want("accepted", 0, nil, opened(exposedListener("j", 3000, "node")))
	x.turn(false, at, monitor.Snapshot{}, log)
	want("switched off again", 0, nil, opened(exposedListener("k", 3002, "node")))
}

// What is exposed when it is switched on is familiar from then on; what was exposed while
// it was off later is not.
func TestExposedWhenSwitchedOn(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	x := newExposure(filepath.Join(t.TempDir(), "exposed.json"))
	at := time.Now()
	snapshot := func(listeners ...*monitor.Listener) monitor.Snapshot { return monitor.Snapshot{Listeners: listeners} }
	sshd, unknown := exposedListener("a", 22, "sshd"), exposedListener("b", 80, "")
	if alerts := x.turn(true, at, snapshot(sshd, unknown, testListener()), log); len(alerts) > 0 {
		t.Errorf("the first day: got %d alerts", len(alerts))
	}
	x.handle(at, []monitor.Event{{Kind: monitor.Updated, Listener: exposedListener("b", 80, "nginx"), Before: unknown}}, nil)
	if len(x.state.Familiar) != 2 {
		t.Errorf("got familiar %q, want both", x.state.Familiar)
	}
	x.turn(false, at, snapshot(), log)
	at = at.Add(2 * learningTime)
	alerts := x.turn(true, at, snapshot(sshd, exposedListener("c", 8080, "node")), log)
	if len(alerts) != 1 || alerts[0].Listener.Port != 8080 {
		t.Errorf("switched on again: got alerts %+v, want one about 8080", alerts)
	}
}

// What was exposed before Porthole started is checked although its first snapshot has no
// events.
func TestExposedBeforeTheStart(t *testing.T) {
	a, _ := newTestAgent(t, filepath.Join(t.TempDir(), "pause.json"))
	defer a.quit()
	a.exposure.on, a.paused = true, true
	l := exposedListener("a", 8080, "node")
	for range 2 {
		a.handleUpdate(monitor.Update{Ready: true, Snapshot: monitor.Snapshot{Listeners: []*monitor.Listener{l}}})
	}
	if len(a.missed) != 1 || a.missed[0].Kind != watch.NewlyExposed {
		t.Errorf("got alerts %+v, want one about the exposed listener", a.missed)
	}
}

// The window offers what the button in the notification does.
func TestExposedServerIsAcceptedInTheWindow(t *testing.T) {
	a, _ := newTestAgent(t, filepath.Join(t.TempDir(), "pause.json"))
	defer a.quit()
	l := testListener()
	l.Exposure = monitor.ExposureNetwork
	other := *l
	other.ID, other.Port = "b", 8080
	a.update.Snapshot.Listeners = []*monitor.Listener{l, &other}
	a.exposure.on = true
	a.WindowMessage(nil, ipc.Message{Kind: ipc.AcceptExposed, Key: l.ID})
	(<-a.inbox)()
	alerts := a.exposure.handle(time.Now(), discovered(a.update.Snapshot, time.Now()), nil)
	if len(alerts) != 1 || alerts[0].Listener.ID != "b" {
		t.Errorf("got %d alerts, want one about the server that was not accepted", len(alerts))
	}
}

// That the network may reach a server says nothing about the internet.
func TestNewlyPublic(t *testing.T) {
	x := newExposure(filepath.Join(t.TempDir(), "exposed.json"))
	now := time.Now()
	x.turn(true, now, monitor.Snapshot{}, slog.New(slog.DiscardHandler))
	network := exposedListener("a", 8080, "shop")
	x.accept([]*monitor.Listener{network}, slog.New(slog.DiscardHandler))
	public := *network
	public.Exposure, public.Tunnels = monitor.ExposurePublic, []monitor.Tunnel{{Through: "ngrok", Reach: monitor.ReachInternet}}
	changed := []monitor.Event{{Kind: monitor.ExposureChanged, Listener: &public, Before: network}}
	now = now.Add(learningTime + time.Minute)
	if alerts := x.handle(now, changed, nil); len(alerts) != 1 || alerts[0].Kind != watch.NewlyExposed {
		t.Errorf("got %v, want one alert", alerts)
	}
	x.accept([]*monitor.Listener{&public}, slog.New(slog.DiscardHandler))
	if alerts := x.handle(now.Add(2*realertTime), changed, nil); len(alerts) != 0 {
		t.Errorf("accepted: got %v", alerts)
	}
}
