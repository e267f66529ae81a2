// Package tunnel recognises the programs that carry connections from other machines to
// listeners of this one: cloudflared, ngrok, tailscale, ssh -R, localtunnel, bore and zrok.
// It reads their command lines, the configuration files that these name, and the local APIs
// of those that answer without credentials. Command lines and answers are hostile text: what
// the package returns is clean, and consists of names, addresses and ports only.
package tunnel

import (
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"porthole/monitor"
)

// forward is one connection that a program offers: who can connect, and to what here.
type forward struct {
	target target
	reach  monitor.TunnelReach
	url    string // clean; "" if unknown
	host   string // clean; for monitor.ReachHost
	title  string // instead of that of the program; "" for that
}

// target is the address that a program connects to.
type target struct {
	host string // "localhost", an address or a name, in lower case; "" for localhost
	port uint16
}

// schemePorts are the ports of URLs that name none.
var schemePorts = map[string]uint16{"http": 80, "https": 443, "https+insecure": 443, "ssh": 22, "rdp": 3389}

// parseTarget parses the target of a forward in all the forms that the programs accept:
// "8080", ":8080", "localhost:8080", "[::1]:8080", "http://localhost:8080/path".
func parseTarget(text string) (target, bool) {
	text = monitor.Bound(text)
	if n, err := strconv.ParseUint(text, 10, 16); err == nil {
		return target{port: uint16(n)}, n != 0
	}
	scheme, rest, hasScheme := strings.Cut(text, "://")
	if !hasScheme {
		rest = text
	}
	rest, _, _ = strings.Cut(rest, "/")
	if at := strings.LastIndexByte(rest, '@'); at >= 0 { // a login
		rest = rest[at+1:]
	}
	host, port, err := net.SplitHostPort(rest)
	if err != nil {
		host = strings.Trim(rest, "[]")
		if p, known := schemePorts[strings.ToLower(scheme)]; hasScheme && known && host != "" {
			return target{strings.ToLower(host), p}, true
		}
		return target{}, false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return target{strings.ToLower(host), uint16(n)}, err == nil && n != 0
}

// reaches reports whether a connection to t from this machine arrives at l. foreign means
// that the program has a network of its own, such as that of a container, where localhost is
// another one. own are the addresses of this machine. Names other than localhost and that of
// this machine are not looked up, so they do not match.
func (t target) reaches(l *monitor.Listener, foreign bool, own []netip.Addr) bool {
	if t.port != l.Port || l.Protocol != monitor.TCP {
		return false
	}
	address, err := netip.ParseAddr(t.host)
	switch {
	case err == nil && !address.IsUnspecified():
		address = address.Unmap().WithZone("")
	case err == nil, t.host == "", t.host == "localhost", strings.HasSuffix(t.host, ".localhost"):
		return !foreign && l.AcceptsLoopback()
	default:
		name, err := os.Hostname()
		return err == nil && !foreign && strings.EqualFold(name, t.host)
	}
	if address.IsLoopback() {
		return !foreign && slices.ContainsFunc(l.Sockets, func(s monitor.HeldSocket) bool { return s.AcceptsLoopback() && accepts(s, address) })
	}
	return slices.Contains(own, address) && slices.ContainsFunc(l.Sockets, func(s monitor.HeldSocket) bool { return accepts(s, address) })
}

// accepts reports whether the address of s includes a: it is the same, or a wildcard of its
// family, or [::] that takes IPv4 too.
func accepts(s monitor.HeldSocket, a netip.Addr) bool {
	bound := s.Address.Unmap().WithZone("")
	return bound == a || bound.IsUnspecified() && (bound.Is4() == a.Is4() || bound.Is6() && !s.V6Only)
}

// ownAddresses returns the addresses of this machine; nil if the system does not report them.
func ownAddresses() (own []netip.Addr) {
	all, _ := net.InterfaceAddrs() // nil if they are unknown: then no address matches
	for _, a := range all {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil {
			own = append(own, prefix.Addr().Unmap())
		}
	}
	return own
}

// maxURL limits the length of an address that is shown.
const maxURL = 120

// cleanURL reduces a public URL, from an answer or a command line, to scheme, host and port.
// It returns "" if text is no such URL. schemes without a path, such as tcp, stay.
func cleanURL(text string) string {
	u, err := url.Parse(monitor.Bound(text))
	if err != nil || u.Host == "" || !isHostPort(u.Host) || !slices.Contains([]string{"http", "https", "tcp", "tls"}, u.Scheme) {
		return ""
	}
	return monitor.Clean(u.Scheme+"://"+u.Host, maxURL)
}

// isHostPort reports whether text consists of what host names, addresses and ports have.
func isHostPort(text string) bool {
	return text != "" && strings.IndexFunc(text, func(c rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:[]", c)
	}) < 0
}

// cleanHost reduces the name of a machine to what such names consist of; "" if it has more.
func cleanHost(text string) string {
	text = strings.TrimSuffix(strings.ToLower(monitor.Bound(text)), ".")
	if !isHostPort(text) {
		return ""
	}
	return monitor.Clean(text, maxURL)
}

// isUnder reports whether host is one of domains or a name in one.
func isUnder(host string, domains []string) bool {
	return slices.ContainsFunc(domains, func(d string) bool { return host == d || strings.HasSuffix(host, "."+d) })
}
