package freeports

import (
	"errors"
	"fmt"
	"net"
	"runtime"
	"slices"
	"sync"
	"testing"

	"porthole/internal/freeport"
	"porthole/monitor"
)

func at(port int) monitor.Ports {
	return monitor.Ports{{First: uint16(port), Last: uint16(port)}}
}

func listen(t *testing.T, network, address string) net.Listener {
	t.Helper()
	ln, err := net.Listen(network, address)
	if err != nil {
		t.Skipf("can't listen on %s: %v", address, err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	return ln
}

// A port is taken if a server has it at any address of any family.
func TestCheckSeesEveryAddress(t *testing.T) {
	for _, test := range []struct{ network, address string }{
		{"tcp4", "127.0.0.1"}, {"tcp4", "0.0.0.0"}, {"tcp6", "[::1]"}, {"tcp6", "[::]"}, {"tcp", "[::]"},
	} {
		port := freeport.Get(t)
		if err := Check(uint16(port)); err != nil {
			t.Errorf("free port: got %v", err)
		}
		ln := listen(t, test.network, fmt.Sprintf("%s:%d", test.address, port))
		if err := Check(uint16(port)); !errors.Is(err, ErrTaken) {
			t.Errorf("%s %s: got %v, want ErrTaken", test.network, test.address, err)
		}
		_ = ln.Close()
		if err := Check(uint16(port)); err != nil {
			t.Errorf("%s %s, closed: got %v", test.network, test.address, err)
		}
	}
}

func TestFindLeavesOut(t *testing.T) {
	port := uint16(freeport.Get(t))
	s := Search{Ports: monitor.Ports{{First: port, Last: 65535}}, Count: 2, LeaveOut: func(p uint16) bool { return p == port }}
	found, err := s.Find(t.Context())
	if err != nil || len(found) != 2 || slices.Contains(found, port) || found[0] >= found[1] {
		t.Errorf("got %v, %v; want two ports above %d", found, err, port)
	}
}

// A server that sets SO_REUSEADDR, as Go's do, can bind a reserved port; another
// reservation can't.
func TestReserve(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no reservations")
	}
	for _, address := range []string{":", "127.0.0.1:", "0.0.0.0:", "[::1]:"} {
		port := freeport.Get(t)
		r, err := Reserve(uint16(port))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Reserve(uint16(port)); !errors.Is(err, ErrTaken) {
			t.Errorf("a second reservation: got %v, want ErrTaken", err)
		}
		ln := listen(t, "tcp", fmt.Sprintf("%s%d", address, port))
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Errorf("%s: %v", address, err)
		} else {
			_ = c.Close()
		}
		_ = ln.Close()
		_ = r.Close()
	}
}

// Of many that reserve at the same time, each gets ports of its own.
func TestReserveAtTheSameTime(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no reservations")
	}
	from := uint16(freeport.Get(t))
	var mu sync.Mutex
	var all []*Reservation
	var work sync.WaitGroup
	for range 10 {
		work.Go(func() {
			found, err := Search{Ports: monitor.Ports{{First: from, Last: 65535}}, Count: 3}.Reserve(t.Context())
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, found...)
		})
	}
	work.Wait()
	defer CloseAll(all)
	ports := map[uint16]bool{}
	for _, r := range all {
		ports[r.Port] = true
	}
	if len(ports) != 30 {
		t.Errorf("got %d different ports, want 30", len(ports))
	}
}

func TestFindNothing(t *testing.T) {
	ln := listen(t, "tcp", "127.0.0.1:0")
	found, err := Search{Ports: at(ln.Addr().(*net.TCPAddr).Port), Count: 1}.Find(t.Context())
	if err != nil || len(found) > 0 {
		t.Errorf("got %v, %v; want none", found, err)
	}
}
