// Package lookup runs look-ups that may never end: of a file on a mount whose server
// is gone, or of a name in a directory that does not answer. The caller does not wait,
// or for a limited time.
package lookup

import (
	"context"
	"sync"
	"time"
)

// Deadline is how long an answer may take before it counts as late.
const Deadline = 200 * time.Millisecond

// The limits of look-ups that run at one time, and of the answers that a Table keeps.
// A look-up that hangs has its goroutine until it ends.
const (
	maxRunning         = 16
	maxRunningPerGroup = 4
	maxEntries         = 4096
)

// Answer is what a Table knows about a key.
type Answer[V any] struct {
	Value V    // the zero value if there never was an answer
	Known bool // there was one
	Busy  bool // a look-up is waiting or running
	Late  bool // it has been for longer than Deadline
}

// Table looks up values in its own goroutines and keeps them. Its methods never wait
// for a look-up, except for Await, and are safe for concurrent use.
type Table[K comparable, V any] struct {
	find  func(K) V
	group func(K) string        // what answers for a key; nil: one thing for all
	fresh func(V) time.Duration // how long a value is valid; 0: for ever

	mu       sync.Mutex
	entries  map[K]*entry[V]
	queue    []K            // whose groups are not known yet
	waiting  map[string][]K // by group
	picking  bool           // a goroutine is finding out groups
	running  map[string]int // by group
	total    int            // of running
	watchers map[int]func()
	nextID   int
}

type entry[V any] struct {
	value   V
	known   bool
	busy    bool
	asked   time.Time // if busy
	expires time.Time // of value; zero: never
	late    *time.Timer
}

// New returns an empty Table. find looks up one value. The look-ups of one group, such
// as the files of one mount, wait for each other if too many of them run; group may be
// nil, and is not called by the goroutine that calls Get. A value is looked up again
// when Get is called after fresh(value); 0 means never.
func New[K comparable, V any](find func(K) V, group func(K) string, fresh func(V) time.Duration) *Table[K, V] {
	return &Table[K, V]{find: find, group: group, fresh: fresh, entries: make(map[K]*entry[V]), waiting: make(map[string][]K), running: make(map[string]int), watchers: make(map[int]func())}
}

// OnAnswer makes the table call f, on any goroutine, whenever the answer for a key has
// changed or is late, until the returned function is called.
func (t *Table[K, V]) OnAnswer(f func()) (stop func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	id := t.nextID
	t.nextID++
	t.watchers[id] = f
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.watchers, id)
	}
}

// Get returns what is known about key, and starts a look-up if nothing is or if the
// value has expired.
func (t *Table[K, V]) Get(key K) Answer[V] {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	e := t.entries[key]
	if e == nil {
		t.makeRoom()
		e = &entry[V]{}
		t.entries[key] = e
	}
	if !e.busy && (!e.known || !e.expires.IsZero() && !now.Before(e.expires)) {
		e.busy, e.asked = true, now
		e.late = time.AfterFunc(Deadline, t.notify)
		t.queue = append(t.queue, key)
		t.pick()
	}
	return Answer[V]{Value: e.value, Known: e.known, Busy: e.busy, Late: e.busy && now.Sub(e.asked) >= Deadline}
}

// Await is Get, and waits for the answer until ctx ends. It does not wait for one that
// was late before.
func (t *Table[K, V]) Await(ctx context.Context, key K) Answer[V] {
	changed := make(chan struct{}, 1)
	defer t.OnAnswer(func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	})()
	a := t.Get(key)
	for late := a.Late; a.Busy && !late && ctx.Err() == nil; a = t.Get(key) {
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
	return a
}

// Put stores a value that was found by other means.
func (t *Table[K, V]) Put(key K, value V) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.entries[key] == nil {
		t.makeRoom()
		t.entries[key] = &entry[V]{}
	}
	t.store(t.entries[key], value)
}

func (t *Table[K, V]) store(e *entry[V], value V) {
	e.value, e.known, e.expires = value, true, time.Time{}
	if d := t.fresh(value); d > 0 {
		e.expires = time.Now().Add(d)
	}
}

// makeRoom forgets the answers if there are too many.
func (t *Table[K, V]) makeRoom() {
	if len(t.entries) < maxEntries {
		return
	}
	for key, e := range t.entries {
		if !e.busy {
			delete(t.entries, key)
		}
	}
}

// pick starts a goroutine that starts the look-ups in the queue. The caller holds the
// lock.
func (t *Table[K, V]) pick() {
	if t.picking || len(t.queue) == 0 {
		return
	}
	t.picking = true
	go t.startQueued() // ends when the queue is empty
}

// startQueued finds out the group of each key in the queue, once, and starts its look-up
// or lets it wait for others of the group.
func (t *Table[K, V]) startQueued() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.queue) > 0 {
		key := t.queue[0]
		t.queue = t.queue[1:]
		group := ""
		if t.group != nil {
			t.mu.Unlock()
			group = t.group(key)
			t.mu.Lock()
		}
		t.waiting[group] = append(t.waiting[group], key)
		t.start(group)
	}
	t.picking = false
}

// start starts a goroutine for the waiting look-ups of a group, unless enough run. The
// caller holds the lock.
func (t *Table[K, V]) start(group string) {
	if len(t.waiting[group]) == 0 || t.running[group] >= maxRunningPerGroup || t.total >= maxRunning {
		return
	}
	t.running[group]++
	t.total++
	go t.run(group) // ends when no look-up of the group waits
}

// run looks up waiting keys of a group until there are none.
func (t *Table[K, V]) run(group string) {
	t.mu.Lock()
	for len(t.waiting[group]) > 0 {
		key := t.waiting[group][0]
		t.waiting[group] = t.waiting[group][1:]
		t.mu.Unlock()
		value := t.find(key)
		t.mu.Lock()
		if e := t.entries[key]; e != nil {
			t.store(e, value)
			e.busy = false
			e.late.Stop()
		}
		t.mu.Unlock()
		t.notify()
		t.mu.Lock()
	}
	delete(t.waiting, group)
	if t.running[group]--; t.running[group] == 0 {
		delete(t.running, group)
	}
	t.total--
	for other := range t.waiting { // that wait for the limit of all
		t.start(other)
	}
	t.mu.Unlock()
}

func (t *Table[K, V]) notify() {
	t.mu.Lock()
	watchers := make([]func(), 0, len(t.watchers))
	for _, f := range t.watchers {
		watchers = append(watchers, f)
	}
	t.mu.Unlock()
	for _, f := range watchers {
		f()
	}
}
