package integration

import (
	"fmt"
	"net"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"porthole/internal/rawsocket"
	"porthole/monitor"
)

// A socket that is bound to a network interface (SO_BINDTODEVICE) accepts only what
// arrives there: nothing through loopback, or, bound to lo, nothing from the network.
func TestSocketBoundToADevice(t *testing.T) {
	devices := map[string]monitor.Exposure{"lo": monitor.ExposureLoopback}
	interfaces, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range interfaces {
		if i.Flags&net.FlagLoopback == 0 {
			devices[i.Name] = monitor.ExposureNetwork
			break
		}
	}
	if len(devices) == 1 {
		t.Log("this machine has no interface besides lo")
	}
	for name, want := range devices {
		t.Run(string(want), func(t *testing.T) {
			r := rawsocket.Bind(t, unix.SOCK_STREAM, "0.0.0.0", 0, func(fd int) error { return unix.BindToDevice(fd, name) }).Listen(t)
			l := wantListener(t, int(r.Port), fmt.Sprintf("tcp [0.0.0.0] %s, 1 sockets of [%d]", want, os.Getpid()))
			if got := l.Sockets[0]; got.Device != name || got.Endpoint() != "0.0.0.0%"+name {
				t.Errorf("got device %q and address %s, want %s", got.Device, got.Endpoint(), name)
			}
			_, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", r.Port))
			if got := l.AcceptsLoopback(); got != (err == nil) || got != (name == "lo") {
				t.Errorf("accepts loopback is %t; a connection through loopback: %v", got, err)
			}
		})
	}
}
