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
	Days   int    // DefaultDays where 0
	Rows   int    // DefaultRows where 0
	Boot   string // this run of the machine: BootID()
	Logger *slog.Logger
	// Tell is called, from the store's goroutine, with each new State; it does
	// not wait for the store. It may be nil.
	Tell func(State)

	retry time.Duration // between two tries where the file cannot be written
	steps []string      // migrations
}

// What is kept where nobody chose.
const (
	DefaultDays = 90
	DefaultRows = 100_000
)

// State is what the user should know of the store. The zero value is that all
// is well.
type State struct {
	MovedTo string // the file was damaged, and is here now; a new one was begun
	Newer   bool   // the file is from a newer Porthole: nothing is written
	Err     error  // it cannot be written now; what happens waits, and it is tried again
}

// Times and sizes that the store keeps.
const (
	gather    = 200 * time.Millisecond // changes rarely come alone
	batch     = 1000                   // changes in one transaction
	tooMany   = 10_000                 // changes that wait; beyond, they are told as what they come to
	retry     = 30 * time.Second
	tidyEvery = time.Hour // what is too old goes
	lastTry   = 5 * time.Second
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

	mu      sync.Mutex
	begun   bool             // a first snapshot came
	from    monitor.Snapshot // before the first of changes
	changes []monitor.Change
	newest  monitor.Snapshot
	merged  bool
	days    int
	rows    int
	fewer   bool // than before are to be kept: what is too much goes at once
	flushes []chan struct{}

	wake  chan struct{}
	quit  context.CancelFunc
	ended chan struct{}

	// of the goroutine
	file    *file
	state   State
	nextTry time.Time
	tidied  time.Time
}

// Open starts the writer of the file at path, which need not exist. What is
// wrong with it is told through opts.Tell. The caller ends it with Close.
func Open(path string, opts Options) *Store {
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	if opts.Tell == nil {
		opts.Tell = func(State) {}
	}
	if opts.steps == nil {
		opts.steps = migrations
	}
	opts.retry = cmp.Or(opts.retry, retry)
	ctx, quit := context.WithCancel(context.Background())
	s := &Store{
		path: path, opts: opts, log: opts.Logger,
		wake: make(chan struct{}, 1), quit: quit, ended: make(chan struct{}),
	}
	s.Keep(opts.Days, opts.Rows)
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
	if !s.begun {
		s.begun, s.from = true, undo(u)
	}
	s.changes, s.newest = append(s.changes, u.Changes...), u.Snapshot
	if len(s.changes) > tooMany {
		s.changes, s.merged = monitor.Diff(s.from, s.newest), true
	}
	s.mu.Unlock()
	s.nudge()
}

// Keep sets how much is kept from now on; 0 stands for the default. What is too
// old or too much by then begins to go at once. It may be called from any
// goroutine.
func (s *Store) Keep(days, rows int) {
	days, rows = cmp.Or(days, DefaultDays), cmp.Or(rows, DefaultRows)
	s.mu.Lock()
	s.fewer = s.fewer || days < s.days || rows < s.rows
	s.days, s.rows = days, rows
	s.mu.Unlock()
	s.nudge()
}

// Flush returns when all that was recorded before is written, or was tried to.
func (s *Store) Flush() {
	done := make(chan struct{})
	s.mu.Lock()
	s.flushes = append(s.flushes, done)
	s.mu.Unlock()
	s.nudge()
	select {
	case <-done:
	case <-s.ended:
	}
}

// Close writes what is left and ends the store. What is too old stays until the
// next run: nobody waits for that.
func (s *Store) Close() {
	s.quit()
	<-s.ended
}

func (s *Store) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// undo returns what listened before the changes of u: each is taken back, the
// last first.
func undo(u monitor.Update) monitor.Snapshot {
	rows := make(map[string]*monitor.Listener, len(u.Snapshot.Listeners))
	for _, l := range u.Snapshot.Listeners {
		rows[l.ID] = l
	}
	restored := make(map[string]time.Time) // rows that were there before a change of that moment
	for _, c := range slices.Backward(u.Changes) {
		switch {
		case c.Kind == monitor.Opened || c.Kind == monitor.Found:
			delete(rows, c.Listener.ID)
		case c.Kind == monitor.Closed || c.Kind == monitor.Dropped:
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
	defer close(s.ended)
	defer s.closeFile()
	timer := time.NewTimer(tidyEvery)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
		case <-s.wake:
			s.gather(ctx)
		case <-timer.C:
		}
		last := ctx.Err() != nil
		work := context.Background()
		if last {
			var cancel context.CancelFunc
			work, cancel = context.WithTimeout(work, lastTry)
			defer cancel()
			s.nextTry = time.Time{}
		}
		s.writeAll(work, ctx)
		if last {
			return
		}
		wait := tidyEvery
		if s.state.Err != nil {
			wait = s.opts.retry
		}
		timer.Reset(wait)
	}
}

// gather waits a moment for what comes together, but not where a batch is full
// or someone waits for it.
func (s *Store) gather(ctx context.Context) {
	timer := time.NewTimer(gather)
	defer timer.Stop()
	for {
		s.mu.Lock()
		full := len(s.changes) >= batch || len(s.flushes) > 0
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
	if s.state.Newer {
		s.discard()
	}
	for ctx.Err() == nil && !time.Now().Before(s.nextTry) {
		more, err := s.step(ctx, quit)
		if err != nil && damaged(err) {
			err = s.replace(err)
			more = err == nil
		}
		if err != nil {
			s.failed(err)
			return
		}
		if s.state.Err != nil || s.state.Newer {
			s.log.Info("the activity can be stored again")
			s.set(State{MovedTo: s.state.MovedTo})
		}
		if !more {
			return
		}
	}
}

// step opens the file where it is not open, and writes one batch. more is true
// where another is wanted.
func (s *Store) step(ctx, quit context.Context) (more bool, err error) {
	s.mu.Lock()
	if s.fewer {
		s.fewer, s.tidied = false, time.Time{}
	}
	w := work{boot: s.opts.Boot, from: s.from, rows: s.rows, days: s.days, begun: s.begun}
	w.changes = s.changes[:min(batch, len(s.changes))]
	drained := len(w.changes) == len(s.changes)
	newest, merged := s.newest, s.merged
	s.merged = false
	s.mu.Unlock()
	if merged {
		s.log.Warn("the activity could not be stored as fast as it came: what opened and closed in between is missing")
	}
	if s.file != nil && !s.file.still(s.path) {
		s.log.Warn("the activity's file was removed or replaced; another is begun")
		s.closeFile()
	}
	if s.file == nil {
		if s.file, err = openFile(ctx, s.path, s.opts.steps); err != nil {
			return false, err
		}
	}
	w.closing = quit.Err() != nil
	w.tidy = !w.closing && time.Since(s.tidied) >= tidyEvery
	more, err = s.file.write(ctx, w)
	if err != nil {
		return false, err
	}
	from := newest
	if !drained {
		from = monitor.Apply(w.from, w.changes)
	}
	waiting := s.written(w, from)
	if w.tidy && !more {
		if err := s.file.orphans(quit); err != nil && quit.Err() == nil {
			return false, err
		}
		s.tidied = time.Now()
	}
	return more || waiting, nil
}

// written lets what w brought to the file go; from is the state after it. It
// reports whether more waits.
func (s *Store) written(w work, from monitor.Snapshot) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.merged && len(w.changes) > 0 {
		// What waits was merged meanwhile, from a state that holds no longer.
		s.from, s.changes = from, monitor.Diff(from, s.newest)
	} else if w.begun {
		s.from, s.changes = from, s.changes[len(w.changes):]
		if len(s.changes) == 0 {
			s.changes = nil // what they point to is large
		}
	}
	return len(s.changes) > 0
}

// replace moves a damaged file aside.
func (s *Store) replace(why error) error {
	s.closeFile()
	to, err := moveAside(s.path, time.Now())
	if err != nil {
		return errors.Join(err, why)
	}
	s.log.Warn("the activity's file was damaged; it was moved aside and a new one begun", "problem", why, "to", to)
	s.set(State{MovedTo: to})
	return nil
}

// failed lets what waits wait, but not for a file that will never be written.
func (s *Store) failed(err error) {
	s.closeFile()
	s.nextTry = time.Now().Add(s.opts.retry)
	state := State{MovedTo: s.state.MovedTo, Err: err}
	if errors.Is(err, errNewer) {
		state = State{Newer: true}
		s.nextTry = time.Now().Add(tidyEvery)
		s.discard()
	}
	if state.Newer != s.state.Newer || (state.Err == nil) != (s.state.Err == nil) {
		s.log.Warn("the activity cannot be stored", "problem", err)
		s.set(state)
	}
}

// discard lets what waits go.
func (s *Store) discard() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.from, s.changes, s.merged = s.newest, nil, false
}

func (s *Store) set(state State) {
	s.state = state
	s.opts.Tell(state)
}

func (s *Store) closeFile() {
	if s.file != nil {
		s.file.close()
		s.file = nil
	}
}

// still reports whether the file at path is the one that is open.
func (f *file) still(path string) bool {
	info, err := os.Stat(path)
	return err == nil && os.SameFile(info, f.info)
}

// openFile opens the file for the writer, after a check.
func openFile(ctx context.Context, path string, steps []string) (*file, error) {
	if err := prepare(path); err != nil {
		return nil, err
	}
	db, conn, err := connect(ctx, path, toWrite)
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
