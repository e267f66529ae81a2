//go:build bench && linux

package monitor_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"testing"
	"time"

	psnet "github.com/shirou/gopsutil/v3/net"
	"golang.org/x/sys/unix"

	"porthole/monitor"
	"porthole/monitor/owner"
	"porthole/monitor/socket"
)

// Names of the contestants.
const (
	ourPoll  = "Porthole, unchanged poll"
	ourStill = "Porthole, look spared while no socket moves"
	bareDump = "bare dump, not parsed"
	gopsutil = "gopsutil v3 net.Connections"
	procNet  = "reading /proc/net/tcp{,6}"
	ssOwners = "ss -Hltnp"
	ssPlain  = "ss -Hltn"
	lsof     = "lsof -iTCP -sTCP:LISTEN -nP"
)

// order of the contestants in tables: we, the floor, the peers.
var contestants = []string{ourPoll, ourStill, bareDump, ssPlain, procNet, ssOwners, gopsutil, lsof}

// rivals returns all contestants, for the load of this moment.
func rivals(t *testing.T) (all []*contestant, done func()) {
	t.Helper()
	poll, closePoll := pollOf(t)
	still, closeStill := stillOf(t)
	dump, closeDump := newDump(t)
	return []*contestant{
		poll,
		still,
		{name: bareDump, run: dump.once},
		{name: gopsutil, run: func() (listening int, _ error) {
			all, err := psnet.Connections("tcp")
			for _, c := range all {
				if c.Status == "LISTEN" {
					listening++
				}
			}
			return listening, err
		}},
		{name: procNet, run: readProcNet},
		{name: ssOwners, run: lines("ss", "-Hltnp")},
		{name: ssPlain, run: lines("ss", "-Hltn")},
		{name: lsof, run: lines("lsof", "-iTCP", "-sTCP:LISTEN", "-nP")},
	}, func() { closePoll(); closeStill(); closeDump() }
}

// pollOf is a look at a table that has not changed since the last one.
func pollOf(t *testing.T) (_ *contestant, done func()) {
	t.Helper()
	m, sockets, done := looked(t)
	return &contestant{name: ourPoll, run: func() (int, error) { return sockets, m.LookOnly() }}, done
}

// stillOf is what takes the place of most looks while no socket moves. Where
// others' sockets move it is now and then a look after all.
func stillOf(t *testing.T) (_ *contestant, done func()) {
	t.Helper()
	m, sockets, done := looked(t)
	for begun := time.Now(); time.Since(begun) < settle; time.Sleep(calmInterval) {
		if spared, err := m.StillLook(); spared || err != nil {
			break
		}
	}
	return &contestant{name: ourStill, run: func() (int, error) {
		_, err := m.StillLook()
		return sockets, err
	}}, done
}

// looked is a monitor that knows what listens, and of how many sockets.
func looked(t *testing.T) (_ *monitor.Monitor, sockets int, done func()) {
	t.Helper()
	table, err := socket.Open(slog.Default())
	if err != nil {
		t.Fatal(err)
	}
	m := monitor.New(table, owner.New(), monitor.Options{})
	first, err := m.Scan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range first.Listeners {
		sockets += len(l.Sockets)
	}
	return m, sockets, func() { _ = table.Close() }
}

// dump asks the kernel what our poll asks it, and looks at nothing of the
// answer but whether it has ended: nobody can be cheaper and know more.
type dump struct {
	fd              int
	request, answer []byte
}

func newDump(t *testing.T) (_ dump, done func()) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Connect(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		t.Fatal(err)
	}
	const getSock, listen, size = 18, 10, unix.NLMSG_HDRLEN + 60 // TCPDIAG_GETSOCK, TCP_LISTEN, with inet_diag_req
	request := make([]byte, size)
	binary.NativeEndian.PutUint32(request, size)
	binary.NativeEndian.PutUint16(request[4:], getSock)
	binary.NativeEndian.PutUint16(request[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	binary.NativeEndian.PutUint32(request[unix.NLMSG_HDRLEN+52:], 1<<listen)
	return dump{fd, request, make([]byte, 64<<10)}, func() { _ = unix.Close(fd) }
}

func (d dump) once() (listeners int, _ error) {
	const done = unix.NLMSG_HDRLEN + 4
	if _, err := unix.Write(d.fd, d.request); err != nil {
		return 0, fmt.Errorf("ask: %w", err)
	}
	for size := 0; ; {
		n, err := unix.Read(d.fd, d.answer)
		if err != nil {
			return 0, fmt.Errorf("read: %w", err)
		}
		size += n
		if n >= done && binary.NativeEndian.Uint16(d.answer[n-done+4:]) == unix.NLMSG_DONE {
			return size / (unix.NLMSG_HDRLEN + 72), nil
		}
	}
}

var procBuffer = make([]byte, 64<<10)

// readProcNet reads, and leaves the parsing out.
func readProcNet() (int, error) {
	size := 0
	for _, name := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		f, err := os.Open(name)
		if err != nil {
			return 0, err
		}
		for {
			n, err := f.Read(procBuffer)
			size += n
			if err == io.EOF {
				break
			}
			if err != nil {
				_ = f.Close()
				return 0, err
			}
		}
		_ = f.Close()
	}
	return size / 150, nil // a row has 150 bytes
}

// lines runs a program and counts what it says.
func lines(name string, arguments ...string) func() (int, error) {
	return func() (int, error) {
		out, err := exec.Command(name, arguments...).Output()
		return bytes.Count(out, []byte("\n")), err
	}
}
