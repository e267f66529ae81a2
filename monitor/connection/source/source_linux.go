package source

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"porthole/monitor"
	"porthole/monitor/connection"
	"porthole/monitor/owner"
	"porthole/monitor/socket"
	"porthole/monitor/username"
)

// Source reads established connections. It is not safe for concurrent use. The
// caller must close it.
type Source struct {
	// SearchPause is the pause after a search for clients, as a multiple of its
	// duration: 50 by default, which limits searches to 2 % of the time.
	SearchPause int

	conn       *socket.DiagConn
	finder     monitor.Finder
	clients    map[monitor.SocketID]connection.Client // by the client's socket; zero if no process was seen to hold it
	nextSearch time.Time                              // no search for clients before this time
}

// Open opens a Source. It fails if sock_diag is blocked, as by some sandboxes, or
// if no file descriptors are left.
func Open() (*Source, error) {
	asker, err := socket.DialDiag()
	if err != nil {
		return nil, fmt.Errorf("read connections: %w", err)
	}
	return &Source{SearchPause: defaultSearchPause, conn: asker, finder: owner.New(), clients: make(map[monitor.SocketID]connection.Client)}, nil
}

// Close releases the resources of the Source.
func (s *Source) Close() error { return s.conn.Close() }

// Constants from linux/inet_diag.h and linux/tcp.h.
const (
	attrInfo            = 2                   // INET_DIAG_INFO: a tcp_info
	infoExtension       = 1 << (attrInfo - 1) // its bit in a request
	bytesAckedOffset    = int(unsafe.Offsetof(unix.TCPInfo{}.Bytes_acked))
	bytesReceivedOffset = int(unsafe.Offsetof(unix.TCPInfo{}.Bytes_received))
	maxCountFilter      = 64 // ports; with more of them the kernel is faster without a filter
	defaultSearchPause  = 50 // see Source.SearchPause
)

// Count returns the number of connections of each TCP listener by listener ID. It
// takes one dump of the established connections; its cost depends only on their
// number.
func (s *Source) Count(_ context.Context, listeners []*monitor.Listener) (map[string]int, error) {
	counts := zeroCounts(listeners)
	ports := portsOf(listeners)
	if len(ports) == 0 {
		return counts, nil
	}
	var filter []byte
	if len(ports) <= maxCountFilter {
		filter = socket.PortFilter(ports, nil)
	}
	index := connection.NewIndex(listeners)
	err := s.conn.Dump(socket.TCPRequest(socket.StateEstablished, 0, filter), func(m socket.DiagMessage) {
		if l := index.Listener(m.Local()); l != nil {
			counts[l.ID]++
		}
	})
	if err != nil {
		return nil, fmt.Errorf("count connections: %w", err)
	}
	return counts, nil
}

// Read returns the connections of listeners by listener ID. Local clients are
// named if their processes are accessible. A new client may stay unnamed for
// several calls, because searching is limited (see SearchPause).
func (s *Source) Read(ctx context.Context, listeners []*monitor.Listener) (map[string]connection.State, error) {
	states := make(map[string]connection.State, len(listeners))
	ports := portsOf(listeners)
	if len(ports) == 0 {
		return states, nil
	}
	var filter []byte
	if 2*len(ports) <= socket.MaxFilterPorts {
		filter = socket.PortFilter(ports, ports)
	}
	d := newDump(listeners)
	err := s.conn.Dump(socket.TCPRequest(socket.StateEstablished|socket.StateListening, infoExtension, filter), d.add)
	if err != nil {
		return nil, fmt.Errorf("read connections: %w", err)
	}
	s.search(ctx, d)
	for _, listener := range listeners {
		if listener.Protocol == monitor.TCP {
			states[listener.ID] = s.state(ctx, d, listener)
		}
	}
	return states, nil
}

// WithClients returns a Finder that also finds the clients of ports in each of
// its searches, so that Read only searches for clients that connected later. It
// must not be used concurrently with the Source.
func (s *Source) WithClients(finder monitor.Finder, ports ...uint16) monitor.Finder {
	return clientFinder{finder, s, ports}
}

// clientFinder is the Finder that WithClients returns.
type clientFinder struct {
	monitor.Finder
	source *Source
	ports  []uint16
}

// Find implements monitor.Finder.
func (f clientFinder) Find(ctx context.Context, scope monitor.Scope, sockets []monitor.Socket, found func(monitor.Holding)) error {
	var clients []monitor.Socket
	err := f.source.conn.Dump(socket.TCPRequest(socket.StateEstablished, 0, socket.PortFilter(nil, f.ports)), func(m socket.DiagMessage) {
		if c := m.Socket(); c.Inode != 0 {
			clients = append(clients, c)
		}
	})
	if err != nil || len(clients) == 0 { // Read reports the error
		return f.Finder.Find(ctx, scope, sockets, found)
	}
	wanted := make(map[monitor.SocketID]bool, len(clients))
	for _, c := range clients {
		wanted[c.ID] = true
	}
	err = f.Finder.Find(ctx, scope, slices.Concat(sockets, clients), func(h monitor.Holding) {
		if wanted[h.Socket] {
			f.source.addClient(h)
			return
		}
		found(h)
	})
	f.source.finishSearch(clients, err != nil || ctx.Err() != nil)
	return err
}

// addClient records the first holder of a client's socket.
func (s *Source) addClient(h monitor.Holding) {
	if s.clients[h.Socket].PID == 0 {
		s.clients[h.Socket] = connection.Client{PID: h.Owner.PID, Name: h.Owner.Name}
	}
}

// finishSearch records that sockets without a holder were searched, unless the
// search was incomplete.
func (s *Source) finishSearch(sockets []monitor.Socket, incomplete bool) {
	for _, c := range sockets {
		if _, known := s.clients[c.ID]; !known && !incomplete {
			s.clients[c.ID] = connection.Client{}
		}
	}
}

// dump is the content of one sock_diag dump.
type dump struct {
	index   connection.Index
	conns   map[string][]connection.Conn // by listener ID
	queues  map[monitor.SocketID][2]uint32
	clients map[addrPair]monitor.Socket // sockets of local clients, by their own addresses
}

// newDump returns a dump without sockets.
func newDump(listeners []*monitor.Listener) *dump {
	return &dump{index: connection.NewIndex(listeners), conns: make(map[string][]connection.Conn),
		queues: make(map[monitor.SocketID][2]uint32), clients: make(map[addrPair]monitor.Socket)}
}

// add records one socket. A socket whose remote address is a listener's belongs
// to a client.
func (d *dump) add(m socket.DiagMessage) {
	if m.Listening() {
		waiting, limit := m.AcceptQueue()
		d.queues[m.Cookie()] = [2]uint32{waiting, limit}
		return
	}
	local, remote := m.Local(), m.Remote()
	if listener := d.index.Listener(local); listener != nil {
		conn := connection.Conn{ID: m.Cookie(), Local: unmap(local), Remote: unmap(remote)}
		conn.Sent, conn.Received = counters(m.Attribute(attrInfo))
		d.conns[listener.ID] = append(d.conns[listener.ID], conn)
	}
	if d.index.Listener(remote) != nil {
		d.clients[newAddrPair(local, remote)] = m.Socket()
	}
}

// counters reads the byte counters of a tcp_info. It returns zeros for the
// shorter tcp_info of old kernels.
func counters(info []byte) (sent, received uint64) {
	if len(info) < max(bytesAckedOffset, bytesReceivedOffset)+8 {
		return 0, 0
	}
	return binary.NativeEndian.Uint64(info[bytesAckedOffset:]), binary.NativeEndian.Uint64(info[bytesReceivedOffset:])
}

// state assembles the state of one listener.
func (s *Source) state(ctx context.Context, d *dump, listener *monitor.Listener) connection.State {
	st := connection.State{Conns: d.conns[listener.ID], BytesKnown: true}
	for i := range st.Conns {
		c := &st.Conns[i]
		if client, ok := d.clients[newAddrPair(c.Local, c.Remote).reversed()]; ok {
			c.User, c.Client = username.Await(ctx, client.UID), s.clients[client.ID]
		}
	}
	sortConns(st.Conns)
	for _, held := range listener.Sockets {
		q, ok := d.queues[held.ID]
		if excess := int64(q[0]) - int64(q[1]); ok && (!st.QueueKnown || excess > int64(st.QueueLength)-int64(st.QueueLimit)) {
			st.QueueLength, st.QueueLimit, st.QueueKnown = q[0], q[1], true
		}
	}
	return st
}

// search finds the processes of new clients and forgets the clients that
// disconnected.
func (s *Source) search(ctx context.Context, d *dump) {
	known := s.clients
	s.clients = make(map[monitor.SocketID]connection.Client, len(d.clients))
	var wanted []monitor.Socket
	for _, c := range d.clients {
		if client, ok := known[c.ID]; ok {
			s.clients[c.ID] = client
		} else if c.Inode != 0 { // a socket without an inode has no holder
			wanted = append(wanted, c)
		}
	}
	begin := time.Now()
	if len(wanted) == 0 || begin.Before(s.nextSearch) {
		return
	}
	err := s.finder.Find(ctx, monitor.Likely, wanted, s.addClient)
	s.nextSearch = time.Now().Add(time.Duration(s.SearchPause) * time.Since(begin))
	s.finishSearch(wanted, err != nil || ctx.Err() != nil)
}

// Learn reads the descriptors of all processes once, so that the next searches begin with
// the processes that have opened or closed something since.
func (s *Source) Learn(ctx context.Context) error {
	return s.finder.Find(ctx, monitor.Everywhere, nil, func(monitor.Holding) {})
}

// Clients returns the processes on this machine that are connected to port, of the
// clients with these addresses. Those that have disconnected or are not accessible are
// missing. It searches at once, regardless of SearchPause.
func (s *Source) Clients(ctx context.Context, port uint16, addresses []netip.AddrPort) (map[netip.AddrPort]connection.Client, error) {
	wanted := make(map[netip.AddrPort]bool, len(addresses))
	for _, a := range addresses {
		wanted[unmap(a)] = true
	}
	var sockets []monitor.Socket
	owners := make(map[monitor.SocketID]netip.AddrPort)
	err := s.conn.Dump(socket.TCPRequest(socket.StateEstablished, 0, socket.PortFilter(nil, []uint16{port})), func(m socket.DiagMessage) {
		local := unmap(m.Local())
		if c := m.Socket(); wanted[local] && c.Inode != 0 { // a socket without an inode has no holder
			sockets = append(sockets, c)
			owners[c.ID] = local
		}
	})
	if err != nil {
		return nil, fmt.Errorf("read the clients of port %d: %w", port, err)
	}
	found := make(map[netip.AddrPort]connection.Client, len(sockets))
	if len(sockets) == 0 {
		return found, nil
	}
	err = s.finder.Find(ctx, monitor.Likely, sockets, func(h monitor.Holding) {
		if a, ok := owners[h.Socket]; ok && found[a].PID == 0 { // the first holder
			found[a] = connection.Client{PID: h.Owner.PID, Name: h.Owner.Name}
		}
	})
	return found, err
}
