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

// Names knows containers by what listens for them. Its methods may be called
// from any goroutine.
type Names struct {
	engines engines
	told    chan struct{} // a question waits

	mu      sync.Mutex
	known   map[key]*monitor.Container // nil: none, or not known yet
	waiting []question
}

// key is the identity of what is asked for: a process, a container's id, or the
// id of a row.
type key struct {
	pid   int
	start uint64
	id    string
}

// question is which container is behind a listener.
type question struct {
	key
	container string // its id; "" where that is to be found out
	proxy     bool   // the listener is the engine's own
	protocol  string
	addresses []netip.Addr
	port      uint16
	inside    netip.AddrPort // the other end of docker-proxy, as its command line has it
	trusted   bool           // which is root's: it may be taken at its word
	tries     int
	due       time.Time
}

// maxKnown bounds what is remembered of processes, which come and go.
const maxKnown = 4096

// New returns Names that know nothing yet. Run, or Look, asks.
func New() *Names {
	return &Names{engines: engines{sockets: engineSockets()}, told: make(chan struct{}, 1), known: make(map[key]*monitor.Container)}
}

// Describe tells what is known of the container behind l, and has Run find out
// the rest. It does not wait.
func (n *Names) Describe(l *monitor.Listener) {
	q, ok := questionOf(l)
	if !ok {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	c, asked := n.known[q.key]
	tell(l, q, c)
	if asked {
		return
	}
	if len(n.known) >= maxKnown {
		clear(n.known)
		n.waiting = nil
	}
	n.known[q.key] = nil
	n.waiting = append(n.waiting, q)
	select {
	case n.told <- struct{}{}:
	default:
	}
}

// Look tells what can be found out of the container behind l now. It waits for
// the engines, a second at the most for all calls within 15 s.
func (n *Names) Look(ctx context.Context, l *monitor.Listener) {
	q, ok := questionOf(l)
	if !ok {
		return
	}
	c, _ := n.find(ctx, q)
	tell(l, q, c)
}

// questionOf returns what there is to be asked of l, and false where that has no
// sense: a listener whose owner is hidden may be docker-proxy, which is root's.
func questionOf(l *monitor.Listener) (question, bool) {
	q := question{protocol: string(l.Protocol), addresses: l.Addresses, port: l.Port}
	o, seen := l.Principal()
	switch {
	case seen && program(o) == "docker-proxy":
		q.key, q.proxy, q.inside, q.trusted = key{pid: o.PID, start: o.Start}, true, inside(o.Command), o.User == "root"
	case seen:
		q.key = key{pid: o.PID, start: o.Start}
	case l.Container != "":
		q.key, q.container = key{id: l.Container}, l.Container
	case l.User == "root" && l.Hidden == monitor.HiddenForeign:
		q.key, q.proxy = key{id: l.ID}, true
	default:
		return q, false
	}
	return q, true
}

// program is the file that o runs; its name, which it can choose, where that may
// not be read.
func program(o monitor.Owner) string {
	if o.Program != "" {
		return filepath.Base(o.Program)
	}
	return o.Name
}

// inside reads the other end from docker-proxy's command line:
// docker-proxy -proto tcp -host-ip 0.0.0.0 -host-port 8080 -container-ip 172.17.0.2 -container-port 80
func inside(command []string) netip.AddrPort {
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

// find answers q. again says that there may be more to know later: the container
// may be starting, the engine too.
func (n *Names) find(ctx context.Context, q question) (c *monitor.Container, again bool) {
	if !q.proxy && q.container == "" {
		if q.container = owner.GroupOf(q.pid).Container; q.container == "" {
			return nil, false
		}
	}
	all := n.engines.list(ctx)
	var found listed
	ok := false
	if q.container != "" {
		found, ok = withID(all, q.container)
	} else {
		if found, ok = publishing(all, q.protocol, q.addresses, q.port); !ok && q.trusted {
			found, ok = withAddress(all, q.inside.Addr())
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

// tell puts c into l. It says more of what docker-proxy is there for than its
// own name does, and than the port.
func tell(l *monitor.Listener, q question, c *monitor.Container) {
	_, seen := l.Principal()
	var known monitor.Container
	if c != nil {
		known = *c
	}
	known.Published = q.proxy
	if q.inside.IsValid() {
		known.Address = q.inside.String()
	}
	if known.ID == "" && known.Address == "" {
		return
	}
	l.Behind = &known
	switch {
	case q.proxy && seen:
		l.Service, l.ServiceBy = known.Words(), monitor.ByProgram
	case q.proxy, l.Service == "", l.ServiceBy == monitor.ByPort:
		l.Service, l.ServiceBy = known.Words(), monitor.ByCommand
	}
}

// tries is how often a container is asked for, each time after twice as long,
// from firstTry on: docker-proxy listens before its container is said to run.
const (
	tries    = 6
	firstTry = 300 * time.Millisecond
)

// Run finds out what Describe was asked and did not know, until ctx ends. It
// calls learned, on its own goroutine, when Describe has more to tell.
func (n *Names) Run(ctx context.Context, learned func()) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		next, more := n.answer(ctx)
		if more {
			learned()
		}
		timer.Reset(next)
		select {
		case <-ctx.Done():
			return
		case <-n.told:
		case <-timer.C:
		}
	}
}

// answer answers the questions that are due. It returns in which time the next
// one is, and whether anything was learned.
func (n *Names) answer(ctx context.Context) (next time.Duration, more bool) {
	n.mu.Lock()
	waiting := n.waiting
	n.waiting = nil
	n.mu.Unlock()
	next = time.Hour
	var later []question
	for _, q := range waiting {
		if wait := time.Until(q.due); wait > 0 {
			next, later = min(next, wait), append(later, q)
			continue
		}
		c, again := n.find(ctx, q)
		if ctx.Err() != nil {
			return next, false
		}
		if q.tries++; again && q.tries < tries {
			wait := firstTry << (q.tries - 1)
			q.due = time.Now().Add(wait)
			next, later = min(next, wait), append(later, q)
		}
		n.mu.Lock()
		if before, asked := n.known[q.key]; asked && c != nil && (before == nil || *before != *c) {
			n.known[q.key], more = c, true
		}
		n.mu.Unlock()
	}
	n.mu.Lock()
	n.waiting = append(later, n.waiting...)
	n.mu.Unlock()
	return next, more
}
