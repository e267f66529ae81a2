package words

import (
	"fmt"
	"strconv"

	"porthole/monitor"
	"porthole/monitor/explain"

	"fyne.io/fyne/v2/lang"
)

// ClientAddress returns the address at which a client on this machine reaches l:
// "127.0.0.1:62893".
func ClientAddress(l *monitor.Listener) string {
	a := l.Addresses[0].Unmap()
	for _, x := range l.Addresses {
		if monitor.AcceptsLoopback(x) {
			a = x.Unmap()
			break
		}
	}
	switch {
	case a.IsUnspecified() && a.Is4():
		return fmt.Sprintf("127.0.0.1:%d", l.Port)
	case a.IsUnspecified():
		return fmt.Sprintf("[::1]:%d", l.Port)
	case a.Is6():
		return fmt.Sprintf("[%s]:%d", a, l.Port)
	}
	return fmt.Sprintf("%s:%d", a, l.Port)
}

// AddressPort returns the address and port of a socket: "127.0.0.1:3000", "[::1]:3000".
func AddressPort(s monitor.HeldSocket, port uint16) string {
	if s.Address.Is4() {
		return fmt.Sprintf("%s:%d", s.Address, port)
	}
	return fmt.Sprintf("[%s]:%d", s.Address, port)
}

// SocketExposure describes the exposure of a socket.
func SocketExposure(s monitor.HeldSocket) string {
	if s.Exposure() == monitor.ExposureLoopback {
		return lang.L("local only")
	}
	return lang.L("network")
}

// PortRange names the range of port (RFC 6335, section 6).
func PortRange(port uint16) string {
	switch explain.PortRangeOf(port) {
	case explain.WellKnown:
		return lang.L("well-known (0–1023)")
	case explain.Registered:
		return lang.L("registered (1024–49151)")
	}
	return lang.L("dynamic (49152–65535)")
}

// Port returns the port of l, followed by "UDP" for a UDP socket.
func Port(p monitor.Protocol, port uint16) string {
	if p == monitor.UDP {
		return strconv.Itoa(int(port)) + " UDP"
	}
	return strconv.Itoa(int(port))
}
