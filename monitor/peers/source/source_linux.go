package source

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"porthole/monitor"
	"porthole/monitor/owner"
	"porthole/monitor/peers"
	"porthole/monitor/socket"
)

// Source reads established connections. It belongs to one goroutine at a time,
// which closes it.
type Source struct {
	asker   *socket.Asker
	finder  monitor.Finder
	clients map[monitor.SocketID]peers.Client // by the client's socket; zero where nobody was seen to hold it
	rest    time.Time                         // no search for clients before
}

// Open opens a Source. An error means that sock_diag is refused, as by some
// sandboxes, or that descriptors are short.
func Open() (*Source, error) {
	asker, err := socket.NewAsker()
	if err != nil {
		return nil, fmt.Errorf("read connections: %w", err)
	}
	return &Source{asker: asker, finder: owner.New(), clients: make(map[monitor.SocketID]peers.Client)}, nil
}

// Close releases what Open took.
func (s *Source) Close() error { return s.asker.Close() }

// Of linux/inet_diag.h and linux/tcp.h.
const (
	attrInfo     = 2                   // INET_DIAG_INFO: a tcp_info
	infoWanted   = 1 << (attrInfo - 1) // its bit in a request
	sentAt       = int(unsafe.Offsetof(unix.TCPInfo{}.Bytes_acked))
	receivedAt   = int(unsafe.Offsetof(unix.TCPInfo{}.Bytes_received))
	countFilter  = 64 // ports; with more of them the kernel is faster without a filter
	searchBreath = 50 // a search for clients is followed by so many times its cost without one
)

// Count returns how many connections each TCP listener has, by its id: one
// dump of the established ones, whose cost is that of their number alone.
func (s *Source) Count(_ context.Context, listeners []*monitor.Listener) (map[string]int, error) {
	counts := none(listeners)
	ports := portsOf(listeners)
	if len(ports) == 0 {
		return counts, nil
	}
	var filter []byte
	if len(ports) <= countFilter {
		filter = socket.PortFilter(ports, nil)
	}
	belong := peers.NewBelong(listeners)
	err := s.asker.Ask(socket.TCPRequest(socket.Established, 0, filter), func(m socket.Message) {
		if l := belong.Of(m.Local()); l != nil {
			counts[l.ID]++
		}
	})
	if err != nil {
		return nil, fmt.Errorf("count connections: %w", err)
	}
	return counts, nil
}

// Read returns how listeners stand with their clients, by their ids. Clients on
// this machine are named where their processes can be seen; of one that is new
// that may take some looks, since searching for it is kept below 2 % of the time.
func (s *Source) Read(ctx context.Context, listeners []*monitor.Listener) (map[string]peers.State, error) {
	states := make(map[string]peers.State, len(listeners))
	ports := portsOf(listeners)
	if len(ports) == 0 {
		return states, nil
	}
	var filter []byte
	if 2*len(ports) <= socket.MaxFilter {
		filter = socket.PortFilter(ports, ports)
	}
	l := newLook(listeners)
	err := s.asker.Ask(socket.TCPRequest(socket.Established|socket.Listening, infoWanted, filter), l.take)
	if err != nil {
		return nil, fmt.Errorf("read connections: %w", err)
	}
	s.search(ctx, l)
	for _, listener := range listeners {
		if listener.Protocol == monitor.TCP {
			states[listener.ID] = s.state(l, listener)
		}
	}
	return states, nil
}

// Beside returns finder with a second task: each of its searches looks for the
// clients of ports too. Read, with which it takes turns, then searches for those
// that came later alone.
func (s *Source) Beside(finder monitor.Finder, ports ...uint16) monitor.Finder {
	return beside{finder, s, ports}
}

// beside is what Source.Beside returns.
type beside struct {
	monitor.Finder
	source *Source
	ports  []uint16
}

func (b beside) Find(ctx context.Context, scope monitor.Scope, sockets []monitor.Socket, found func(monitor.Holding)) error {
	var clients []monitor.Socket
	err := b.source.asker.Ask(socket.TCPRequest(socket.Established, 0, socket.PortFilter(nil, b.ports)), func(m socket.Message) {
		if c := m.Socket(); c.Inode != 0 {
			clients = append(clients, c)
		}
	})
	if err != nil || len(clients) == 0 { // Read says the error
		return b.Finder.Find(ctx, scope, sockets, found)
	}
	wanted := make(map[monitor.SocketID]bool, len(clients))
	for _, c := range clients {
		wanted[c.ID] = true
	}
	err = b.Finder.Find(ctx, scope, slices.Concat(sockets, clients), func(h monitor.Holding) {
		if wanted[h.Socket] {
			b.source.note(h)
			return
		}
		found(h)
	})
	b.source.seen(clients, err != nil || ctx.Err() != nil)
	return err
}

// note notes the holder of a client's socket, the first one.
func (s *Source) note(h monitor.Holding) {
	if s.clients[h.Socket].PID == 0 {
		s.clients[h.Socket] = peers.Client{PID: h.Owner.PID, Name: h.Owner.Name}
	}
}

// seen ends a search for sockets: also that nobody was seen to hold one is known
// then, but where the search was cut short or blind.
func (s *Source) seen(sockets []monitor.Socket, short bool) {
	for _, c := range sockets {
		if _, known := s.clients[c.ID]; !known && !short {
			s.clients[c.ID] = peers.Client{}
		}
	}
}

// look is what one dump tells.
type look struct {
	belong  peers.Belong
	peers   map[string][]peers.Peer // by listener
	queues  map[monitor.SocketID][2]uint32
	clients map[ends]monitor.Socket // other ends on this machine, as they have it
}

func newLook(listeners []*monitor.Listener) *look {
	return &look{belong: peers.NewBelong(listeners), peers: make(map[string][]peers.Peer),
		queues: make(map[monitor.SocketID][2]uint32), clients: make(map[ends]monitor.Socket)}
}

// take notes one socket. One that has its other end here is somebody's client.
func (l *look) take(m socket.Message) {
	if m.Listening() {
		waiting, limit := m.AcceptQueue()
		l.queues[m.Cookie()] = [2]uint32{waiting, limit}
		return
	}
	local, remote := m.Local(), m.Remote()
	if owner := l.belong.Of(local); owner != nil {
		p := peers.Peer{ID: m.Cookie(), Local: plain(local), Remote: plain(remote)}
		p.Sent, p.Received = counters(m.Attribute(attrInfo))
		l.peers[owner.ID] = append(l.peers[owner.ID], p)
	}
	if l.belong.Of(remote) != nil {
		l.clients[endsOf(local, remote)] = m.Socket()
	}
}

// counters reads a tcp_info. An old kernel's is shorter and has none.
func counters(info []byte) (sent, received uint64) {
	if len(info) < max(sentAt, receivedAt)+8 {
		return 0, 0
	}
	return binary.NativeEndian.Uint64(info[sentAt:]), binary.NativeEndian.Uint64(info[receivedAt:])
}

// state puts together what is known of one listener.
func (s *Source) state(l *look, listener *monitor.Listener) peers.State {
	st := peers.State{Peers: l.peers[listener.ID], Bytes: true}
	for i := range st.Peers {
		p := &st.Peers[i]
		if other, ok := l.clients[endsOf(p.Local, p.Remote).reversed()]; ok {
			p.User, p.Client = other.User, s.clients[other.ID]
		}
	}
	sortPeers(st.Peers)
	for _, held := range listener.Sockets {
		q, ok := l.queues[held.ID]
		if full := int64(q[0]) - int64(q[1]); ok && (!st.Queued || full > int64(st.Queue)-int64(st.Limit)) {
			st.Queue, st.Limit, st.Queued = q[0], q[1], true
		}
	}
	return st
}

// search finds the processes of the clients that are new, and forgets those that
// have gone.
func (s *Source) search(ctx context.Context, l *look) {
	known := s.clients
	s.clients = make(map[monitor.SocketID]peers.Client, len(l.clients))
	var wanted []monitor.Socket
	for _, c := range l.clients {
		if client, ok := known[c.ID]; ok {
			s.clients[c.ID] = client
		} else if c.Inode != 0 { // nobody holds what has none
			wanted = append(wanted, c)
		}
	}
	begin := time.Now()
	if len(wanted) == 0 || begin.Before(s.rest) {
		return
	}
	err := s.finder.Find(ctx, monitor.Likely, wanted, s.note)
	s.rest = time.Now().Add(searchBreath * time.Since(begin))
	s.seen(wanted, err != nil || ctx.Err() != nil)
}
