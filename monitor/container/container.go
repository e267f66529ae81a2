// Package container finds the container of a listener: the one its process runs
// in, or the one that docker-proxy publishes the port for. The name comes from
// the engine's Unix socket (Docker or Podman), if the user may connect to it; that
// a listener belongs to a container is known without the engine.
package container

import (
	"context"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"porthole/monitor"
	"porthole/monitor/owner"
)

// Resolver resolves listeners to containers and caches the results. Its methods
// are safe for concurrent use.
type Resolver struct {
	engines engines
	wake    chan struct{} // signals a new pending query

	mu      sync.Mutex
	cache   map[key]*monitor.Container // a nil value: no container, or not known yet
	pending []query
}

// key identifies the subject of a query: a process, a container ID, or a
// listener ID.
type key struct {
	pid   int
	start uint64
	id    string
}

// query asks for the container of a listener.
type query struct {
	key
	container string // its ID; "" if it must be determined first
	published bool   // the listener is the engine's proxy
	protocol  string
	addresses []netip.Addr
	port      uint16
	target    netip.AddrPort // docker-proxy's target, from its command line
	trusted   bool           // the proxy runs as root, so its command line can be trusted
	attempts  int
	due       time.Time
}

// maxCached limits the cache, because processes come and go.
const maxCached = 4096

// New returns a Resolver with an empty cache. Only Run and Resolve query the
// engines.
func New() *Resolver {
	return &Resolver{engines: engines{sockets: engineSockets()}, wake: make(chan struct{}, 1), cache: make(map[key]*monitor.Container)}
}

// Describe sets l.Container and the service as far as they are in the cache, and
// lets Run find out the rest. It does not block.
func (r *Resolver) Describe(l *monitor.Listener) {
	q, ok := newQuery(l)
	if !ok {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c, known := r.cache[q.key]
	apply(l, q, c)
	if known {
		return
	}
	if len(r.cache) >= maxCached {
		clear(r.cache)
		r.pending = nil
	}
	r.cache[q.key] = nil
	r.pending = append(r.pending, q)
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Resolve sets l.Container and the service after asking the engines. It blocks
// for at most one second in total for all calls within 15 s.
func (r *Resolver) Resolve(ctx context.Context, l *monitor.Listener) {
	q, ok := newQuery(l)
	if !ok {
		return
	}
	c, _ := r.lookUp(ctx, q)
	apply(l, q, c)
}

// newQuery returns the query for l, or false if none makes sense. A listener
// with an unknown owner may belong to docker-proxy, which runs as root.
func newQuery(l *monitor.Listener) (query, bool) {
	q := query{protocol: string(l.Protocol), addresses: l.Addresses, port: l.Port}
	o, seen := l.Principal()
	switch {
	case seen && o.ProgramName() == "docker-proxy":
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

// proxyTarget reads the target from docker-proxy's command line:
//
//	docker-proxy -proto tcp -host-ip 0.0.0.0 -host-port 8080 -container-ip 172.17.0.2 -container-port 80
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
	if err != nil || portErr != nil || address.Zone() != "" { // a zone may contain any text
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(address, uint16(port))
}

// lookUp answers q. again is set if a later attempt may find more, because the
// container or the engine may still be starting.
func (r *Resolver) lookUp(ctx context.Context, q query) (c *monitor.Container, again bool) {
	if !q.published && q.container == "" {
		if q.container = owner.CgroupOf(q.pid).ContainerID; q.container == "" {
			return nil, false
		}
	}
	all := r.engines.list(ctx)
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

// apply stores c in l. For a published port the container is a better service
// name than docker-proxy's own name or the port.
func apply(l *monitor.Listener, q query, c *monitor.Container) {
	_, seen := l.Principal()
	var result monitor.Container
	if c != nil {
		result = *c
	}
	result.Published = q.published
	if q.target.IsValid() {
		result.Address = q.target.String()
	}
	if result.ID == "" && result.Address == "" {
		return
	}
	l.Container = &result
	switch {
	case q.published && seen:
		l.Service, l.ServiceBy = result.Description(), monitor.ByProgram
	case q.published, l.Service == "", l.ServiceBy == monitor.ByPort:
		l.Service, l.ServiceBy = result.Description(), monitor.ByCommand
	}
}

// A container is looked up maxAttempts times, with delays that double from
// firstRetry: docker-proxy listens before the engine lists its container.
const (
	maxAttempts = 6
	firstRetry  = 300 * time.Millisecond
)

// Run answers the queries that Describe could not answer from the cache, until
// ctx is done. It calls learned, on its own goroutine, when Describe has new
// results.
func (r *Resolver) Run(ctx context.Context, learned func()) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		next, more := r.resolvePending(ctx)
		if more {
			learned()
		}
		timer.Reset(next)
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
		case <-timer.C:
		}
	}
}

// resolvePending answers the queries that are due. It returns the time until the
// next one is due and whether anything new was learned.
func (r *Resolver) resolvePending(ctx context.Context) (next time.Duration, more bool) {
	r.mu.Lock()
	queries := r.pending
	r.pending = nil
	r.mu.Unlock()
	next = time.Hour
	var retry []query
	for _, q := range queries {
		if wait := time.Until(q.due); wait > 0 {
			next, retry = min(next, wait), append(retry, q)
			continue
		}
		c, again := r.lookUp(ctx, q)
		if ctx.Err() != nil {
			return next, false
		}
		if q.attempts++; again && q.attempts < maxAttempts {
			wait := firstRetry << (q.attempts - 1)
			q.due = time.Now().Add(wait)
			next, retry = min(next, wait), append(retry, q)
		}
		r.mu.Lock()
		if before, ok := r.cache[q.key]; ok && c != nil && (before == nil || *before != *c) {
			r.cache[q.key], more = c, true
		}
		r.mu.Unlock()
	}
	r.mu.Lock()
	r.pending = append(retry, r.pending...)
	r.mu.Unlock()
	return next, more
}
