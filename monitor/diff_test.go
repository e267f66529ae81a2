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

// process is an owner for tests: its number is its PID, its start and its name.
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

// row is a listener on 127.0.0.1:3000 of one socket, "id/socket", held by pids.
func row(id string, socket SocketID, pids ...int) *Listener {
	return rowAt(id, "127.0.0.1", []SocketID{socket}, pids...)
}

func rowAt(id, address string, sockets []SocketID, pids ...int) *Listener {
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

// twins is a row of processes that one parent started of one program.
func twins(pids ...int) *Listener {
	l := row("a", 1, pids...)
	for i := range l.Owners {
		l.Owners[i].Program, l.Owners[i].ParentPID = "/usr/bin/docker-proxy", 9
	}
	return l
}

func snapshotOf(rows ...*Listener) Snapshot {
	rows = slices.Clone(rows)
	slices.SortFunc(rows, compareListeners)
	return Snapshot{TakenAt: time.Unix(1, 0).UTC(), Listeners: rows}
}

// words writes changes as "kind id" or "kind id<before", comma-separated.
func words(changes []Event) string {
	var out []string
	for _, c := range changes {
		w := string(c.Kind) + " " + c.Listener.ID
		if c.Before != nil {
			w += "<" + c.Before.ID
		}
		out = append(out, w)
	}
	return strings.Join(out, ", ")
}

func TestDiff(t *testing.T) {
	a := row("a", 1, 10)
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
		{"opened", nil, rows(a), "opened a"},
		{"closed", rows(a), nil, "closed a"},
		{"the same pointer", rows(a), rows(a), ""},
		{"an equal row", rows(a), rows(row("a", 1, 10)), ""},
		{"first owner learned", rows(row("a", 1)), rows(a), "updated a<a"},
		{"name learned", rows(a), rows(&renamed), "updated a<a"},
		{"owner no longer seen", rows(a), rows(row("a", 1)), "updated a<a"},
		{"hand-over", rows(a), rows(row("a", 1, 11)), "owner_changed a<a"},
		{"a worker comes", rows(a), rows(row("a", 1, 10, 11)), "updated a<a"},
		{"a worker goes", rows(row("a", 1, 10, 11)), rows(a), "updated a<a"},
		{"the parent exits, its child keeps the socket", rows(row("a", 1, 10, 11)), rows(row("a", 1, 11)), "owner_changed a<a"},
		{"one of two twins exits", rows(twins(10, 11)), rows(twins(11)), "updated a<a"},
		{"a new twin takes over", rows(twins(10)), rows(twins(11)), "owner_changed a<a"},
		{"a pid given again", rows(a), rows(restarted(a)), "owner_changed a<a"},
		{
			"reach changed", rows(a), rows(newListener([]socketState{at(1, "127.0.0.1", 10), at(2, "0.0.0.0", 10)}, "a")),
			"exposure_changed a<a",
		},
		{
			"hands and reach changed", rows(a), rows(newListener([]socketState{at(1, "127.0.0.1", 11), at(2, "0.0.0.0", 11)}, "a")),
			"owner_changed a<a, exposure_changed a<a",
		},
		{"merge", rows(a, row("b", 2, 10)), rows(rowAt("a", "127.0.0.1", ids(1, 2), 10)), "updated a<b, updated a<a"},
		{"split", rows(rowAt("a", "127.0.0.1", ids(1, 2), 10)), rows(a, row("b", 2, 10)), "updated b<a, updated a<a"},
		{"one socket of a row closes", rows(rowAt("a", "127.0.0.1", ids(1, 2), 10)), rows(a), "updated a<a"},
		{"restart between two looks", rows(a), rows(row("b", 2, 10)), "closed a, opened b"},
		{"the same id again without a common socket", rows(a), rows(row("a", 2, 10)), "closed a, opened a"},
		{
			"two rows exchange their ids", rows(a, row("b", 2, 11)), rows(row("b", 1, 10), row("a", 2, 11)),
			"updated a<b, updated b<a",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			old, new := snapshotOf(test.old...), snapshotOf(test.new...)
			changes := Diff(old, new)
			if got := words(changes); got != test.want {
				t.Errorf("Diff = %q, want %q", got, test.want)
			}
			for _, c := range changes {
				if !c.At.Equal(new.TakenAt) {
					t.Errorf("%s At = %v, want the new snapshot's time %v", c.Kind, c.At, new.TakenAt)
				}
			}
			sameRows(t, Apply(old, changes), new)
		})
	}
}

func rows(rows ...*Listener) []*Listener { return rows }

func restarted(l *Listener) *Listener {
	again := *l
	again.Owners = slices.Clone(l.Owners)
	again.Owners[0].Start++
	return &again
}

func sameRows(t *testing.T, got, want Snapshot) {
	t.Helper()
	if !slices.EqualFunc(got.Listeners, want.Listeners, (*Listener).equal) {
		t.Fatalf("Apply gives %s, want %s", rowWords(got), rowWords(want))
	}
}

func rowWords(s Snapshot) string {
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

// Whatever happens between two snapshots, rows of any ids included, their Diff
// makes the new one of the old one.
func TestApplyOfDiffIsTheNewSnapshot(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 5_000 {
		old, new := randomSnapshot(r), randomSnapshot(r)
		got := Apply(old, Diff(old, new))
		if !slices.EqualFunc(got.Listeners, new.Listeners, (*Listener).equal) {
			t.Fatalf("from %s by %q: got %s, want %s", rowWords(old), words(Diff(old, new)), rowWords(got), rowWords(new))
		}
	}
}

// randomSnapshot deals up to eight sockets to rows named a to e.
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
			all = append(all, rowAt(name, "127.0.0.1", held[name], 10+r.IntN(3)))
		}
	}
	return snapshotOf(all...)
}

// The same with rows as group makes them, look after look. What group promises
// besides: an id is never given to a row that has no socket of the row that
// had it, as long as that row lives.
func TestGroupedSnapshotsFollowEachOther(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	addresses := []string{"127.0.0.1", "::1", "127.0.0.2", "0.0.0.0"}
	old, rowOf := Snapshot{}, map[SocketID]string{}
	for range 20_000 {
		var seen []socketState
		for id := range SocketID(6) {
			if r.IntN(5) > 0 {
				seen = append(seen, at(id+1, addresses[int(id)%len(addresses)], 10+r.IntN(4)))
			}
		}
		new := snapshotOf(group(seen, rowOf)...)
		changes := Diff(old, new)
		sameRows(t, Apply(old, changes), new)
		for _, c := range changes {
			if c.Kind == Closed && slices.ContainsFunc(c.Listener.Sockets, func(s HeldSocket) bool {
				return slices.ContainsFunc(seen, func(k socketState) bool { return k.socket.ID == s.ID })
			}) {
				t.Fatalf("%s closed, but a socket of it lives in %s", c.Listener.ID, rowWords(new))
			}
		}
		clear(rowOf)
		was := make(map[string]*Listener)
		for _, l := range old.Listeners {
			was[l.ID] = l
		}
		for _, l := range new.Listeners {
			for _, s := range l.Sockets {
				rowOf[s.ID] = l.ID
			}
			if before := was[l.ID]; before != nil && !shareSocket(before, l) && anyLives(before, new) {
				t.Fatalf("id %s went from one row to another: %s, then %s", l.ID, rowWords(old), rowWords(new))
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

func anyLives(l *Listener, s Snapshot) bool {
	return slices.ContainsFunc(s.Listeners, func(k *Listener) bool { return shareSocket(l, k) })
}
