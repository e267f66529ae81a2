package tunnel

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"

	"porthole/monitor"
	"porthole/monitor/lookup"
	"porthole/monitor/process"
)

// The times of a Finder. Looking for new processes costs a third of a millisecond with 500
// processes, looking at all of them ten.
const (
	scanEvery = 5 * time.Second
	fullEvery = time.Minute      // all processes, because a known one may have executed another program
	askEvery  = 10 * time.Second // between the questions to the API of one process
	askTime   = 2 * time.Second  // for all questions to one process
	fileTime  = time.Second      // for a configuration file
)

// maxProcesses limits how many tunnel programs are followed.
const maxProcesses = 64

// looks is how often the name of a new process is read: a process is started in two steps, and
// between them it has the name of its parent.
const looks = 2

// Finder finds the tunnels to listeners. Its methods are safe for concurrent use.
type Finder struct {
	every time.Duration // scanEvery, except in tests
	files *lookup.Table[configFile, string]
	first chan struct{} // closed after the first scan

	scanning  sync.Mutex // the fields below, and one scan at a time
	looked    map[int]int
	processes map[int]*proc
	lastFull  time.Time
	firstDone sync.Once

	mu     sync.Mutex
	claims []claim
	own    []netip.Addr // addresses of this machine, if a claim needs them
}

// claim is a forward of a process.
type claim struct {
	forward
	tunnel  monitor.Tunnel
	foreign bool
}

// proc is a process that runs one of the programs.
type proc struct {
	pid     int
	start   uint64
	program program
	args    []string
	foreign bool

	asked    time.Time // when its API was asked last; zero: never
	found    []forward // what the API answered
	complete bool
	answered bool
	said     []forward // what its command line and its file say
}

// New returns a Finder that knows nothing yet. Only Scan and Run look for processes.
func New() *Finder {
	return &Finder{
		every: scanEvery, first: make(chan struct{}), looked: map[int]int{}, processes: map[int]*proc{},
		files: lookup.New(readFile, func(f configFile) string { return process.MountOf(f.path) }, func(string) time.Duration { return askEvery }),
	}
}

// Describe stores the tunnels to l that are known, and its exposure. It does not wait.
func (f *Finder) Describe(l *monitor.Listener) {
	f.mu.Lock()
	claims, own := f.claims, f.own
	f.mu.Unlock()
	if len(claims) == 0 || l.Protocol != monitor.TCP {
		return
	}
	var tunnels []monitor.Tunnel
	for _, c := range claims {
		if c.target.reaches(l, c.foreign, own) {
			tunnels = addTunnel(tunnels, c.tunnel)
		}
	}
	if len(tunnels) > 0 {
		l.SetTunnels(tunnels)
	}
}

// firstTime limits the time for the first scan. It is usually over after ten milliseconds.
const firstTime = 500 * time.Millisecond

// Await waits for the first scan, until ctx ends, and no longer than half a second: without it,
// tunnels that were there before look new.
func (f *Finder) Await(ctx context.Context) {
	limit := time.NewTimer(firstTime)
	defer limit.Stop()
	select {
	case <-f.first:
	case <-limit.C:
	case <-ctx.Done():
	}
}

// addTunnel adds t unless the same way is there, with the URL if one of them has it.
func addTunnel(tunnels []monitor.Tunnel, t monitor.Tunnel) []monitor.Tunnel {
	for i, known := range tunnels {
		if known.Through != t.Through || known.Reach != t.Reach || known.Host != t.Host {
			continue
		}
		if known.URL == t.URL || t.URL == "" {
			return tunnels
		}
		if known.URL == "" {
			tunnels[i] = t
			return tunnels
		}
	}
	return append(tunnels, t)
}

// Run looks for tunnels until ctx ends, and calls changed after each change.
func (f *Finder) Run(ctx context.Context, changed func()) {
	tick := time.NewTicker(f.every)
	defer tick.Stop()
	for {
		if f.Scan(ctx) {
			changed()
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Scan looks for tunnels once, and reports whether they have changed. It returns early if ctx
// ends; it takes longer than milliseconds only if a local API or a disk does not answer.
func (f *Finder) Scan(ctx context.Context) (changed bool) {
	f.scanning.Lock()
	defer f.scanning.Unlock()
	defer f.firstDone.Do(func() { close(f.first) })
	f.find()
	var asking sync.WaitGroup
	for _, p := range f.processes {
		asking.Go(func() { f.askAbout(ctx, p) })
	}
	asking.Wait()
	return f.publish()
}

// find updates the processes that run one of the programs.
func (f *Finder) find() {
	pids := processIDs()
	present := make(map[int]bool, len(pids))
	full := time.Since(f.lastFull) >= fullEvery
	if full {
		f.lastFull = time.Now()
		clear(f.looked)
	}
	for _, pid := range pids {
		present[pid] = true
		if f.looked[pid] < looks {
			f.looked[pid]++
			f.look(pid)
		}
	}
	for pid := range f.looked {
		if !present[pid] {
			delete(f.looked, pid)
		}
	}
	for pid, p := range f.processes {
		if !present[pid] || !process.IsAlive(pid, p.start) {
			delete(f.processes, pid)
		}
	}
}

// look examines one process.
func (f *Finder) look(pid int) {
	if !mayBe(processName(pid)) {
		delete(f.processes, pid)
		return
	}
	o, err := process.Identity(pid)
	command := process.CommandLine(pid)
	found, args, ok := recognise(command)
	if err != nil || !ok {
		delete(f.processes, pid)
		return
	}
	if known := f.processes[pid]; known != nil && known.start == o.Start && slices.Equal(known.args, args) {
		return
	}
	if len(f.processes) < maxProcesses {
		f.processes[pid] = &proc{pid: pid, start: o.Start, program: found, args: args, foreign: isForeign(pid)}
	}
}

// askAbout finds out what p forwards. It changes nothing but p.
func (f *Finder) askAbout(ctx context.Context, p *proc) {
	if p.program.ask == nil && p.program.file == nil {
		p.said = p.program.parse(p.args)
		return
	}
	if time.Since(p.asked) < askEvery {
		return
	}
	p.asked = time.Now()
	p.said = p.program.parse(p.args)
	if p.program.file != nil {
		if path := p.program.file(p.args); path != "" {
			ctx, cancel := context.WithTimeout(ctx, fileTime)
			p.said = append(p.said, p.program.read(p.args, []byte(f.files.Await(ctx, newConfigFile(p.pid, path)).Value))...)
			cancel()
		}
	}
	if p.program.ask == nil || p.foreign {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	p.found, p.complete, p.answered = p.program.ask(api{ctx, p.pid}, p.args)
}

// forwards returns what is known about p: what its API answers, or else what it says.
func (p *proc) forwards() []forward {
	switch {
	case p.answered && p.complete:
		return p.found
	case p.answered:
		return append(slices.Clip(p.found), p.said...)
	}
	return p.said
}

// publish stores the claims of all processes, and reports whether they have changed.
func (f *Finder) publish() bool {
	var claims []claim
	needsOwn := false
	for _, p := range f.processes {
		for _, found := range p.forwards() {
			t := monitor.Tunnel{Through: cmp.Or(found.title, p.program.title), Reach: found.reach, URL: found.url, Host: found.host, PID: p.pid}
			claims = append(claims, claim{found, t, p.foreign})
			_, err := netip.ParseAddr(found.target.host)
			needsOwn = needsOwn || err == nil
		}
	}
	slices.SortFunc(claims, func(a, b claim) int {
		return cmp.Or(cmp.Compare(a.tunnel.PID, b.tunnel.PID), cmp.Compare(a.target.port, b.target.port), cmp.Compare(a.target.host, b.target.host),
			cmp.Compare(a.tunnel.Through, b.tunnel.Through), cmp.Compare(a.url, b.url), cmp.Compare(a.tunnel.Host, b.tunnel.Host))
	})
	var own []netip.Addr
	if needsOwn {
		own = ownAddresses()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	changed := !slices.Equal(claims, f.claims) || !slices.Equal(own, f.own)
	f.claims, f.own = claims, own
	return changed
}
