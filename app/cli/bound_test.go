package cli

import (
	"net/netip"
	"testing"

	"porthole/monitor"
)

// An address appears once, with the number of its sockets; a socket that is bound to a
// network interface names it.
func TestBoundText(t *testing.T) {
	at := func(address, device string) monitor.HeldSocket {
		return monitor.HeldSocket{Socket: monitor.Socket{Address: netip.MustParseAddr(address), Device: device}}
	}
	for want, sockets := range map[string][]monitor.HeldSocket{
		"127.0.0.1 (loopback)":                          {at("127.0.0.1", "")},
		"0.0.0.0 (network, 3 sockets), :: (network)":    {at("0.0.0.0", ""), at("0.0.0.0", ""), at("0.0.0.0", ""), at("::", "")},
		"0.0.0.0%eth0 (network), 0.0.0.0%lo (loopback)": {at("0.0.0.0", "eth0"), at("0.0.0.0", "lo")},
	} {
		if got := boundText(sockets); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
