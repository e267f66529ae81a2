package sockevents

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"porthole/internal/await"
	"porthole/internal/freeport"
	"porthole/monitor"
	"porthole/monitor/connection"
	"porthole/monitor/process/child"
	"porthole/monitor/socket"
)

// run starts a Tracker of the kernel's messages, which runs until the test ends. It
// skips the test if the system does not send them.
func run(t *testing.T) *Tracker {
	t.Helper()
	tracker := Open(slog.New(slog.DiscardHandler), Callbacks{})
	if found, err := tracker.Availability(); found != Available {
		t.Skipf("the kernel's messages about destroyed sockets are %s: %v", found, err)
	}
	start(t, tracker)
	return tracker
}

func start(t *testing.T, tracker *Tracker) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); tracker.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
}

// A Tracker ends with its context, and logs nothing.
func TestRunEnds(t *testing.T) {
	var log bytes.Buffer
	tracker := Open(slog.New(slog.NewTextHandler(&log, nil)), Callbacks{})
	if found, err := tracker.Availability(); found != Available {
		t.Skipf("the kernel's messages about destroyed sockets are %s: %v", found, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	tracker.Run(ctx)
	if log.Len() > 0 {
		t.Errorf("it logged: %s", log.String())
	}
}

// server is a TCP server that counts what it gets.
type server struct {
	net.Listener
	listener       *monitor.Listener
	accepted       atomic.Int64
	received, sent atomic.Int64
	work           sync.WaitGroup
}

// serve starts a server. It answers each request of a connection by as many bytes as the
// first four bytes say, and closes the connection first if they are odd.
func serve(t *testing.T, address string) *server {
	t.Helper()
	ln, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	at := netip.MustParseAddrPort(ln.Addr().String())
	s := &server{Listener: ln, listener: &monitor.Listener{ID: "server", Protocol: monitor.TCP, Port: at.Port(), Addresses: []netip.Addr{at.Addr()}}}
	s.work.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			s.accepted.Add(1)
			s.work.Go(func() { s.answer(c) })
		}
	})
	t.Cleanup(func() { _ = ln.Close(); s.work.Wait() })
	return s
}

func (s *server) answer(c net.Conn) {
	defer c.Close()
	var request [4]byte
	n, err := io.ReadFull(c, request[:])
	s.received.Add(int64(n))
	if err != nil {
		return
	}
	size := binary.BigEndian.Uint32(request[:])
	n, _ = c.Write(make([]byte, size))
	s.sent.Add(int64(n))
	if size%2 == 0 {
		m, _ := io.Copy(io.Discard, c) // until the client closes
		s.received.Add(m)
	}
}

// ask sends one request and reads the answer.
func ask(address string, size int) error {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.Write(binary.BigEndian.AppendUint32(nil, uint32(size))); err != nil {
		return err
	}
	if _, err = io.ReadFull(c, make([]byte, size)); err != nil || size%2 == 0 {
		return err
	}
	_, err = c.Read(make([]byte, 1)) // the server closes first
	if err == io.EOF {
		err = nil
	}
	return err
}

// amount returns what the server counted.
func (s *server) amount() connection.Amount {
	return connection.Amount{Connections: uint64(s.accepted.Load()), Received: uint64(s.received.Load()), Sent: uint64(s.sent.Load())}
}

// Each of 1,000 connections that end within milliseconds counts, with its bytes; also
// over IPv6, and those that the server closes first, whose received bytes may be 1 too low.
func TestCountsShortConnections(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0", "0.0.0.0:0", "[::]:0"} {
		t.Run(address, func(t *testing.T) {
			tracker := run(t)
			s := serve(t, address)
			tracker.Watch(Wanted{Listeners: []*monitor.Listener{s.listener}})
			tracker.Totals(t.Context()) // what is established before is not of the last minute
			_, port, _ := net.SplitHostPort(s.Addr().String())
			host := map[string]string{"[::1]:0": "::1"}[address]
			if host == "" {
				host = "127.0.0.1"
			}
			for i := range 1000 {
				if err := ask(net.JoinHostPort(host, port), 1000+i); err != nil {
					t.Fatal(err)
				}
			}
			const serverCloses = 500
			var got connection.Totals
			await.Until(t, "all connections are counted", func() bool {
				got = tracker.Totals(t.Context())[s.listener.ID]
				want := s.amount()
				return got.Connections == want.Connections && got.Sent == want.Sent && got.Received <= want.Received && got.Received+serverCloses >= want.Received
			}, func() any { return []any{got, s.amount()} })
			if got.Connections != 1000 || got.LastMinute.Amount != got.Amount || got.AtLeast {
				t.Errorf("got %+v, want 1,000 connections, all in the last minute", got)
			}
		})
	}
}

// A connection that is established counts with what it has transferred so far, and not
// again when it ends.
func TestCountsEstablishedConnectionOnce(t *testing.T) {
	tracker := run(t)
	s := serve(t, "127.0.0.1:0")
	tracker.Watch(Wanted{Listeners: []*monitor.Listener{s.listener}})
	c, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write(binary.BigEndian.AppendUint32(nil, 5000)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, 5000)); err != nil {
		t.Fatal(err)
	}
	until := func(what string, want connection.Amount) {
		t.Helper()
		var got connection.Totals
		await.Until(t, what, func() bool {
			got = tracker.Totals(t.Context())[s.listener.ID]
			return got.Amount == want
		}, func() any { return got })
	}
	until("the established connection is counted", connection.Amount{Connections: 1, Received: 4, Sent: 5000})
	if _, err := c.Write(make([]byte, 300)); err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	until("the rest is counted", connection.Amount{Connections: 1, Received: 304, Sent: 5000})
	if err := ask(s.Addr().String(), 10); err != nil { // a later message, so that none of the first is on its way
		t.Fatal(err)
	}
	until("both are counted", connection.Amount{Connections: 2, Received: 308, Sent: 5010})
}

// Attempts to connect to a closed port are counted, if the client does not block in
// connect(2): curl, Node.js, Go, and Python with a timeout; not wget, and Python without one.
func TestCountsRefusedAttempts(t *testing.T) {
	port := uint16(freeport.Get(t))
	reports := make(chan []connection.Burst, 16)
	tracker := Open(slog.New(slog.DiscardHandler), Callbacks{Attempts: func(current, _ []connection.Burst) { reports <- current }})
	if found, err := tracker.Availability(); found != Available {
		t.Skipf("the kernel's messages about destroyed sockets are %s: %v", found, err)
	}
	start(t, tracker)
	tracker.Watch(Wanted{Closed: monitor.Ports{{First: port, Last: port}}})
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(int(port)))
	number := strconv.Itoa(int(port))
	want := 0
	for _, client := range []struct {
		blocks  bool
		command []string
	}{
		{true, []string{"wget", "-q", "-t", "1", "-O", "/dev/null", "http://" + address}},
		{true, []string{"python3", "-c", "import socket\nsocket.create_connection(('127.0.0.1', " + number + "))"}},
		{false, []string{"curl", "-s", "http://" + address}},
		{false, []string{"curl", "-s", "http://localhost:" + number}}, // ::1 and 127.0.0.1: one attempt
		{false, []string{"node", "-e", "require('net').connect(" + number + ", '127.0.0.1')"}},
		{false, []string{"python3", "-c", "import socket\nsocket.create_connection(('127.0.0.1', " + number + "), timeout=5)"}},
	} {
		if _, err := exec.LookPath(client.command[0]); err != nil {
			t.Logf("not tried: %v", err)
			continue
		}
		if err := exec.Command(client.command[0], client.command[1:]...).Run(); err == nil {
			t.Errorf("%v: got no error from a closed port", client.command)
		}
		if !client.blocks {
			want++
		}
	}
	if _, err := net.Dial("tcp", address); err == nil {
		t.Fatal("something listens on the port")
	}
	want++
	var got []connection.Burst
	await.Until(t, "all attempts are counted", func() bool {
		select {
		case got = <-reports:
		default:
		}
		return len(got) == 1 && got[0].Attempts == want
	}, func() any { return []any{got, want} })
	if got[0].Port != port || got[0].LastMinute != want {
		t.Errorf("got %+v, want %d attempts to port %d in the last minute", got[0], want, port)
	}
}

// Connections that succeed, and attempts to other ports, are no refused attempts.
func TestOtherConnectionsAreNoAttempts(t *testing.T) {
	found, _, err := openStream()
	if err != nil {
		t.Skip(err)
	}
	defer found.close()
	s := serve(t, "127.0.0.1:0")
	closed := uint16(freeport.Get(t))
	if err := found.want(wanted{refused: monitor.Ports{{First: s.listener.Port, Last: s.listener.Port}, {First: closed, Last: closed}}}); err != nil {
		t.Fatal(err)
	}
	for size := range 4 {
		if err := ask(s.Addr().String(), size); err != nil {
			t.Fatal(err)
		}
	}
	_, _ = net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(closed)))) // the message that ends the wait
	var got []destroyed
	await.Until(t, "the refused attempt is reported", func() bool {
		_ = found.(*netlinkStream).events.SetDeadline(time.Now().Add(time.Second))
		_, _ = found.read(func(d destroyed) { got = append(got, d) })
		return len(got) > 0
	})
	if len(got) != 1 || !got[0].refused || got[0].remote.Port() != closed {
		t.Errorf("got %+v, want one refused attempt to %d", got, closed)
	}
}

// The filter passes only connections to the wanted ports.
func TestFilterInKernel(t *testing.T) {
	found, _, err := openStream()
	if err != nil {
		t.Skip(err)
	}
	stream := found.(*netlinkStream)
	defer stream.close()
	a, b := serve(t, "127.0.0.1:0"), serve(t, "127.0.0.1:0")
	portOf := func(s *server) monitor.Ports { return monitor.Ports{{First: s.listener.Port, Last: s.listener.Port}} }
	if err := stream.want(wanted{local: portOf(b), refused: portOf(a)}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := ask(a.Addr().String(), 2); err != nil {
			t.Fatal(err)
		}
	}
	if err := ask(b.Addr().String(), 2); err != nil {
		t.Fatal(err)
	}
	var ports []uint16
	await.Until(t, "a connection to the other server has ended", func() bool {
		_ = stream.events.SetDeadline(time.Now().Add(time.Second))
		_, _ = stream.read(func(d destroyed) { ports = append(ports, d.local.Port()) })
		return len(ports) > 0
	})
	if len(ports) != 1 || ports[0] != b.listener.Port {
		t.Errorf("got messages of the local ports %v, want %d", ports, b.listener.Port)
	}
}

// The kernel takes a filter of the largest size.
func TestLargestFilter(t *testing.T) {
	var ports monitor.Ports
	for port := uint16(1); port < 60000; port += 2 {
		ports = append(ports, monitor.PortRange{First: port, Last: port})
	}
	found, _, err := openStream()
	if err != nil {
		t.Skip(err)
	}
	defer found.close()
	if err := found.want(wanted{local: ports, refused: ports}); err != nil {
		t.Error(err)
	}
	if got := combined(ports, 10); len(got) != 10 || got[9].Last != 59999 || got[0] != ports[0] {
		t.Errorf("combined: got %v", got)
	}
}

// If messages come faster than they are read, the count says that it is a lower limit.
func TestLostMessages(t *testing.T) {
	tracker := run(t)
	s := serve(t, "127.0.0.1:0")
	tracker.Watch(Wanted{Listeners: []*monitor.Listener{s.listener}})
	events := tracker.stream.(*netlinkStream).events
	if err := events.SetReceiveBuffer(0); err != nil { // the kernel makes it 2 kB: room for one
		t.Fatal(err)
	}
	tracker.mu.Lock() // the reader stops at the first message
	for range 50 {
		if err := ask(s.Addr().String(), 3); err != nil {
			t.Error(err)
			break
		}
	}
	tracker.mu.Unlock()
	var got connection.Totals
	await.Until(t, "the loss is noticed", func() bool {
		got = tracker.Totals(t.Context())[s.listener.ID]
		return got.AtLeast
	})
	if got.Connections > 50 || !got.LastMinute.AtLeast {
		t.Errorf("got %+v, want at most 50, as a lower limit", got)
	}
}

// fakeStream returns a stream that reads from a socket instead of the kernel, and the
// other end, where the test plays the kernel.
func fakeStream(t *testing.T) (*netlinkStream, int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	events, err := socket.NewDestroyEvents(fds[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = events.Close(); _ = unix.Close(fds[1]) })
	return &netlinkStream{events}, fds[1]
}

// In some containers the subscription succeeds and no message comes.
func TestProbeSilentKernel(t *testing.T) {
	s, _ := fakeStream(t)
	if got, err := s.probe(func() (uint16, error) { return 1234, nil }); got != Silent || err == nil {
		t.Errorf("got %s, %v; want %s with a reason", got, err, Silent)
	}
}

// Kernels before 4.19 have a shorter tcp_info.
func TestProbeOldKernel(t *testing.T) {
	for size, want := range map[int]Availability{280: Available, 192: Available, 104: Unsupported, 0: Unsupported} {
		s, kernel := fakeStream(t)
		port, err := uint16(0), error(nil)
		got, probeErr := s.probe(func() (uint16, error) {
			port = 1234
			_, err = unix.Write(kernel, edited(t, port, 0, size))
			return port, err
		})
		if err != nil {
			t.Fatal(err)
		}
		if got != want || (probeErr == nil) != (want == Available) {
			t.Errorf("tcp_info of %d bytes: got %s, %v; want %s", size, got, probeErr, want)
		}
	}
}

// A Tracker without messages answers requests and counts nothing.
func TestTrackerWithoutMessages(t *testing.T) {
	tracker := newTracker(nil, Refused, errSilent, slog.New(slog.DiscardHandler))
	start(t, tracker)
	tracker.Watch(Wanted{Listeners: []*monitor.Listener{{ID: "a", Protocol: monitor.TCP, Port: 1}}})
	if got := tracker.Totals(t.Context()); got != nil {
		t.Errorf("got %v, want nil", got)
	}
}

func FuzzParse(f *testing.F) {
	for _, m := range recordedMessages {
		b := body(recorded(f, m.name))
		f.Add([]byte(b))
		f.Add([]byte(b[:len(b)-100]))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < 72 {
			return // such messages are not passed on
		}
		if d := parse(b); d.refused && d.sent != 0 {
			t.Errorf("%+v: a refused attempt that sent bytes", d)
		}
	})
}

// trackClients starts a tracker that sends new clients to the channel.
func trackClients(t *testing.T) (*Tracker, <-chan connection.NewVisitor) {
	t.Helper()
	clients := make(chan connection.NewVisitor, 64)
	tracker := Open(slog.New(slog.DiscardHandler), Callbacks{Clients: func(added []connection.NewVisitor) {
		for _, v := range added {
			clients <- v
		}
	}})
	if found, err := tracker.Availability(); found != Available {
		t.Skipf("the kernel's messages about destroyed sockets are %s: %v", found, err)
	}
	start(t, tracker)
	return tracker, clients
}

// A client program that stays connected is named, a short connection is reported as that
// of an unknown program, and each once.
func TestReportsNewClients(t *testing.T) {
	tracker, clients := trackClients(t)
	s := serve(t, "127.0.0.1:0")
	early := child.Start(t, child.Command("connect", s.Addr().String()))
	await.Until(t, "the early client is connected", func() bool { return s.accepted.Load() == 1 })
	tracker.Watch(Wanted{Listeners: []*monitor.Listener{s.listener}, Identify: true})
	tracker.Totals(t.Context())
	early.End()
	next := func() connection.NewVisitor {
		t.Helper()
		select {
		case v := <-clients:
			return v
		case <-time.After(time.Minute):
			t.Fatal("no client was reported within a minute")
		}
		return connection.NewVisitor{}
	}
	for range 3 {
		if err := ask(s.Addr().String(), 2); err != nil {
			t.Fatal(err)
		}
	}
	if v := next(); v.Listener != s.listener.ID || v.Address.IsValid() || v.Name != "" {
		t.Errorf("short connection: got %+v, want an unknown program", v)
	}
	// The test program itself was connected before, so a copy with another name connects.
	c := child.Command("connect", s.Addr().String())
	c.Env = append(c.Env, child.NameVariable+"=visitor")
	stays := child.Start(t, c)
	if v := next(); v.Name != "visitor" || v.PID != stays.PID || v.User == "" {
		t.Errorf("client that stays: got %+v, want process %d", v, stays.PID)
	}
	stays.End()
	var got []connection.Visitor
	await.Until(t, "all clients are listed", func() bool {
		got = tracker.Totals(t.Context())[s.listener.ID].Clients
		return len(got) == 3
	}, func() any { return got })
	if len(clients) > 0 {
		t.Errorf("also reported: %+v", <-clients)
	}
}

// A burst of attempts ends as soon as its port opens.
func TestAttemptsEndWhenThePortOpens(t *testing.T) {
	port := uint16(freeport.Get(t))
	closed := monitor.Ports{{First: port, Last: port}}
	type report struct{ current, ended []connection.Burst }
	reports := make(chan report, 16)
	tracker := Open(slog.New(slog.DiscardHandler), Callbacks{Attempts: func(current, ended []connection.Burst) { reports <- report{current, ended} }})
	if found, err := tracker.Availability(); found != Available {
		t.Skipf("the kernel's messages about destroyed sockets are %s: %v", found, err)
	}
	start(t, tracker)
	tracker.Watch(Wanted{Closed: closed})
	_, _ = net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(port)))) // refused
	next := func() report {
		t.Helper()
		select {
		case r := <-reports:
			return r
		case <-time.After(time.Minute):
			t.Fatal("no report within a minute")
		}
		return report{}
	}
	if r := next(); len(r.current) != 1 || len(r.ended) != 0 {
		t.Fatalf("got %+v, want one burst that goes on", r)
	}
	tracker.Watch(Wanted{Ports: closed})
	if r := next(); len(r.current) != 0 || len(r.ended) != 1 || r.ended[0].Port != port {
		t.Errorf("after the port opened: got %+v, want one burst that has ended", r)
	}
}
