package health

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"porthole/monitor"
)

// Times and limits of a Checker.
const (
	// Interval is the least time between two questions about a server and a path, and
	// SavingInterval while the machine saves power.
	Interval       = 10 * time.Second
	SavingInterval = time.Minute
	// MaxTargets limits how many servers are asked; further ones are not.
	MaxTargets = 64
	// failuresNeeded is how many answers in a row must be bad for a server to be unhealthy: a
	// single one can be a restart of its database. One good answer makes it healthy.
	failuresNeeded = 2
	// maxAtOnce limits the questions that wait for an answer at the same time.
	maxAtOnce = 16
)

// State is what the answers say about a server.
type State string

// The states.
const (
	Unknown   State = ""          // not asked yet, or one bad answer
	Healthy   State = "healthy"   // the last answer was good
	Unhealthy State = "unhealthy" // the last answers were bad
)

// Check is what is known about a server and a path.
type Check struct {
	Listener string               `json:"listener"` // ID
	State    State                `json:"state,omitempty"`
	Since    time.Time            `json:"since,omitzero"` // when the state began
	Answer   monitor.HealthAnswer `json:"answer"`         // the last one, with the path; without status and failure before the first
}

// Same reports whether both checks say the same.
func (c Check) Same(other Check) bool {
	return c.Listener == other.Listener && c.State == other.State && c.Since.Equal(other.Since) && c.Answer == other.Answer
}

// Of returns the worst of checks about the listener with this ID, and false without one.
func Of(checks []Check, listener string) (worst Check, ok bool) {
	for _, c := range checks {
		if c.Listener == listener && (!ok || c.State == Unhealthy && worst.State != Unhealthy) {
			worst, ok = c, true
		}
	}
	return worst, ok
}

// For returns the check of a listener and a path, and false if there is none.
func For(checks []Check, listener, path string) (Check, bool) {
	i := slices.IndexFunc(checks, func(c Check) bool { return c.Listener == listener && c.Answer.Path == path })
	if i < 0 {
		return Check{}, false
	}
	return checks[i], true
}

// observe records an answer. failures is the number of bad ones in a row before it. It returns
// the event that this is, or "".
func (c *Check) observe(now time.Time, answer monitor.HealthAnswer, failures int) (event monitor.Kind) {
	c.Answer = answer
	next := c.State
	switch {
	case answer.Healthy():
		next = Healthy
	case failures+1 >= failuresNeeded:
		next = Unhealthy
	}
	if next == c.State {
		return ""
	}
	was := c.State
	c.State, c.Since = next, now
	switch {
	case next == Unhealthy:
		return monitor.Unhealthy
	case was == Unhealthy:
		return monitor.Healthy
	}
	return ""
}

// Target is a server to ask, and the path.
type Target struct {
	Listener *monitor.Listener // of TCP
	Path     string
}

// key identifies a target.
type key struct{ listener, path string }

func (t Target) key() key { return key{t.Listener.ID, t.Path} }

// target is the state of a Target.
type target struct {
	Target
	check    Check
	failures int       // bad answers in a row
	asked    time.Time // when the last question began
	asking   bool
	secure   bool // it speaks TLS
}

// Checker asks servers again and again. Its methods are safe for concurrent use.
type Checker struct {
	on  Callbacks
	now func() time.Time

	mu       sync.Mutex
	targets  map[key]*target
	interval time.Duration
	wake     chan struct{}
}

// Callbacks are called by a Checker, on goroutines of its own.
type Callbacks struct {
	// Changed is called after an answer that changed what Checks returns; it may be nil. e is
	// the event that this is, with the zero Kind if it is none.
	Changed func(e monitor.Event)
	// Connected is called with both ends of each connection; see Question.
	Connected func(client, server netip.AddrPort)
}

// NewChecker returns a Checker, which asks nothing before Watch and Run.
func NewChecker(on Callbacks) *Checker {
	return &Checker{on: on, now: time.Now, targets: map[key]*target{}, interval: Interval, wake: make(chan struct{}, 1)}
}

// Watch replaces what is asked, at most MaxTargets, and the time between two questions. A new
// target is asked at once. What is known about others is forgotten. It does not block.
func (c *Checker) Watch(targets []Target, interval time.Duration) {
	c.mu.Lock()
	before := c.targets
	c.targets, c.interval = make(map[key]*target, len(targets)), interval
	for _, t := range targets {
		if len(c.targets) == MaxTargets {
			break
		}
		known := before[t.key()]
		if known == nil {
			known = &target{check: Check{Listener: t.Listener.ID, Answer: monitor.HealthAnswer{Path: t.Path}}}
		}
		known.Target = t
		c.targets[t.key()] = known
	}
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Checks returns what is known, sorted by listener and path.
func (c *Checker) Checks() []Check {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []Check
	for _, t := range c.targets {
		all = append(all, t.check)
	}
	slices.SortFunc(all, func(a, b Check) int {
		return cmp.Or(strings.Compare(a.Listener, b.Listener), strings.Compare(a.Answer.Path, b.Answer.Path))
	})
	return all
}

// Run asks until ctx ends, and returns when all its goroutines have ended.
func (c *Checker) Run(ctx context.Context) {
	var asking sync.WaitGroup
	defer asking.Wait()
	free := make(chan struct{}, maxAtOnce)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		due, wait := c.due()
		for _, t := range due {
			select {
			case free <- struct{}{}:
			case <-ctx.Done():
				return
			}
			asking.Go(func() {
				defer func() { <-free }()
				c.ask(ctx, t)
			})
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return
		case <-c.wake:
		case <-timer.C:
		}
	}
}

// due returns the targets to ask now, which count as asked, and the time until the next ones.
func (c *Checker) due() (due []*target, wait time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	wait = time.Hour
	for _, t := range c.targets {
		left := c.interval - now.Sub(t.asked)
		if t.asking {
			left = c.interval
		} else if left <= 0 {
			t.asking, t.asked = true, now
			due, left = append(due, t), c.interval
		}
		wait = min(wait, left)
	}
	return due, wait
}

// ask asks one target and reports what has changed.
func (c *Checker) ask(ctx context.Context, t *target) {
	c.mu.Lock()
	q := Question{Listener: t.Listener, Path: t.Path, TLS: t.secure, Connected: c.on.Connected}
	c.mu.Unlock()
	r := q.Ask(ctx)
	if e, changed := c.record(ctx, t, r); changed && c.on.Changed != nil {
		c.on.Changed(e)
	}
}

// record stores a result. It reports whether that changed what is known, and the event. The
// result of a target that is no longer wanted is dropped: its server has ended.
func (c *Checker) record(ctx context.Context, t *target, r Result) (e monitor.Event, changed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t.asking = false
	if ctx.Err() != nil || c.targets[t.key()] != t {
		return e, false
	}
	now, answer, before := c.now(), r.Answer(), t.check
	t.secure = strings.HasPrefix(r.URL, "https:") && r.Err == nil
	kind := t.check.observe(now, answer, t.failures)
	t.failures++
	if answer.Healthy() {
		t.failures = 0
	}
	if kind == "" {
		return e, !t.check.Same(before)
	}
	e = monitor.Event{Kind: kind, At: now, Listener: t.Listener, Health: answer}
	if kind == monitor.Healthy {
		e.Lasted = now.Sub(before.Since)
	}
	return e, true
}
