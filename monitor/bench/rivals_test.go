//go:build bench && linux

package bench

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
	"porthole/monitor/socket"
)

// Names of the contestants.
const (
	ourPoll  = "Porthole, poll without changes"
	ourQuiet = "Porthole, poll while the socket counters are unchanged"
	bareDump = "raw sock_diag dump, not parsed"
	gopsutil = "gopsutil v3 net.Connections"
	procNet  = "reading /proc/net/tcp{,6}"
	ssOwners = "ss -Hltnp"
	ssPlain  = "ss -Hltn"
	lsof     = "lsof -iTCP -sTCP:LISTEN -nP"
)

// contestants in the order of the tables: Porthole, the floor, the peers.
var contestants = []string{ourPoll, ourQuiet, bareDump, ssPlain, procNet, ssOwners, gopsutil, lsof}

// rivals returns all contestants for the current load.
func rivals(t *testing.T) (all []*contestant, done func()) {
	t.Helper()
	poll, closePoll := pollOf(t)
	quiet, closeQuiet := quietOf(t)
	dump, closeDump := newDump(t)
	return []*contestant{
		poll,
		quiet,
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
	}, func() { closePoll(); closeQuiet(); closeDump() }
}

// pollOf polls a table that has not changed since the last poll, and reads it every
// time.
func pollOf(t *testing.T) (_ *contestant, done func()) {
	t.Helper()
	table := openTable(t)
	return polling(ourPoll, table, monitor.PollOptions{Fresh: true}), func() { _ = table.Close() }
}

// quietOf polls as the monitor does while no socket opens or closes: most polls read
// only the socket counters, and one every half second reads the table. If other
// programs open sockets, more polls do.
func quietOf(t *testing.T) (_ *contestant, done func()) {
	t.Helper()
	table := openTable(t)
	c := polling(ourQuiet, table, monitor.PollOptions{})
	for begun := time.Now(); time.Since(begun) < settle; time.Sleep(slowInterval) { // until the counters are trusted
		if _, err := c.run(); err != nil {
			t.Fatal(err)
		}
	}
	return c, func() { _ = table.Close() }
}

func polling(name string, table socket.Table, opts monitor.PollOptions) *contestant {
	return &contestant{name: name, run: func() (int, error) {
		sockets, _, err := table.Poll(opts)
		return len(sockets), err
	}}
}

func openTable(t *testing.T) socket.Table {
	t.Helper()
	table, err := socket.Open(slog.Default())
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// dump sends the kernel the same request as our poll, and reads the answer without
// parsing it: nothing that knows more can be cheaper.
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
		return 0, fmt.Errorf("send the request: %w", err)
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

// readProcNet reads the files without parsing them.
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

// lines runs a program and counts the lines of its output.
func lines(name string, arguments ...string) func() (int, error) {
	return func() (int, error) {
		out, err := exec.Command(name, arguments...).Output()
		return bytes.Count(out, []byte("\n")), err
	}
}
