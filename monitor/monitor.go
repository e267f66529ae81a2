package monitor

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"
)

// Options are the Monitor's settings. The zero value is ready to use.
type Options struct {
	Interval time.Duration        // polling interval; 250 ms if 0
	UDP      bool                 // include UDP sockets
	Ports    Ports                // ports to watch and to search owners for; nil means all
	Keep     func(*Listener) bool // selects the listeners to publish; nil means all
	Enrich   Enricher             // adds names of users, projects and the like, which arrive later; may be nil
	Describe func(*Listener)      // fills in Service, Container and the like before a listener is published; may be nil
	Programs ProcessSource        // reports programs that start, and how processes ended; may be nil
	Logger   *slog.Logger         // slog.Default() if nil
}

// The monitor's intervals and time limits.
const (
	defaultInterval = 250 * time.Millisecond
	ownerWait       = 500 * time.Millisecond // a new listener is published without owners after this time, if a busy machine has not answered by then
	firstWait       = time.Second            // the first snapshot is published without owners after this time
	retryAfter      = time.Second            // owners that a search no longer finds are searched again after this time
	verifyEvery     = time.Second            // how often known holders are checked: whether they still hold their sockets and run the same program
	verifySlowly    = 4 * time.Second        // the same with polling intervals longer than verifyAtPoll
	verifyAtPoll    = time.Second            // with polling intervals up to this, checks wait for the next poll instead of causing another wake-up
	recentEvery     = 15 * time.Second       // how often new holders of known sockets are searched
	everywhereEvery = 10 * time.Minute       // how often all processes are searched, in case something was missed
	failureInterval = 2 * time.Second        // shortest polling interval while the table cannot be read
	fastInterval    = 100 * time.Millisecond // polling interval after a change, because a change is often followed by others
	fastDuration    = 3 * time.Second        // how long that interval is used after a change
	minHintInterval = 10 * time.Millisecond  // shortest time between polls that hints cause: any user can cause a thousand hints a second
)

// followUps are the times after an opening when more holders of its socket are
// searched: the search for the first one stops there, and a server may fork workers
// after listen(2). Each is nearly free if no process has started meanwhile.
var followUps = []time.Duration{400 * time.Millisecond, 900 * time.Millisecond, 3 * time.Second}

// Monitor watches a Table. Create it with New, then call Run or Scan.
type Monitor struct {
	table  Table
	exits  ExitWatcher      // the table; nil if it cannot watch for exits
	starts DescriptorWaiter // the table; nil if it cannot wait for starts of programs
	finder Finder
	opts   Options
	log    *slog.Logger
	now    func() time.Time // time.Now, except in tests

	refresh     atomic.Bool
	redescribe  atomic.Bool  // Describe has new information
	answered    atomic.Bool  // Enrich has new answers
	udp         atomic.Bool  // include UDP sockets
	interval    atomic.Int64 // polling interval, a time.Duration
	subscribers subscribers

	// The fields below belong to Run's goroutine.
	entries    map[SocketID]*entry
	listenerOf map[SocketID]string // ID of the listener that each published socket is in
	listeners  map[endpoint][]*Listener
	dirty      map[endpoint]bool // endpoints whose listeners must be rebuilt
	unanswered map[endpoint]bool // endpoints whose listeners wait for answers of Enrich
	snapshot   Snapshot
	ready      bool      // the first snapshot was published
	firstPoll  time.Time // time of the first successful poll
	health     Health
	unsettled  map[SocketID]*entry // entries that are not published yet or need a search
	fastUntil  time.Time           // fastInterval is used until then
	inSync     bool                // entries holds exactly the sockets of the last poll
	polledUDP  bool                // the last poll included UDP sockets
	filtered   []Socket            // buffer for the sockets on opts.Ports
	unlisting  bool                // listeners that disappear now were not closed
	followUp   followUp
	startups   *startups
	started    []int     // buffer for the PIDs of programs
	awaited    bool      // the next start of a program ends Wait
	endings    []*ending // of the holders of sockets that were closed since the last publish

	holdersChanged bool      // since the last WatchExits
	holdingsCache  []Holding // all holdings, sorted by PID; nil after a change
}

// entry is the monitor's state of one socket.
type entry struct {
	socket      Socket
	seen        time.Time
	since       time.Time
	holders     []Holding
	lost        []Owner      // holders that Verify or a search no longer found, while their successors are searched
	enrichUntil time.Time    // it is published without the answers of Enrich then; zero until an owner is known
	retryAt     time.Time    // the lost holders are not searched again before; zero if the last search found all holders
	unknown     OwnerUnknown // set if a search found no holder
	searched    bool         // at least once
	needsSearch bool
	visible     bool // published, or will be with the next snapshot
}

// New returns a Monitor of table that finds the owners with finder.
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
		unanswered: make(map[endpoint]bool),
		unsettled:  make(map[SocketID]*entry),
	}
	m.exits, _ = table.(ExitWatcher)
	if opts.Programs != nil && opts.Programs.Descriptor() >= 0 {
		m.starts, _ = table.(DescriptorWaiter)
		m.startups = newStartups(opts.Programs.Running)
	}
	m.udp.Store(opts.UDP)
	m.interval.Store(int64(opts.Interval))
	return m
}

// SetUDP includes or excludes UDP sockets from now on. Their listeners are
// published with Discovered or Unlisted events. It is safe for concurrent use.
func (m *Monitor) SetUDP(on bool) {
	if m.udp.Swap(on) != on {
		m.Refresh()
	}
}

// SetInterval sets the polling interval, which must be positive. It is safe for
// concurrent use.
func (m *Monitor) SetInterval(d time.Duration) {
	if m.interval.Swap(int64(d)) != int64(d) {
		m.Refresh()
	}
}

// Subscribe returns a subscription to all future updates, beginning with the
// current state. It is safe for concurrent use, before Run and after.
func (m *Monitor) Subscribe() *Subscription { return m.subscribers.add() }

// Refresh requests a poll now, without waiting for it. It is safe for concurrent
// use.
func (m *Monitor) Refresh() {
	m.refresh.Store(true)
	m.table.Wake()
}

// Redescribe makes the running monitor call Options.Describe for every listener
// again, without waiting for it. It is safe for concurrent use.
func (m *Monitor) Redescribe() {
	m.redescribe.Store(true)
	m.table.Wake()
}

// Scan polls once, searches the owners of all listeners and returns the
// snapshot. An error means that the table could not be read, or that ctx ended.
func (m *Monitor) Scan(ctx context.Context) (Snapshot, error) {
	now := m.now()
	if err := m.poll(now, true); err != nil {
		return Snapshot{}, err
	}
	var incomplete error
	if len(m.entries) > 0 { // otherwise there is no need to read any process
		incomplete = m.finder.Find(ctx, Everywhere, m.allSockets(), m.addHolder)
	}
	if err := ctx.Err(); err != nil {
		return Snapshot{}, fmt.Errorf("search owners: %w", err)
	}
	if incomplete != nil {
		m.log.Warn("cannot read all processes; some owners may be missing", "problem", incomplete)
	}
	for _, e := range m.entries {
		e.searched, e.visible = true, true
		if len(e.holders) == 0 {
			e.unknown = m.finder.WhyUnknown(e.socket)
		}
		m.dirty[e.endpoint()] = true
	}
	m.awaitAnswers(ctx)
	if err := ctx.Err(); err != nil {
		return Snapshot{}, fmt.Errorf("look up names and projects: %w", err)
	}
	m.build(now)
	return m.snapshot, nil
}

// Run polls until ctx ends, and returns when everything it started has ended. No
// error of the table or of a process ends it: the last snapshot stays valid,
// Health reports the problem, and the next poll may succeed.
func (m *Monitor) Run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(ctx, m.table.Wake)
	work := newOwnerWorker(ctx, m.finder, m.table.Wake)
	unsubscribe := m.onAnswer()
	defer func() { cancel(); stop(); unsubscribe(); work.wait() }()

	m.health = Health{Source: m.table.Source()}
	m.log.Info("monitoring listening ports", "source", m.health.Source)
	var closed []SocketID
	var nextPoll, nextVerify, nextRecent, nextEverywhere, lastPoll, nextPublish time.Time
	for ctx.Err() == nil {
		m.applyResults(work)
		now := m.now()
		for _, id := range closed {
			if m.entries[id] != nil {
				m.remove(id, now)
			}
		}
		if refresh := m.refresh.Swap(false); refresh || !now.Before(nextPoll) {
			nextPoll, lastPoll = now.Add(m.pollAndReport(now, refresh)), now
		}
		if m.redescribe.Swap(false) {
			for p := range m.listeners {
				m.dirty[p] = true
			}
		}
		m.applyAnswers()
		deadline := m.revealDue(now)
		if m.searchDue(now) && now.Before(work.restUntil) {
			deadline = earliest(deadline, work.restUntil)
		}
		if work.idle() {
			nextRecent = earliest(nextRecent, m.followUp.due)
		}
		if !m.hasHolders() {
			nextVerify = m.nextVerify(now)
		}
		switch {
		case !work.idle():
		case !now.Before(nextEverywhere):
			work.start(ownerJob{scope: Everywhere, search: m.allSockets()})
			m.takeDue(now) // these are among all sockets
			nextEverywhere, nextRecent, nextVerify = now.Add(everywhereEvery), now.Add(recentEvery), m.nextVerify(now)
			m.followUp.next(now)
		case !now.Before(nextRecent): // before new sockets, or a steady stream of them would starve it
			work.start(ownerJob{verify: m.holdings(), scope: Recent, search: m.allSockets(), unknown: m.unowned()})
			nextRecent, nextVerify = now.Add(recentEvery), m.nextVerify(now)
			m.followUp.next(now)
		case !now.Before(nextVerify):
			work.start(ownerJob{verify: m.holdings()})
			nextVerify = m.nextVerify(now)
		case m.searchDue(now) && !now.Before(work.restUntil):
			work.start(ownerJob{scope: Likely, search: m.takeDue(now)})
		}
		// Comparing a long table takes time. While a search reports owners one by
		// one, at most half of the time goes into publishing, the rest into reading
		// the results.
		begin := m.now()
		if next := m.awaitExits(begin); !next.IsZero() {
			deadline = earliest(deadline, next)
		} else if work.idle() || !begin.Before(nextPublish) {
			m.publish(now)
			m.endings = m.endings[:0]
			m.watchOwners()
			nextPublish = m.now().Add(time.Since(begin))
		}
		if work.idle() && m.health.Interval > verifyAtPoll {
			deadline = earliest(deadline, earliest(nextVerify, nextRecent))
		}
		var hint Hint
		if work.idle() {
			deadline = earliest(deadline, m.followUp.due)
		}
		m.awaitStart(now)
		closed, hint = m.table.Wait(time.Until(earliest(nextPoll, deadline)), closed[:0])
		if hint&TableChanged != 0 {
			nextPoll = earliest(nextPoll, lastPoll.Add(minHintInterval))
		}
		if hint&OwnerExited != 0 {
			nextVerify = m.now()
		}
		if hint&Readable != 0 {
			nextPoll = earliest(nextPoll, m.programStarted(m.now()))
		}
	}
}

// applyResults applies the results that the worker has sent since the last call.
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

// pollAndReport polls once, publishes a change of Health, and returns the time
// until the next poll.
func (m *Monitor) pollAndReport(now time.Time, fresh bool) time.Duration {
	m.readStarts(now)
	err := m.poll(now, fresh)
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
		m.log.Warn("cannot read the listening ports; keeping the last snapshot", "problem", problem)
	} else {
		m.log.Info("the listening ports can be read again")
	}
	m.health.Problem = problem
	m.send(nil)
	return wait
}

// currentInterval returns the time until the next poll.
func (m *Monitor) currentInterval(now time.Time) time.Duration {
	interval := m.health.Interval
	if now.Before(m.fastUntil) {
		interval = min(fastInterval, interval)
	}
	if m.startups == nil {
		return interval
	}
	if sooner := m.startups.interval(now, m.health.Interval); sooner < interval {
		m.startups.spend(now)
		return sooner
	}
	return interval
}

// hasHolders reports whether an owner of any socket is known.
func (m *Monitor) hasHolders() bool {
	for _, e := range m.entries {
		if len(e.holders) > 0 {
			return true
		}
	}
	return false
}

// nextVerify returns when the holders are checked next.
func (m *Monitor) nextVerify(now time.Time) time.Time {
	if m.health.Interval > verifyAtPoll {
		return now.Add(verifySlowly)
	}
	return now.Add(verifyEvery)
}

// pollFaster shortens the polling interval for a while.
func (m *Monitor) pollFaster(now time.Time) {
	if m.ready {
		m.fastUntil = now.Add(fastDuration)
	}
}

// earliest returns the earlier of two times. A zero time means none.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}
