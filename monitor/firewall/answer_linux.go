package firewall

import (
	"math"
	"net/netip"
	"slices"

	"go4.org/netipx"

	"porthole/monitor"
)

// path is one way to a listener: through an interface, to one of its addresses.
type path struct {
	network string
	full    bool          // every sender gets through
	open    *netipx.IPSet // the senders that certainly get through
	why     []string      // the unknown conditions for others
	other   bool          // connections of some senders go elsewhere
}

// impossible are senders that are not other machines: this machine and addresses that
// no machine has (RFC 6890).
func (m machine) impossible() *netipx.IPSet {
	var b netipx.IPSetBuilder
	for _, p := range []string{"0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3", "::/127", "::ffff:0:0/96", "ff00::/8"} {
		b.AddPrefix(netip.MustParsePrefix(p))
	}
	for _, n := range m.networks {
		b.Add(n.address.WithZone(""))
	}
	return setOf(&b)
}

// answer returns whether the rules let other machines connect to l.
func (r *ruleset) answer(l *monitor.Listener, m machine) monitor.Firewall {
	steps := maxSteps
	none := m.impossible()
	var paths []path
	for _, c := range m.connections(l) {
		paths = append(paths, newPath(r.pass(c, m, &steps), c, none, l.Container != nil && l.Container.Published))
	}
	switch {
	case steps < 0:
		return by(monitor.UnknownFirewall(monitor.FirewallTooLarge))
	case len(paths) == 0:
		return monitor.UnknownFirewall(monitor.FirewallNoNetwork)
	}
	f := by(combine(nftables, paths, none))
	if f.State == monitor.FirewallBlocked && r.divertsTo(l.Port, m) {
		return by(monitor.UnknownFirewall(monitor.FirewallRedirectsTo))
	}
	return f
}

func by(f monitor.Firewall) monitor.Firewall {
	f.By = nftables
	return f
}

// connections returns a connection to l through each interface.
func (m machine) connections(l *monitor.Listener) (out []connection) {
	for _, n := range m.networks {
		for _, s := range l.Sockets {
			if reaches(n, s.Socket) {
				out = append(out, connection{protocol: l.Protocol, in: n, to: netip.AddrPortFrom(n.address, l.Port)})
				break
			}
		}
	}
	if len(out) > 0 {
		return out
	}
	for _, s := range l.Sockets { // the address of an interface that is down, or of none
		if a := s.Address.Unmap().WithZone(""); s.Exposure() == monitor.ExposureNetwork && !a.IsUnspecified() {
			for _, n := range m.networks {
				if n.address.Is4() == a.Is4() {
					out = append(out, connection{protocol: l.Protocol, in: n, to: netip.AddrPortFrom(a, l.Port)})
				}
			}
		}
	}
	return out
}

// reaches reports whether a connection to the address of n reaches s.
func reaches(n network, s monitor.Socket) bool {
	if s.Exposure() != monitor.ExposureNetwork || s.Device != "" && s.Device != n.name {
		return false
	}
	switch a := s.Address.Unmap().WithZone(""); {
	case !a.IsUnspecified():
		return a == n.address
	case a.Is4():
		return n.address.Is4()
	}
	return n.address.Is6() || !s.V6Only
}

// newPath judges the outcome of one way. published means that the listener is the
// proxy of a container, to which the connections may be forwarded instead.
func newPath(o outcome, c connection, none *netipx.IPSet, published bool) path {
	p := path{network: c.in.name}
	reached, elsewhere := o.accepted, o.elsewhere
	if published {
		reached = reached.add(o.forwarded)
	} else {
		elsewhere = elsewhere.add(o.forwarded)
	}
	real := func(s *netipx.IPSet) *netipx.IPSet { return subtract(s, none) }
	p.open = subtract(subtract(reached.from, o.dropped.from), elsewhere.from)
	if real(intersect(reached.from, o.dropped.from)) != nil {
		p.why = common(reached.doubts, o.dropped.doubts)
	}
	p.other = real(elsewhere.from) != nil
	everyone := netip.IPv4Unspecified()
	if c.to.Addr().Is6() {
		everyone = netip.IPv6Unspecified()
	}
	p.full = real(subtract(ofPrefix(netip.PrefixFrom(everyone, 0)), p.open)) == nil
	switch {
	case p.full:
		p.open = ofPrefix(netip.PrefixFrom(everyone, 0))
	case real(p.open) == nil:
		p.open = nil
	}
	return p
}

// common returns the conditions in both a and b; those of a if there are none.
func common(a, b []string) []string {
	var both []string
	for _, s := range a {
		if slices.Contains(b, s) {
			both = append(both, s)
		}
	}
	if len(both) == 0 {
		return append(slices.Clone(a), b...)
	}
	return both
}

// combine returns the answer for all ways together. source is nftables or firewalld.
func combine(source string, paths []path, none *netipx.IPSet) monitor.Firewall {
	full, some := 0, 0
	for _, p := range paths {
		if p.full {
			full++
		}
		if p.open != nil {
			some++
		}
	}
	if full == len(paths) {
		return monitor.Firewall{State: monitor.FirewallAllowed}
	}
	if full == 0 { // what is certain is not worth much beside what is not
		for _, p := range paths {
			if len(p.why) > 0 {
				return monitor.UnknownCondition(source, p.why[0])
			}
		}
		if slices.ContainsFunc(paths, func(p path) bool { return p.other }) {
			return monitor.UnknownFirewall(monitor.FirewallRedirected)
		}
	}
	if some == 0 {
		return monitor.Firewall{State: monitor.FirewallBlocked}
	}
	open := slices.DeleteFunc(slices.Clone(paths), func(p path) bool { return p.open == nil })
	except, most := mostly(open, none)
	if most && some == len(paths) {
		return monitor.Firewall{State: monitor.FirewallAllowed, Except: except}
	}
	f := monitor.Firewall{State: monitor.FirewallLimited, Interfaces: openNetworks(paths)}
	if most && f.Interfaces != nil {
		f.Except = except
		return f
	}
	var senders *netipx.IPSet
	for _, p := range open {
		senders = union(senders, p.open)
	}
	f.Sources = prefixes(senders, none)
	return f
}

// openNetworks returns the interfaces through which some senders get through, if there
// are others; nil if all are.
func openNetworks(paths []path) []string {
	var open, closed []string
	for _, p := range paths {
		if p.open != nil && !slices.Contains(open, p.network) {
			open = append(open, p.network)
		}
	}
	for _, p := range paths {
		if !slices.Contains(open, p.network) {
			closed = append(closed, p.network)
		}
	}
	if closed == nil {
		return nil
	}
	return open
}

// mostly reports whether most senders get through on every one of paths, and which do not.
func mostly(paths []path, none *netipx.IPSet) (except []string, _ bool) {
	var closed *netipx.IPSet
	for _, p := range paths {
		if len(p.why) > 0 || p.other {
			return nil, false
		}
		if p.full {
			continue
		}
		everyone := netip.PrefixFrom(netip.IPv4Unspecified(), 0)
		if p.open.Ranges()[0].From().Is6() {
			everyone = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
		}
		if share(p.open, everyone) < 0.5 {
			return nil, false
		}
		closed = union(closed, subtract(ofPrefix(everyone), p.open))
	}
	return prefixes(closed, none), true
}

// share returns the part of the addresses of a prefix that s has.
func share(s *netipx.IPSet, of netip.Prefix) (sum float64) {
	for _, p := range s.Prefixes() {
		sum += math.Exp2(-float64(p.Bits() - of.Bits()))
	}
	return sum
}

// maxPrefixes limits the addresses of an answer.
const maxPrefixes = 64

// prefixes returns s as prefixes, without those that no other machine has.
func prefixes(s, none *netipx.IPSet) (out []string) {
	if s == nil {
		return nil
	}
	for _, p := range s.Prefixes() {
		if subtract(ofPrefix(p), none) != nil && len(out) < maxPrefixes {
			out = append(out, p.String())
		}
	}
	return out
}

// divertsTo reports whether a rule may send connections to another port of this machine
// to port.
func (r *ruleset) divertsTo(port uint16, m machine) bool {
	for _, c := range r.chains {
		for _, one := range c.rules {
			var regs registers
			for _, s := range one {
				switch s := s.(type) {
				case immediate:
					regs.put(s.to, s.data)
				case divert:
					if s.mayGoTo(&regs, port, m) {
						return true
					}
				}
			}
		}
	}
	return false
}

// mayGoTo reports whether s may send connections to a port of this machine.
func (s divert) mayGoTo(regs *registers, port uint16, m machine) bool {
	address := s.fixedAddress
	for _, size := range []int{4, 16} { // of an address
		if data, ok := known(regs.span(s.address, size)); ok && !address.IsValid() {
			address, _ = netip.AddrFromSlice(data)
		}
	}
	if address.IsValid() && !m.isLocal(address) {
		return false
	}
	if s.fixedPort != 0 {
		return s.fixedPort == port
	}
	if s.port < 0 {
		return false // to the same port
	}
	data, ok := known(regs.span(s.port, 2))
	return !ok || uint16(data[0])<<8|uint16(data[1]) == port
}
