package procevents

import (
	"encoding/binary"
	"testing"

	"golang.org/x/sys/unix"
)

// edited returns a recorded datagram with the process and the time of m, and with its
// status if it is about an exit.
func edited(t testing.TB, name string, m message) []byte {
	t.Helper()
	b := recorded(t, name)
	n := binary.NativeEndian
	n.PutUint64(b[eventStart+8:], m.at)
	n.PutUint32(b[pidOffset:], uint32(m.pid))
	n.PutUint32(b[tgidOffset:], uint32(m.tgid))
	if n.Uint32(b[eventStart:]) == eventExit {
		n.PutUint32(b[statusOffset:], m.waitStatus)
	}
	return b
}

// pair returns a subscription to a fake kernel and the kernel's end.
func pair(t *testing.T) (s *subscription, kernel int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = unix.Close(fds[0]), unix.Close(fds[1]) })
	return &subscription{fd: fds[0], rename: func() error { return nil }}, fds[1]
}

// fakeKernel sends recorded datagrams to a subscription, as the kernel does while a system
// call of this process causes an event.
type fakeKernel struct {
	filters bool // Linux 6.6 and later; earlier ones drop a request with a filter
	others  bool // another program has asked for all events: a kernel that has accepted no filter sends them to all
	wanted  uint32
}

// renamed handles that a thread was renamed: fd is the kernel's end.
func (k *fakeKernel) renamed(t *testing.T, fd int) {
	t.Helper()
	b := make([]byte, 256)
	for {
		n, err := unix.Read(fd, b)
		if err != nil {
			break // no further request
		}
		if n != requestSize {
			t.Fatalf("got a request of %d bytes, want %d", n, requestSize)
		}
		if k.filters {
			k.wanted = binary.NativeEndian.Uint32(b[eventStart+4:])
		}
	}
	send := func(name string, pid int) {
		if _, err := unix.Write(fd, edited(t, name, message{pid: pid, tgid: pid})); err != nil {
			t.Fatal(err)
		}
	}
	if k.others && k.wanted == 0 {
		for _, name := range []string{"acknowledged", "refused", "forked", "executed", "exited 0"} {
			send(name, unusedPID)
		}
		send("named", unix.Gettid())
	}
	if k.wanted == eventComm {
		send("named", unusedPID) // of another thread
		send("named", unix.Gettid())
	}
}

// A probe tells kernels apart by what they send.
func TestProbe(t *testing.T) {
	for name, c := range map[string]struct {
		kernel fakeKernel
		want   State
	}{
		"Linux 6.6": {fakeKernel{filters: true}, Available},
		"Linux 6.6, another program receives all events": {fakeKernel{filters: true, others: true}, Available},
		"Linux before 6.6, or a container":               {fakeKernel{}, Silent},
		"the same, another program receives all events":  {fakeKernel{others: true}, Silent},
	} {
		t.Run(name, func(t *testing.T) {
			s, fd := pair(t)
			s.rename = func() error { c.kernel.renamed(t, fd); return nil }
			if got, reason := stateOf(s.probe()); got != c.want {
				t.Errorf("got %s (%s), want %s", got, reason, c.want)
			}
		})
	}
}
