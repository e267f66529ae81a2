package inuse

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"time"

	"golang.org/x/sys/unix"

	"porthole/monitor"
	"porthole/monitor/owner"
	"porthole/monitor/socket"
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

// Find returns every TCP and UDP socket of this network namespace that uses
// port, with the processes that hold it, the strongest reason first. The
// caller's privileges decide which processes can be seen. It reads the kernel's
// table of connections, which takes milliseconds, and every process if something
// was found: it is meant for single requests, not for polling. An error means
// that the table could not be read, or that ctx ended. It is safe for concurrent
// use.
func Find(ctx context.Context, port uint16) ([]Use, error) {
	conn, err := socket.DialDiag()
	if err != nil {
		return nil, fmt.Errorf("find what uses port %d: %w", port, err)
	}
	defer conn.Close()
	var uses []Use
	var sockets []monitor.Socket
	add := func(protocol monitor.Protocol) func(socket.DiagMessage) {
		return func(m socket.DiagMessage) {
			if m.Local().Port() != port || !m.Local().IsValid() {
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
		{monitor.TCP, socket.TCPRequest(allStates, 0, socket.PortFilter([]uint16{port}, nil))},
		{monitor.UDP, socket.UDPRequest(unix.AF_INET, 1<<stateClose|1<<stateEstablished)},
		{monitor.UDP, socket.UDPRequest(unix.AF_INET6, 1<<stateClose|1<<stateEstablished)},
	}
	for _, r := range requests {
		if err := conn.Dump(r.request, add(r.protocol)); err != nil {
			return nil, fmt.Errorf("find what uses %s port %d: %w", r.protocol, port, err)
		}
	}
	if err := findOwners(ctx, uses, sockets); err != nil {
		return nil, fmt.Errorf("find the owners of port %d: %w", port, err)
	}
	sortUses(uses)
	return uses, nil
}

// newUse reads one inet_diag_msg (linux/inet_diag.h).
func newUse(m socket.DiagMessage, protocol monitor.Protocol) Use {
	s := m.Socket()
	u := Use{Protocol: protocol, Local: m.Local(), User: s.User, V6Only: v6Only(m), Device: deviceName(binary.NativeEndian.Uint32(m[40:]))}
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
func findOwners(ctx context.Context, uses []Use, sockets []monitor.Socket) error {
	at := make(map[monitor.SocketID]int, len(sockets))
	var search []monitor.Socket
	for i, s := range sockets {
		if uses[i].Kind != TimeWait && s.Inode != 0 {
			at[s.ID] = i
			search = append(search, s)
		}
	}
	if len(search) == 0 {
		return nil
	}
	finder := owner.New()
	unreadable := finder.Find(ctx, monitor.Everywhere, search, func(h monitor.Holding) {
		if i, ok := at[h.Socket]; ok {
			uses[i].Owners = append(uses[i].Owners, h.Owner)
		}
	})
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, s := range search {
		u := &uses[at[s.ID]]
		switch {
		case len(u.Owners) > 0:
		case unreadable != nil:
			u.OwnerUnknown = monitor.UnknownUnreadable
		default:
			u.OwnerUnknown = finder.WhyUnknown(s).Reason
		}
	}
	return nil
}
