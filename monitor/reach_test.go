package monitor

import (
	"net/netip"
	"testing"
)

func TestReachAndLoopback(t *testing.T) {
	for _, test := range []struct {
		address  string
		reach    Reach
		loopback bool
	}{
		{"127.0.0.1", ThisMachine, true},
		{"127.0.0.2", ThisMachine, true},
		{"127.255.255.254", ThisMachine, true},
		{"::1", ThisMachine, true},
		{"::ffff:127.0.0.1", ThisMachine, true},
		{"0.0.0.0", TheNetwork, true},
		{"::", TheNetwork, true},
		{"::ffff:0.0.0.0", TheNetwork, true},
		{"192.168.1.5", TheNetwork, false},
		{"::ffff:192.168.1.5", TheNetwork, false},
		{"128.0.0.1", TheNetwork, false},
		{"fe80::1%eth0", TheNetwork, false},
		{"2001:db8::1", TheNetwork, false},
	} {
		a := netip.MustParseAddr(test.address)
		if got := AddressReach(a); got != test.reach {
			t.Errorf("AddressReach(%s) = %s, want %s", a, got, test.reach)
		}
		if got := Loopback(a); got != test.loopback {
			t.Errorf("Loopback(%s) = %t, want %t", a, got, test.loopback)
		}
	}
}

func TestListenerIsLoopbackByAnyOfItsAddresses(t *testing.T) {
	for want, addresses := range map[bool][]string{true: {"192.168.1.5", "127.0.0.1"}, false: {"192.168.1.5", "fe80::1"}} {
		var l Listener
		for _, a := range addresses {
			l.Addresses = append(l.Addresses, netip.MustParseAddr(a))
		}
		if got := l.Loopback(); got != want {
			t.Errorf("Loopback of %v = %t, want %t", addresses, got, want)
		}
	}
}
