package connection

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"porthole/monitor"
)

// Visitor is a client of a listener: a program and its user on this machine, or another
// machine's address.
type Visitor struct {
	Name        string     `json:"name,omitempty"`   // program, clean; "" if it is not known
	PID         int        `json:"pid,omitempty"`    // of its last connection; 0 if it is not known
	User        string     `json:"user,omitempty"`   // clean; "" if it is not known
	Address     netip.Addr `json:"address,omitzero"` // of another machine
	Connections int        `json:"connections"`      // in the last hour, as far as known
	Last        time.Time  `json:"last"`             // when it was last seen
}

// Key identifies the client across its connections. It contains no PID.
func (v Visitor) Key() string {
	if v.Address.IsValid() {
		return "address " + v.Address.String()
	}
	return "program " + v.Name + " of " + v.User
}

// Client returns the client, with the PID of its last connection. It is the zero value
// for a program that was not connected long enough to be identified.
func (v Visitor) Client() monitor.Client {
	return monitor.Client{Name: v.Name, PID: v.PID, User: v.User, Address: v.Address}
}

// Limits of Visitors.
const (
	visitorsFor   = time.Hour
	maxVisitors   = 256     // of one listener; further ones are ignored until others are an hour old
	maxVisits     = 1 << 14 // connections whose clients are known
	maxNameLength = 40
)

// Visitors keeps the clients of listeners in the last hour. The zero value is ready to
// use. It is not safe for concurrent use; all methods get the current time.
type Visitors struct {
	visits map[monitor.SocketID]visit
	seen   map[string]map[visitorKey]*seenVisitor // by listener ID
}

// seenVisitor is a client of the last hour.
type seenVisitor struct {
	Visitor
	reported bool // as new
}

// visitorKey is Visitor.Key without allocations.
type visitorKey struct {
	name, user string
	address    netip.Addr
}

// visit is an established connection.
type visit struct {
	listener string
	user     string
	counted  bool // its client is in seen
	at       time.Time
}

// NewVisitor is a client that was not seen in the last hour.
type NewVisitor struct {
	Listener string // ID
	Visitor
}

// Established records the clients of established connections and returns those that are
// new. A local client whose process is not known yet waits for a later call, or for the
// end of its connection.
func (v *Visitors) Established(now time.Time, states map[string]State) (added []NewVisitor) {
	v.keep(states)
	for id, st := range states {
		for _, c := range st.Conns {
			known := v.visits[c.ID]
			known.listener, known.user, known.at = id, c.User, now
			local := fromThisMachine(c.Local, c.Remote)
			if !known.counted && (!local || c.Client.PID != 0) {
				known.counted = true
				key := visitorKey{monitor.Clean(c.Client.Name, maxNameLength), monitor.Clean(c.User, maxNameLength), netip.Addr{}}
				if !local {
					key = visitorKey{address: c.Remote.Addr().Unmap()}
				}
				added = v.count(added, now, id, key, c.Client.PID)
			}
			if v.visits == nil {
				v.visits = make(map[monitor.SocketID]visit)
			}
			if _, ok := v.visits[c.ID]; ok || len(v.visits) < maxVisits {
				v.visits[c.ID] = known
			}
		}
	}
	for cookie, known := range v.visits { // the message about its end may be lost
		if now.Sub(known.at) > visitorsFor {
			delete(v.visits, cookie)
		}
	}
	return added
}

// Ended records the client of a connection that has ended, unless Established has, and
// appends it to added if it is new.
func (v *Visitors) Ended(added []NewVisitor, now time.Time, listener string, e Ended) []NewVisitor {
	known, ok := v.visits[e.ID]
	if ok {
		delete(v.visits, e.ID)
		if known.counted {
			return added
		}
	}
	key := visitorKey{address: e.Remote.Addr().Unmap()}
	if fromThisMachine(e.Local, e.Remote) {
		key = visitorKey{user: monitor.Clean(known.user, maxNameLength)}
	}
	return v.count(added, now, listener, key, 0)
}

// count counts a connection of a client.
func (v *Visitors) count(added []NewVisitor, now time.Time, listener string, key visitorKey, pid int) []NewVisitor {
	clients := v.seen[listener]
	if clients == nil {
		if v.seen == nil {
			v.seen = make(map[string]map[visitorKey]*seenVisitor)
		}
		clients = make(map[visitorKey]*seenVisitor)
		v.seen[listener] = clients
	}
	if c := clients[key]; c != nil {
		if now.Sub(c.Last) > visitorsFor {
			c.Connections = 0
		}
		c.Connections++
		c.PID, c.Last = cmp.Or(pid, c.PID), now
		if c.reported {
			return added
		}
		c.reported = true
		return append(added, NewVisitor{listener, c.Visitor})
	}
	if len(clients) >= maxVisitors {
		for k, c := range clients {
			if now.Sub(c.Last) > visitorsFor {
				delete(clients, k)
			}
		}
		if len(clients) >= maxVisitors {
			return added
		}
	}
	c := &seenVisitor{Visitor{Name: key.name, User: key.user, Address: key.address, PID: pid, Connections: 1, Last: now}, true}
	clients[key] = c
	return append(added, NewVisitor{listener, c.Visitor})
}

// ReportAgain makes the next connection of each client count as that of a new one.
func (v *Visitors) ReportAgain() {
	for _, clients := range v.seen {
		for _, c := range clients {
			c.reported = false
		}
	}
}

// keep forgets the clients of listeners without a state.
func (v *Visitors) keep(states map[string]State) {
	for id := range v.seen {
		if _, ok := states[id]; !ok {
			delete(v.seen, id)
		}
	}
}

// LastHour returns the clients of a listener in the last hour, the latest first.
func (v *Visitors) LastHour(now time.Time, listener string) []Visitor {
	var all []Visitor
	for _, c := range v.seen[listener] {
		if now.Sub(c.Last) <= visitorsFor {
			all = append(all, c.Visitor)
		}
	}
	slices.SortFunc(all, func(a, b Visitor) int { return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(a.Key(), b.Key())) })
	return all
}

// fromThisMachine reports whether the client of a connection is on this machine.
func fromThisMachine(local, remote netip.AddrPort) bool {
	r := remote.Addr().Unmap()
	return r.IsLoopback() || r == local.Addr().Unmap()
}
