package connection

import (
	"net/netip"
	"slices"
	"time"

	"porthole/monitor"
)

// Amount is a number of connections and their payload bytes, from the listener's
// view.
type Amount struct {
	Connections uint64 `json:"connections"`
	Received    uint64 `json:"received_bytes"`
	Sent        uint64 `json:"sent_bytes"`
}

// add adds b to a.
func (a *Amount) add(b Amount) {
	a.Connections, a.Received, a.Sent = a.Connections+b.Connections, a.Received+b.Received, a.Sent+b.Sent
}

// Totals is what a Counter counted for one listener, including the connections that
// have ended. A connection that was established before Since counts, with all its bytes,
// if it ended later or is still open.
type Totals struct {
	Amount
	Since       time.Time `json:"since"`        // the start of the count
	SinceOpened bool      `json:"since_opened"` // the count started when the listener opened, so that it is complete
	// AtLeast means that the kernel had to drop some messages, so that the numbers
	// are lower limits.
	AtLeast    bool       `json:"at_least,omitempty"`
	LastMinute LastMinute `json:"last_minute"`
	// Clients are those of the last hour, as far as they are known, the latest first.
	Clients []Visitor `json:"clients,omitempty"`
}

// LastMinute is the part of Totals that was first seen in the last minute.
type LastMinute struct {
	Amount
	AtLeast bool `json:"at_least,omitempty"`
}

// Ended is a connection that has ended, as the kernel reports it.
type Ended struct {
	ID            monitor.SocketID
	Local, Remote netip.AddrPort // the port of Remote is 0 if the listener's side reset the connection
	Received      uint64         // payload bytes; 0 if the listener's side reset the connection
	Sent          uint64
}

// Limits of a Counter.
const (
	maxLive    = 1 << 16                // connections whose ends are recognized
	maxPending = 64                     // groups of connections to ports without a listener
	groupTime  = 100 * time.Millisecond // connections within it are one group
	// pendingTime is how long connections wait for their listener: a listener is seen
	// by polling, at most every 5 s, and connections can end before that.
	pendingTime = 6 * time.Second
)

// Counter counts the connections of listeners: those that have ended, which the
// kernel reports with their bytes, and those that are established, which are read
// from time to time. A connection that is in both counts once: its cookie is its
// identity. The zero value is ready to use. It is not safe for concurrent use; all
// methods get the current time.
type Counter struct {
	index   Index
	counted map[string]*counted // by listener ID
	live    map[monitor.SocketID]liveConn

	ports   monitor.Ports // connections to these are counted although nothing listens yet
	portsAt time.Time     // since when
	pending []pendingGroup

	sampling bool                      // a sample is being taken
	ended    map[monitor.SocketID]bool // connections that have ended meanwhile
	lostAt   time.Time                 // when messages were last lost, for connections without a sample since
}

// counted is the count of one listener.
type counted struct {
	sockets []monitor.SocketID
	totals  Totals // without LastMinute
	minute  minute
	sampled bool // its established connections were read
}

// liveConn is an established connection that has been counted.
type liveConn struct {
	listener       string
	received, sent uint64 // counted so far
}

// pendingGroup are ended connections to an address that nothing was known to listen on.
type pendingGroup struct {
	at     time.Time
	local  netip.AddrPort
	amount Amount
}

// SetListeners sets the listeners whose connections are counted, and the ports whose
// connections are passed to Ended although nothing listens there. The counts of other
// listeners are forgotten, unless a listener has taken over their sockets.
func (c *Counter) SetListeners(now time.Time, listeners []*monitor.Listener, ports monitor.Ports) {
	c.index = NewIndex(listeners)
	before := c.counted
	c.counted = make(map[string]*counted, len(listeners))
	for _, l := range listeners {
		if l.Protocol != monitor.TCP {
			continue
		}
		n := before[l.ID]
		if n == nil {
			n = c.begin(now, l)
		}
		delete(before, l.ID)
		n.sockets = n.sockets[:0]
		for _, s := range l.Sockets {
			n.sockets = append(n.sockets, s.ID)
		}
		c.counted[l.ID] = n
	}
	for id, old := range before {
		c.takeOver(id, old)
	}
	if !slices.Equal(c.ports, ports) {
		c.ports, c.portsAt = slices.Clone(ports), now
	}
}

// begin returns the count of a new listener.
func (c *Counter) begin(now time.Time, l *monitor.Listener) *counted {
	n := &counted{totals: Totals{Since: now}}
	if l.Since.IsZero() || !c.ports.Contains(l.Port) || l.Since.Before(c.portsAt) {
		return n
	}
	n.totals.Since, n.totals.SinceOpened = l.Since, true
	c.pending = slices.DeleteFunc(c.pending, func(p pendingGroup) bool {
		mine := c.index.Listener(p.local)
		if mine == nil || mine.ID != l.ID {
			return false
		}
		if now.Sub(p.at) <= pendingTime {
			n.add(p.at, p.amount)
		}
		return true
	})
	return n
}

// takeOver adds the count of a listener that no longer exists to the one that has its
// sockets now.
func (c *Counter) takeOver(id string, old *counted) {
	successor := ""
	for next, n := range c.counted {
		if slices.ContainsFunc(old.sockets, func(s monitor.SocketID) bool { return slices.Contains(n.sockets, s) }) {
			successor = next
			n.totals.add(old.totals.Amount)
			n.totals.AtLeast = n.totals.AtLeast || old.totals.AtLeast
			n.totals.SinceOpened = n.totals.SinceOpened && old.totals.SinceOpened
			n.minute.merge(old.minute)
		}
	}
	for cookie, conn := range c.live {
		switch {
		case conn.listener != id:
		case successor == "":
			delete(c.live, cookie)
		default:
			conn.listener = successor
			c.live[cookie] = conn
		}
	}
}

// Counts reports whether there is anything to count.
func (c *Counter) Counts() bool { return len(c.counted) > 0 }

// Follows reports whether connections of the listener with this ID that appear now are
// new: its established connections were read before, or it was counted from its opening
// on.
func (c *Counter) Follows(id string) bool {
	n := c.counted[id]
	return n != nil && (n.sampled || n.totals.SinceOpened)
}

// Ended counts a connection that has ended, and returns the ID of its listener.
// Connections to other listeners are ignored; then it returns "".
func (c *Counter) Ended(now time.Time, e Ended) (listener string) {
	if c.sampling {
		c.ended[e.ID] = true
	}
	if seen, ok := c.live[e.ID]; ok {
		delete(c.live, e.ID)
		if n := c.counted[seen.listener]; n != nil {
			n.add(now, Amount{0, increase(seen.received, e.Received), increase(seen.sent, e.Sent)})
		}
		return seen.listener
	}
	amount := Amount{1, e.Received, e.Sent}
	if l := c.index.Listener(e.Local); l != nil {
		if n := c.counted[l.ID]; n != nil {
			n.add(now, amount)
		}
		return l.ID
	}
	if e.Remote.Port() != 0 && c.ports.Contains(e.Local.Port()) {
		c.addPending(now, e.Local, amount)
	}
	return ""
}

// Ignore does not count a connection that has ended, and that a sample may still contain.
func (c *Counter) Ignore(id monitor.SocketID) {
	if c.sampling {
		c.ended[id] = true
	}
}

// addPending keeps a connection for a listener that is not known yet.
func (c *Counter) addPending(now time.Time, local netip.AddrPort, amount Amount) {
	c.pending = slices.DeleteFunc(c.pending, func(p pendingGroup) bool { return now.Sub(p.at) > pendingTime })
	for i := range slices.Backward(c.pending) {
		if p := &c.pending[i]; p.local == local && now.Sub(p.at) < groupTime {
			p.amount.add(amount)
			return
		}
	}
	if len(c.pending) < maxPending {
		c.pending = append(c.pending, pendingGroup{now, local, amount})
	}
}

// BeginSample must be called before the established connections are read for
// EndSample: those that end in between are not established any more.
func (c *Counter) BeginSample() {
	c.sampling, c.ended = true, map[monitor.SocketID]bool{}
}

// EndSample counts the established connections of listeners, by listener ID, and returns
// the connections that have ended since BeginSample. With a nil map, the connections
// could not be read.
func (c *Counter) EndSample(now time.Time, states map[string]State) (ended map[monitor.SocketID]bool) {
	ended = c.ended
	c.sampling, c.ended = false, nil
	if states == nil {
		return ended
	}
	if !c.lostAt.IsZero() { // the ends of some connections may have been among the lost messages
		c.forgetMissing(states)
		c.lostAt = time.Time{}
	}
	for id, st := range states {
		n := c.counted[id]
		if n == nil {
			continue
		}
		for _, conn := range st.Conns {
			if !ended[conn.ID] {
				c.established(now, id, n, conn)
			}
		}
		n.sampled = true
	}
	return ended
}

// established counts an established connection.
func (c *Counter) established(now time.Time, id string, n *counted, conn Conn) {
	if c.live == nil {
		c.live = make(map[monitor.SocketID]liveConn)
	}
	before, known := c.live[conn.ID]
	if !known && len(c.live) >= maxLive {
		n.totals.AtLeast = true // it is counted when it ends
		return
	}
	amount := Amount{0, increase(before.received, conn.Received), increase(before.sent, conn.Sent)}
	if !known {
		amount.Connections = 1
	}
	if n.sampled || n.totals.SinceOpened {
		n.add(now, amount)
	} else { // it may have been established long ago
		n.totals.add(amount)
	}
	c.live[conn.ID] = liveConn{id, conn.Received, conn.Sent}
}

// forgetMissing forgets connections that are no longer established.
func (c *Counter) forgetMissing(states map[string]State) {
	present := make(map[monitor.SocketID]bool, len(c.live))
	for _, st := range states {
		for _, conn := range st.Conns {
			present[conn.ID] = true
		}
	}
	for cookie := range c.live {
		if !present[cookie] {
			delete(c.live, cookie)
		}
	}
}

// Lost records that the kernel had to drop messages: all counts are lower limits from
// now on.
func (c *Counter) Lost(now time.Time) {
	c.lostAt = now
	for _, n := range c.counted {
		n.totals.AtLeast = true
		n.minute.at(now).lost = true
	}
}

// Totals returns the counts by listener ID.
func (c *Counter) Totals(now time.Time) map[string]Totals {
	totals := make(map[string]Totals, len(c.counted))
	for id, n := range c.counted {
		t := n.totals
		t.LastMinute = n.minute.sum(now)
		totals[id] = t
	}
	return totals
}

// add counts an amount at a time.
func (n *counted) add(at time.Time, amount Amount) {
	n.totals.add(amount)
	n.minute.at(at).amount.add(amount)
}

// step is the resolution of a minute.
const step = 5 * time.Second

// minute has the amounts of the last minute in steps, the oldest first.
type minute []slot

// slot is one step of a minute.
type slot struct {
	start  time.Time
	amount Amount
	lost   bool // messages were lost
}

// at returns the slot of a time. Times that are not later than the last slot's belong to it.
func (m *minute) at(t time.Time) *slot {
	if n := len(*m); n > 0 && t.Sub((*m)[n-1].start) < step {
		return &(*m)[n-1]
	}
	*m = slices.DeleteFunc(*m, func(s slot) bool { return t.Sub(s.start) > time.Minute })
	*m = append(*m, slot{start: t})
	return &(*m)[len(*m)-1]
}

// sum returns the sum of the last minute.
func (m minute) sum(now time.Time) (sum LastMinute) {
	for _, s := range m {
		if now.Sub(s.start) <= time.Minute {
			sum.add(s.amount)
			sum.AtLeast = sum.AtLeast || s.lost
		}
	}
	return sum
}

// merge adds the slots of another minute.
func (m *minute) merge(other minute) {
	*m = append(*m, other...)
	slices.SortStableFunc(*m, func(a, b slot) int { return a.start.Compare(b.start) })
}
