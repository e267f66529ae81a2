package store

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"porthole/monitor"
	"porthole/monitor/history"
	"porthole/monitor/process/child"
)

func TestMain(m *testing.M) { child.Main(m, map[string]func(){"write": writeForever}) }

// writeForever writes to the file in its argument and prints the number of committed
// events, one per line.
func writeForever() {
	path := os.Args[1]
	s := Open(path, Options{Boot: "boot", MaxEvents: 10_000_000})
	p := &timeline{}
	out := bufio.NewWriter(os.Stdout)
	for n := 0; ; {
		for range 20 {
			p.open(listener(uint16(1+n%60_000), n))
			n++
		}
		s.Record(p.next())
		s.Flush()
		fmt.Fprintln(out, n)
		_ = out.Flush() // the reader may have ended
	}
}

// timeline builds the updates of a fictitious monitor.
type timeline struct {
	now     time.Time
	listens []*monitor.Listener
	events  []monitor.Event
}

func (p *timeline) at() time.Time {
	if p.now.IsZero() {
		p.now = time.Now().Add(-time.Hour).Truncate(time.Microsecond)
	}
	p.now = p.now.Add(time.Second)
	return p.now
}

func (p *timeline) add(c monitor.Event) { p.events = append(p.events, c) }

func (p *timeline) open(l *monitor.Listener) *monitor.Listener {
	l.Since = p.at()
	p.listens = append(p.listens, l)
	p.add(monitor.Event{At: l.Since, Kind: monitor.Opened, Listener: l})
	return l
}

// change replaces before with l.
func (p *timeline) change(kind monitor.Kind, before, l *monitor.Listener) *monitor.Listener {
	for i := range p.listens {
		if p.listens[i] == before {
			p.listens[i] = l
		}
	}
	p.add(monitor.Event{At: p.at(), Kind: kind, Listener: l, Before: before})
	return l
}

func (p *timeline) end(kind monitor.Kind, l *monitor.Listener) {
	for i := range p.listens {
		if p.listens[i] == l {
			p.listens = append(p.listens[:i:i], p.listens[i+1:]...)
			break
		}
	}
	p.add(monitor.Event{At: p.at(), Kind: kind, Listener: l})
}

// next returns the next update.
func (p *timeline) next() monitor.Update {
	u := monitor.Update{Snapshot: monitor.Snapshot{TakenAt: p.at(), Listeners: append([]*monitor.Listener(nil), p.listens...)}, Events: p.events, Ready: true}
	p.events = nil
	return u
}

// listener returns a listener with one socket with this cookie.
func listener(port uint16, cookie int) *monitor.Listener {
	address := netip.MustParseAddr("127.0.0.1")
	return &monitor.Listener{
		ID: fmt.Sprintf("tcp-%d-%d", port, cookie), Protocol: monitor.TCP, Port: port,
		Addresses: []netip.Addr{address}, Exposure: monitor.ExposureLoopback, User: "ann", Project: "acme-web", Service: "Vite",
		Owners: []monitor.Owner{{
			PID: 1000 + cookie, Start: uint64(cookie), Name: "node", User: "ann", Program: "/usr/bin/node", Folder: "/home/ann/acme-web",
			Command: []string{"node", "server.js", "--password=hunter2", "--port", fmt.Sprint(port)}, Project: "acme-web",
		}},
		Sockets: []monitor.HeldSocket{{Socket: monitor.Socket{ID: monitor.SocketID(cookie), Protocol: monitor.TCP, Address: address, Port: port}}},
	}
}

// withOwner returns l with another owner.
func withOwner(l *monitor.Listener, name string, pid int) *monitor.Listener {
	k := *l
	k.Owners = nil
	if name != "" {
		k.Owners = []monitor.Owner{{PID: pid, Start: uint64(pid), Name: name, User: "ann", Command: []string{name}}}
	}
	return &k
}

func testPath(t testing.TB) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "porthole", "history.db")
}

// open starts a writer that is closed when the test ends. states receives its
// states.
func open(t testing.TB, path string, opts Options) (s *Store, states chan State) {
	t.Helper()
	states = make(chan State, 100)
	opts.OnState = func(s State) { states <- s }
	opts.Logger = slog.New(slog.DiscardHandler)
	if opts.Boot == "" {
		opts.Boot = "boot"
	}
	if opts.retryInterval == 0 {
		opts.retryInterval = 20 * time.Millisecond
	}
	s = Open(path, opts)
	t.Cleanup(s.Close)
	return s, states
}

// write records the events of p and waits until they are on disk.
func write(s *Store, p *timeline) {
	s.Record(p.next())
	s.Flush()
}

func events(t testing.TB, path string, q history.Query) []history.Event {
	t.Helper()
	all, err := OpenReader(path).Events(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// kinds returns the kinds and ports of events, oldest first.
func kinds(events []history.Event) string {
	text := ""
	for i := len(events) - 1; i >= 0; i-- {
		e := events[i]
		if text != "" {
			text += ", "
		}
		text += fmt.Sprintf("%s %d", e.Kind, e.Port)
		if e.Unobserved {
			text += " unobserved"
		}
	}
	return text
}

func want[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
