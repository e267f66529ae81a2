package ui

import (
	"fmt"
	"net/netip"

	"porthole/monitor"
)

// families reports which of 127.0.0.1 and [::1] lead to l.
func families(l *monitor.Listener) (v4, v6 bool) {
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

// addressOf is where a client on this machine reaches l: "127.0.0.1:62893".
func addressOf(l *monitor.Listener) string {
	a := l.Addresses[0].Unmap()
	for _, x := range l.Addresses {
		if monitor.AcceptsLoopback(x) {
			a = x.Unmap()
			break
		}
	}
	switch {
	case a.IsUnspecified() && a.Is4():
		return fmt.Sprintf("127.0.0.1:%d", l.Port)
	case a.IsUnspecified():
		return fmt.Sprintf("[::1]:%d", l.Port)
	case a.Is6():
		return fmt.Sprintf("[%s]:%d", a, l.Port)
	}
	return fmt.Sprintf("%s:%d", a, l.Port)
}
