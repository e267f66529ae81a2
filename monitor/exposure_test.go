package monitor

import (
	"net/netip"
	"testing"
)

func TestExposureOf(t *testing.T) {
	for _, test := range []struct {
		address  string
		exposure Exposure
		loopback bool
	}{
		{"127.0.0.1", ExposureLoopback, true},
		{"127.0.0.2", ExposureLoopback, true},
		{"127.255.255.254", ExposureLoopback, true},
		{"::1", ExposureLoopback, true},
		{"::ffff:127.0.0.1", ExposureLoopback, true},
		{"0.0.0.0", ExposureNetwork, true},
		{"::", ExposureNetwork, true},
		{"::ffff:0.0.0.0", ExposureNetwork, true},
		{"192.168.1.5", ExposureNetwork, false},
		{"::ffff:192.168.1.5", ExposureNetwork, false},
		{"128.0.0.1", ExposureNetwork, false},
		{"fe80::1%eth0", ExposureNetwork, false},
		{"2001:db8::1", ExposureNetwork, false},
	} {
		a := netip.MustParseAddr(test.address)
		if got := ExposureOf(a); got != test.exposure {
			t.Errorf("ExposureOf(%s) = %s, want %s", a, got, test.exposure)
		}
		if got := AcceptsLoopback(a); got != test.loopback {
			t.Errorf("AcceptsLoopback(%s) = %t, want %t", a, got, test.loopback)
		}
	}
}

func TestListenerAcceptsLoopback(t *testing.T) {
	for want, addresses := range map[bool][]string{true: {"192.168.1.5", "127.0.0.1"}, false: {"192.168.1.5", "fe80::1"}} {
		var l Listener
		for _, a := range addresses {
			l.Addresses = append(l.Addresses, netip.MustParseAddr(a))
		}
		if got := l.AcceptsLoopback(); got != want {
			t.Errorf("AcceptsLoopback of %v = %t, want %t", addresses, got, want)
		}
	}
}
