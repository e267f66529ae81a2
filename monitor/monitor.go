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
	OwnerExited                   // one of the processes of Table.Follow
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
	Hidden(s Socket) OwnerUnknown
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
	retryAfter      = time.Second            // whom a search does not see any more is searched again
	verifyEvery     = 4 * time.Second        // known holders are checked again
	recentEvery     = 15 * time.Second       // new holders of known sockets are looked for
	everywhereEvery = 10 * time.Minute       // all processes are searched again, should anything have been missed
	failureInterval = 2 * time.Second        // between two looks at a table that fails
	fastInterval    = 100 * time.Millisecond // between two looks after a change, since one rarely comes alone
	fastDuration    = 3 * time.Second        // and for how long
	maxSkip         = 500 * time.Millisecond // where the table is still it is looked at all the same
	minHintInterval = 10 * time.Millisecond  // hints bring looks at most so often: anyone can cause a thousand a second
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
	interval    atomic.Int64 // the Duration between two looks
	subscribers subscribers

	// All below belongs to Run's goroutine.
	entries        map[SocketID]*entry
	listenerOf     map[SocketID]string // the row that each published socket is in
	listeners      map[endpoint][]*Listener
	dirty          map[endpoint]bool // where a row must be built anew
	snapshot       Snapshot
	ready          bool      // a first snapshot was published
	firstPoll      time.Time // when the first look was
	health         Health
	unsettled      map[SocketID]*entry // entries that are not told yet, or want a search
	lastDump       []Socket            // the last dump; entries holds exactly its sockets, or it is empty
	spareDump      []Socket            // memory for the next one
	fastUntil      time.Time           // until when looks come fast
	settled        bool                // entries holds exactly what the table said last
	proven         time.Time           // when it was looked at for that; zero where it is to be looked at next
	polledUDP      bool                // whether the last look was at UDP too
	unlisting      bool                // rows that go now did not close
	holdersChanged bool                // who holds what changed since the table was told whom to follow
	holdingsCache  []Holding           // all holdings, those of one process together; nil where they changed
}

// entry is what is known of one socket.
type entry struct {
	socket      Socket
	seen        time.Time
	since       time.Time
	holders     []Holding
	lost        []Owner      // holders that hold no longer, while their heirs are searched
	retryAt     time.Time    // no search for its lost holders before; zero where they were seen at the last
	unknown     OwnerUnknown // where it was searched and has no holders
	searched    bool         // at least once
	needsSearch bool         // a search is wanted
	visible     bool         // published, or to be at the next chance
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
		entries:    make(map[SocketID]*entry),
		listenerOf: make(map[SocketID]string),
		listeners:  make(map[endpoint][]*Listener),
		dirty:      make(map[endpoint]bool),
		unsettled:  make(map[SocketID]*entry),
	}
	m.udp.Store(opts.UDP)
	m.interval.Store(int64(opts.Interval))
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
	if m.interval.Swap(int64(d)) != int64(d) {
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

// Scan returns what listens now, with every owner that can be seen. An error
// means that the table could not be read, or that ctx ended.
func (m *Monitor) Scan(ctx context.Context) (Snapshot, error) {
	now := m.now()
	m.proven = time.Time{}
	if err := m.poll(now); err != nil {
		return Snapshot{}, err
	}
	var blind error
	if len(m.entries) > 0 { // else no process need be asked
		blind = m.finder.Find(ctx, Everywhere, m.allSockets(), m.addHolder)
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
			e.unknown = m.finder.Hidden(e.socket)
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
	work := newOwnerWorker(ctx, m.finder, m.table.Wake)
	defer func() { cancel(); stop(); work.wait() }()

	m.health = Health{Source: m.table.Source()}
	m.log.Info("watching the listening ports", "source", m.health.Source)
	var closed []SocketID
	var nextLook, nextVerify, nextRecent, nextEverywhere, lastLook, rest time.Time
	for ctx.Err() == nil {
		m.applyResults(work)
		now := m.now()
		for _, id := range closed {
			if m.entries[id] != nil {
				m.remove(id, now)
			}
		}
		refresh := m.refresh.Swap(false)
		if refresh {
			m.proven = time.Time{}
		}
		if refresh || !now.Before(nextLook) {
			nextLook, lastLook = now.Add(m.pollAndReport(now)), now
		}
		if m.redescribe.Swap(false) {
			for p := range m.listeners {
				m.dirty[p] = true
			}
		}
		deadline := m.revealDue(now)
		if m.searchDue(now) && now.Before(work.restUntil) {
			deadline = earliest(deadline, work.restUntil)
		}
		switch {
		case !work.idle():
		case !now.Before(nextEverywhere):
			work.start(ownerJob{scope: Everywhere, search: m.allSockets()})
			m.takeDue(now) // they are among all
			nextEverywhere, nextRecent, nextVerify = now.Add(everywhereEvery), now.Add(recentEvery), now.Add(verifyEvery)
		case !now.Before(nextRecent): // these first, or steady openings would starve them
			work.start(ownerJob{verify: m.doubtful(), scope: Recent, search: m.allSockets(), unknown: m.unowned()})
			nextRecent, nextVerify = now.Add(recentEvery), now.Add(verifyEvery)
		case !now.Before(nextVerify):
			// Where all is calm, nobody else is woken.
			if doubtful := m.doubtful(); len(doubtful) > 0 {
				work.start(ownerJob{verify: doubtful})
			}
			nextVerify = now.Add(verifyEvery)
		case m.searchDue(now) && !now.Before(work.restUntil):
			work.start(ownerJob{scope: Likely, search: m.takeDue(now)})
		}
		// A long table takes long to compare: while a search finds owners one by
		// one, at least half of the time is for hearing of them.
		if begin := m.now(); work.idle() || !begin.Before(rest) {
			m.publish(now)
			m.watchOwners()
			rest = m.now().Add(time.Since(begin))
		}
		var hint Hint
		closed, hint = m.table.Wait(time.Until(earliest(nextLook, deadline)), closed[:0])
		if hint&TableChanged != 0 {
			m.proven = time.Time{}
			nextLook = earliest(nextLook, lastLook.Add(minHintInterval))
		}
		if hint&OwnerExited != 0 {
			nextVerify = m.now()
		}
	}
}

// applyResults notes what the search for owners found since the last time.
func (m *Monitor) applyResults(work *ownerWorker) {
	for {
		select {
		case r := <-work.results:
			m.applyResult(r)
			if r.last {
				work.finish(r, m.now())
			}
		default:
			return
		}
	}
}

// pollAndReport looks once and returns the time until the next look.
func (m *Monitor) pollAndReport(now time.Time) time.Duration {
	err := m.poll(now)
	m.health.PollDuration = time.Since(now)
	before := m.health.Interval
	m.health.Interval = time.Duration(m.interval.Load())
	problem, wait := "", m.currentInterval(now)
	if err != nil {
		problem, wait = err.Error(), max(m.health.Interval, failureInterval)
	}
	if problem == m.health.Problem {
		if before != m.health.Interval && m.ready {
			m.send(nil)
		}
		return wait
	}
	if problem != "" {
		m.log.Warn("the listening ports cannot be read; the last known ones stay", "problem", problem)
	} else {
		m.log.Info("the listening ports can be read again")
	}
	m.health.Problem = problem
	m.send(nil)
	return wait
}

// currentInterval is the time to the next look.
func (m *Monitor) currentInterval(now time.Time) time.Duration {
	if now.Before(m.fastUntil) {
		return min(fastInterval, m.health.Interval)
	}
	return m.health.Interval
}

// poll dumps the table and compares it with what is known. Where nothing
// changed, that is the table's own comparison, or one of two slices.
func (m *Monitor) poll(now time.Time) error {
	udp := m.udp.Load()
	still := m.still(now) // before the table: what opens between the two changes it the next time
	if m.settled && udp == m.polledUDP {
		if still {
			return nil
		}
		if m.table.Unchanged(udp) {
			m.proven = now
			return nil
		}
	}
	m.settled = false
	sockets, err := m.readTable(m.spareDump[:0], udp)
	m.spareDump = sockets
	if err != nil {
		return fmt.Errorf("read the table of listening sockets: %w", err)
	}
	if slices.Equal(sockets, m.lastDump) && len(sockets) == len(m.entries) && udp == m.polledUDP {
		m.settled, m.proven = true, now
		return nil
	}
	if !udp && m.polledUDP {
		m.unlistUDP(now)
	}
	if m.firstPoll.IsZero() {
		m.firstPoll = now
	}
	m.lastDump, m.spareDump = sockets, m.lastDump
	if gone := m.missing(m.entryIDs(), sockets); len(gone) > 0 {
		// One dump can miss a row that stands (100,000 sockets a second do it);
		// closed is what two in a row do not show.
		confirm, err := m.readTable(nil, udp)
		if err != nil {
			m.lastDump = m.lastDump[:0]
			return fmt.Errorf("confirm a close: %w", err)
		}
		for _, id := range m.missing(gone, confirm) {
			m.remove(id, now)
		}
		sockets = append(sockets, confirm...)
		m.lastDump = m.lastDump[:0] // the two may differ: compare in full next time
	}
	for _, s := range sockets {
		switch e := m.entries[s.ID]; {
		case e == nil:
			m.add(s, now)
		case e.endpoint() != endpointOf(s) || e.socket.Address != s.Address:
			// shutdown(2), bind and listen on one descriptor: the same kernel
			// socket, and for people another one.
			m.remove(s.ID, now)
			m.publish(now)
			m.add(s, now)
		}
	}
	m.polledUDP = udp
	m.settled, m.proven = len(m.lastDump) == len(m.entries), now
	return nil
}

// still reports whether a look can be spared: nothing has happened for a while, the
// table says that nothing happens now, and it was read not long ago. A socket that
// opens in the very interval in which another one ends, after a rest of seconds, is
// seen up to proveEvery later; so is the end of a UDP socket that is connected, of
// which no count tells.
func (m *Monitor) still(now time.Time) bool {
	return m.table.Still() && !now.Before(m.fastUntil) && now.Before(m.proven.Add(maxSkip))
}

// readTable appends what the table says of the ports that are looked at.
func (m *Monitor) readTable(dst []Socket, udp bool) ([]Socket, error) {
	sockets, err := m.table.Sockets(dst, udp)
	if m.opts.Ports != nil {
		sockets = slices.DeleteFunc(sockets, func(s Socket) bool { return !m.opts.Ports.Contains(s.Port) })
	}
	return sockets, err
}

// unlistUDP forgets all UDP sockets: nobody looks there any more.
func (m *Monitor) unlistUDP(now time.Time) {
	m.publish(now) // what happened before is told as what it was
	for id, e := range m.entries {
		if e.socket.Protocol == UDP {
			m.forget(id)
		}
	}
	m.unlisting = true
	m.publish(now)
	m.unlisting = false
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
	e := &entry{socket: s, seen: now, needsSearch: true}
	if m.ready && (s.Protocol != UDP || m.polledUDP) { // else it may have been open before
		e.since = now
	}
	m.entries[s.ID], m.unsettled[s.ID] = e, e
	m.pollFaster(now)
}

// pollFaster lets looks come fast, from the next one on.
func (m *Monitor) pollFaster(now time.Time) {
	if m.ready {
		m.fastUntil = now.Add(fastDuration)
	}
}

// remove forgets a socket. One that closed before it was told is told first:
// that it was open is a fact.
func (m *Monitor) remove(id SocketID, now time.Time) {
	e := m.entries[id]
	if m.listenerOf[id] == "" && m.ready {
		m.makeVisible(e)
		m.publish(now)
	}
	m.forget(id)
	m.pollFaster(now)
}

// forget is drop without a word.
func (m *Monitor) forget(id SocketID) {
	e := m.entries[id]
	delete(m.entries, id)
	delete(m.unsettled, id)
	m.proven = time.Time{}
	m.dirty[e.endpoint()] = true
	if len(e.holders) > 0 {
		m.holdersChanged, m.holdingsCache = true, nil
	}
}

// watchOwners asks for a hint when a process ends that holds something.
func (m *Monitor) watchOwners() {
	if !m.holdersChanged {
		return
	}
	m.holdersChanged = false
	var pids []int
	for _, h := range m.holdings() {
		pids = append(pids, h.Owner.PID)
	}
	m.table.Follow(slices.Compact(pids))
}

func (e *entry) endpoint() endpoint { return endpointOf(e.socket) }

func endpointOf(s Socket) endpoint { return endpoint{s.Protocol, s.Port} }

func (m *Monitor) makeVisible(e *entry) {
	e.visible = true
	m.dirty[e.endpoint()] = true
}

// revealDue shows the sockets that have waited long enough for an owner, or have
// one, and returns when the next one will have.
func (m *Monitor) revealDue(now time.Time) (next time.Time) {
	wait := ownerWait
	if !m.ready {
		wait = firstWait
	}
	for id, e := range m.unsettled {
		if e.visible {
			if !e.needsSearch {
				delete(m.unsettled, id)
			}
			if now.Before(e.retryAt) {
				next = earliest(next, e.retryAt)
			}
			continue
		}
		due := e.seen.Add(wait)
		if e.searched || (m.ready && len(e.holders) > 0) || !now.Before(due) {
			m.makeVisible(e)
			continue
		}
		next = earliest(next, due)
	}
	return next
}

// searchDue reports whether the holders of any socket should be searched now.
func (m *Monitor) searchDue(now time.Time) bool {
	for _, e := range m.unsettled {
		if e.due(now) {
			return true
		}
	}
	return false
}

// takeDue returns the sockets whose holders should be searched now.
func (m *Monitor) takeDue(now time.Time) []Socket {
	var sockets []Socket
	for _, e := range m.unsettled {
		if e.due(now) {
			e.needsSearch = false
			sockets = append(sockets, e.socket)
		}
	}
	return sockets
}

func (e *entry) due(now time.Time) bool { return e.needsSearch && !now.Before(e.retryAt) }

func (m *Monitor) allSockets() []Socket {
	sockets := make([]Socket, 0, len(m.entries))
	for _, e := range m.entries {
		sockets = append(sockets, e.socket)
	}
	return sockets
}

// unowned returns the sockets that were searched in vain.
func (m *Monitor) unowned() []Socket {
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
	if m.holdingsCache == nil {
		m.holdingsCache = []Holding{}
		for _, e := range m.entries {
			m.holdingsCache = append(m.holdingsCache, e.holders...)
		}
		slices.SortFunc(m.holdingsCache, func(a, b Holding) int { return cmp.Compare(a.Owner.PID, b.Owner.PID) })
	}
	return m.holdingsCache
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
		for _, e := range m.unsettled {
			if !e.visible && now.Before(m.firstPoll.Add(firstWait)) {
				return
			}
		}
		for _, e := range m.unsettled { // those too that opened since
			m.makeVisible(e)
		}
		m.build(now)
		m.ready = true
		m.send(nil)
		return
	}
	if len(m.dirty) == 0 {
		return
	}
	before := m.snapshot
	m.build(now)
	changes := Diff(before, m.snapshot)
	for i := range changes {
		if m.unlisting && changes[i].Kind == Closed {
			changes[i].Kind = Unlisted
		}
	}
	if len(changes) > 0 {
		m.send(changes)
	}
}

func (m *Monitor) send(changes []Event) {
	m.subscribers.publish(Update{Snapshot: m.snapshot, Events: changes, Health: m.health, Ready: m.ready})
}

// earliest returns the earlier of two times; a zero time is none.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}
