// Package container finds the container of a listener: the one its process runs
// in, or the one that the port is published for by a forwarder: docker-proxy, the
// engine itself, rootlesskit, rootlessport, conmon, slirp4netns or pasta. The name
// comes from the engine's Unix socket (Docker or Podman), if an engine runs and the
// user may connect to it; that a listener belongs to a container is known without
// the engine. No engine is started by asking: see engineRuns.
package container

import (
	"cmp"
	"context"
	"net/netip"
	"os"
	"path"
	"slices"
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
	engines *engines      // root's and this user's
	wake    chan struct{} // signals a new pending query

	mu      sync.Mutex
	others  map[uint32]*engines        // those of other users, which root may ask
	cache   map[key]*monitor.Container // a nil value: no container, or not known yet
	pending []query
}

// key identifies the subject of a query: a process, a container ID, a listener ID,
// or a process that serves several containers together with a listener ID.
type key struct {
	pid   int
	start uint64
	id    string
}

// query asks for the container of a listener.
type query struct {
	key
	container string // its ID; "" if it must be determined first
	monitored string // its ID as its monitor conmon knows it, or ""
	name      string // its name as its monitor conmon knows it, or ""
	published bool   // the listener forwards to the container
	forwarder string // the program that forwards; "" if it is not visible
	uid       uint32 // the user whose engines are asked, besides root's
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
	return &Resolver{
		engines: newEngines(socketsInTime(), os.Geteuid()),
		wake:    make(chan struct{}, 1), cache: make(map[key]*monitor.Container), others: make(map[uint32]*engines),
	}
}

// enginesOf returns the engines that may publish a port for the user with that UID,
// besides r.engines; nil if there are none that this user may ask. Root asks the
// rootless engines of the user who owns the listener and of nobody else, so that no
// user can name the containers of another one.
func (r *Resolver) enginesOf(uid uint32) *engines {
	if os.Geteuid() != 0 || uid == 0 {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.others[uid] == nil {
		if len(r.others) >= maxUsers {
			clear(r.others)
		}
		r.others[uid] = newEngines(userSockets("/run/user/"+strconv.Itoa(int(uid))), int(uid))
	}
	return r.others[uid]
}

// maxUsers limits how many users' engines are remembered.
const maxUsers = 64

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
// for at most checkTimeout and engineTimeout in total for all calls within 15 s; as
// root, once more for each user whose own engines may publish one of the ports.
func (r *Resolver) Resolve(ctx context.Context, l *monitor.Listener) {
	q, ok := newQuery(l)
	if !ok {
		return
	}
	c, _ := r.lookUp(ctx, q)
	apply(l, q, c)
}

// newQuery returns the query for l, or false if none makes sense. A listener
// whose owner is unknown may belong to a forwarder: docker-proxy runs as root, and
// others may be protected or in another PID namespace.
func newQuery(l *monitor.Listener) (query, bool) {
	q := query{protocol: string(l.Protocol), addresses: l.Addresses, port: l.Port}
	if len(l.Sockets) > 0 {
		q.uid = l.Sockets[0].UID
	}
	o, seen := l.Principal()
	switch {
	case seen && o.ProgramName() == "docker-proxy":
		q.key, q.published, q.target, q.trusted = key{pid: o.PID, start: o.Start}, true, proxyTarget(o.Command), o.User == "root"
		q.forwarder = "docker-proxy"
	case seen && forwards(o):
		q.key, q.published, q.forwarder = key{pid: o.PID, start: o.Start, id: l.ID}, true, o.ProgramName()
		switch q.forwarder {
		case "conmon":
			q.container, q.name = conmonContainer(o.Command)
		case "slirp4netns":
			q.container = slirpContainer(o.Command)
		}
	case seen:
		q.key = key{pid: o.PID, start: o.Start}
		if id, name, _ := Monitored(o); id != "" {
			q.monitored, q.name = id, name
		}
	case l.ContainerID != "":
		q.key, q.container = key{id: l.ContainerID}, l.ContainerID
	case l.User == "root" && l.OwnerUnknown == monitor.UnknownForeign, l.OwnerUnknown == monitor.UnknownNotFound, l.OwnerUnknown == monitor.UnknownProtected, l.OwnerUnknown == monitor.UnknownOutside:
		q.key, q.published = key{id: l.ID}, true
	default:
		return q, false
	}
	return q, true
}

// forwards reports whether o is a program other than docker-proxy that listens on
// the published ports of containers. pasta does so if it was given the network
// namespace of a container; otherwise a person started it for another command.
func forwards(o monitor.Owner) bool {
	switch o.ProgramName() {
	case "dockerd", "rootlesskit", "rootlessport", "conmon", "slirp4netns":
		return true
	case "pasta", "pasta.avx2", "passt", "passt.avx2":
		return slices.ContainsFunc(o.Command, func(arg string) bool { return arg == "--netns" || strings.HasPrefix(arg, "--netns=") })
	}
	return false
}

// conmonContainer reads the ID and the name of the container that conmon monitors
// from its command line (conmon(8)):
//
//	conmon --api-version 1 -c 0123… -u 0123… -n web …
func conmonContainer(command []string) (id, name string) {
	for i, arg := range command[:max(len(command)-1, 0)] {
		switch value := command[i+1]; {
		case arg != "-c" && arg != "--cid" && arg != "-n" && arg != "--name":
		case arg == "-n" || arg == "--name":
			name = value
		case isID(value):
			id = value
		}
	}
	return id, name
}

func isID(s string) bool { return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == "" }

// slirpContainer reads the ID of the container that slirp4netns publishes ports for from
// its command line; "" if there is none. Podman gives it a socket named after the
// container (setupSlirp4netns in libpod):
//
//	slirp4netns … --api-socket /run/user/1000/libpod/tmp/0123….net …
func slirpContainer(command []string) string {
	for i, arg := range command[:max(len(command)-1, 0)] {
		if name, ok := strings.CutSuffix(path.Base(command[i+1]), ".net"); arg == "--api-socket" && ok && isID(name) {
			return name
		}
	}
	return ""
}

// Monitored returns the ID and the name of the container that o runs in, and the PID of
// its monitor conmon, by the command line of conmon; "" if there is none. The control
// group does not name the container if Podman makes none: without systemd, rootless.
func Monitored(o monitor.Owner) (id, name string, pid int) {
	for _, p := range o.Parents {
		if p.Name == "conmon" {
			id, name = conmonContainer(p.Command)
			return id, name, p.PID
		}
	}
	return "", "", 0
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
		if q.container = cmp.Or(owner.CgroupOf(q.pid).ContainerID, q.monitored); q.container == "" {
			return nil, false
		}
	}
	all, silent := r.engines.list(ctx)
	if others := r.enginesOf(q.uid); others != nil {
		theirs, silentToo := others.list(ctx)
		all, silent = slices.Concat(all, theirs), silent || silentToo
	}
	reason := ""
	if silent {
		reason = monitor.UnknownEngine
	}
	found, ok := q.find(all)
	if !ok && q.forwarder == "rootlessport" {
		if command := conmonOf(q.key.pid); command != nil {
			q.container, q.name = conmonContainer(command)
			found, ok = q.find(all)
		}
	}
	podman := q.monitored != "" || q.forwarder != "" && q.forwarder != "docker-proxy" && q.forwarder != "dockerd" && q.forwarder != "rootlesskit"
	switch {
	case ok:
		return &monitor.Container{
			ID: monitor.Clean(found.ID, 64), Name: monitor.Clean(found.name(), 60), Image: monitor.Clean(found.image(), 100),
			Engine: found.engine, Socket: found.socket,
		}, false
	case q.container != "" && podman:
		return &monitor.Container{ID: q.container, Name: monitor.Clean(q.name, 60), Engine: podmanEngine}, true // conmon knows the name
	case q.container != "":
		return &monitor.Container{ID: q.container, NameUnknown: reason}, true
	case podman:
		return &monitor.Container{Engine: podmanEngine, NameUnknown: reason}, true
	}
	return nil, true
}

// find returns the container that q asks for, if it is among all.
func (q query) find(all []engineContainer) (engineContainer, bool) {
	if q.container != "" {
		return byID(all, q.container)
	}
	found, ok := byPublishedPort(all, q.protocol, q.addresses, q.port)
	if !ok && q.trusted {
		found, ok = byAddress(all, q.target.Addr())
	}
	return found, ok
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
	if q.forwarder == "docker-proxy" {
		result.Engine = dockerEngine
	}
	if q.target.IsValid() {
		result.Address = q.target.String()
	}
	if result.ID == "" && result.Address == "" && !(q.published && result.Engine == podmanEngine) {
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
