package monitor

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// socketState is one socket with what is known of it.
type socketState struct {
	socket  Socket
	owners  []Owner      // that hold it
	since   time.Time    // when it was seen to open; zero where it was open before
	unknown OwnerUnknown // why nobody is seen to hold it; empty while the search goes on
}

// endpoint is what rows never reach across.
type endpoint struct {
	protocol Protocol
	port     uint16
}

// group puts the sightings of one endpoint together into listeners. Sockets
// hang together where they share an address or an owner, or where their owners
// have the same program, parent and user: one server's 127.0.0.1 and [::1] are
// one row, and so are the workers of one SO_REUSEPORT address; two servers, one
// on each, stay two. Where nobody is seen to hold them, the systemd service or
// the container that made them stands for the owner. rowOf tells the row that a socket was in before.
func group(sightings []socketState, rowOf map[SocketID]string) []*Listener {
	slices.SortFunc(sightings, func(a, b socketState) int { return cmp.Compare(a.socket.ID, b.socket.ID) })
	sets := newDisjointSets(len(sightings))
	seen := make(map[any]int)
	join := func(i int, key any) {
		if j, ok := seen[key]; ok {
			sets.join(i, j)
			return
		}
		seen[key] = i
	}
	for i, s := range sightings {
		join(i, s.socket.Address)
		if h := s.unknown; h.ContainerID != "" || strings.HasSuffix(h.Unit, ".service") { // a scope holds many programs
			join(i, [3]any{h.ContainerID, h.Unit, s.socket.UID})
		}
		for _, o := range s.owners {
			join(i, [2]uint64{uint64(o.PID), o.Start})
			if o.canHaveSiblings() {
				join(i, [3]any{o.Program, o.ParentPID, o.User})
			}
		}
	}
	members := make(map[int][]socketState)
	var roots []int
	for i, s := range sightings {
		root := sets.root(i)
		if members[root] == nil {
			roots = append(roots, root)
		}
		members[root] = append(members[root], s)
	}
	taken, given := make(map[string]bool), make(map[string]bool)
	for _, s := range sightings {
		given[rowOf[s.socket.ID]] = true
	}
	rows := make([]*Listener, 0, len(roots))
	for _, root := range roots { // in the order of their oldest socket, which keeps the id in a split
		rows = append(rows, newListener(members[root], listenerID(members[root], rowOf, given, taken)))
	}
	return rows
}

// listenerID carries on the id of the row that the sockets were in. A new row is
// named after its oldest socket, so that two programs that look at the same
// machine call it the same, but never by an id that is given to a row already.
func listenerID(members []socketState, rowOf map[SocketID]string, given, taken map[string]bool) string {
	for _, s := range members {
		if id := rowOf[s.socket.ID]; id != "" && !taken[id] {
			taken[id] = true
			return id
		}
	}
	s := members[0].socket
	base := fmt.Sprintf("%s-%d-%s", s.Protocol, s.Port, strconv.FormatUint(uint64(s.ID), 36))
	id := base
	for n := 2; taken[id] || given[id]; n++ {
		id = fmt.Sprintf("%s-%d", base, n)
	}
	taken[id] = true
	return id
}

func newListener(members []socketState, id string) *Listener {
	first := members[0]
	l := &Listener{ID: id, Protocol: first.socket.Protocol, Port: first.socket.Port, Owners: []Owner{}}
	for i, s := range members {
		held := HeldSocket{Socket: s.socket, Owners: []int{}}
		for _, o := range s.owners {
			held.Owners = append(held.Owners, o.PID)
			if !slices.ContainsFunc(l.Owners, o.Same) {
				l.Owners = append(l.Owners, o)
			}
		}
		slices.Sort(held.Owners)
		l.Sockets = append(l.Sockets, held)
		if !slices.Contains(l.Addresses, s.socket.Address) {
			l.Addresses = append(l.Addresses, s.socket.Address)
		}
		l.User = cmp.Or(l.User, s.socket.User)
		if l.OwnerUnknown == "" {
			l.OwnerUnknown, l.CgroupInfo = s.unknown.Reason, s.unknown.CgroupInfo
		}
		if i == 0 || s.since.Before(l.Since) {
			l.Since = s.since
		}
	}
	slices.SortFunc(l.Addresses, netip.Addr.Compare)
	slices.SortFunc(l.Sockets, func(a, b HeldSocket) int {
		return cmp.Or(a.Address.Compare(b.Address), cmp.Compare(a.ID, b.ID))
	})
	slices.SortFunc(l.Owners, compareOwners)
	l.Exposure = widestExposure(l.Addresses)
	if p, ok := l.Principal(); ok {
		l.OwnerUnknown, l.CgroupInfo = "", CgroupInfo{}
		l.Project = p.Project
	}
	return l
}

// compareOwners puts the owner first that stands for a listener: the oldest,
// since it is the one that opened the port and its workers inherited it; but a
// service before the init process that passed it the socket.
func compareOwners(a, b Owner) int {
	return cmp.Or(compareBool(a.PID == 1, b.PID == 1), cmp.Compare(a.Start, b.Start), cmp.Compare(a.PID, b.PID))
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}

// disjointSets is union-find over 0..n-1.
type disjointSets []int

func newDisjointSets(n int) disjointSets {
	d := make(disjointSets, n)
	for i := range d {
		d[i] = i
	}
	return d
}

func (d disjointSets) root(i int) int {
	for d[i] != i {
		d[i] = d[d[i]]
		i = d[i]
	}
	return i
}

// join keeps the lower root, so that a set is named by its first member.
func (d disjointSets) join(i, j int) {
	i, j = d.root(i), d.root(j)
	d[max(i, j)] = min(i, j)
}
