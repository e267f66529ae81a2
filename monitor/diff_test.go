package monitor

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

// process returns an owner whose PID, start and name are derived from pid.
func process(pid int) Owner {
	return Owner{PID: pid, Start: uint64(pid), Name: fmt.Sprint("p", pid), User: "u", Program: fmt.Sprint("/bin/p", pid), ParentPID: 1}
}

func processes(pids ...int) []Owner {
	owners := []Owner{}
	for _, pid := range pids {
		owners = append(owners, process(pid))
	}
	return owners
}

// testListener returns a listener on 127.0.0.1:3000 with one socket, held by pids.
func testListener(id string, socket SocketID, pids ...int) *Listener {
	return testListenerAt(id, "127.0.0.1", []SocketID{socket}, pids...)
}

func testListenerAt(id, address string, sockets []SocketID, pids ...int) *Listener {
	var seen []socketState
	for _, s := range sockets {
		seen = append(seen, socketState{
			socket: Socket{ID: s, Protocol: TCP, Address: netip.MustParseAddr(address), Port: 3000},
			owners: processes(pids...),
			since:  time.Unix(1, 0),
		})
	}
	return newListener(seen, id)
}

// siblings returns a listener of processes that one parent started from one program.
func siblings(pids ...int) *Listener {
	l := testListener("a", 1, pids...)
	for i := range l.Owners {
		l.Owners[i].Program, l.Owners[i].ParentPID = "/usr/bin/docker-proxy", 9
	}
	return l
}

// prefork returns a listener of a server with PID 10, which 9 started, and its worker 11.
// If the server has exited, its parent has adopted the worker.
func prefork(exited bool) *Listener {
	if exited {
		l := siblings(11)
		l.Owners[0].Parents = []Parent{{PID: 10}}
		return l
	}
	l := siblings(10, 11)
	l.Owners[1].Parents = []Parent{{PID: 10}, {PID: 9}}
	return l
}

// scripts returns a listener of node processes with these scripts that one shell
// started. The first has PID 10; "" stands for one that has exited.
func scripts(names ...string) *Listener {
	var owners []Owner
	for i, name := range names {
		if name != "" {
			owners = append(owners, Owner{PID: 10 + i, Start: uint64(10 + i), Program: "/usr/bin/node", Command: []string{"node", name}, ParentPID: 9})
		}
	}
	return newListener([]socketState{by(1, "127.0.0.1", owners...)}, "a")
}

func snapshotOf(listeners ...*Listener) Snapshot {
	listeners = slices.Clone(listeners)
	slices.SortFunc(listeners, compareListeners)
	return Snapshot{TakenAt: time.Unix(1, 0).UTC(), Listeners: listeners}
}

// formatEvents formats events as "kind id" or "kind id<before", separated by commas.
func formatEvents(events []Event) string {
	var out []string
	for _, c := range events {
		w := string(c.Kind) + " " + c.Listener.ID
		if c.Before != nil {
			w += "<" + c.Before.ID
		}
		out = append(out, w)
	}
	return strings.Join(out, ", ")
}

func TestDiff(t *testing.T) {
	a := testListener("a", 1, 10)
	ids := func(ids ...SocketID) []SocketID { return ids }
	named := process(10)
	named.Name = "a better name"
	renamed := *a
	renamed.Owners = []Owner{named}

	for _, test := range []struct {
		name     string
		old, new []*Listener
		want     string
	}{
		{"nothing to nothing", nil, nil, ""},
		{"opened", nil, list(a), "opened a"},
		{"closed", list(a), nil, "closed a"},
		{"the same pointer", list(a), list(a), ""},
		{"an equal listener", list(a), list(testListener("a", 1, 10)), ""},
		{"first owner learned", list(testListener("a", 1)), list(a), "updated a<a"},
		{"name learned", list(a), list(&renamed), "updated a<a"},
		{"owner no longer visible", list(a), list(testListener("a", 1)), "updated a<a"},
		{"socket passed to another process", list(a), list(testListener("a", 1, 11)), "owner_changed a<a"},
		{"a worker starts", list(a), list(testListener("a", 1, 10, 11)), "updated a<a"},
		{"a worker exits", list(testListener("a", 1, 10, 11)), list(a), "updated a<a"},
		{"the parent exits, its child keeps the socket", list(testListener("a", 1, 10, 11)), list(testListener("a", 1, 11)), "owner_changed a<a"},
		{"one of two siblings exits", list(siblings(10, 11)), list(siblings(11)), "updated a<a"},
		{"a server exits, its parent adopts its worker", list(prefork(false)), list(prefork(true)), "owner_changed a<a"},
		{"one of two scripts of one shell on the same address exits", list(scripts("a.js", "b.js")), list(scripts("", "b.js")), "owner_changed a<a"},
		{"a new sibling takes over", list(siblings(10)), list(siblings(11)), "owner_changed a<a"},
		{"a reused PID", list(a), list(restarted(a)), "owner_changed a<a"},
		{
			"exposure changed", list(a), list(newListener([]socketState{at(1, "127.0.0.1", 10), at(2, "0.0.0.0", 10)}, "a")),
			"exposure_changed a<a",
		},
		{
			"owner and exposure changed", list(a), list(newListener([]socketState{at(1, "127.0.0.1", 11), at(2, "0.0.0.0", 11)}, "a")),
			"owner_changed a<a, exposure_changed a<a",
		},
		{"merge", list(a, testListener("b", 2, 10)), list(testListenerAt("a", "127.0.0.1", ids(1, 2), 10)), "updated a<b, updated a<a"},
		{"split", list(testListenerAt("a", "127.0.0.1", ids(1, 2), 10)), list(a, testListener("b", 2, 10)), "updated b<a, updated a<a"},
		{"one socket of a listener closes", list(testListenerAt("a", "127.0.0.1", ids(1, 2), 10)), list(a), "updated a<a"},
		{"restart between two polls", list(a), list(testListener("b", 2, 10)), "closed a, opened b"},
		{"the same ID without a common socket", list(a), list(testListener("a", 2, 10)), "closed a, opened a"},
		{
			"two listeners exchange their IDs", list(a, testListener("b", 2, 11)), list(testListener("b", 1, 10), testListener("a", 2, 11)),
			"updated a<b, updated b<a",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			old, new := snapshotOf(test.old...), snapshotOf(test.new...)
			changes := Diff(old, new)
			if got := formatEvents(changes); got != test.want {
				t.Errorf("Diff = %q, want %q", got, test.want)
			}
			for _, c := range changes {
				if !c.At.Equal(new.TakenAt) {
					t.Errorf("%s At = %v, want the new snapshot's time %v", c.Kind, c.At, new.TakenAt)
				}
			}
			wantSame(t, Apply(old, changes), new)
		})
	}
}

func list(listeners ...*Listener) []*Listener { return listeners }

func restarted(l *Listener) *Listener {
	again := *l
	again.Owners = slices.Clone(l.Owners)
	again.Owners[0].Start++
	return &again
}

func wantSame(t *testing.T, got, want Snapshot) {
	t.Helper()
	if !slices.EqualFunc(got.Listeners, want.Listeners, (*Listener).equal) {
		t.Fatalf("Apply = %s, want %s", formatSnapshot(got), formatSnapshot(want))
	}
}

func formatSnapshot(s Snapshot) string {
	var out []string
	for _, l := range s.Listeners {
		w := l.ID + ":"
		for _, k := range l.Sockets {
			w += fmt.Sprint(" ", k.ID)
		}
		out = append(out, w)
	}
	return "[" + strings.Join(out, "; ") + "]"
}

// Applying the Diff of two random snapshots to the first yields the second, regardless
// of the IDs of their listeners.
func TestApplyOfDiff(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 5_000 {
		old, new := randomSnapshot(r), randomSnapshot(r)
		got := Apply(old, Diff(old, new))
		if !slices.EqualFunc(got.Listeners, new.Listeners, (*Listener).equal) {
			t.Fatalf("from %s by %q: got %s, want %s", formatSnapshot(old), formatEvents(Diff(old, new)), formatSnapshot(got), formatSnapshot(new))
		}
	}
}

// randomSnapshot distributes up to eight sockets over listeners named a to e.
func randomSnapshot(r *rand.Rand) Snapshot {
	held := make(map[string][]SocketID)
	for id := range SocketID(8) {
		if r.IntN(4) > 0 {
			name := string(rune('a' + r.IntN(5)))
			held[name] = append(held[name], id+1)
		}
	}
	var all []*Listener
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		if len(held[name]) > 0 {
			all = append(all, testListenerAt(name, "127.0.0.1", held[name], 10+r.IntN(3)))
		}
	}
	return snapshotOf(all...)
}

// The same with listeners from group, over many polls. In addition, group never gives the ID
// of an existing listener to one without a common socket.
func TestDiffOfGroupedSnapshots(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	addresses := []string{"127.0.0.1", "::1", "127.0.0.2", "0.0.0.0"}
	old, listenerOf := Snapshot{}, map[SocketID]string{}
	for range 20_000 {
		var seen []socketState
		for id := range SocketID(6) {
			if r.IntN(5) > 0 {
				seen = append(seen, at(id+1, addresses[int(id)%len(addresses)], 10+r.IntN(4)))
			}
		}
		new := snapshotOf(group(seen, listenerOf)...)
		events := Diff(old, new)
		wantSame(t, Apply(old, events), new)
		for _, c := range events {
			if c.Kind == Closed && slices.ContainsFunc(c.Listener.Sockets, func(s HeldSocket) bool {
				return slices.ContainsFunc(seen, func(k socketState) bool { return k.socket.ID == s.ID })
			}) {
				t.Fatalf("%s was closed, but one of its sockets is in %s", c.Listener.ID, formatSnapshot(new))
			}
		}
		clear(listenerOf)
		was := make(map[string]*Listener)
		for _, l := range old.Listeners {
			was[l.ID] = l
		}
		for _, l := range new.Listeners {
			for _, s := range l.Sockets {
				listenerOf[s.ID] = l.ID
			}
			if before := was[l.ID]; before != nil && !shareSocket(before, l) && anySocketIn(before, new) {
				t.Fatalf("ID %s moved to another listener: %s, then %s", l.ID, formatSnapshot(old), formatSnapshot(new))
			}
		}
		old = new
	}
}

func shareSocket(a, b *Listener) bool {
	return slices.ContainsFunc(a.Sockets, func(s HeldSocket) bool {
		return slices.ContainsFunc(b.Sockets, func(k HeldSocket) bool { return k.ID == s.ID })
	})
}

func anySocketIn(l *Listener, s Snapshot) bool {
	return slices.ContainsFunc(s.Listeners, func(k *Listener) bool { return shareSocket(l, k) })
}

func TestApplyIgnoresEventsAboutClients(t *testing.T) {
	if got := Apply(Snapshot{}, []Event{{Kind: Attempted, Listener: ClosedPort(3000)}}); len(got.Listeners) != 0 {
		t.Errorf("got %v, want no listener", got.Listeners)
	}
}
