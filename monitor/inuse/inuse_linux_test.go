package inuse

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"porthole/internal/freeport"
	"porthole/internal/rawsocket"
	"porthole/monitor"
)

// tcpSocket opens a TCP socket that is bound to address and a port, 0 for any free
// one. It does not set SO_REUSEADDR, unlike package net.
func tcpSocket(t *testing.T, address netip.Addr, v6only bool, port uint16) (fd int, _ uint16, _ error) {
	t.Helper()
	var options []func(int) error
	if !address.Is4() {
		options = append(options, rawsocket.V6Only(v6only))
	}
	s, err := rawsocket.TryBind(t, unix.SOCK_STREAM, address, port, options...)
	return s.FD, s.Port, err
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var loopback = netip.MustParseAddr("127.0.0.1")

// bindable asks the kernel itself.
func bindable(t *testing.T, address netip.Addr, port uint16) bool {
	t.Helper()
	fd, _, err := tcpSocket(t, address, false, port)
	unix.Close(fd)
	if err != nil && !errors.Is(err, unix.EADDRINUSE) {
		t.Fatalf("bind %v: %v", address, err)
	}
	return err == nil
}

// connect returns the descriptors of both ends of a connection to a listener.
func connect(t *testing.T, listener int, port uint16) (client, server int) {
	t.Helper()
	client, _, err := tcpSocket(t, loopback, false, 0)
	must(t, err)
	must(t, unix.Connect(client, rawsocket.Sockaddr(loopback, port)))
	server, _, err = unix.Accept4(listener, unix.SOCK_CLOEXEC)
	must(t, err)
	t.Cleanup(func() { unix.Close(server) })
	return client, server
}

func listen(t *testing.T) (fd int, port uint16) {
	t.Helper()
	fd, port, err := tcpSocket(t, loopback, false, 0)
	must(t, err)
	must(t, unix.Listen(fd, 8))
	return fd, port
}

// The ways to take a port without listening on it, from public bug reports. The
// kernel refuses a bind in each.
func TestFindReportsWhyAPortCannotBeBound(t *testing.T) {
	type want struct {
		kind  Kind
		state string
		owned bool
	}
	for _, c := range []struct {
		name string
		take func(t *testing.T) (port uint16)
		want want
	}{
		{"bound and not listening", func(t *testing.T) uint16 {
			_, port, err := tcpSocket(t, loopback, false, 0)
			must(t, err)
			return port
		}, want{Bound, "", true}},
		{"a wildcard bound and not listening", func(t *testing.T) uint16 {
			_, port, err := tcpSocket(t, netip.IPv6Unspecified(), false, 0)
			must(t, err)
			return port
		}, want{Bound, "", true}},
		{"a listener after shutdown", func(t *testing.T) uint16 {
			// The kernel keeps the port only of a socket that asked for it by number.
			other, port, err := tcpSocket(t, loopback, false, 0)
			must(t, err)
			must(t, unix.Close(other))
			fd, _, err := tcpSocket(t, loopback, false, port)
			must(t, err)
			must(t, unix.Listen(fd, 1))
			must(t, unix.Shutdown(fd, unix.SHUT_RD))
			return port
		}, want{Bound, "", true}},
		{"the local end of a client's connection", func(t *testing.T) uint16 {
			fd, port := listen(t)
			client, _ := connect(t, fd, port)
			return rawsocket.LocalPort(t, client)
		}, want{Connected, "ESTABLISHED", true}},
		{"an accepted connection that outlives its listener", func(t *testing.T) uint16 {
			fd, port := listen(t)
			connect(t, fd, port)
			must(t, unix.Close(fd))
			return port
		}, want{Connected, "ESTABLISHED", true}},
		{"a connection that the server closed and the client did not", func(t *testing.T) uint16 {
			fd, port := listen(t)
			_, server := connect(t, fd, port)
			must(t, unix.Close(server))
			must(t, unix.Close(fd))
			return port
		}, want{Connected, "FIN_WAIT2", false}},
		{"TIME_WAIT after the server closed first", func(t *testing.T) uint16 {
			fd, port := listen(t)
			client, server := connect(t, fd, port)
			must(t, unix.Close(server))
			must(t, unix.Close(client))
			must(t, unix.Close(fd))
			return port
		}, want{TimeWait, "TIME_WAIT", false}},
	} {
		t.Run(c.name, func(t *testing.T) {
			port := c.take(t)
			if bindable(t, loopback, port) {
				t.Fatal("the kernel lets another socket bind the port; the test proves nothing")
			}
			uses, err := Find(t.Context(), port)
			for err == nil && len(uses) > 0 && uses[0].State == "FIN_WAIT1" { // until the client acknowledges, at most 40 ms
				uses, err = Find(t.Context(), port)
			}
			must(t, err)
			if len(uses) == 0 && c.want.kind == Bound && !seesBound(t) {
				t.Skip("this kernel does not report bound sockets (before Linux 6.8)")
			}
			if len(uses) == 0 {
				t.Fatal("got no use; want one")
			}
			u := uses[0]
			if u.Kind != c.want.kind || u.State != c.want.state || u.Protocol != monitor.TCP || !u.Blocks(loopback) {
				t.Errorf("got %+v; want %+v that blocks 127.0.0.1", u, c.want)
			}
			if owned := len(u.Owners) == 1 && u.Owners[0].PID == os.Getpid(); owned != c.want.owned {
				t.Errorf("got owners %v (%s); want this process: %v", u.Owners, u.OwnerUnknown, c.want.owned)
			}
			if u.Kind == TimeWait && (u.Expires <= 0 || u.Expires > 61*time.Second) {
				t.Errorf("got TIME_WAIT for %v; want at most a minute", u.Expires)
			}
		})
	}
}

// seesBound reports whether the kernel reports TCP_BOUND_INACTIVE.
func seesBound(t *testing.T) bool {
	_, port, err := tcpSocket(t, loopback, false, 0)
	must(t, err)
	uses, err := Find(t.Context(), port)
	must(t, err)
	return len(uses) > 0
}

// For each pair of addresses, the test asks the kernel whether the second can
// be bound in addition to the first.
func TestBlocksAgreesWithTheKernel(t *testing.T) {
	addresses := []struct {
		netip.Addr
		v6only bool
	}{
		{netip.MustParseAddr("127.0.0.1"), false}, {netip.MustParseAddr("127.0.0.2"), false}, {netip.IPv4Unspecified(), false},
		{netip.IPv6Loopback(), false}, {netip.IPv6Unspecified(), false}, {netip.IPv6Unspecified(), true}, {netip.MustParseAddr("::ffff:127.0.0.1"), false},
	}
	for _, has := range addresses {
		for _, wants := range addresses {
			if wants.v6only {
				continue // Blocks asks for a wildcard as programs open it: for both families
			}
			t.Run(fmt.Sprintf("%v v6only %v, then %v", has.Addr, has.v6only, wants.Addr), func(t *testing.T) {
				_, port, err := tcpSocket(t, has.Addr, has.v6only, uint16(freeport.Get(t)))
				must(t, err)
				u := Use{Kind: Bound, Protocol: monitor.TCP, Local: netip.AddrPortFrom(has.Addr, port), V6Only: has.v6only}
				if got, want := u.Blocks(wants.Addr), !bindable(t, wants.Addr, port); got != want {
					t.Errorf("got %v, want %v as the kernel decides", got, want)
				}
			})
		}
	}
}

func TestFindUDP(t *testing.T) {
	server, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(t, err)
	defer server.Close()
	client, err := net.DialUDP("udp4", nil, server.LocalAddr().(*net.UDPAddr))
	must(t, err)
	defer client.Close()
	for _, c := range []struct {
		conn *net.UDPConn
		want Kind
	}{{server, Listening}, {client, Connected}} {
		local := c.conn.LocalAddr().(*net.UDPAddr).AddrPort()
		uses, err := Find(t.Context(), local.Port())
		must(t, err)
		uses = onlyUDP(uses) // another process may have the same TCP port
		if len(uses) != 1 || uses[0].Kind != c.want || uses[0].Local != local {
			t.Errorf("%v: got %+v; want one UDP socket that is %s", local, uses, c.want)
		}
	}
}

func onlyUDP(uses []Use) (udp []Use) {
	for _, u := range uses {
		if u.Protocol == monitor.UDP {
			udp = append(udp, u)
		}
	}
	return udp
}

func TestFindNamesTheDevice(t *testing.T) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	must(t, err)
	defer unix.Close(fd)
	if err := unix.BindToDevice(fd, "lo"); err != nil {
		t.Skipf("SO_BINDTODEVICE: %v", err)
	}
	must(t, unix.Bind(fd, rawsocket.Sockaddr(netip.IPv4Unspecified(), 0)))
	must(t, unix.Listen(fd, 1))
	uses, err := Find(t.Context(), rawsocket.LocalPort(t, fd))
	must(t, err)
	if len(uses) == 0 || uses[0].Device != "lo" || uses[0].Kind != Listening {
		t.Errorf("got %+v; want a listener on device lo", uses)
	}
}

func TestFindFreePort(t *testing.T) {
	fd, port, err := tcpSocket(t, loopback, false, 0)
	must(t, err)
	must(t, unix.Close(fd))
	uses, err := Find(t.Context(), port)
	if err != nil || len(uses) > len(onlyUDP(uses)) {
		t.Errorf("got %+v, %v; want no TCP socket", uses, err)
	}
}
