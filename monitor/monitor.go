package monitor

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync/atomic"
	"time"
)

// Table is the kernel's table of listening sockets. It is used by one
// goroutine at a time, but for Wake.
type Table interface {
	// Sockets appends every listening TCP socket to dst and, with udp, every UDP
	// socket that is bound and not connected. An error means that nothing is
	// known about this moment, not that nothing listens.
	Sockets(dst []Socket, udp bool) ([]Socket, error)
	// Still reports whether it is likely that no socket opened or closed since the
	// last call, where the table can tell that for a small part of what Unchanged
	// costs. false proves nothing.
	Still() bool
	// Unchanged reports whether Sockets would say what it said the last time, where
	// the table can tell that for less than an answer costs. false proves nothing.
	Unchanged(udp bool) bool
	// Source names the table in a few words, for people.
	Source() string
	// Wait returns after d, after Wake, or, with a hint, as soon as the system
	// has one. It appends the sockets that are known to have closed; that they
	// listened is not.
	Wait(d time.Duration, closed []SocketID) ([]SocketID, Hint)
	// Follow makes these processes, and no others, ones whose end Wait hints at,
	// where the system can tell. A number that another process took over since is
	// followed as that one: hints prove nothing.
	Follow(pids []int)
	// Wake lets Wait return, the next one where none is under way. It may be
	// called from any goroutine.
	Wake()
}

// Hint is why it may be worth looking now.
type Hint uint8

// The hints, which come together too.
const (
	TableChanged Hint = 1 << iota // a socket closed that may have listened
	OwnerEnded                    // one of the processes of Table.Follow
)

// Finder finds the processes that hold sockets. It is used by one goroutine at
// a time, which need not be the Table's.
type Finder interface {
	// Find searches for holders of sockets and calls found for each, the
	// likeliest first. It returns early where ctx ends. Not to find one is no
	// error; one means that processes could not be looked into that could be
	// before, so that whoever was not found may hold all the same.
	Find(ctx context.Context, scope Scope, sockets []Socket, found func(Holding)) error
	// Holds reports whether h still stands.
	Holds(h Holding) bool
	// Calm reports whether a process still holds all that it held when Calm last
	// said false, where that can be told for less than Holds costs. After false
	// Holds is to be asked about all of it.
	Calm(pid int) bool
	// Hidden says why nobody is seen to hold s, and what else is known of who may.
	Hidden(s Socket) Hidden
}

// Scope says how far a search goes.
type Scope int

// The scopes. All but Likely are for all sockets that listen.
const (
	Likely     Scope = iota // until every socket has a holder, the likeliest processes first
	Recent                  // the processes that are new, or hold more or less than at the last search of this scope; where none is new that may wait a minute
	Everywhere              // all processes
)

// Holding is the fact that a process holds a socket.
type Holding struct {
	Socket SocketID
	Owner  Owner
	Inode  uint64 // the socket's, by which Holds knows it again; 0 where unknown
	FD     int    // the descriptor by which it does; -1 where unknown
}

// Options are the Monitor's settings; the zero value is usable.
type Options struct {
	Interval time.Duration        // between two looks; 250 ms where 0
	UDP      bool                 // look at UDP sockets too
	Ports    Ports                // the ports that are looked at, and whose owners are searched; all where nil
	Keep     func(*Listener) bool // which listeners are of interest; all where nil
	Describe func(*Listener)      // fills in Service and the like before a listener is published; nothing where nil
	Logger   *slog.Logger         // slog.Default() where nil
}

// Times that the monitor keeps.
const (
	defaultInterval = 250 * time.Millisecond
	ownerWait       = 100 * time.Millisecond // an opened listener waits so long for its first owner
	firstWait       = time.Second            // the first snapshot waits so long for the owners
	againAfter      = time.Second            // whom a search does not see any more is searched again
	verifyEvery     = 4 * time.Second        // known holders are checked again
	recentEvery     = 15 * time.Second       // new holders of known sockets are looked for
	everywhereEvery = 10 * time.Minute       // all processes are searched again, should anything have been missed
	slowest         = 2 * time.Second        // between two looks at a table that fails
	fastInterval    = 100 * time.Millisecond // between two looks after a change, since one rarely comes alone
	fastFor         = 3 * time.Second        // and for how long
	proveEvery      = 500 * time.Millisecond // where the table is still it is looked at all the same
	hintEvery       = 10 * time.Millisecond  // hints bring looks at most so often: anyone can cause a thousand a second
)

// Monitor watches a Table. Create it with New, then call Run once.
type Monitor struct {
	table  Table
	finder Finder
	opts   Options
	log    *slog.Logger
	now    func() time.Time // time.Now, but for tests

	refresh     atomic.Bool
	redescribe  atomic.Bool  // Describe has more to say
	udp         atomic.Bool  // look at UDP too
	pace        atomic.Int64 // the Duration between two looks
	subscribers subscribers

	// All below belongs to Run's goroutine.
	entries  map[SocketID]*entry
	rowOf    map[SocketID]string // the row that each published socket is in
	rows     map[endpoint][]*Listener
	dirty    map[endpoint]bool // where a row must be built anew
	snapshot Snapshot
	ready    bool      // a first snapshot was published
	first    time.Time // when the first look was
	health   Health
	young    map[SocketID]*entry // entries that are not told yet, or want a search
	last     []Socket            // the last dump; entries holds exactly its sockets, or it is empty
	spare    []Socket            // memory for the next one
	fast     time.Time           // until when looks come fast
	settled  bool                // entries holds exactly what the table said last
	proven   time.Time           // when it was looked at for that; zero where it is to be looked at next
	hadUDP   bool                // whether the last look was at UDP too
	dropping bool                // rows that go now did not close
	moved    bool                // who holds what changed since the table was told whom to follow
	held     []Holding           // all holdings, those of one process together; nil where they changed
}

// entry is what is known of one socket.
type entry struct {
	socket   Socket
	seen     time.Time
	since    time.Time
	holders  []Holding
	lost     []Owner   // holders that hold no longer, while their heirs are searched
	again    time.Time // no search for its lost holders before; zero where they were seen at the last
	hidden   Hidden    // where it was searched and has no holders
	searched bool      // at least once
	pending  bool      // a search is wanted
	visible  bool      // published, or to be at the next chance
}

// New returns a Monitor of table that asks finder for the owners.
func New(table Table, finder Finder, opts Options) *Monitor {
	if opts.Interval <= 0 {
		opts.Interval = defaultInterval
	}
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	m := &Monitor{
		table: table, finder: finder, opts: opts, log: opts.Logger, now: time.Now,
		entries: make(map[SocketID]*entry),
		rowOf:   make(map[SocketID]string),
		rows:    make(map[endpoint][]*Listener),
		dirty:   make(map[endpoint]bool),
		young:   make(map[SocketID]*entry),
	}
	m.udp.Store(opts.UDP)
	m.pace.Store(int64(opts.Interval))
	return m
}

// SetUDP lets the monitor look at UDP sockets too, or no longer, from now on:
// they are told as Found, or Dropped. It may be called from any goroutine.
func (m *Monitor) SetUDP(on bool) {
	if m.udp.Swap(on) != on {
		m.Refresh()
	}
}

// SetInterval sets the time between two looks; d is more than 0. It may be
// called from any goroutine.
func (m *Monitor) SetInterval(d time.Duration) {
	if m.pace.Swap(int64(d)) != int64(d) {
		m.Refresh()
	}
}

// Subscribe returns a subscription to every update from now on, the present
// state first. It may be called from any goroutine, before or after Run.
func (m *Monitor) Subscribe() *Subscription { return m.subscribers.add() }

// Refresh asks for a look now. It may be called from any goroutine and does
// not wait.
func (m *Monitor) Refresh() {
	m.refresh.Store(true)
	m.table.Wake()
}

// Redescribe lets the running monitor describe every row again: Options.Describe
// has learned more. It may be called from any goroutine and does not wait.
func (m *Monitor) Redescribe() {
	m.redescribe.Store(true)
	m.table.Wake()
}

// Look returns what listens now, with every owner that can be seen. An error
// means that the table could not be read, or that ctx ended.
func (m *Monitor) Look(ctx context.Context) (Snapshot, error) {
	now := m.now()
	m.proven = time.Time{}
	if err := m.look(now); err != nil {
		return Snapshot{}, err
	}
	var blind error
	if len(m.entries) > 0 { // else no process need be asked
		blind = m.finder.Find(ctx, Everywhere, m.allSockets(), m.hold)
	}
	if err := ctx.Err(); err != nil {
		return Snapshot{}, fmt.Errorf("search owners: %w", err)
	}
	if blind != nil {
		m.log.Warn("owners cannot be seen now", "problem", blind)
	}
	for _, e := range m.entries {
		e.searched, e.visible = true, true
		if len(e.holders) == 0 {
			e.hidden = m.finder.Hidden(e.socket)
		}
		m.dirty[e.endpoint()] = true
	}
	m.build(now)
	return m.snapshot, nil
}

// Run watches until ctx ends and returns when all that it started has ended.
// No error of the table or of a process ends it: the last snapshot stays, the
// problem stands in Health, and the next look may succeed.
func (m *Monitor) Run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(ctx, m.table.Wake)
	work := newOwnerWork(ctx, m.finder, m.table.Wake)
	defer func() { cancel(); stop(); work.wait() }()

	m.health = Health{Source: m.table.Source()}
	m.log.Info("watching the listening ports", "source", m.health.Source)
	var closed []SocketID
	var nextLook, nextVerify, nextRecent, nextEverywhere, lastLook, rest time.Time
	for ctx.Err() == nil {
		m.takeAll(work)
		now := m.now()
		for _, id := range closed {
			if m.entries[id] != nil {
				m.drop(id, now)
			}
		}
		refresh := m.refresh.Swap(false)
		if refresh {
			m.proven = time.Time{}
		}
		if refresh || !now.Before(nextLook) {
			nextLook, lastLook = now.Add(m.lookAndTell(now)), now
		}
		if m.redescribe.Swap(false) {
			for p := range m.rows {
				m.dirty[p] = true
			}
		}
		deadline := m.reveal(now)
		if m.pending(now) && now.Before(work.rest) {
			deadline = earliest(deadline, work.rest)
		}
		switch {
		case !work.idle():
		case !now.Before(nextEverywhere):
			work.do(ownerJob{scope: Everywhere, search: m.allSockets()})
			m.wanted(now) // they are among all
			nextEverywhere, nextRecent, nextVerify = now.Add(everywhereEvery), now.Add(recentEvery), now.Add(verifyEvery)
		case !now.Before(nextRecent): // these first, or steady openings would starve them
			work.do(ownerJob{verify: m.doubtful(), scope: Recent, search: m.allSockets(), hidden: m.unheld()})
			nextRecent, nextVerify = now.Add(recentEvery), now.Add(verifyEvery)
		case !now.Before(nextVerify):
			// Where all is calm, nobody else is woken.
			if doubtful := m.doubtful(); len(doubtful) > 0 {
				work.do(ownerJob{verify: doubtful})
			}
			nextVerify = now.Add(verifyEvery)
		case m.pending(now) && !now.Before(work.rest):
			work.do(ownerJob{scope: Likely, search: m.wanted(now)})
		}
		// A long table takes long to compare: while a search finds owners one by
		// one, at least half of the time is for hearing of them.
		if begin := m.now(); work.idle() || !begin.Before(rest) {
			m.publish(now)
			m.follow()
			rest = m.now().Add(time.Since(begin))
		}
		var hint Hint
		closed, hint = m.table.Wait(time.Until(earliest(nextLook, deadline)), closed[:0])
		if hint&TableChanged != 0 {
			m.proven = time.Time{}
			nextLook = earliest(nextLook, lastLook.Add(hintEvery))
		}
		if hint&OwnerEnded != 0 {
			nextVerify = m.now()
		}
	}
}

// takeAll notes what the search for owners found since the last time.
func (m *Monitor) takeAll(work *ownerWork) {
	for {
		select {
		case r := <-work.results:
			m.take(r)
			if r.last {
				work.ended(r, m.now())
			}
		default:
			return
		}
	}
}

// lookAndTell looks once and returns the time until the next look.
func (m *Monitor) lookAndTell(now time.Time) time.Duration {
	err := m.look(now)
	m.health.Cost = time.Since(now)
	before := m.health.Interval
	m.health.Interval = time.Duration(m.pace.Load())
	problem, wait := "", m.interval(now)
	if err != nil {
		problem, wait = err.Error(), max(m.health.Interval, slowest)
	}
	if problem == m.health.Problem {
		if before != m.health.Interval && m.ready {
			m.tell(nil)
		}
		return wait
	}
	if problem != "" {
		m.log.Warn("the listening ports cannot be read; the last known ones stay", "problem", problem)
	} else {
		m.log.Info("the listening ports can be read again")
	}
	m.health.Problem = problem
	m.tell(nil)
	return wait
}

// interval is the time to the next look.
func (m *Monitor) interval(now time.Time) time.Duration {
	if now.Before(m.fast) {
		return min(fastInterval, m.health.Interval)
	}
	return m.health.Interval
}

// look dumps the table and compares it with what is known. Where nothing
// changed, that is the table's own comparison, or one of two slices.
func (m *Monitor) look(now time.Time) error {
	udp := m.udp.Load()
	still := m.still(now) // before the table: what opens between the two changes it the next time
	if m.settled && udp == m.hadUDP {
		if still {
			return nil
		}
		if m.table.Unchanged(udp) {
			m.proven = now
			return nil
		}
	}
	m.settled = false
	sockets, err := m.sockets(m.spare[:0], udp)
	m.spare = sockets
	if err != nil {
		return fmt.Errorf("read the table of listening sockets: %w", err)
	}
	if slices.Equal(sockets, m.last) && len(sockets) == len(m.entries) && udp == m.hadUDP {
		m.settled, m.proven = true, now
		return nil
	}
	if !udp && m.hadUDP {
		m.dropUDP(now)
	}
	if m.first.IsZero() {
		m.first = now
	}
	m.last, m.spare = sockets, m.last
	if gone := m.missing(m.entryIDs(), sockets); len(gone) > 0 {
		// One dump can miss a row that stands (100,000 sockets a second do it);
		// closed is what two in a row do not show.
		confirm, err := m.sockets(nil, udp)
		if err != nil {
			m.last = m.last[:0]
			return fmt.Errorf("confirm a close: %w", err)
		}
		for _, id := range m.missing(gone, confirm) {
			m.drop(id, now)
		}
		sockets = append(sockets, confirm...)
		m.last = m.last[:0] // the two may differ: compare in full next time
	}
	for _, s := range sockets {
		switch e := m.entries[s.ID]; {
		case e == nil:
			m.add(s, now)
		case e.endpoint() != endpointOf(s) || e.socket.Address != s.Address:
			// shutdown(2), bind and listen on one descriptor: the same kernel
			// socket, and for people another one.
			m.drop(s.ID, now)
			m.publish(now)
			m.add(s, now)
		}
	}
	m.hadUDP = udp
	m.settled, m.proven = len(m.last) == len(m.entries), now
	return nil
}

// still reports whether a look can be spared: nothing has happened for a while, the
// table says that nothing happens now, and it was read not long ago. A socket that
// opens in the very interval in which another one ends, after a rest of seconds, is
// seen up to proveEvery later; so is the end of a UDP socket that is connected, of
// which no count tells.
func (m *Monitor) still(now time.Time) bool {
	return m.table.Still() && !now.Before(m.fast) && now.Before(m.proven.Add(proveEvery))
}

// sockets appends what the table says of the ports that are looked at.
func (m *Monitor) sockets(dst []Socket, udp bool) ([]Socket, error) {
	sockets, err := m.table.Sockets(dst, udp)
	if m.opts.Ports != nil {
		sockets = slices.DeleteFunc(sockets, func(s Socket) bool { return !m.opts.Ports.Contains(s.Port) })
	}
	return sockets, err
}

// dropUDP forgets all UDP sockets: nobody looks there any more.
func (m *Monitor) dropUDP(now time.Time) {
	m.publish(now) // what happened before is told as what it was
	for id, e := range m.entries {
		if e.socket.Protocol == UDP {
			m.forget(id)
		}
	}
	m.dropping = true
	m.publish(now)
	m.dropping = false
}

// missing returns which of ids are not among sockets.
func (m *Monitor) missing(ids []SocketID, sockets []Socket) []SocketID {
	present := make(map[SocketID]bool, len(sockets))
	for _, s := range sockets {
		present[s.ID] = true
	}
	return slices.DeleteFunc(ids, func(id SocketID) bool { return present[id] })
}

func (m *Monitor) entryIDs() []SocketID { return slices.Collect(maps.Keys(m.entries)) }

func (m *Monitor) add(s Socket, now time.Time) {
	e := &entry{socket: s, seen: now, pending: true}
	if m.ready && (s.Protocol != UDP || m.hadUDP) { // else it may have been open before
		e.since = now
	}
	m.entries[s.ID], m.young[s.ID] = e, e
	m.hurry(now)
}

// hurry lets looks come fast, from the next one on.
func (m *Monitor) hurry(now time.Time) {
	if m.ready {
		m.fast = now.Add(fastFor)
	}
}

// drop forgets a socket. One that closed before it was told is told first:
// that it was open is a fact.
func (m *Monitor) drop(id SocketID, now time.Time) {
	e := m.entries[id]
	if m.rowOf[id] == "" && m.ready {
		m.show(e)
		m.publish(now)
	}
	m.forget(id)
	m.hurry(now)
}

// forget is drop without a word.
func (m *Monitor) forget(id SocketID) {
	e := m.entries[id]
	delete(m.entries, id)
	delete(m.young, id)
	m.proven = time.Time{}
	m.dirty[e.endpoint()] = true
	if len(e.holders) > 0 {
		m.moved, m.held = true, nil
	}
}

// follow asks for a hint when a process ends that holds something.
func (m *Monitor) follow() {
	if !m.moved {
		return
	}
	m.moved = false
	var pids []int
	for _, h := range m.holdings() {
		pids = append(pids, h.Owner.PID)
	}
	m.table.Follow(slices.Compact(pids))
}

func (e *entry) endpoint() endpoint { return endpointOf(e.socket) }

func endpointOf(s Socket) endpoint { return endpoint{s.Protocol, s.Port} }

func (m *Monitor) show(e *entry) {
	e.visible = true
	m.dirty[e.endpoint()] = true
}

// reveal shows the sockets that have waited long enough for an owner, or have
// one, and returns when the next one will have.
func (m *Monitor) reveal(now time.Time) (next time.Time) {
	wait := ownerWait
	if !m.ready {
		wait = firstWait
	}
	for id, e := range m.young {
		if e.visible {
			if !e.pending {
				delete(m.young, id)
			}
			if now.Before(e.again) {
				next = earliest(next, e.again)
			}
			continue
		}
		due := e.seen.Add(wait)
		if e.searched || (m.ready && len(e.holders) > 0) || !now.Before(due) {
			m.show(e)
			continue
		}
		next = earliest(next, due)
	}
	return next
}

// pending reports whether the holders of any socket should be searched now.
func (m *Monitor) pending(now time.Time) bool {
	for _, e := range m.young {
		if e.due(now) {
			return true
		}
	}
	return false
}

// wanted returns the sockets whose holders should be searched now.
func (m *Monitor) wanted(now time.Time) []Socket {
	var sockets []Socket
	for _, e := range m.young {
		if e.due(now) {
			e.pending = false
			sockets = append(sockets, e.socket)
		}
	}
	return sockets
}

func (e *entry) due(now time.Time) bool { return e.pending && !now.Before(e.again) }

func (m *Monitor) allSockets() []Socket {
	sockets := make([]Socket, 0, len(m.entries))
	for _, e := range m.entries {
		sockets = append(sockets, e.socket)
	}
	return sockets
}

// unheld returns the sockets that were searched in vain.
func (m *Monitor) unheld() []Socket {
	var sockets []Socket
	for _, e := range m.entries {
		if e.searched && len(e.holders) == 0 {
			sockets = append(sockets, e.socket)
		}
	}
	return sockets
}

// holdings returns all of them, those of one process together: the Finder is
// asked about a process once.
func (m *Monitor) holdings() []Holding {
	if m.held == nil {
		m.held = []Holding{}
		for _, e := range m.entries {
			m.held = append(m.held, e.holders...)
		}
		slices.SortFunc(m.held, func(a, b Holding) int { return cmp.Compare(a.Owner.PID, b.Owner.PID) })
	}
	return m.held
}

// doubtful returns the holdings that are to be checked now. The Finder must have
// nothing else to do.
func (m *Monitor) doubtful() (doubtful []Holding) {
	pid, calm := 0, false
	for _, h := range m.holdings() {
		if h.Owner.PID != pid {
			pid, calm = h.Owner.PID, m.finder.Calm(h.Owner.PID)
		}
		if !calm {
			doubtful = append(doubtful, h)
		}
	}
	return doubtful
}

// publish builds the rows that changed and tells the subscribers.
func (m *Monitor) publish(now time.Time) {
	if !m.ready {
		if m.health.Problem != "" {
			return // nothing was seen yet; an empty first snapshot would be a guess
		}
		for _, e := range m.young {
			if !e.visible && now.Before(m.first.Add(firstWait)) {
				return
			}
		}
		for _, e := range m.young { // those too that opened since
			m.show(e)
		}
		m.build(now)
		m.ready = true
		m.tell(nil)
		return
	}
	if len(m.dirty) == 0 {
		return
	}
	before := m.snapshot
	m.build(now)
	changes := Diff(before, m.snapshot)
	for i := range changes {
		if m.dropping && changes[i].Kind == Closed {
			changes[i].Kind = Dropped
		}
	}
	if len(changes) > 0 {
		m.tell(changes)
	}
}

func (m *Monitor) tell(changes []Change) {
	m.subscribers.publish(Update{Snapshot: m.snapshot, Changes: changes, Health: m.health, Ready: m.ready})
}

// earliest returns the earlier of two times; a zero time is none.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}
