package socket

import (
	"net"
	"os"
	"reflect"
	"strings"
	"testing"

	"porthole/monitor"
)

// The kernel shows which ports it chooses by choosing some.
func TestEphemeralPorts(t *testing.T) {
	ephemeral, reserved := EphemeralPorts()
	if ephemeral == nil {
		t.Skip("/proc/sys cannot be read here")
	}
	b, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := ephemeral.String(), strings.Join(strings.Fields(string(b)), "-"); got != want {
		t.Errorf("ephemeral ports = %s, want %s", got, want)
	}
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		for range 50 {
			ln, err := net.Listen("tcp", address)
			if err != nil {
				t.Logf("without %s: %v", address, err)
				break
			}
			port := uint16(ln.Addr().(*net.TCPAddr).Port)
			if err := ln.Close(); err != nil {
				t.Fatal(err)
			}
			if !ephemeral.Contains(port) || reserved.Contains(port) {
				t.Fatalf("the kernel chose %d for %s; want one of %s, but not of %q", port, address, ephemeral, reserved)
			}
		}
	}
}

func TestParsePortRange(t *testing.T) {
	for text, want := range map[string]monitor.Ports{
		"32768\t60999\n": {{First: 32768, Last: 60999}},
		"1 1":            {{First: 1, Last: 1}},
		"":               nil, "32768": nil, "0 60999": nil, "a b": nil, "60999 32768": nil, "1 2 3": nil,
	} {
		if got := parsePortRange(text); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}
