package warning

import (
	"net/netip"
	"slices"

	"porthole/monitor"
)

// LoopbackFamilies reports whether 127.0.0.1 and [::1] lead to l.
func LoopbackFamilies(l *monitor.Listener) (v4, v6 bool) {
	for _, s := range l.Sockets {
		switch a := s.Address.Unmap(); {
		case a.Is4():
			v4 = v4 || a == netip.AddrFrom4([4]byte{127, 0, 0, 1}) || a.IsUnspecified()
		case a.IsUnspecified():
			v4, v6 = v4 || !s.V6Only, true
		default:
			v6 = v6 || a == netip.IPv6Loopback()
		}
	}
	return v4, v6
}

// SamePort returns the listeners of all that have the port and protocol of l. In all
// they stand together.
func SamePort(all []*monitor.Listener, l *monitor.Listener) []*monitor.Listener {
	same := func(o *monitor.Listener) bool { return o.Port == l.Port && o.Protocol == l.Protocol }
	first := slices.IndexFunc(all, same)
	if first < 0 {
		return nil
	}
	end := first
	for end < len(all) && same(all[end]) {
		end++
	}
	return all[first:end]
}

// Ambiguous reports whether "localhost" may lead to l or to another listener on its
// port.
func Ambiguous(l *monitor.Listener, all []*monitor.Listener) bool {
	if len(all) == 1 {
		return false
	}
	v4, v6 := LoopbackFamilies(l)
	for _, o := range all {
		if o4, o6 := LoopbackFamilies(o); o != l && (v4 && o6 || v6 && o4) {
			return true
		}
	}
	return false
}
