package socket

import (
	"os"
	"strings"

	"porthole/monitor"
)

// EphemeralPorts returns the ephemeral port range of this network namespace, for
// TCP and UDP over IPv4 and IPv6, and the reserved ports excluded from it
// (ip_local_port_range and ip_local_reserved_ports in ip(7)). nil means unknown,
// or none.
func EphemeralPorts() (ephemeral, reserved monitor.Ports) {
	b, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		return nil, nil // not readable in some containers
	}
	if ephemeral = parsePortRange(string(b)); ephemeral == nil {
		return nil, nil
	}
	b, _ = os.ReadFile("/proc/sys/net/ipv4/ip_local_reserved_ports") // if it cannot be read, no reserved ports are known
	reserved, _ = monitor.ParsePorts(strings.TrimSpace(string(b)))   // nil if there are none
	return ephemeral, reserved
}

// parsePortRange parses "32768\t60999\n". It returns nil for anything else.
func parsePortRange(text string) monitor.Ports {
	fields := strings.Fields(text)
	if len(fields) != 2 {
		return nil
	}
	ports, err := monitor.ParsePorts(fields[0] + "-" + fields[1])
	if err != nil {
		return nil
	}
	return ports
}
