//go:build !unix

package tap

import "net"

// chunk is the size of a connection's buffer for one direction in bytes.
const chunk = 32 << 10

// reader reads a connection.
type reader struct {
	conn   *net.TCPConn
	buffer [chunk]byte
}

func newReader(c *net.TCPConn) *reader { return &reader{conn: c} }

// next waits for data, io.EOF or an error. The bytes are valid until the next call.
func (r *reader) next() ([]byte, error) {
	n, err := r.conn.Read(r.buffer[:])
	if n > 0 {
		return r.buffer[:n], nil
	}
	return nil, err
}

// release does nothing: the buffer belongs to the connection.
func (r *reader) release() {}

// maxConnections returns how many connections can be open: as many as there are ports.
func maxConnections() int { return 65536 }
