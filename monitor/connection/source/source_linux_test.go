package source

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"porthole/monitor"
	"porthole/monitor/connection"
	"porthole/monitor/owner"
	"porthole/monitor/process/child"
	"porthole/monitor/socket"
)

func TestMain(m *testing.M) { child.Main(m, map[string]func(){"client": playClient}) }

// playClient connects to the address in its argument, prints "connected" and exits at
// the end of its input.
func playClient() {
	c, err := net.Dial("tcp", os.Args[1])
	if err != nil {
		child.Fail(err)
	}
	fmt.Println("connected")
	child.Wait()
	_ = c.Close()
}

// client connects from another process until the test ends and returns its PID.
func client(t *testing.T, address string, change func(*exec.Cmd)) int {
	t.Helper()
	c := child.Command("client", address)
	if change != nil {
		change(c)
	}
	started := child.Start(t, c)
	if line := started.Line(t); line != "connected" {
		t.Fatalf("client printed %q", line)
	}
	return started.PID
}

func open(t *testing.T) *Source {
	t.Helper()
	s, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// listen opens a listener and returns it as the monitor would describe it.
func listen(t *testing.T, address string) (net.Listener, *monitor.Listener) {
	t.Helper()
	network := "tcp4"
	if strings.HasPrefix(address, "[") {
		network = "tcp"
	}
	ln, err := net.Listen(network, address)
	if err != nil {
		t.Skipf("%s is not available: %v", address, err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	return ln, lookUp(t, ln.Addr().String())
}

// lookUp finds a listener in the kernel's table.
func lookUp(t *testing.T, address string) *monitor.Listener {
	t.Helper()
	table, err := socket.Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	sockets, _, err := table.Poll(monitor.PollOptions{Fresh: true})
	if err != nil {
		t.Fatal(err)
	}
	want := netip.MustParseAddrPort(address)
	for _, s := range sockets {
		if s.Port == want.Port() && s.Address == want.Addr() {
			return &monitor.Listener{ID: "of " + address, Protocol: monitor.TCP, Port: s.Port, Addresses: []netip.Addr{s.Address}, Sockets: []monitor.HeldSocket{{Socket: s}}}
		}
	}
	t.Fatalf("%s is not in the socket table", address)
	return nil
}

// connect connects to ln and returns both ends.
func connect(t *testing.T, ln net.Listener, address string) (client, server net.Conn) {
	t.Helper()
	client, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	if server, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return client, server
}

func read(t *testing.T, s *Source, listeners ...*monitor.Listener) map[string]connection.State {
	t.Helper()
	states, err := s.Read(t.Context(), listeners)
	if err != nil {
		t.Fatal(err)
	}
	return states
}

func TestCount(t *testing.T) {
	s := open(t)
	four, l4 := listen(t, "127.0.0.1:0")
	wild, lw := listen(t, "0.0.0.0:0")
	dual, ld := listen(t, "[::]:0")
	udp := &monitor.Listener{ID: "udp", Protocol: monitor.UDP, Port: 53}
	ends, _ := connect(t, four, four.Addr().String())
	connect(t, four, four.Addr().String())
	connect(t, wild, fmt.Sprintf("127.0.0.2:%d", lw.Port))
	connect(t, dual, fmt.Sprintf("127.0.0.1:%d", ld.Port))
	connect(t, dual, fmt.Sprintf("[::1]:%d", ld.Port))
	listeners := []*monitor.Listener{l4, lw, ld, udp}
	want := map[string]int{l4.ID: 2, lw.ID: 1, ld.ID: 2}
	check := func(listeners []*monitor.Listener) {
		t.Helper()
		got, err := s.Count(t.Context(), listeners)
		if err != nil {
			t.Fatal(err)
		}
		for id, n := range want {
			if got[id] != n {
				t.Errorf("%s: got %d connections, want %d", id, got[id], n)
			}
		}
		if _, ok := got["udp"]; ok {
			t.Error("got a count for UDP")
		}
	}
	check(listeners)
	_ = ends.Close()
	want[l4.ID] = 1
	check(listeners)
	for port := range uint16(maxCountFilter) { // too many for a filter
		listeners = append(listeners, &monitor.Listener{ID: fmt.Sprint(port), Protocol: monitor.TCP, Port: port + 1, Addresses: l4.Addresses})
	}
	check(listeners)
	if got, err := s.Count(t.Context(), nil); err != nil || len(got) != 0 {
		t.Errorf("no listeners: got %v, %v", got, err)
	}
}

// The counters of a connection are the bytes read and written by the listener's
// side.
func TestReadBytes(t *testing.T) {
	s := open(t)
	ln, l := listen(t, "127.0.0.1:0")
	client, server := connect(t, ln, ln.Addr().String())
	connect(t, ln, ln.Addr().String()) // transfers nothing
	pass := func(from, to net.Conn, n int) {
		t.Helper()
		go func() { _, _ = from.Write(make([]byte, n)) }()
		if _, err := io.ReadFull(to, make([]byte, n)); err != nil {
			t.Fatal(err)
		}
	}
	pass(client, server, 10_000)
	pass(server, client, 300_000)
	var states map[string]connection.State
	var busy, idle connection.Conn
	// The acknowledgement may be delayed.
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		states = read(t, s, l)
		for _, p := range states[l.ID].Conns {
			if p.Remote.String() == client.LocalAddr().String() {
				busy = p
			} else {
				idle = p
			}
		}
		if busy.Sent >= 300_000 {
			break
		}
	}
	if st := states[l.ID]; !st.BytesKnown || len(st.Conns) != 2 {
		t.Fatalf("got %+v, want two connections with byte counts", st)
	}
	if busy.Received != 10_000 || busy.Sent != 300_000 {
		t.Errorf("got received %d, sent %d; want 10000, 300000", busy.Received, busy.Sent)
	}
	if idle.Received != 0 || idle.Sent != 0 || idle.ID == busy.ID {
		t.Errorf("idle connection: got %+v, want no bytes", idle)
	}
	if busy.Local.String() != ln.Addr().String() {
		t.Errorf("local address: got %s, want %s", busy.Local, ln.Addr())
	}
}

// Local clients are named for each address family. Other users of the same port
// number are not clients.
func TestReadLocalClients(t *testing.T) {
	s := open(t)
	ln, l := listen(t, "[::]:0")
	other, lo := listen(t, "127.0.0.1:0")
	four := client(t, fmt.Sprintf("127.0.0.1:%d", l.Port), nil)
	six := client(t, fmt.Sprintf("[::1]:%d", l.Port), nil)
	foreign := client(t, other.Addr().String(), nil)
	for range 2 {
		if _, err := ln.Accept(); err != nil {
			t.Fatal(err)
		}
	}
	var got []int
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		got = nil
		states := read(t, s, l, lo)
		for _, p := range states[l.ID].Conns {
			got = append(got, p.Client.PID)
			if p.Client.PID != 0 && (p.Client.Name == "" || p.User == "") {
				t.Fatalf("%+v: no name or user", p)
			}
		}
		if p := states[lo.ID].Conns; len(p) != 1 || (p[0].Client.PID != foreign && p[0].Client.PID != 0) {
			t.Fatalf("other listener: got connections %+v, want client %d", p, foreign)
		}
		if len(got) == 2 && got[0] != 0 {
			break
		}
	}
	want := []int{four, six}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("clients: got %v, want %v", got, want)
	}
}

// A search with WithClients finds owners and clients, so that Read does not
// search.
func TestWithClientsFindsClients(t *testing.T) {
	s := open(t)
	ln, l := listen(t, "127.0.0.1:0")
	pid := client(t, ln.Addr().String(), nil)
	finder := s.WithClients(owner.New(), l.Port)
	var owners []int
	err := finder.Find(t.Context(), monitor.Everywhere, []monitor.Socket{l.Sockets[0].Socket}, func(h monitor.Holding) { owners = append(owners, h.Owner.PID) })
	if err != nil || !slices.Equal(owners, []int{os.Getpid()}) {
		t.Fatalf("owners: got %v, %v; want only this process", owners, err)
	}
	s.finder = nil // a search by Read would panic
	if p := read(t, s, l)[l.ID].Conns; len(p) != 1 || p[0].Client.PID != pid {
		t.Errorf("connections: got %+v, want client %d", p, pid)
	}
}

// The user of a client is known even if its process is not accessible.
func TestReadClientUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to become another user")
	}
	s := open(t)
	ln, l := listen(t, "127.0.0.1:0")
	client(t, ln.Addr().String(), func(c *exec.Cmd) {
		child.AsNobody(c)
	})
	if p := read(t, s, l)[l.ID].Conns; len(p) != 1 || p[0].User != "nobody" {
		t.Errorf("connections: got %+v, want one of user nobody", p)
	}
}

func TestReadFullAcceptQueue(t *testing.T) {
	s := open(t)
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 2); err != nil {
		t.Fatal(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", name.(*unix.SockaddrInet4).Port)
	l := lookUp(t, address)
	for n := range uint32(4) {
		st := read(t, s, l)[l.ID]
		if st.QueueLength != n || st.QueueLimit != 2 || !st.QueueKnown || st.QueueFull() != (n > 2) {
			t.Errorf("after %d connections: got queue %d of %d, known %v, full %v", n, st.QueueLength, st.QueueLimit, st.QueueKnown, st.QueueFull())
		}
		if len(st.Conns) != int(n) {
			t.Errorf("got %d connections, want %d: waiting ones are established too", len(st.Conns), n)
		}
		if n == 3 {
			break
		}
		c, err := net.DialTimeout("tcp", address, time.Second)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
}

// The filter passes only sockets with the given ports.
func TestKernelPortFilter(t *testing.T) {
	s := open(t)
	ln, l := listen(t, "127.0.0.1:0")
	other, _ := listen(t, "127.0.0.1:0")
	connect(t, ln, ln.Addr().String())
	connect(t, other, other.Addr().String())
	var ports []uint16
	ask := func(filter []byte) (seen int) {
		t.Helper()
		ports = nil
		if err := s.conn.Dump(socket.TCPRequest(socket.StateEstablished, 0, filter), func(m socket.DiagMessage) {
			ports = append(ports, m.Local().Port(), m.Remote().Port())
			seen++
		}); err != nil {
			t.Fatal(err)
		}
		return seen
	}
	if n := ask(socket.PortFilter([]uint16{1, l.Port, 2}, nil)); n != 1 || ports[0] != l.Port {
		t.Errorf("local port: got %d sockets, %v; want the server's", n, ports)
	}
	if n := ask(socket.PortFilter(nil, []uint16{l.Port, 1})); n != 1 || ports[1] != l.Port {
		t.Errorf("remote port: got %d sockets, %v; want the client's", n, ports)
	}
	if n := ask(socket.PortFilter([]uint16{l.Port}, []uint16{l.Port})); n != 2 {
		t.Errorf("both: got %d sockets, want 2", n)
	}
	if n := ask(socket.PortFilter([]uint16{1, 2, 3}, nil)); n != 0 {
		t.Errorf("unused ports: got %d sockets, want 0", n)
	}
	many := make([]uint16, socket.MaxFilterPorts)
	many[socket.MaxFilterPorts-1] = l.Port
	if n := ask(socket.PortFilter(many, nil)); n != 1 {
		t.Errorf("%d ports: got %d sockets, want 1", len(many), n)
	}
}

func TestCountersOfShortTCPInfo(t *testing.T) {
	for _, n := range []int{0, 1, bytesAckedOffset, bytesReceivedOffset + 7} {
		if sent, received := counters(bytes.Repeat([]byte{1}, n)); sent != 0 || received != 0 {
			t.Errorf("tcp_info of %d bytes: got %d, %d; want zeros", n, sent, received)
		}
	}
}

func FuzzMessage(f *testing.F) {
	f.Add(make([]byte, 80))
	f.Add(append(make([]byte, 72), 8, 0, 2, 0, 1, 2, 3, 4))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < 72 {
			return // such messages are not passed on
		}
		l := newDump([]*monitor.Listener{{ID: "1", Protocol: monitor.TCP, Addresses: []netip.Addr{netip.IPv6Unspecified(), {}}}})
		l.add(socket.DiagMessage(b))
	})
}

// BenchmarkRead reads 200 connections: the window process does this every second
// while such a listener is shown, and counts them every two seconds.
func BenchmarkRead(b *testing.B) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	for range 200 {
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
	}
	at := netip.MustParseAddrPort(ln.Addr().String())
	l := []*monitor.Listener{{ID: "1", Protocol: monitor.TCP, Port: at.Port(), Addresses: []netip.Addr{at.Addr()}}}
	s, err := Open()
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			if states, err := s.Read(b.Context(), l); err != nil || len(states["1"].Conns) != 200 {
				b.Fatalf("%d connections, %v", len(states["1"].Conns), err)
			}
		}
	})
	b.Run("count", func(b *testing.B) {
		for b.Loop() {
			if counts, err := s.Count(b.Context(), l); err != nil || counts["1"] != 200 {
				b.Fatalf("%v, %v", counts, err)
			}
		}
	})
}
