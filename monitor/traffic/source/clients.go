package source

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"porthole/monitor/connection"
	"porthole/monitor/connection/source"
	"porthole/monitor/traffic"
)

// Clients finds the processes of clients on this machine, off the path of the data. A
// client that has disconnected before it was found stays unknown.
type Clients struct {
	port uint16

	mu      sync.Mutex
	waiting map[netip.AddrPort]Stream
	wake    chan struct{}
}

// maxWaiting limits the clients that wait to be found; further ones stay unknown.
const maxWaiting = 16384

// Searches may take a tenth of a processor for long, and maxCredit at once.
const (
	searchShare = 0.1
	maxCredit   = 500 * time.Millisecond
)

// NewClients returns a Clients for connections to port. Run does the work.
func NewClients(port uint16) *Clients {
	return &Clients{port: port, waiting: make(map[netip.AddrPort]Stream), wake: make(chan struct{}, 1)}
}

// Find names the client of a connection, which has this address, some time later.
func (c *Clients) Find(client netip.AddrPort, s Stream) {
	c.mu.Lock()
	if len(c.waiting) < maxWaiting {
		c.waiting[client] = s
	}
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Run finds clients until ctx ends. If the system does not name processes, it only
// forgets them.
func (c *Clients) Run(ctx context.Context) {
	src, err := source.Open()
	if err == nil {
		defer src.Close()
		_ = src.Learn(ctx) // only makes the next searches faster
	}
	credit, last := maxCredit, time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.wake:
		}
		began := time.Now()
		credit = min(credit+time.Duration(searchShare*float64(began.Sub(last))), maxCredit)
		last = began
		c.mu.Lock()
		batch := c.waiting
		c.waiting = make(map[netip.AddrPort]Stream)
		c.mu.Unlock()
		if err != nil {
			continue
		}
		name(ctx, src, c.port, batch)
		if credit -= time.Since(began); credit >= 0 {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Duration(float64(-credit) / searchShare)):
		}
	}
}

// name finds the clients in batch.
func name(ctx context.Context, src *source.Source, port uint16, batch map[netip.AddrPort]Stream) {
	addresses := make([]netip.AddrPort, 0, len(batch))
	for a := range batch {
		addresses = append(addresses, a)
	}
	found, _ := src.Clients(ctx, port, addresses) // what was found before an error is right
	for a, client := range found {
		if s, ok := batch[a]; ok && client != (connection.Client{}) {
			s.Identify(traffic.Process{PID: client.PID, Name: client.Name})
		}
	}
}
