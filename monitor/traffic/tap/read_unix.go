//go:build unix

package tap

import (
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// Sizes of buffers in bytes. Connections that fill a small one get a large one, with which
// bulk transfers take fewer system calls. A client that does not read keeps its buffer, so
// that the number of large ones is limited.
const (
	smallBuffer = 16 << 10
	largeBuffer = 256 << 10
	maxLarge    = 64
)

// The buffers are shared by all connections: one that waits for data has none.
var (
	smallBuffers = sync.Pool{New: func() any { return new([smallBuffer]byte) }}
	largeBuffers = sync.Pool{New: func() any { return new([largeBuffer]byte) }}
	largeInUse   atomic.Int64
)

// reader reads a connection into a shared buffer.
type reader struct {
	raw   syscall.RawConn
	small *[smallBuffer]byte // one of the two has what was read; both are nil while it waits
	large *[largeBuffer]byte
	full  bool // the last read filled its buffer
	n     int
	err   error
	try   func(fd uintptr) bool // the method attempt; made once
}

func newReader(c *net.TCPConn) *reader {
	r := &reader{}
	r.raw, r.err = c.SyscallConn()
	r.try = r.attempt
	return r
}

// take returns a buffer.
func (r *reader) take() []byte {
	if r.full && largeInUse.Add(1) <= maxLarge {
		r.large = largeBuffers.Get().(*[largeBuffer]byte)
		return r.large[:]
	}
	if r.full {
		largeInUse.Add(-1)
	}
	r.small = smallBuffers.Get().(*[smallBuffer]byte)
	return r.small[:]
}

// release gives the buffer back.
func (r *reader) release() {
	if r.large != nil {
		largeBuffers.Put(r.large)
		largeInUse.Add(-1)
		r.large = nil
		return
	}
	smallBuffers.Put(r.small)
	r.small = nil
}

// bytes returns what was read.
func (r *reader) bytes() []byte {
	if r.large != nil {
		return r.large[:r.n]
	}
	return r.small[:r.n]
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
	return r.bytes(), nil
}

// attempt reads once. It returns false if there is nothing to read yet.
func (r *reader) attempt(fd uintptr) bool {
	b := r.take()
	for {
		n, err := unix.Read(int(fd), b)
		switch err {
		case unix.EINTR:
			continue
		case unix.EAGAIN:
			r.release()
			return false
		case nil:
			r.n, r.full = n, n == len(b)
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
