package explain

import (
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"porthole/monitor"
)

// Target is what is to be explained: an address, a port, or both.
type Target struct {
	Address   netip.Addr // zero where none was named
	Localhost bool       // the name stands for the address, which is zero then
	Port      uint16     // 0 where none was named
}

// Parse reads an address with a port, one of both, or a URL: "127.0.0.1:62893",
// "[::1]:80", "localhost:3000", ":::3000" as netstat writes it, "62893", "::1". Names other than
// localhost are not looked up. An error is one sentence for the user.
func Parse(text string) (Target, error) {
	text = strings.ToLower(strings.TrimSpace(text))
	if strings.Contains(text, "://") {
		return parseURL(text)
	}
	if a, err := netip.ParseAddr(text); err == nil {
		if other, err := parseHostPort(text); err == nil {
			return Target{}, fmt.Errorf("%q may be an address, or one with a port: write [%s] or %s", monitor.Clean(text, 60), a, other)
		}
		return newTarget(text, text, 0)
	}
	if host, ok := trimBrackets(text); ok {
		return newTarget(host, text, 0)
	}
	if strings.Contains(text, ":") {
		return parseHostPort(text)
	}
	if isLocalhost(text) {
		return Target{Localhost: true}, nil
	}
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return Target{}, parseError(text)
	}
	port, err := parsePort(text)
	return Target{Port: port}, err
}

// parseHostPort reads what has a port behind its last colon.
func parseHostPort(text string) (Target, error) {
	at := strings.LastIndexByte(text, ':')
	port, err := parsePort(text[at+1:])
	if err != nil {
		return Target{}, err
	}
	host := text[:at]
	if inner, ok := trimBrackets(host); ok {
		host = inner
	}
	if host == "" {
		return Target{Port: port}, nil
	}
	return newTarget(host, text, port)
}

// trimBrackets returns what is in the brackets around an IPv6 address.
func trimBrackets(text string) (string, bool) {
	if len(text) < 3 || text[0] != '[' || text[len(text)-1] != ']' {
		return "", false
	}
	return text[1 : len(text)-1], true
}

// parseURL reads a URL, whose scheme may stand for the port.
func parseURL(text string) (Target, error) {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" {
		return Target{}, parseError(text)
	}
	number := u.Port()
	if number == "" {
		number = map[string]string{"http": "80", "https": "443", "ws": "80", "wss": "443"}[u.Scheme]
	}
	if number == "" {
		return newTarget(u.Hostname(), text, 0)
	}
	port, err := parsePort(number)
	if err != nil {
		return Target{}, err
	}
	return newTarget(u.Hostname(), text, port)
}

// newTarget is the target of a host, which is an address or localhost.
func newTarget(host, whole string, port uint16) (Target, error) {
	if isLocalhost(host) {
		return Target{Localhost: true, Port: port}, nil
	}
	a, err := netip.ParseAddr(host)
	if err != nil || a.Zone() != monitor.Clean(a.Zone(), 20) || strings.ContainsAny(a.Zone(), "[]") {
		return Target{}, parseError(whole)
	}
	return Target{Address: a, Port: port}, nil
}

// isLocalhost reports a name that no resolver may give to another machine (RFC 6761,
// section 6.3).
func isLocalhost(host string) bool {
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

func parsePort(text string) (uint16, error) {
	ports, err := monitor.ParsePorts(text)
	if err != nil {
		return 0, err
	}
	port, single := ports.Single()
	if !single {
		return 0, fmt.Errorf("%q: explain takes one port", monitor.Clean(text, 40))
	}
	return port, nil
}

func parseError(text string) error {
	return fmt.Errorf("%q is no address that can be explained: one is like 127.0.0.1:62893, [::1]:80, localhost:3000 or 62893; other names are not looked up", monitor.Clean(text, 60))
}

// String writes the target as Parse reads it.
func (t Target) String() string {
	host := ""
	switch {
	case t.Localhost:
		host = "localhost"
	case t.Address.Is6():
		host = "[" + t.Address.String() + "]"
	case t.Address.IsValid():
		host = t.Address.String()
	}
	port := strconv.Itoa(int(t.Port))
	switch {
	case t.Port == 0:
		return host
	case host == "":
		return port
	}
	return host + ":" + port
}
