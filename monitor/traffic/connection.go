package traffic

import "sync/atomic"

// Connection is a recorded connection. It is safe for concurrent use.
type Connection struct {
	Conn
	ID      uint64 // from 1, in the order of opening
	process atomic.Pointer[Process]
}

// Process returns the client, as far as it is known. It may be found later than the
// first exchange.
func (c *Connection) Process() Process {
	if p := c.process.Load(); p != nil {
		return *p
	}
	return Process{}
}

// SetProcess names the client.
func (c *Connection) SetProcess(p Process) { c.process.Store(&p) }
