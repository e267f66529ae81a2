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

// socketState is one socket and what is known about it.
type socketState struct {
	socket  Socket
	owners  []Owner
	since   time.Time    // when it was seen to open; zero if it was open before
	unknown OwnerUnknown // why no owner is visible; empty until the search has ended
}

// endpoint is a protocol and a port. A listener never spans several endpoints.
type endpoint struct {
	protocol Protocol
	port     uint16
}

// address is where a socket is bound. One address on two devices is two addresses.
type address struct {
	netip.Addr
	device string
}

// group groups the sockets of one endpoint into listeners. Sockets belong
// together if they share an address or an owner, or if their owners are workers of
// one server (see worker): one server's 127.0.0.1 and [::1] are one listener, and
// so are the workers of one SO_REUSEPORT address; two servers, one on each
// address, stay two, even if one shell started them. If no owner is visible, the systemd service or the container
// that created the socket stands in for the owner. listenerOf has the ID of the
// listener that a socket was in before.
func group(states []socketState, listenerOf map[SocketID]string) []*Listener {
	slices.SortFunc(states, func(a, b socketState) int { return cmp.Compare(a.socket.ID, b.socket.ID) })
	sets := newDisjointSets(len(states))
	seen := make(map[any]int)
	join := func(i int, key any) {
		if j, ok := seen[key]; ok {
			sets.join(i, j)
			return
		}
		seen[key] = i
	}
	for i, s := range states {
		join(i, address{s.socket.Address, s.socket.Device})
		if u := s.unknown; u.ContainerID != "" || strings.HasSuffix(u.Unit, ".service") || strings.HasSuffix(u.Unit, ".socket") { // a scope contains many programs
			key := [4]any{u.ContainerID, u.Unit, s.socket.UID}
			if slices.Contains(engineUnits, u.Unit) { // forwarders of several containers
				key[3] = publishedAt(s.socket.Address)
			}
			join(i, key)
		}
		if s.unknown.Reason == UnknownRemoteForward && s.unknown.Inferred == nil { // of one of several logins
			join(i, [2]any{s.unknown.Reason, s.socket.UID})
		}
		if o := s.unknown.Inferred; o != nil && !o.listensForContainers() {
			join(i, [2]uint64{uint64(o.PID), o.Start})
		}
		for _, o := range s.owners {
			if o.listensForContainers() {
				join(i, [3]any{o.PID, o.Start, publishedAt(s.socket.Address)})
				continue
			}
			if o.awaitsClient() { // systemd, perhaps for several units
				join(i, [3]any{o.PID, o.Start, o.Unit})
				continue
			}
			join(i, [2]uint64{uint64(o.PID), o.Start})
			if o.canHaveSiblings() && !o.servesOneContainer() {
				join(i, o.worker())
			}
		}
	}
	members := make(map[int][]socketState)
	var roots []int
	for i, s := range states {
		root := sets.root(i)
		if members[root] == nil {
			roots = append(roots, root)
		}
		members[root] = append(members[root], s)
	}
	taken, existing := make(map[string]bool), make(map[string]bool)
	for _, s := range states {
		existing[listenerOf[s.socket.ID]] = true
	}
	listeners := make([]*Listener, 0, len(roots))
	for _, root := range roots { // ordered by oldest socket, which keeps the ID in a split
		listeners = append(listeners, newListener(members[root], listenerID(members[root], listenerOf, existing, taken)))
	}
	return listeners
}

// listenerID returns the ID of the listener that the sockets were in before. A new
// listener is named after its oldest socket, so that two programs on the same
// machine give it the same ID; an ID that another listener already has is not
// used.
func listenerID(members []socketState, listenerOf map[SocketID]string, existing, taken map[string]bool) string {
	for _, s := range members {
		if id := listenerOf[s.socket.ID]; id != "" && !taken[id] {
			taken[id] = true
			return id
		}
	}
	s := members[0].socket
	base := fmt.Sprintf("%s-%d-%s", s.Protocol, s.Port, strconv.FormatUint(uint64(s.ID), 36))
	id := base
	for n := 2; taken[id] || existing[id]; n++ {
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
		if l.User == "" {
			l.User, l.UserUnknown = s.socket.User, s.socket.NoName
		}
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
	l.Exposure = widestExposure(l.Sockets)
	if p, ok := l.Principal(); ok {
		l.OwnerUnknown, l.CgroupInfo = "", CgroupInfo{Unit: p.Unit}
		if p.User != "" { // a server opens the port as root and becomes another user
			l.User, l.UserUnknown = p.User, p.UserUnknown
		}
		l.Project = p.Project
	}
	return l
}

// compareOwners sorts the principal owner first: the oldest process, because it
// opened the port and its workers inherited it; but a service before the init
// process that passed it the socket.
func compareOwners(a, b Owner) int {
	return cmp.Or(compareBool(a.PID == 1 || a.awaitsClient(), b.PID == 1 || b.awaitsClient()), cmp.Compare(a.Start, b.Start), cmp.Compare(a.PID, b.PID))
}

// awaitsClient reports whether o is systemd, which holds the socket of a socket unit and
// starts the unit's service. A user's instance creates the sockets in its own control
// group, so that its unit is no socket unit.
func (o Owner) awaitsClient() bool {
	return strings.HasSuffix(o.Unit, ".socket") || o.ProgramName() == "systemd" && slices.Contains(o.Command, "--user")
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

// disjointSets is a union-find structure over 0..n-1.
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

// join keeps the lower root: a set is identified by its first member.
func (d disjointSets) join(i, j int) {
	i, j = d.root(i), d.root(j)
	d[max(i, j)] = min(i, j)
}
