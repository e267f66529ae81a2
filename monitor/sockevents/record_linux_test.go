package sockevents

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"porthole/internal/freeport"
	"porthole/monitor/socket"
)

// The messages that tests use are recorded from a kernel, with
//
//	go test ./monitor/sockevents -run '^TestRecorded$' -record
var record = flag.Bool("record", false, "record the messages of this kernel in "+recordFile)

const recordFile = "testdata/messages.txt"

// recordedMessage is a recorded message about a destroyed socket and what it says.
type recordedMessage struct {
	name           string
	received, sent uint64
	refused        bool
}

// The client of each connection sends 5 bytes and gets 7.
var recordedMessages = []recordedMessage{
	{name: "server of a connection", received: 5, sent: 7},
	{name: "client of a connection", received: 7, sent: 5},
	{name: "server of a connection over IPv6", received: 5, sent: 7},
	{name: "server that reset a connection"}, // it has lost the client's port and the counters
	{name: "listener"},
	{name: "client that was refused", refused: true},
	{name: "client that was refused over IPv6", refused: true},
	{name: "client that was refused in a blocking connect"}, // the port is lost
}

// recorded returns the recorded datagram, whose numbers are those of a little-endian machine.
func recorded(t testing.TB, name string) []byte {
	t.Helper()
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the recorded bytes are those of a little-endian machine")
	}
	b, err := os.ReadFile(recordFile)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if at, text, ok := strings.Cut(strings.TrimSpace(line), ": "); ok && at == name {
			datagram, err := hex.DecodeString(text)
			if err != nil {
				t.Fatalf("%s: %s: %v", recordFile, name, err)
			}
			return datagram
		}
	}
	t.Fatalf("%s has no %q", recordFile, name)
	return nil
}

// body returns the DiagMessage in a datagram with one message.
func body(datagram []byte) socket.DiagMessage {
	return socket.DiagMessage(datagram[unix.NLMSG_HDRLEN:])
}

// edited returns the recorded message about a server's connection with these ports, and
// with the first bytes of its tcp_info, or none of it.
func edited(t testing.TB, local, remote uint16, info int) []byte {
	t.Helper()
	b := recorded(t, "server of a connection")
	m := body(b)
	binary.BigEndian.PutUint16(m[4:], local)
	binary.BigEndian.PutUint16(m[6:], remote)
	full := m.Attribute(attrInfo)
	at := bytes.LastIndex(b, full) - unix.SizeofRtAttr // the last attribute
	if at+unix.SizeofRtAttr+len(full) != len(b) {
		t.Fatal("the tcp_info is not at the end of the recorded message")
	}
	if info == 0 {
		b = b[:at]
	} else {
		b = b[:at+unix.SizeofRtAttr+info]
		binary.NativeEndian.PutUint16(b[at:], uint16(unix.SizeofRtAttr+info))
	}
	binary.NativeEndian.PutUint32(b, uint32(len(b)))
	return b
}

func TestParse(t *testing.T) {
	for _, want := range recordedMessages {
		d := parse(body(recorded(t, want.name)))
		if got := (recordedMessage{want.name, d.received, d.sent, d.refused}); got != want || d.id == 0 {
			t.Errorf("got %+v (%+v), want %+v", got, d, want)
		}
	}
}

// The recorded messages have the form of those that this kernel sends.
func TestRecorded(t *testing.T) {
	if found, err := Probe(); found != Available {
		t.Skipf("the kernel's messages about destroyed sockets are %s: %v", found, err)
	}
	got := recordAll(t)
	if *record {
		writeRecord(t, got)
	}
	for _, m := range recordedMessages {
		now, then := body(got[m.name]), body(recorded(t, m.name))
		if len(now.Attribute(attrInfo)) < len(then.Attribute(attrInfo)) {
			t.Errorf("%s: the tcp_info has %d bytes, recorded were %d", m.name, len(now.Attribute(attrInfo)), len(then.Attribute(attrInfo)))
		}
		d := parse(now)
		if got := (recordedMessage{m.name, d.received, d.sent, d.refused}); got != m {
			t.Errorf("this kernel: got %+v (%+v), want %+v", got, d, m)
		}
	}
}

func writeRecord(t *testing.T, datagrams map[string][]byte) {
	t.Helper()
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		t.Fatal(err)
	}
	release, _, _ := strings.Cut(unix.ByteSliceToString(u.Release[:]), "-")
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Messages about destroyed TCP sockets (sock_diag) of Linux %s on %s, recorded with\n", release, runtime.GOARCH)
	fmt.Fprintf(&b, "# go test ./monitor/sockevents -run '^TestRecorded$' -record\n")
	for _, m := range recordedMessages {
		fmt.Fprintf(&b, "%s: %x\n", m.name, datagrams[m.name])
	}
	if err := os.WriteFile(recordFile, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// recordAll returns a datagram of this kernel for each of recordedMessages.
func recordAll(t *testing.T) map[string][]byte {
	t.Helper()
	const tcp, tcp6 = 1 << 0, 1 << 2 // SKNLGRP_INET_TCP_DESTROY, SKNLGRP_INET6_TCP_DESTROY
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 1<<20) // other sockets are destroyed meanwhile
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: tcp | tcp6}); err != nil {
		t.Fatal(err)
	}
	wanted := map[string]func(destroyed) bool{}
	for _, c := range []struct{ address, server string }{{"127.0.0.1:0", "server of a connection"}, {"[::1]:0", "server of a connection over IPv6"}} {
		ln, client, server := exchange(t, c.address)
		port, own := portOf(ln.Addr()), portOf(client.LocalAddr())
		_ = client.Close()
		_, _ = io.Copy(io.Discard, server)
		_, _ = server.Close(), ln.Close()
		wanted[c.server] = func(d destroyed) bool { return d.local.Port() == port && d.remote.Port() == own }
		wanted["client of a connection"] = func(d destroyed) bool { return d.local.Port() == own && d.remote.Port() == port }
		wanted["listener"] = func(d destroyed) bool { return d.local.Port() == port && d.remote.Port() == 0 }
	}
	ln, client, server := exchange(t, "127.0.0.1:0")
	if err := server.(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	_, _, _ = server.Close(), client.Close(), ln.Close()
	port := portOf(server.LocalAddr())
	wanted["server that reset a connection"] = func(d destroyed) bool {
		return d.local.Port() == port && d.remote.Port() == 0 && !d.remote.Addr().IsUnspecified()
	}
	closed := uint16(freeport.Get(t))
	for name, host := range map[string]string{"client that was refused": "127.0.0.1", "client that was refused over IPv6": "::1"} {
		address := net.JoinHostPort(host, fmt.Sprint(closed))
		if _, err := net.Dial("tcp", address); err == nil {
			t.Fatalf("something listens at %s", address)
		}
		wanted[name] = func(d destroyed) bool { return d.remote.String() == address }
	}
	connectBlocking(t, closed)
	wanted["client that was refused in a blocking connect"] = func(d destroyed) bool {
		return d.local.Addr().IsUnspecified() && d.remote == netip.MustParseAddrPort("127.0.0.1:0")
	}
	return collect(t, fd, wanted)
}

// exchange returns a listener and both ends of a connection to it, after 5 bytes from the
// client and 7 from the server.
func exchange(t *testing.T, address string) (ln net.Listener, client, server net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	if client, err = net.Dial("tcp", ln.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if server, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	for from, to := range map[net.Conn]net.Conn{client: server, server: client} {
		text := "hello"
		if from == server {
			text = "goodbye"
		}
		if _, err := from.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(to, make([]byte, len(text))); err != nil {
			t.Fatal(err)
		}
	}
	return ln, client, server
}

func portOf(a net.Addr) uint16 { return a.(*net.TCPAddr).AddrPort().Port() }

// connectBlocking tries to connect to a closed port with a socket that blocks.
func connectBlocking(t *testing.T, port uint16) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Connect(fd, &unix.SockaddrInet4{Port: int(port), Addr: [4]byte{127, 0, 0, 1}}); err == nil {
		t.Fatal("something listens on the port")
	}
}

// collect returns the first datagram for each name.
func collect(t *testing.T, fd int, wanted map[string]func(destroyed) bool) map[string][]byte {
	t.Helper()
	b, got := make([]byte, 4096), map[string][]byte{}
	for end := time.Now().Add(time.Minute); len(got) < len(wanted) && time.Now().Before(end); {
		n, err := unix.Read(fd, b)
		if err != nil || n < unix.NLMSG_HDRLEN {
			_, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 100)
			continue
		}
		for name, matches := range wanted {
			if got[name] == nil && matches(parse(body(b[:n]))) {
				got[name] = bytes.Clone(b[:n])
			}
		}
	}
	for name := range wanted {
		if got[name] == nil {
			t.Fatalf("the kernel did not send a message about the %s within a minute", name)
		}
	}
	return got
}
