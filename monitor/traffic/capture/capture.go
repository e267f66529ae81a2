// Package capture reads the traffic of a port that flows already: through a packet socket
// where this process may open one, else through dumpcap or tcpdump where the user may run
// them. It also reads packets from files.
//
// The loopback interface has its peculiarities. Each packet passes twice, outgoing and
// incoming: only the incoming one is kept. Segments have up to 64 KB, because nothing has
// to cut them. Their checksums are not finished, because nothing can damage them: they
// are not verified. A connection that was open before the capture has no handshake: it is
// recorded from its first data on and marked as partial.
package capture

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"sync"
	"time"

	"porthole/monitor/traffic/source"
)

// Options select what is captured.
type Options struct {
	Port      uint16
	Interface string // "lo" if empty; "any" for all
	// Program runs this program instead of opening a socket: dumpcap or tcpdump.
	Program []string
}

// Stats counts packets.
type Stats struct {
	Packets uint64 // received
	Dropped uint64 // by the kernel, because this process was too slow
}

// handle is an open capture.
type handle interface {
	// read calls each with packets until ctx ends or the capture fails, and tick at
	// least ten times a second. Packets are valid during the call.
	read(ctx context.Context, each func(Packet), tick func()) error
	stats() Stats
	close()
}

// Capture is an open capture. Create it with Open, then call Run once.
type Capture struct {
	options Options
	handle  handle
	how     string

	mu    sync.Mutex
	count Stats
}

// ErrNotAllowed is the error of Open if this user may not capture.
var ErrNotAllowed = errors.New("this user may not capture packets")

// Open opens a capture. It tries a packet socket, then dumpcap, then tcpdump. The error is
// ErrNotAllowed if none of them is allowed.
func Open(ctx context.Context, o Options) (*Capture, error) {
	if o.Interface == "" {
		o.Interface = loopback
	}
	c := &Capture{options: o}
	if len(o.Program) > 0 {
		h, err := start(ctx, o.Program, o)
		if err != nil {
			return nil, err
		}
		c.handle, c.how = h, o.Program[0]
		return c, nil
	}
	h, err := openSocket(o)
	if err == nil {
		c.handle, c.how = h, "packet socket"
		return c, nil
	}
	if !isDenied(err) {
		return nil, err
	}
	for _, name := range []string{"dumpcap", "tcpdump"} {
		path, missing := exec.LookPath(name)
		if missing != nil {
			continue
		}
		h, failed := start(ctx, []string{path}, o)
		if failed == nil {
			c.handle, c.how = h, name
			return c, nil
		}
		err = errors.Join(err, failed)
	}
	return nil, fmt.Errorf("%w: %w", ErrNotAllowed, err)
}

// How returns what reads the packets: "packet socket", "dumpcap" or "tcpdump".
func (c *Capture) How() string { return c.how }

// Interface returns the name of the interface.
func (c *Capture) Interface() string { return c.options.Interface }

// Close closes a capture that was not run.
func (c *Capture) Close() { c.handle.close() }

// Stats returns the counts so far. It is safe for concurrent use.
func (c *Capture) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.count
}

// patience is how long a missing segment is awaited: on loopback, segments are only
// missing if the kernel dropped them for this process.
const patience = time.Second

// Run records the traffic in r until ctx ends or the capture fails. packet, which may be
// nil, is called with each packet. Gaps in streams are recorded as lost bytes.
func (c *Capture) Run(ctx context.Context, r source.Recorder, packet func(Packet)) error {
	defer c.handle.close()
	clients := source.NewClients(c.options.Port)
	work, end := context.WithCancel(ctx)
	var names sync.WaitGroup
	names.Go(func() { clients.Run(work) })
	defer func() { end(); names.Wait() }()
	a := NewAssembler(r, c.options.Port, func(client netip.AddrPort, s source.Stream) { clients.Find(client, s) })
	err := c.handle.read(ctx, func(p Packet) {
		a.Add(p)
		if packet != nil {
			packet(p)
		}
	}, func() {
		a.Flush(time.Now().Add(-patience))
		c.mu.Lock()
		c.count = c.handle.stats()
		c.mu.Unlock()
	})
	a.Close()
	c.mu.Lock()
	c.count = c.handle.stats()
	c.mu.Unlock()
	if ctx.Err() != nil {
		return nil
	}
	return err
}
