package inuse

import (
	"net/netip"
	"os"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"

	"porthole/internal/freeport"
	"porthole/internal/namespaces"
	"porthole/internal/rawsocket"
	"porthole/monitor"
)

// [::]:P leaves 0.0.0.0:P to others only if it is IPv6 only. The kernel decides.
func TestFindBoundIPv6Wildcard(t *testing.T) {
	for _, v6only := range []bool{false, true} {
		_, port, err := tcpSocket(t, netip.IPv6Unspecified(), v6only, uint16(freeport.Get(t)))
		must(t, err)
		uses, err := Find(t.Context(), port)
		must(t, err)
		if len(uses) == 0 && !seesBound(t) {
			t.Skip("this kernel does not report bound sockets (before Linux 6.8)")
		}
		if len(uses) != 1 || uses[0].Kind != Bound || uses[0].V6Only != v6only || uses[0].Local != netip.AddrPortFrom(netip.IPv6Unspecified(), port) {
			t.Errorf("IPv6 only %t: got %+v; want [::] bound, and that", v6only, uses)
			continue
		}
		for _, address := range []netip.Addr{loopback, netip.IPv4Unspecified(), netip.IPv6Loopback(), netip.IPv6Unspecified()} {
			if got, want := uses[0].Blocks(address), !bindable(t, address, port); got != want {
				t.Errorf("IPv6 only %t: blocks %v: %t, want %t as the kernel decides", v6only, address, got, want)
			}
		}
	}
}

// A VXLAN device has a UDP socket of the kernel: no process owns the port.
func TestFindVXLAN(t *testing.T) {
	needNetworkNamespace(t)
	if !namespaces.Inside(t, unix.CLONE_NEWNET) {
		return
	}
	ip(t, "link", "add", "vx0", "type", "vxlan", "id", "7", "dstport", "4789", "local", "127.0.0.1")
	ip(t, "link", "set", "vx0", "up")
	answer := Ask(t.Context(), 4789)
	if answer.State() != FreeForTCP || len(answer.Uses) == 0 {
		t.Fatalf("got %+v; want that UDP uses the port, and TCP does not", answer)
	}
	for _, u := range answer.Uses {
		switch u.OwnerUnknown {
		case monitor.UnknownKernel, monitor.UnknownNoFile, monitor.UnknownOutside: // the last in a PID namespace
		default:
			t.Errorf("got owner %q of %+v; want the kernel", u.OwnerUnknown, u)
		}
		if u.Protocol != monitor.UDP || len(u.Owners) != 0 {
			t.Errorf("got %+v; want a UDP socket of no process", u)
		}
	}
}

// A listener at an address of the network blocks all addresses, but not loopback.
func TestFindListenerOnANetworkAddress(t *testing.T) {
	needNetworkNamespace(t)
	if !namespaces.Inside(t, unix.CLONE_NEWNET) {
		return
	}
	ip(t, "addr", "add", "192.168.7.2/24", "dev", "lo") // some kernels lack dummy devices
	s := rawsocket.Bind(t, unix.SOCK_STREAM, "192.168.7.2", 0).Listen(t)
	answer := Ask(t.Context(), s.Port)
	if len(answer.Uses) != 1 || !answer.ListensElsewhere() || len(answer.Uses[0].Owners) != 1 || answer.Uses[0].Owners[0].PID != os.Getpid() {
		t.Fatalf("got %+v; want one listener of this process, which loopback does not reach", answer)
	}
	for address, want := range map[netip.Addr]bool{netip.IPv4Unspecified(): true, netip.IPv6Unspecified(): true, loopback: false} {
		if got := answer.Uses[0].Blocks(address); got != want || bindable(t, address, s.Port) == want {
			t.Errorf("blocks %v: got %t, want %t, which the kernel confirms: %t", address, got, want, bindable(t, address, s.Port) != want)
		}
	}
}

func needNetworkNamespace(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root to create network devices")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("needs ip(8)")
	}
}

// ip runs ip(8), and skips the test if this kernel lacks what it needs.
func ip(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		t.Skipf("ip %q: %v\n%s", args, err, out)
	}
}
