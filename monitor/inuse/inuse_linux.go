package inuse

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"porthole/monitor"
	"porthole/monitor/owner"
	"porthole/monitor/socket"
	"porthole/monitor/username"
)

// TCP states of the kernel (include/net/tcp_states.h), by number.
var tcpStates = [...]string{1: "ESTABLISHED", 2: "SYN_SENT", 3: "SYN_RECV", 4: "FIN_WAIT1", 5: "FIN_WAIT2", 6: "TIME_WAIT",
	7: "CLOSE", 8: "CLOSE_WAIT", 9: "LAST_ACK", 10: "LISTEN", 11: "CLOSING", 12: "NEW_SYN_RECV", 13: "BOUND_INACTIVE"}

const (
	stateEstablished = 1
	stateTimeWait    = 6
	stateClose       = 7
	stateListen      = 10
	// allStates asks for every state. Bit 13, TCP_BOUND_INACTIVE, adds the sockets
	// that are bound and neither listen nor connect; kernels before Linux 6.8
	// ignore it, and such sockets stay unseen there.
	allStates uint32 = 1<<14 - 2

	attrSkV6Only = 11 // INET_DIAG_SKV6ONLY of linux/inet_diag.h
)

// Finder finds the uses of ports again and again. It reads the processes only if a
// use is new or was last searched ownersValid ago. The zero value is ready to use. It
// is not safe for concurrent use.
type Finder struct {
	owners monitor.Finder // nil before the first search
	known  map[monitor.SocketID]holders
}

// holders are the processes that hold a socket.
type holders struct {
	owners  []monitor.Owner
	unknown string // why there are none
	at      time.Time
}

// ownersValid is how long the owners of a socket are not searched again. Sockets are
// rarely passed on, and a search reads every process.
const ownersValid = 10 * time.Second

// MaxPorts is the largest number of ports that Finder.Find accepts.
const MaxPorts = socket.MaxFilterPorts

// Find is like the function Find, for at most MaxPorts ports at once. Ports without
// uses are not in the result.
func (f *Finder) Find(ctx context.Context, ports []uint16) (map[uint16][]Use, error) {
	conn, err := socket.DialDiag()
	if err != nil {
		return nil, fmt.Errorf("find what uses port %s: %w", list(ports), err)
	}
	defer conn.Close()
	var uses []Use
	var sockets []monitor.Socket
	add := func(protocol monitor.Protocol) func(socket.DiagMessage) {
		return func(m socket.DiagMessage) {
			if !m.Local().IsValid() || !slices.Contains(ports, m.Local().Port()) {
				return
			}
			uses = append(uses, newUse(m, protocol))
			sockets = append(sockets, m.Socket())
		}
	}
	requests := []struct {
		protocol monitor.Protocol
		request  []byte
	}{
		{monitor.TCP, socket.TCPRequest(allStates, 0, socket.PortFilter(ports, nil))},
		{monitor.UDP, socket.UDPRequest(unix.AF_INET, 1<<stateClose|1<<stateEstablished)},
		{monitor.UDP, socket.UDPRequest(unix.AF_INET6, 1<<stateClose|1<<stateEstablished)},
	}
	for _, r := range requests {
		if err := conn.Dump(r.request, add(r.protocol)); err != nil {
			return nil, fmt.Errorf("find what uses %s port %s: %w", r.protocol, list(ports), err)
		}
	}
	if err := f.findOwners(ctx, uses, sockets, time.Now()); err != nil {
		return nil, fmt.Errorf("find the owners of port %s: %w", list(ports), err)
	}
	byPort := make(map[uint16][]Use)
	for _, u := range uses {
		byPort[u.Local.Port()] = append(byPort[u.Local.Port()], u)
	}
	for _, uses := range byPort {
		sortUses(uses)
	}
	return byPort, nil
}

// newUse reads one inet_diag_msg (linux/inet_diag.h).
func newUse(m socket.DiagMessage, protocol monitor.Protocol) Use {
	s := m.Socket()
	u := Use{Protocol: protocol, Local: m.Local(), User: username.Await(context.Background(), s.UID), V6Only: v6Only(m), Device: deviceName(binary.NativeEndian.Uint32(m[40:]))}
	state := int(m[1])
	if protocol == monitor.UDP {
		u.Kind = Listening
		if state == stateEstablished {
			u.Kind, u.Remote = Connected, m.Remote()
		}
		return u
	}
	if state < len(tcpStates) {
		u.State = tcpStates[state]
	}
	switch state {
	case stateListen:
		u.Kind = Listening
	case stateClose: // the kernel's answer for BOUND_INACTIVE, and for a listener after shutdown(2)
		u.Kind, u.State = Bound, ""
	case stateTimeWait:
		u.Kind, u.Remote = TimeWait, m.Remote()
		u.User = "" // the kernel does not keep it
		u.Expires = time.Duration(binary.NativeEndian.Uint32(m[52:])) * time.Millisecond
	default:
		u.Kind, u.Remote = Connected, m.Remote()
	}
	return u
}

// v6Only reads INET_DIAG_SKV6ONLY.
func v6Only(m socket.DiagMessage) bool {
	b := m.Attribute(attrSkV6Only)
	return len(b) > 0 && b[0] == 1
}

// deviceName names the interface with an index, "" for 0, which is none.
func deviceName(index uint32) string {
	if index == 0 {
		return ""
	}
	i, err := net.InterfaceByIndex(int(index))
	if err != nil {
		return fmt.Sprintf("interface %d", index) // it has just been removed
	}
	return i.Name
}

// findOwners fills in who holds each socket. Sockets without an inode are held by
// no process: TIME_WAIT, and connections that were not accepted yet or that the
// process has closed.
func (f *Finder) findOwners(ctx context.Context, uses []Use, sockets []monitor.Socket, now time.Time) error {
	held := make(map[monitor.SocketID]holders)
	var search []monitor.Socket
	for i, s := range sockets {
		if uses[i].Kind == TimeWait || s.Inode == 0 {
			continue
		}
		known, ok := f.known[s.ID]
		if ok && now.Sub(known.at) < ownersValid {
			held[s.ID] = known
			continue
		}
		held[s.ID] = holders{at: now}
		search = append(search, s)
	}
	if len(search) > 0 {
		if err := f.search(ctx, search, held); err != nil {
			return err
		}
	}
	f.known = held // forgets closed sockets
	for i, s := range sockets {
		uses[i].Owners, uses[i].OwnerUnknown = held[s.ID].owners, held[s.ID].unknown
	}
	return nil
}

// search adds the processes that hold sockets to held.
func (f *Finder) search(ctx context.Context, sockets []monitor.Socket, held map[monitor.SocketID]holders) error {
	if f.owners == nil {
		f.owners = owner.New()
	}
	unreadable := f.owners.Find(ctx, monitor.Everywhere, sockets, func(h monitor.Holding) {
		if by, ok := held[h.Socket]; ok {
			by.owners = append(by.owners, h.Owner)
			held[h.Socket] = by
		}
	})
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, s := range sockets {
		by := held[s.ID]
		switch {
		case len(by.owners) > 0:
			continue
		case unreadable != nil:
			by.unknown = monitor.UnknownUnreadable
		default:
			by.unknown = f.owners.WhyUnknown(s).Reason
		}
		held[s.ID] = by
	}
	return nil
}
