package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"porthole/monitor"
)

// Options are the settings of a Store.
type Options struct {
	Days      int    // 0: DefaultDays
	MaxEvents int    // 0: DefaultMaxEvents
	Boot      string // the boot ID: BootID()
	Logger    *slog.Logger
	// OnState is called with each new State, on the store's goroutine. It must not
	// wait for the store. It may be nil.
	OnState func(State)

	retryInterval time.Duration // between two attempts to write
	migrations    []string
}

// The default retention.
const (
	DefaultDays      = 90
	DefaultMaxEvents = 100_000
)

// State is the condition of a Store. The zero value means that there is no
// problem.
type State struct {
	MovedTo      string // the file was damaged and moved here; a new one was created
	NewerVersion bool   // the file was written by a newer Porthole; nothing is stored
	Err          error  // the file cannot be written; events wait, and writing is retried
}

// Times and sizes.
const (
	collectTime     = 200 * time.Millisecond // an event is often followed by others
	batchSize       = 1000                   // events per transaction
	maxPending      = 10_000                 // waiting events; beyond this they are coalesced into a diff
	defaultRetry    = 30 * time.Second
	cleanupInterval = time.Hour // between deletions of old events
	closeTimeout    = 5 * time.Second
)

// Store is the only writer of the file. Record never waits for the disk: a
// goroutine writes the events, one transaction per batch. While it cannot, events
// wait. More than 10,000 waiting events are replaced by the difference between
// the last written snapshot and the newest one; listeners that opened and closed in
// between are lost, which is logged.
type Store struct {
	path string
	opts Options
	log  *slog.Logger

	mu               sync.Mutex
	started          bool             // the first snapshot was recorded
	base             monitor.Snapshot // the snapshot before the waiting events
	events           []monitor.Event  // waiting
	newest           monitor.Snapshot
	merged           bool // waiting events were coalesced
	days             int
	maxEvents        int
	retentionReduced bool // delete events beyond the limits immediately
	flushes          []chan struct{}

	wake   chan struct{}
	cancel context.CancelFunc
	done   chan struct{}

	// The following belong to the store's goroutine.
	file      *file
	state     State
	nextTry   time.Time
	cleanedAt time.Time
}

// Open starts the writer of the file at path, which need not exist. Problems are
// reported through opts.OnState. The caller must call Close.
func Open(path string, opts Options) *Store {
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	if opts.OnState == nil {
		opts.OnState = func(State) {}
	}
	if opts.migrations == nil {
		opts.migrations = migrations
	}
	opts.retryInterval = cmp.Or(opts.retryInterval, defaultRetry)
	ctx, cancel := context.WithCancel(context.Background())
	s := &Store{
		path: path, opts: opts, log: opts.Logger,
		wake: make(chan struct{}, 1), cancel: cancel, done: make(chan struct{}),
	}
	s.SetRetention(opts.Days, opts.MaxEvents)
	go s.run(ctx)
	return s
}

// Record stores the events of an update and returns immediately. It is safe for
// concurrent use; updates must be recorded in order.
func (s *Store) Record(u monitor.Update) {
	if !u.Ready {
		return
	}
	s.mu.Lock()
	if !s.started {
		s.started, s.base = true, snapshotBefore(u)
	}
	s.events, s.newest = append(s.events, u.Events...), u.Snapshot
	if len(s.events) > maxPending {
		s.events, s.merged = monitor.Coalesce(s.base, s.newest, s.events), true
	}
	s.mu.Unlock()
	s.signal()
}

// Add stores an event about the use of a port (monitor.Kind.AboutUse) and returns immediately.
// It is safe for concurrent use. After Close it does nothing.
func (s *Store) Add(e monitor.Event) {
	s.mu.Lock()
	if len(s.events) < maxPending {
		s.events = append(s.events, e)
	}
	s.mu.Unlock()
	s.signal()
}

// SetRetention sets how many days and events are kept; 0 selects the default.
// Deletion of older events starts immediately. It is safe for concurrent use.
func (s *Store) SetRetention(days, maxEvents int) {
	days, maxEvents = cmp.Or(days, DefaultDays), cmp.Or(maxEvents, DefaultMaxEvents)
	s.mu.Lock()
	s.retentionReduced = s.retentionReduced || days < s.days || maxEvents < s.maxEvents
	s.days, s.maxEvents = days, maxEvents
	s.mu.Unlock()
	s.signal()
}

// Flush returns when everything recorded before was written or failed to be
// written.
func (s *Store) Flush() {
	done := make(chan struct{})
	s.mu.Lock()
	s.flushes = append(s.flushes, done)
	s.mu.Unlock()
	s.signal()
	select {
	case <-done:
	case <-s.done:
	}
}

// Close writes the waiting events and ends the store. Old events are left for the
// next run.
func (s *Store) Close() {
	s.cancel()
	<-s.done
}

// signal wakes the store's goroutine.
func (s *Store) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// snapshotBefore returns the snapshot before u: it undoes the events of u, last one
// first.
func snapshotBefore(u monitor.Update) monitor.Snapshot {
	listeners := make(map[string]*monitor.Listener, len(u.Snapshot.Listeners))
	for _, l := range u.Snapshot.Listeners {
		listeners[l.ID] = l
	}
	restored := make(map[string]time.Time) // listeners that existed before an event at that time
	for _, c := range slices.Backward(u.Events) {
		switch {
		case c.Kind == monitor.Opened || c.Kind == monitor.Discovered:
			delete(listeners, c.Listener.ID)
		case c.Kind == monitor.Closed || c.Kind == monitor.Unlisted:
			listeners[c.Listener.ID] = c.Listener
		case c.Before != nil:
			if c.Before.ID != c.Listener.ID && !restored[c.Listener.ID].Equal(c.At) {
				delete(listeners, c.Listener.ID) // it was split off the other
			}
			listeners[c.Before.ID], restored[c.Before.ID] = c.Before, c.At
		}
	}
	before := monitor.Snapshot{TakenAt: u.Snapshot.TakenAt}
	if len(u.Events) > 0 { // what was already open comes before them
		before.TakenAt = u.Events[0].At
	}
	for _, id := range slices.Sorted(maps.Keys(listeners)) {
		before.Listeners = append(before.Listeners, listeners[id])
	}
	return before
}

// run writes events until ctx is done, and then what is left.
func (s *Store) run(ctx context.Context) {
	defer close(s.done)
	defer s.closeFile()
	timer := time.NewTimer(cleanupInterval)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
		case <-s.wake:
			s.collect(ctx)
		case <-timer.C:
		}
		last := ctx.Err() != nil
		work := context.Background()
		if last {
			var cancel context.CancelFunc
			work, cancel = context.WithTimeout(work, closeTimeout)
			defer cancel()
			s.nextTry = time.Time{}
		}
		s.writeAll(work, ctx)
		if last {
			return
		}
		wait := cleanupInterval
		if s.state.Err != nil {
			wait = s.opts.retryInterval
		}
		timer.Reset(wait)
	}
}

// collect waits for more events for a moment, unless a batch is full or a Flush
// is waiting.
func (s *Store) collect(ctx context.Context) {
	timer := time.NewTimer(collectTime)
	defer timer.Stop()
	for {
		s.mu.Lock()
		full := len(s.events) >= batchSize || len(s.flushes) > 0
		s.mu.Unlock()
		if full {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			return
		case <-s.wake:
		}
	}
}

// writeAll writes the waiting events in batches, and deletes old ones until quit
// is done.
func (s *Store) writeAll(ctx, quit context.Context) {
	s.mu.Lock()
	flushes := s.flushes
	s.flushes = nil
	s.mu.Unlock()
	defer func() {
		for _, done := range flushes {
			close(done)
		}
	}()
	if s.state.NewerVersion {
		s.discard()
	}
	for ctx.Err() == nil && !time.Now().Before(s.nextTry) {
		more, err := s.writeBatch(ctx, quit)
		if err != nil && isDamaged(err) {
			err = s.replaceDamaged(err)
			more = err == nil
		}
		if err != nil {
			s.handleError(err)
			return
		}
		if s.state.Err != nil || s.state.NewerVersion {
			s.log.Info("history can be stored again")
			s.setState(State{MovedTo: s.state.MovedTo})
		}
		if !more {
			return
		}
	}
}

// writeBatch opens the file if necessary and writes one batch. more is set if it
// should be called again.
func (s *Store) writeBatch(ctx, quit context.Context) (more bool, err error) {
	s.mu.Lock()
	if s.retentionReduced {
		s.retentionReduced, s.cleanedAt = false, time.Time{}
	}
	w := batch{boot: s.opts.Boot, base: s.base, maxEvents: s.maxEvents, days: s.days, started: s.started}
	w.events = s.events[:min(batchSize, len(s.events))]
	drained := len(w.events) == len(s.events)
	newest, merged := s.newest, s.merged
	s.merged = false
	s.mu.Unlock()
	if merged {
		s.log.Warn("history could not be stored fast enough; listeners that opened and closed in between are missing")
	}
	if s.file != nil && !s.file.isAt(s.path) {
		s.log.Warn("the history file was removed or replaced; creating a new one")
		s.closeFile()
	}
	if s.file == nil {
		if s.file, err = openFile(ctx, s.path, s.opts.migrations); err != nil {
			return false, err
		}
	}
	w.closing = quit.Err() != nil
	w.cleanup = !w.closing && time.Since(s.cleanedAt) >= cleanupInterval
	more, err = s.file.write(ctx, w)
	if err != nil {
		return false, err
	}
	base := newest
	if !drained {
		base = monitor.Apply(w.base, w.events)
	}
	waiting := s.removeWritten(w, base)
	if w.cleanup && !more {
		if err := s.file.deleteUnreferenced(quit); err != nil && quit.Err() == nil {
			return false, err
		}
		s.cleanedAt = time.Now()
	}
	return more || waiting, nil
}

// removeWritten removes the events of w from the queue. base is the snapshot
// after them. It reports whether more events are waiting.
func (s *Store) removeWritten(w batch, base monitor.Snapshot) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.merged && len(w.events) > 0 {
		// The waiting events were coalesced meanwhile, from an outdated base.
		s.base, s.events = base, monitor.Coalesce(base, s.newest, s.events)
	} else {
		if w.started {
			s.base = base
		}
		s.events = s.events[len(w.events):]
		if len(s.events) == 0 {
			s.events = nil // free the listeners they refer to
		}
	}
	return len(s.events) > 0
}

// replaceDamaged moves a damaged file aside.
func (s *Store) replaceDamaged(cause error) error {
	s.closeFile()
	to, err := moveAside(s.path, time.Now())
	if err != nil {
		return errors.Join(err, cause)
	}
	s.log.Warn("the history file was damaged; moved it aside and created a new one", "problem", cause, "to", to)
	s.setState(State{MovedTo: to})
	return nil
}

// handleError keeps the events for a later attempt, unless the file has a newer
// version and will never be written.
func (s *Store) handleError(err error) {
	s.closeFile()
	s.nextTry = time.Now().Add(s.opts.retryInterval)
	state := State{MovedTo: s.state.MovedTo, Err: err}
	if errors.Is(err, errNewerVersion) {
		state = State{NewerVersion: true}
		s.nextTry = time.Now().Add(cleanupInterval)
		s.discard()
	}
	if state.NewerVersion != s.state.NewerVersion || (state.Err == nil) != (s.state.Err == nil) {
		s.log.Warn("history cannot be stored", "problem", err)
		s.setState(state)
	}
}

// discard drops the waiting events.
func (s *Store) discard() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.base, s.events, s.merged = s.newest, nil, false
}

// setState sets and reports the state.
func (s *Store) setState(state State) {
	s.state = state
	s.opts.OnState(state)
}

func (s *Store) closeFile() {
	if s.file != nil {
		s.file.close()
		s.file = nil
	}
}

// isAt reports whether the open file is the one at path.
func (f *file) isAt(path string) bool {
	info, err := os.Stat(path)
	return err == nil && os.SameFile(info, f.info)
}

// openFile checks and opens the file for the writer.
func openFile(ctx context.Context, path string, migrations []string) (*file, error) {
	if err := prepare(path); err != nil {
		return nil, err
	}
	db, conn, err := connect(ctx, path, readWrite)
	if err != nil {
		return nil, err
	}
	f := &file{db: db, conn: conn}
	if err = migrate(ctx, conn, migrations); err == nil {
		f.info, err = os.Stat(path)
	}
	if err == nil {
		err = f.begin(ctx)
	}
	if err != nil {
		f.close()
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return f, nil
}
