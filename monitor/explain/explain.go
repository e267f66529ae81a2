// Package explain says what an address and a port mean to whoever never learned
// it: loopback, ranges, who has it, who can reach it. It is pure: what it needs of the machine
// is handed in, so the window and the command line tell the same.
package explain

import (
	"net/netip"
	"slices"

	"porthole/monitor"
	"porthole/monitor/service"
)

// Kind is what an address is for.
type Kind string

// The kinds of addresses. Readers must ignore kinds that they do not know.
const (
	Loopback  Kind = "loopback"   // 127.0.0.0/8 (RFC 1122), ::1 (RFC 4291)
	Wildcard  Kind = "wildcard"   // 0.0.0.0, ::
	LinkLocal Kind = "link_local" // 169.254.0.0/16 (RFC 3927), fe80::/10 (RFC 4291)
	Private   Kind = "private"    // RFC 1918, fc00::/7 (RFC 4193)
	Network   Kind = "network"    // any other that a machine can have
	Special   Kind = "special"    // multicast, broadcast, reserved: no machine has it
)

// KindOf returns what a is for. An IPv4 address on an IPv6 socket counts as the
// IPv4 address that it is.
func KindOf(a netip.Addr) Kind {
	a = a.Unmap()
	switch {
	case a.IsLoopback():
		return Loopback
	case a.IsUnspecified():
		return Wildcard
	case a.IsMulticast(), a.Is4() && (a.As4()[0] == 0 || a.As4()[0] >= 240): // RFC 1122, RFC 1112
		return Special
	case a.IsLinkLocalUnicast():
		return LinkLocal
	case a.IsPrivate():
		return Private
	}
	return Network
}

// PortRange is the range that a port is in (RFC 6335, section 6).
type PortRange string

// The ranges.
const (
	WellKnown  PortRange = "well_known" // 0–1023
	Registered PortRange = "registered" // 1024–49151
	Dynamic    PortRange = "dynamic"    // 49152–65535
)

// PortRangeOf returns the range that port is in.
func PortRangeOf(port uint16) PortRange {
	switch {
	case port < 1024:
		return WellKnown
	case port < 49152:
		return Registered
	}
	return Dynamic
}

// System is what this machine does with addresses and ports. What is nil is not
// known.
type System struct {
	EphemeralPorts monitor.Ports // to programs that ask for any port
	ReservedPorts  monitor.Ports // and does not, out of these
	Addresses      []netip.Addr  // its own
}

// EphemeralStatus says whether the system hands a port out by itself.
type EphemeralStatus string

// What the system does with a port; "" where that is not known.
const (
	Ephemeral         EphemeralStatus = "yes"
	NotEphemeral      EphemeralStatus = "no"
	ReservedEphemeral EphemeralStatus = "reserved" // it would, but was told to spare it
)

func (s System) ephemeral(port uint16) EphemeralStatus {
	switch {
	case s.EphemeralPorts == nil:
		return ""
	case !s.EphemeralPorts.Contains(port):
		return NotEphemeral
	case s.ReservedPorts.Contains(port):
		return ReservedEphemeral
	}
	return Ephemeral
}

// Facts are what there is to say of a target. All is of the moment that its
// listeners are of.
type Facts struct {
	Target         Target
	Addresses      []netip.Addr // the target's, or those of its listeners, each once; none where it is localhost or free
	OnOtherMachine bool         // the address is not this machine's: who listens there cannot be seen
	PortRange      PortRange    // "" where no port was named, as the next two
	Ephemeral      EphemeralStatus
	UsualService   string              // the service that usually has the port; "" where none is known
	Listeners      []*monitor.Listener // that take what is sent to the target
	OtherListeners []*monitor.Listener // that have the port at addresses which the target does not lead to

	system System
}

// NewFacts gathers the facts about t, where listeners is all that listens at its
// port.
func NewFacts(t Target, listeners []*monitor.Listener, s System) Facts {
	f := Facts{Target: t, system: s}
	if t.Port != 0 {
		f.PortRange, f.Ephemeral, f.UsualService = PortRangeOf(t.Port), s.ephemeral(t.Port), service.WellKnown(t.Port)
	}
	for _, l := range listeners {
		switch {
		case t.Port == 0 || l.Port != t.Port:
		case t.reaches(l):
			f.Listeners = append(f.Listeners, l)
		default:
			f.OtherListeners = append(f.OtherListeners, l)
		}
	}
	switch {
	case t.Address.IsValid():
		f.Addresses = []netip.Addr{t.Address}
		f.OnOtherMachine = f.onOtherMachine()
	case !t.Localhost:
		for _, l := range f.Listeners {
			f.Addresses = append(f.Addresses, l.Addresses...)
		}
		slices.SortFunc(f.Addresses, netip.Addr.Compare)
		f.Addresses = slices.Compact(f.Addresses)
	}
	if f.OnOtherMachine { // a server on every address of this machine has none of another one's
		f.Listeners, f.OtherListeners = nil, append(f.OtherListeners, f.Listeners...)
	}
	return f
}

// onOtherMachine reports whether the target is an address that this machine does not
// have. One that a server is bound to it has.
func (f Facts) onOtherMachine() bool {
	a := f.Target.Address.Unmap().WithZone("")
	switch KindOf(a) {
	case Loopback, Wildcard, Special:
		return false
	}
	if f.system.Addresses == nil || slices.Contains(f.system.Addresses, a) {
		return false
	}
	return !slices.ContainsFunc(f.Listeners, func(l *monitor.Listener) bool {
		return slices.ContainsFunc(l.Addresses, func(b netip.Addr) bool { return b.Unmap().WithZone("") == a })
	})
}

// reaches reports whether what is sent to t comes to l, whose port it is. Without
// an address, and with one that stands for all, it does.
func (t Target) reaches(l *monitor.Listener) bool {
	if !t.Localhost && (!t.Address.IsValid() || t.Address.Unmap().IsUnspecified()) {
		return true
	}
	return slices.ContainsFunc(l.Sockets, func(s monitor.HeldSocket) bool {
		if t.Localhost {
			return accepts(s.Socket, netip.AddrFrom4([4]byte{127, 0, 0, 1})) || accepts(s.Socket, netip.IPv6Loopback())
		}
		return accepts(s.Socket, t.Address.Unmap())
	})
}

// accepts reports whether s gets what is sent to a, which is an address of this
// machine.
func accepts(s monitor.Socket, a netip.Addr) bool {
	bound := s.Address.Unmap()
	switch {
	case !bound.IsUnspecified():
		return bound == a || a.Zone() == "" && bound.WithZone("") == a
	case bound.Is4():
		return a.Is4()
	}
	return a.Is6() || !s.V6Only
}
