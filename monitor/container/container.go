// Package container tells which container is behind a listener: the one that its
// process runs in, or that docker-proxy publishes the port for. What the engine
// calls it, Docker or podman, is asked at the engine's unix socket where this
// user may; no engine is needed to tell that there is a container.
package container

import (
	"context"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"porthole/monitor"
	"porthole/monitor/owner"
)

// Resolver knows containers by what listens for them. Its methods may be called
// from any goroutine.
type Resolver struct {
	engines engines
	wake    chan struct{} // a question waits

	mu      sync.Mutex
	cache   map[key]*monitor.Container // nil: none, or not known yet
	pending []query
}

// key is the identity of what is asked for: a process, a container's id, or the
// id of a row.
type key struct {
	pid   int
	start uint64
	id    string
}

// query is which container is behind a listener.
type query struct {
	key
	container string // its id; "" where that is to be found out
	published bool   // the listener is the engine's own
	protocol  string
	addresses []netip.Addr
	port      uint16
	target    netip.AddrPort // the other end of docker-proxy, as its command line has it
	trusted   bool           // which is root's: it may be taken at its word
	attempts  int
	due       time.Time
}

// maxCached bounds what is remembered of processes, which come and go.
const maxCached = 4096

// New returns Names that know nothing yet. Run, or Look, asks.
func New() *Resolver {
	return &Resolver{engines: engines{sockets: engineSockets()}, wake: make(chan struct{}, 1), cache: make(map[key]*monitor.Container)}
}

// Describe tells what is known of the container behind l, and has Run find out
// the rest. It does not wait.
func (n *Resolver) Describe(l *monitor.Listener) {
	q, ok := newQuery(l)
	if !ok {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	c, asked := n.cache[q.key]
	apply(l, q, c)
	if asked {
		return
	}
	if len(n.cache) >= maxCached {
		clear(n.cache)
		n.pending = nil
	}
	n.cache[q.key] = nil
	n.pending = append(n.pending, q)
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// Resolve tells what can be found out of the container behind l now. It waits for
// the engines, a second at the most for all calls within 15 s.
func (n *Resolver) Resolve(ctx context.Context, l *monitor.Listener) {
	q, ok := newQuery(l)
	if !ok {
		return
	}
	c, _ := n.lookUp(ctx, q)
	apply(l, q, c)
}

// newQuery returns what there is to be asked of l, and false where that has no
// sense: a listener whose owner is hidden may be docker-proxy, which is root's.
func newQuery(l *monitor.Listener) (query, bool) {
	q := query{protocol: string(l.Protocol), addresses: l.Addresses, port: l.Port}
	o, seen := l.Principal()
	switch {
	case seen && programName(o) == "docker-proxy":
		q.key, q.published, q.target, q.trusted = key{pid: o.PID, start: o.Start}, true, proxyTarget(o.Command), o.User == "root"
	case seen:
		q.key = key{pid: o.PID, start: o.Start}
	case l.ContainerID != "":
		q.key, q.container = key{id: l.ContainerID}, l.ContainerID
	case l.User == "root" && l.OwnerUnknown == monitor.UnknownForeign:
		q.key, q.published = key{id: l.ID}, true
	default:
		return q, false
	}
	return q, true
}

// programName is the file that o runs; its name, which it can choose, where that may
// not be read.
func programName(o monitor.Owner) string {
	if o.Program != "" {
		return filepath.Base(o.Program)
	}
	return o.Name
}

// proxyTarget reads the other end from docker-proxy's command line:
// docker-proxy -proto tcp -host-ip 0.0.0.0 -host-port 8080 -container-ip 172.17.0.2 -container-port 80
func proxyTarget(command []string) netip.AddrPort {
	flag := func(name string) string {
		for i, arg := range command[:max(len(command)-1, 0)] {
			if strings.TrimLeft(arg, "-") == name {
				return command[i+1]
			}
		}
		return ""
	}
	address, err := netip.ParseAddr(flag("container-ip"))
	port, portErr := strconv.ParseUint(flag("container-port"), 10, 16)
	if err != nil || portErr != nil || address.Zone() != "" { // a zone may be any text
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(address, uint16(port))
}

// lookUp answers q. again says that there may be more to know later: the container
// may be starting, the engine too.
func (n *Resolver) lookUp(ctx context.Context, q query) (c *monitor.Container, again bool) {
	if !q.published && q.container == "" {
		if q.container = owner.CgroupOf(q.pid).ContainerID; q.container == "" {
			return nil, false
		}
	}
	all := n.engines.list(ctx)
	var found engineContainer
	ok := false
	if q.container != "" {
		found, ok = byID(all, q.container)
	} else {
		if found, ok = byPublishedPort(all, q.protocol, q.addresses, q.port); !ok && q.trusted {
			found, ok = byAddress(all, q.target.Addr())
		}
	}
	switch {
	case ok:
		return &monitor.Container{ID: monitor.Clean(found.ID, 64), Name: monitor.Clean(found.name(), 60), Image: monitor.Clean(found.image(), 100)}, false
	case q.container != "":
		return &monitor.Container{ID: q.container}, true
	}
	return nil, true
}

// apply puts c into l. It says more of what docker-proxy is there for than its
// own name does, and than the port.
func apply(l *monitor.Listener, q query, c *monitor.Container) {
	_, seen := l.Principal()
	var known monitor.Container
	if c != nil {
		known = *c
	}
	known.Published = q.published
	if q.target.IsValid() {
		known.Address = q.target.String()
	}
	if known.ID == "" && known.Address == "" {
		return
	}
	l.Container = &known
	switch {
	case q.published && seen:
		l.Service, l.ServiceBy = known.Description(), monitor.ByProgram
	case q.published, l.Service == "", l.ServiceBy == monitor.ByPort:
		l.Service, l.ServiceBy = known.Description(), monitor.ByCommand
	}
}

// maxAttempts is how often a container is asked for, each time after twice as long,
// from firstTry on: docker-proxy listens before its container is said to run.
const (
	maxAttempts = 6
	firstRetry  = 300 * time.Millisecond
)

// Run finds out what Describe was asked and did not know, until ctx ends. It
// calls learned, on its own goroutine, when Describe has more to tell.
func (n *Resolver) Run(ctx context.Context, learned func()) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		next, more := n.resolvePending(ctx)
		if more {
			learned()
		}
		timer.Reset(next)
		select {
		case <-ctx.Done():
			return
		case <-n.wake:
		case <-timer.C:
		}
	}
}

// resolvePending answers the questions that are due. It returns in which time the next
// one is, and whether anything was learned.
func (n *Resolver) resolvePending(ctx context.Context) (next time.Duration, more bool) {
	n.mu.Lock()
	waiting := n.pending
	n.pending = nil
	n.mu.Unlock()
	next = time.Hour
	var later []query
	for _, q := range waiting {
		if wait := time.Until(q.due); wait > 0 {
			next, later = min(next, wait), append(later, q)
			continue
		}
		c, again := n.lookUp(ctx, q)
		if ctx.Err() != nil {
			return next, false
		}
		if q.attempts++; again && q.attempts < maxAttempts {
			wait := firstRetry << (q.attempts - 1)
			q.due = time.Now().Add(wait)
			next, later = min(next, wait), append(later, q)
		}
		n.mu.Lock()
		if before, asked := n.cache[q.key]; asked && c != nil && (before == nil || *before != *c) {
			n.cache[q.key], more = c, true
		}
		n.mu.Unlock()
	}
	n.mu.Lock()
	n.pending = append(later, n.pending...)
	n.mu.Unlock()
	return next, more
}
