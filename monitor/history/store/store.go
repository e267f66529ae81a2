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

// Options say how much is kept, and who is told of trouble.
type Options struct {
	Days      int    // DefaultDays where 0
	MaxEvents int    // DefaultRows where 0
	Boot      string // this run of the machine: BootID()
	Logger    *slog.Logger
	// OnState is called, from the store's goroutine, with each new State; it does
	// not wait for the store. It may be nil.
	OnState func(State)

	retryInterval time.Duration // between two tries where the file cannot be written
	migrations    []string      // migrations
}

// What is kept where nobody chose.
const (
	DefaultDays      = 90
	DefaultMaxEvents = 100_000
)

// State is what the user should know of the store. The zero value is that all
// is well.
type State struct {
	MovedTo      string // the file was damaged, and is here now; a new one was begun
	NewerVersion bool   // the file is from a newer Porthole: nothing is written
	Err          error  // it cannot be written now; what happens waits, and it is tried again
}

// Times and sizes that the store keeps.
const (
	collectTime     = 200 * time.Millisecond // changes rarely come alone
	batchSize       = 1000                   // changes in one transaction
	maxPending      = 10_000                 // changes that wait; beyond, they are told as what they come to
	defaultRetry    = 30 * time.Second
	cleanupInterval = time.Hour // what is too old goes
	closeTimeout    = 5 * time.Second
)

// Store is the one writer. Record never waits for the disk: a goroutine of the
// store's own writes, a transaction a batch. Where it cannot, changes wait; more
// than 10,000 become the difference between what was written last and the newest
// snapshot, so that what opened and closed in between is lost, and the log says
// so.
type Store struct {
	path string
	opts Options
	log  *slog.Logger

	mu               sync.Mutex
	started          bool             // a first snapshot came
	base             monitor.Snapshot // before the first of changes
	changes          []monitor.Event
	newest           monitor.Snapshot
	merged           bool
	days             int
	maxEvents        int
	retentionReduced bool // than before are to be kept: what is too much goes at once
	flushes          []chan struct{}

	wake   chan struct{}
	cancel context.CancelFunc
	done   chan struct{}

	// of the goroutine
	file      *file
	state     State
	nextTry   time.Time
	cleanedAt time.Time
}

// Open starts the writer of the file at path, which need not exist. What is
// wrong with it is told through opts.Tell. The caller ends it with Close.
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
	ctx, quit := context.WithCancel(context.Background())
	s := &Store{
		path: path, opts: opts, log: opts.Logger,
		wake: make(chan struct{}, 1), cancel: quit, done: make(chan struct{}),
	}
	s.SetRetention(opts.Days, opts.MaxEvents)
	go s.run(ctx)
	return s
}

// Record takes what the monitor saw and returns at once. It may be called from
// any goroutine, in the order of what happened.
func (s *Store) Record(u monitor.Update) {
	if !u.Ready {
		return
	}
	s.mu.Lock()
	if !s.started {
		s.started, s.base = true, snapshotBefore(u)
	}
	s.changes, s.newest = append(s.changes, u.Events...), u.Snapshot
	if len(s.changes) > maxPending {
		s.changes, s.merged = monitor.Diff(s.base, s.newest), true
	}
	s.mu.Unlock()
	s.signal()
}

// SetRetention sets how much is kept from now on; 0 stands for the default. What is too
// old or too much by then begins to go at once. It may be called from any
// goroutine.
func (s *Store) SetRetention(days, rows int) {
	days, rows = cmp.Or(days, DefaultDays), cmp.Or(rows, DefaultMaxEvents)
	s.mu.Lock()
	s.retentionReduced = s.retentionReduced || days < s.days || rows < s.maxEvents
	s.days, s.maxEvents = days, rows
	s.mu.Unlock()
	s.signal()
}

// Flush returns when all that was recorded before is written, or was tried to.
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

// Close writes what is left and ends the store. What is too old stays until the
// next run: nobody waits for that.
func (s *Store) Close() {
	s.cancel()
	<-s.done
}

func (s *Store) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// snapshotBefore returns what listened before the changes of u: each is taken back, the
// last first.
func snapshotBefore(u monitor.Update) monitor.Snapshot {
	rows := make(map[string]*monitor.Listener, len(u.Snapshot.Listeners))
	for _, l := range u.Snapshot.Listeners {
		rows[l.ID] = l
	}
	restored := make(map[string]time.Time) // rows that were there before a change of that moment
	for _, c := range slices.Backward(u.Events) {
		switch {
		case c.Kind == monitor.Opened || c.Kind == monitor.Discovered:
			delete(rows, c.Listener.ID)
		case c.Kind == monitor.Closed || c.Kind == monitor.Unlisted:
			rows[c.Listener.ID] = c.Listener
		case c.Before != nil:
			if c.Before.ID != c.Listener.ID && !restored[c.Listener.ID].Equal(c.At) {
				delete(rows, c.Listener.ID) // it came out of the other
			}
			rows[c.Before.ID], restored[c.Before.ID] = c.Before, c.At
		}
	}
	before := monitor.Snapshot{TakenAt: u.Snapshot.TakenAt}
	for _, id := range slices.Sorted(maps.Keys(rows)) {
		before.Listeners = append(before.Listeners, rows[id])
	}
	return before
}

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

// collect waits a moment for what comes together, but not where a batch is full
// or someone waits for it.
func (s *Store) collect(ctx context.Context) {
	timer := time.NewTimer(collectTime)
	defer timer.Stop()
	for {
		s.mu.Lock()
		full := len(s.changes) >= batchSize || len(s.flushes) > 0
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

// writeAll writes what waits, a batch at a time, and tidies up until quit ends.
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
			s.log.Info("the activity can be stored again")
			s.setState(State{MovedTo: s.state.MovedTo})
		}
		if !more {
			return
		}
	}
}

// writeBatch opens the file where it is not open, and writes one batch. more is true
// where another is wanted.
func (s *Store) writeBatch(ctx, quit context.Context) (more bool, err error) {
	s.mu.Lock()
	if s.retentionReduced {
		s.retentionReduced, s.cleanedAt = false, time.Time{}
	}
	w := batch{boot: s.opts.Boot, base: s.base, maxEvents: s.maxEvents, days: s.days, started: s.started}
	w.changes = s.changes[:min(batchSize, len(s.changes))]
	drained := len(w.changes) == len(s.changes)
	newest, merged := s.newest, s.merged
	s.merged = false
	s.mu.Unlock()
	if merged {
		s.log.Warn("the activity could not be stored as fast as it came: what opened and closed in between is missing")
	}
	if s.file != nil && !s.file.isAt(s.path) {
		s.log.Warn("the activity's file was removed or replaced; another is begun")
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
	from := newest
	if !drained {
		from = monitor.Apply(w.base, w.changes)
	}
	waiting := s.removeWritten(w, from)
	if w.cleanup && !more {
		if err := s.file.deleteUnreferenced(quit); err != nil && quit.Err() == nil {
			return false, err
		}
		s.cleanedAt = time.Now()
	}
	return more || waiting, nil
}

// removeWritten lets what w brought to the file go; from is the state after it. It
// reports whether more waits.
func (s *Store) removeWritten(w batch, from monitor.Snapshot) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.merged && len(w.changes) > 0 {
		// What waits was merged meanwhile, from a state that holds no longer.
		s.base, s.changes = from, monitor.Diff(from, s.newest)
	} else if w.started {
		s.base, s.changes = from, s.changes[len(w.changes):]
		if len(s.changes) == 0 {
			s.changes = nil // what they point to is large
		}
	}
	return len(s.changes) > 0
}

// replaceDamaged moves a damaged file aside.
func (s *Store) replaceDamaged(why error) error {
	s.closeFile()
	to, err := moveAside(s.path, time.Now())
	if err != nil {
		return errors.Join(err, why)
	}
	s.log.Warn("the activity's file was damaged; it was moved aside and a new one begun", "problem", why, "to", to)
	s.setState(State{MovedTo: to})
	return nil
}

// handleError lets what waits wait, but not for a file that will never be written.
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
		s.log.Warn("the activity cannot be stored", "problem", err)
		s.setState(state)
	}
}

// discard lets what waits go.
func (s *Store) discard() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.base, s.changes, s.merged = s.newest, nil, false
}

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

// isAt reports whether the file at path is the one that is open.
func (f *file) isAt(path string) bool {
	info, err := os.Stat(path)
	return err == nil && os.SameFile(info, f.info)
}

// openFile opens the file for the writer, after a check.
func openFile(ctx context.Context, path string, steps []string) (*file, error) {
	if err := prepare(path); err != nil {
		return nil, err
	}
	db, conn, err := connect(ctx, path, readWrite)
	if err != nil {
		return nil, err
	}
	f := &file{db: db, conn: conn}
	if err = migrate(ctx, conn, steps); err == nil {
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
