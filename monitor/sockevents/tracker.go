package sockevents

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"

	"porthole/monitor"
	"porthole/monitor/connection"
	"porthole/monitor/connection/source"
)

// Intervals of a Tracker.
const (
	// minPause and maxPause bound how long messages are collected before they are read:
	// waking a thread for each would be most of the cost.
	minPause = 2 * time.Millisecond
	maxPause = 20 * time.Millisecond
	// ratePlanned is the number of messages a second that the pause leaves room for,
	// twice the 10,000 that must not be lost.
	ratePlanned = 20_000
	// sampleInterval is how often the established connections are read. They need not be
	// read to count those that end.
	sampleInterval = 15 * time.Second
	// sampleShare bounds the cost of samples: after each, a pause of this many times its
	// duration.
	sampleShare = 500
	// freshFor is how long a sample is used for further requests.
	freshFor = time.Second
	// attemptsDelay is how long the first attempts of a burst are collected before they
	// are reported, and attemptsInterval is the time between two reports.
	attemptsDelay    = time.Second
	attemptsInterval = 5 * time.Second
	// searchPause is the pause after a search for clients, as a multiple of its duration.
	searchPause = 500
	// The same if new clients are to be identified.
	identifyInterval = time.Second
	identifyShare    = 50
	identifyPause    = 100

	maxClients = 32 // in connection.Totals
)

// Wanted is what a Tracker watches.
type Wanted struct {
	Listeners []*monitor.Listener // their connections are counted
	// Ports are ports whose connections count from the opening of a listener on, even if
	// they end before it is seen.
	Ports monitor.Ports
	// Closed are ports that nothing listens on: refused attempts to connect to them are
	// counted.
	Closed monitor.Ports
	// Identify makes the Tracker look every second for the programs of new clients. Else
	// it only finds those that are connected for some seconds.
	Identify bool
}

// Same reports whether both watch the same.
func (w Wanted) Same(other Wanted) bool {
	return slices.Equal(w.Listeners, other.Listeners) && slices.Equal(w.Ports, other.Ports) && slices.Equal(w.Closed, other.Closed) &&
		w.Identify == other.Identify
}

// connections reads the established connections; *source.Source implements it.
type connections interface {
	Read(ctx context.Context, listeners []*monitor.Listener) (map[string]connection.State, error)
	Close() error
}

// Tracker counts the connections of listeners. Its methods are safe for concurrent use.
// The zero value counts nothing.
type Tracker struct {
	stream       stream // nil if there are no messages
	availability Availability
	problem      error
	open         func() (connections, error)
	log          *slog.Logger
	now          func() time.Time // time.Now, except in tests
	requests     chan func(map[string]connection.Totals)
	changed      chan struct{} // Wanted has changed, or the first attempt of a burst was refused
	on           Callbacks

	mu       sync.Mutex
	counter  connection.Counter
	attempts connection.Attempts
	visitors connection.Visitors
	own      connection.Own
	wanted   Wanted
	// reportNow makes the next report of attempts due: a port with attempts may have
	// opened.
	reportNow bool
}

// Callbacks are called by a Tracker on its goroutines. They must not wait for it.
type Callbacks struct {
	// Attempts is called while there are bursts of refused attempts to connect to closed
	// ports: with those that go on, a second after the first attempt and then every 5
	// seconds, and with those that have ended.
	Attempts func(current, ended []connection.Burst)
	// Clients is called with clients that have connected and were not seen in the last
	// hour. Those that were connected before are not among them.
	Clients func([]connection.NewVisitor)
}

// Open subscribes to the kernel's messages and probes them, which takes at most 100 ms.
// Without them the Tracker counts nothing; see Availability. Run must be called to
// release its resources.
func Open(log *slog.Logger, on Callbacks) *Tracker {
	s, found, err := openStream()
	t := newTracker(s, found, err, log)
	t.on = on
	return t
}

func newTracker(s stream, found Availability, problem error, log *slog.Logger) *Tracker {
	open := func() (connections, error) {
		c, err := source.Open()
		if err != nil {
			return nil, err
		}
		return c, nil
	}
	return &Tracker{stream: s, availability: found, problem: problem, open: open, log: log, now: time.Now,
		requests: make(chan func(map[string]connection.Totals), 16), changed: make(chan struct{}, 1)}
}

// Availability returns the result of the probe, and the reason unless it is Available.
func (t *Tracker) Availability() (Availability, error) { return t.availability, t.problem }

// Probe returns the Availability of the kernel's messages, and the reason unless it is
// Available. It takes at most 100 ms.
func Probe() (Availability, error) {
	s, found, err := openStream()
	if err != nil {
		return found, err
	}
	_ = s.close() // read-only
	return found, nil
}

// Watch replaces what is watched. It does not block.
func (t *Tracker) Watch(w Wanted) {
	if t.stream == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if w.Identify && !t.wanted.Identify {
		t.visitors.ReportAgain() // nobody asked for those seen so far
	}
	before, closed := portsOf(t.wanted), t.wanted.Closed
	t.wanted = w
	if after := portsOf(w); !slices.Equal(before, after) || !slices.Equal(closed, w.Closed) {
		if err := t.stream.want(wanted{local: after, refused: w.Closed}); err != nil && !errors.Is(err, os.ErrClosed) {
			t.log.Warn("can't select the connections to count", "error", err)
		}
	}
	t.reportNow = t.reportNow || !slices.Equal(closed, w.Closed)
	t.counter.SetListeners(t.now(), w.Listeners, w.Ports) // after the selection: the count is complete from here on
	t.wake()
}

// Own leaves a connection out of all counts and clients: one that Porthole makes from client to
// server, to ask what it answers. It must be called before the connection ends.
func (t *Tracker) Own(client, server netip.AddrPort) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stream != nil {
		t.own.Add(t.now(), server, client)
	}
}

// wake makes sample look what is due.
func (t *Tracker) wake() {
	select {
	case t.changed <- struct{}{}:
	default:
	}
}

// portsOf returns the local ports of the connections that w is about.
func portsOf(w Wanted) monitor.Ports {
	var open monitor.Ports
	for _, l := range w.Listeners {
		if l.Protocol == monitor.TCP {
			open = append(open, monitor.PortRange{First: l.Port, Last: l.Port})
		}
	}
	return monitor.Union(w.Ports, open)
}

// Request calls done with the counts by listener ID, on the Tracker's goroutine, after
// it has read the established connections. Without the kernel's messages, or if too
// many requests are waiting, it calls done with nil immediately.
func (t *Tracker) Request(done func(map[string]connection.Totals)) {
	if t.stream == nil {
		done(nil)
		return
	}
	select {
	case t.requests <- done:
	default:
		done(nil)
	}
}

// Totals is Request for a caller that waits. It returns nil if ctx ends before.
func (t *Tracker) Totals(ctx context.Context) map[string]connection.Totals {
	answer := make(chan map[string]connection.Totals, 1)
	t.Request(func(totals map[string]connection.Totals) { answer <- totals })
	select {
	case totals := <-answer:
		return totals
	case <-ctx.Done():
		return nil
	}
}

// Run reads the messages until ctx ends, and returns when all its goroutines have ended.
func (t *Tracker) Run(ctx context.Context) {
	if t.stream == nil {
		return
	}
	var reader sync.WaitGroup
	reader.Go(func() { t.readMessages(ctx) })
	t.sample(ctx)
	if err := t.stream.close(); err != nil {
		t.log.Warn("can't close the subscription to destroyed sockets", "error", err)
	}
	reader.Wait()
}

// readMessages counts ended connections until the stream is closed.
func (t *Tracker) readMessages(ctx context.Context) {
	var batch []destroyed
	pause := pauseFor(t.stream.room())
	for {
		batch = batch[:0]
		lost, err := t.stream.read(func(d destroyed) { batch = append(batch, d) })
		t.handle(batch, lost)
		if errors.Is(err, os.ErrClosed) {
			return
		}
		if err != nil {
			t.log.Warn("can't count connections any more", "error", err)
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// pauseFor returns how long messages are collected in a buffer with this much room.
func pauseFor(room int) time.Duration {
	return min(max(time.Duration(room)*time.Second/ratePlanned, minPause), maxPause)
}

// handle counts the ended connections of a batch of messages, and reports new clients.
func (t *Tracker) handle(batch []destroyed, lost bool) {
	if added := t.count(batch, lost); len(added) > 0 && t.on.Clients != nil {
		t.on.Clients(added)
	}
}

// count counts the ended connections of a batch, and returns new clients.
func (t *Tracker) count(batch []destroyed, lost bool) (added []connection.NewVisitor) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	if lost {
		t.counter.Lost(now)
	}
	for _, d := range batch {
		if d.remote.Addr().IsUnspecified() { // a listener, or a socket that was only bound
			continue
		}
		if d.refused && t.wanted.Closed.Contains(d.remote.Port()) {
			if t.attempts.Empty() {
				t.wake()
			}
			t.attempts.Add(now, d.remote.Port(), !d.remote.Addr().Unmap().Is4())
			continue
		}
		if t.own.Ended(now, d.local, d.remote) {
			t.counter.Ignore(d.id)
			continue
		}
		e := connection.Ended{ID: d.id, Local: d.local, Remote: d.remote, Received: d.received, Sent: d.sent}
		if listener := t.counter.Ended(now, e); listener != "" {
			added = t.visitors.Ended(added, now, listener, e)
		}
	}
	return added
}

// sample reads the established connections when they are due or requested, until ctx
// ends.
func (t *Tracker) sample(ctx context.Context) {
	s := &sampler{Tracker: t}
	defer s.close()
	due := time.NewTimer(time.Hour)
	defer due.Stop()
	for {
		due.Reset(min(s.wait(), s.waitAttempts()))
		select {
		case <-ctx.Done():
			return
		case <-t.changed:
		case <-due.C:
			if s.wait() == 0 {
				s.read(ctx)
			}
			s.reportAttempts()
		case done := <-t.requests:
			if t.now().Sub(s.at) >= freshFor {
				s.read(ctx)
			}
			done(t.totals(t.now()))
		}
	}
}

// totals returns the counts and clients by listener ID.
func (t *Tracker) totals(now time.Time) map[string]connection.Totals {
	t.mu.Lock()
	defer t.mu.Unlock()
	totals := t.counter.Totals(now)
	for id, one := range totals {
		clients := t.visitors.LastHour(now, id)
		one.Clients = clients[:min(len(clients), maxClients)]
		totals[id] = one
	}
	return totals
}

// sampler is the state of Tracker.sample.
type sampler struct {
	*Tracker
	source  connections // nil until it is needed
	failing bool        // the last sample failed; used to log it once
	at      time.Time   // of the last sample
	took    time.Duration

	reportAt time.Time // of the next report of attempts; zero if there are none
}

// wait returns the time until the next sample.
func (s *sampler) wait() time.Duration {
	s.mu.Lock()
	counts, identify := s.counter.Counts(), s.wanted.Identify
	s.mu.Unlock()
	pause := max(sampleInterval, sampleShare*s.took)
	switch {
	case !counts:
		return time.Hour
	case identify:
		pause = max(identifyInterval, identifyShare*s.took)
	}
	return max(s.at.Add(pause).Sub(s.now()), 0)
}

// waitAttempts returns the time until the next report of attempts.
func (s *sampler) waitAttempts() time.Duration {
	s.mu.Lock()
	none, now := s.attempts.Empty(), s.reportNow
	s.reportNow = now && !none
	s.mu.Unlock()
	switch {
	case none:
		s.reportAt = time.Time{}
		return time.Hour
	case now:
		return 0
	case s.reportAt.IsZero():
		s.reportAt = s.now().Add(attemptsDelay)
	}
	return max(s.reportAt.Sub(s.now()), 0)
}

// reportAttempts reports the bursts of attempts if that is due.
func (s *sampler) reportAttempts() {
	if s.waitAttempts() > 0 {
		return
	}
	s.mu.Lock()
	s.reportNow = false
	current, ended := s.attempts.Take(s.now(), s.wanted.Closed)
	s.mu.Unlock()
	s.reportAt = s.now().Add(attemptsInterval)
	if s.on.Attempts != nil {
		s.on.Attempts(current, ended)
	}
}

// read reads the established connections.
func (s *sampler) read(ctx context.Context) {
	begin := s.now()
	s.mu.Lock()
	w := s.wanted
	s.counter.BeginSample()
	s.mu.Unlock()
	states, err := s.states(ctx, w)
	if err != nil && !s.failing && ctx.Err() == nil {
		s.log.Warn("can't read connections to count them", "error", err)
	}
	s.failing = err != nil
	s.at, s.took = s.now(), s.now().Sub(begin)
	if added := s.record(states); len(added) > 0 && s.on.Clients != nil {
		s.on.Clients(added)
	}
}

// record counts the established connections, and returns new clients.
func (s *sampler) record(states map[string]connection.State) []connection.NewVisitor {
	s.mu.Lock()
	defer s.mu.Unlock()
	states = withoutOwn(states, &s.own, s.at)
	follows := make(map[string]bool, len(states))
	for id := range states {
		follows[id] = s.counter.Follows(id)
	}
	ended := s.counter.EndSample(s.at, states)
	if states == nil {
		return nil
	}
	added := s.visitors.Established(s.at, withoutEnded(states, ended))
	return slices.DeleteFunc(added, func(v connection.NewVisitor) bool { return !follows[v.Listener] })
}

// withoutOwn returns states without Porthole's own connections.
func withoutOwn(states map[string]connection.State, own *connection.Own, now time.Time) map[string]connection.State {
	for id, st := range states {
		st.Conns = slices.DeleteFunc(st.Conns, func(c connection.Conn) bool { return own.Has(now, c.Local, c.Remote) })
		states[id] = st
	}
	return states
}

// withoutEnded returns states without the connections that have ended.
func withoutEnded(states map[string]connection.State, ended map[monitor.SocketID]bool) map[string]connection.State {
	if len(ended) == 0 {
		return states
	}
	for id, st := range states {
		st.Conns = slices.DeleteFunc(st.Conns, func(c connection.Conn) bool { return ended[c.ID] })
		states[id] = st
	}
	return states
}

func (s *sampler) states(ctx context.Context, w Wanted) (map[string]connection.State, error) {
	if s.source == nil {
		var err error
		if s.source, err = s.open(); err != nil {
			s.source = nil
			return nil, err
		}
	}
	if c, ok := s.source.(*source.Source); ok {
		c.SearchPause = searchPause
		if w.Identify {
			c.SearchPause = identifyPause
		}
	}
	return s.source.Read(ctx, w.Listeners)
}

func (s *sampler) close() {
	if s.source != nil {
		_ = s.source.Close() // read-only
	}
}
