// Package inuse finds what keeps a port from being bound. A port that nothing
// listens on may still be taken: by a socket that is bound and does not listen,
// by the local end of a connection, or by a connection that is closing.
package inuse

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"porthole/monitor"
)

// Kind is the way in which a socket uses a port.
type Kind string

// The kinds, the strongest reason first.
const (
	Listening Kind = "listening" // a TCP listener, or a UDP socket that receives from anyone
	Bound     Kind = "bound"     // bound, neither listening nor connected
	Connected Kind = "connected" // the local end of an open connection, or of one that is half closed
	TimeWait  Kind = "time_wait" // the kernel keeps the port after a connection ended
)

// Use is one socket that has the port.
type Use struct {
	Kind     Kind
	Protocol monitor.Protocol
	Local    netip.AddrPort
	Remote   netip.AddrPort // the other end; not valid unless Kind is Connected or TimeWait
	// State is the kernel's name of the TCP state, such as "ESTABLISHED" or
	// "FIN_WAIT2" (tcp(7)); "" for UDP.
	State  string
	V6Only bool   // [::] that leaves IPv4 to others
	Device string // the interface that the socket is bound to (SO_BINDTODEVICE); "" for all
	User   string // user of the process that created the socket; "" if unknown
	// Expires is how long the kernel keeps a TimeWait socket from now on; 0 for
	// other kinds.
	Expires time.Duration
	// Owners are the processes that hold the socket. OwnerUnknown is a sentence with
	// the reason why there are none. Both are empty for TimeWait: no process holds
	// it.
	Owners       []monitor.Owner
	OwnerUnknown string
}

// Find returns every TCP and UDP socket of this network namespace that uses port,
// with the processes that hold it, the strongest reason first. The caller's
// privileges decide which processes can be seen. It reads the kernel's table of
// connections, which takes milliseconds, and every process if something was found:
// it is meant for single requests; see [Finder] for repeated ones. An error means
// that the table could not be read, or that ctx ended. It is safe for concurrent
// use.
func Find(ctx context.Context, port uint16) ([]Use, error) {
	uses, err := new(Finder).Find(ctx, []uint16{port})
	return uses[port], err
}

// Blocks reports whether the socket can keep another one of its protocol from
// binding address and the same port. It is the kernel's rule for sockets that do
// not both set SO_REUSEADDR or SO_REUSEPORT (bind(2), socket(7)): the addresses
// are equal or one of them is the wildcard.
func (u Use) Blocks(address netip.Addr) bool {
	local, wanted := u.Local.Addr().Unmap(), address.Unmap()
	switch {
	case local.Is4() == wanted.Is4():
		return local == wanted || local.IsUnspecified() || wanted.IsUnspecified()
	case local.Is6(): // the wanted one is IPv4
		return local.IsUnspecified() && !u.V6Only
	default: // a wanted [::] takes IPv4 as well, as programs open it by default
		return wanted.IsUnspecified()
	}
}

// sortUses orders uses by kind, address and remote end, so that the strongest
// reason comes first.
func sortUses(uses []Use) {
	rank := map[Kind]int{Listening: 0, Bound: 1, Connected: 2, TimeWait: 3}
	slices.SortStableFunc(uses, func(a, b Use) int {
		return cmp.Or(cmp.Compare(rank[a.Kind], rank[b.Kind]), cmp.Compare(a.Protocol, b.Protocol),
			a.Local.Compare(b.Local), a.Remote.Compare(b.Remote))
	})
}

// list returns ports as text for errors: "80 443".
func list(ports []uint16) string { return strings.Trim(fmt.Sprint(ports), "[]") }
