// Package explain explains an address and a port to people who never learned
// networking: loopback, port ranges, who owns the port, who can reach it. It is
// pure: all it needs of the machine is passed in, so the window and the command line
// give the same explanation.
package explain

import (
	"net/netip"
	"slices"

	"porthole/monitor"
	"porthole/monitor/service"
)

// Kind is the purpose of an address.
type Kind string

// The kinds of addresses. Readers must ignore unknown kinds.
const (
	Loopback  Kind = "loopback"   // 127.0.0.0/8 (RFC 1122), ::1 (RFC 4291)
	Wildcard  Kind = "wildcard"   // 0.0.0.0, ::
	LinkLocal Kind = "link_local" // 169.254.0.0/16 (RFC 3927), fe80::/10 (RFC 4291)
	Private   Kind = "private"    // RFC 1918, fc00::/7 (RFC 4193)
	Network   Kind = "network"    // any other unicast address
	Special   Kind = "special"    // multicast, broadcast or reserved: not a machine's address
)

// KindOf returns the kind of a. An IPv4-mapped IPv6 address counts as the IPv4
// address.
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

// PortRange is one of the ranges of RFC 6335, section 6.
type PortRange string

// The port ranges.
const (
	WellKnown  PortRange = "well_known" // 0–1023
	Registered PortRange = "registered" // 1024–49151
	Dynamic    PortRange = "dynamic"    // 49152–65535
)

// PortRangeOf returns the range of port.
func PortRangeOf(port uint16) PortRange {
	switch {
	case port < 1024:
		return WellKnown
	case port < 49152:
		return Registered
	}
	return Dynamic
}

// System describes this machine's addresses and ports. A nil field is unknown.
type System struct {
	EphemeralPorts monitor.Ports // the ephemeral port range
	ReservedPorts  monitor.Ports // ports excluded from it
	Addresses      []netip.Addr  // the machine's own addresses
	// Firewall are the answers of the firewall about listeners, by their IDs.
	Firewall map[string]monitor.Firewall
}

// EphemeralStatus is whether the system assigns a port to programs that ask for
// any port.
type EphemeralStatus string

// The values of EphemeralStatus; "" if it is unknown.
const (
	Ephemeral         EphemeralStatus = "yes"
	NotEphemeral      EphemeralStatus = "no"
	ReservedEphemeral EphemeralStatus = "reserved" // in the range, but excluded from it
)

// ephemeral returns whether port is in the ephemeral range.
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

// Facts describes a target at the time of the snapshot of its listeners.
type Facts struct {
	Target         Target
	Addresses      []netip.Addr // the target's, or those of its listeners without duplicates; none for localhost or a free port
	OnOtherMachine bool         // the address is not this machine's, so its listeners are unknown
	PortRange      PortRange    // "" without a port, like the next two
	Ephemeral      EphemeralStatus
	UsualService   string              // the well-known service of the port; "" if there is none
	Listeners      []*monitor.Listener // listeners that the target reaches
	OtherListeners []*monitor.Listener // listeners on the same port that the target does not reach

	system System
}

// NewFacts returns the facts about t. listeners are all listeners on its port.
func NewFacts(t Target, listeners []*monitor.Listener, s System) Facts {
	f := Facts{Target: t, system: s}
	if t.Port != 0 {
		f.PortRange, f.Ephemeral, f.UsualService = PortRangeOf(t.Port), s.ephemeral(t.Port), service.WellKnown(t.Port)
	}
	for _, l := range listeners {
		switch {
		case t.Port == 0 || l.Port != t.Port:
		case t.Reaches(l):
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
	if f.OnOtherMachine { // a wildcard listener does not accept connections to other machines' addresses
		f.Listeners, f.OtherListeners = nil, append(f.OtherListeners, f.Listeners...)
	}
	return f
}

// onOtherMachine reports whether this machine does not have the target's address.
// An address that a listener is bound to counts as this machine's.
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

// Reaches reports whether a connection to t arrives at l, which is on t's port. A
// target without an address or with [::] reaches every listener, one with 0.0.0.0 all
// that accept IPv4.
func (t Target) Reaches(l *monitor.Listener) bool {
	a := t.Address.Unmap()
	if !t.Localhost && (!a.IsValid() || a.Is6() && a.IsUnspecified()) {
		return true
	}
	return slices.ContainsFunc(l.Sockets, func(s monitor.HeldSocket) bool {
		switch bound := s.Address.Unmap(); {
		case t.Localhost:
			return accepts(s.Socket, netip.AddrFrom4([4]byte{127, 0, 0, 1})) || accepts(s.Socket, netip.IPv6Loopback())
		case a.IsUnspecified():
			return bound.Is4() || bound.IsUnspecified() && !s.V6Only
		}
		return accepts(s.Socket, a)
	})
}

// accepts reports whether s accepts connections to a, which is an address of this
// machine.
func accepts(s monitor.Socket, a netip.Addr) bool {
	bound := s.Address.Unmap()
	switch {
	case a.IsLoopback() && !s.AcceptsLoopback() && s.Device != "":
		return false
	case !bound.IsUnspecified():
		return bound == a || a.Zone() == "" && bound.WithZone("") == a
	case bound.Is4():
		return a.Is4()
	}
	return a.Is6() || !s.V6Only
}
