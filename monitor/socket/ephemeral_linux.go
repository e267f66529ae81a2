package socket

import (
	"os"
	"strings"

	"porthole/monitor"
)

// EphemeralPorts returns the ports that this system gives to programs that ask for any,
// TCP and UDP, IPv4 and IPv6, and out of them those that it spares
// (ip_local_port_range and ip_local_reserved_ports in ip(7)). nil is not known, or none. It is of
// this network namespace.
func EphemeralPorts() (given, spared monitor.Ports) {
	b, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		return nil, nil // hidden in a container, say
	}
	if given = parsePortRange(string(b)); given == nil {
		return nil, nil
	}
	b, _ = os.ReadFile("/proc/sys/net/ipv4/ip_local_reserved_ports") // without it none is known to be spared
	spared, _ = monitor.ParsePorts(strings.TrimSpace(string(b)))     // nil where there are none
	return given, spared
}

// parsePortRange reads "32768\t60999\n", nil where that is something else.
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
