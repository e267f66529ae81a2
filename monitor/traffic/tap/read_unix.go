//go:build unix

package tap

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// chunk is the size of a buffer in bytes. With less, bulk transfers take more system calls.
const chunk = 256 << 10

// buffers are shared by all connections: one that waits for data has none.
var buffers = sync.Pool{New: func() any { return new([chunk]byte) }}

// reader reads a connection into a shared buffer.
type reader struct {
	raw    syscall.RawConn
	buffer *[chunk]byte // nil while it waits
	n      int
	err    error
	try    func(fd uintptr) bool // the method attempt; made once
}

func newReader(c *net.TCPConn) *reader {
	r := &reader{}
	r.raw, r.err = c.SyscallConn()
	r.try = r.attempt
	return r
}

// next waits for data, io.EOF or an error. The bytes are valid until release is called,
// which must be before the next call.
func (r *reader) next() ([]byte, error) {
	if r.err != nil {
		return nil, r.err
	}
	if err := r.raw.Read(r.try); err != nil {
		return nil, err
	}
	switch {
	case r.err != nil:
		r.release()
		return nil, r.err
	case r.n == 0:
		r.release()
		return nil, io.EOF
	}
	return r.buffer[:r.n], nil
}

// release gives the buffer back.
func (r *reader) release() {
	buffers.Put(r.buffer)
	r.buffer = nil
}

// attempt reads once. It returns false if there is nothing to read yet.
func (r *reader) attempt(fd uintptr) bool {
	r.buffer = buffers.Get().(*[chunk]byte)
	for {
		n, err := unix.Read(int(fd), r.buffer[:])
		switch err {
		case unix.EINTR:
			continue
		case unix.EAGAIN:
			r.release()
			return false
		case nil:
			r.n = n
		default:
			r.err = os.NewSyscallError("read", err)
		}
		return true
	}
}

// maxConnections returns how many connections can be open. Each needs two descriptors.
func maxConnections() int {
	const reserve = 64 // for files of the program, and the search for clients
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return manyConnections
	}
	descriptors := int(min(uint64(limit.Cur), 2*manyConnections+reserve))
	return max(1, (descriptors-reserve)/2)
}

// manyConnections limits the connections of a tap: there are no more ports than that.
const manyConnections = 65536
