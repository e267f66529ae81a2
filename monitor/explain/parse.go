package explain

import (
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode"

	"porthole/monitor"
)

// Target is the subject of an explanation: an address, a port, or both.
type Target struct {
	Address   netip.Addr // zero if absent
	Localhost bool       // localhost was given instead of an address, which is zero
	Port      uint16     // 0 if absent
}

// Parse parses an address, a port, both, or a URL: "127.0.0.1:62893",
// "[::1]:80", "localhost:3000", ":::3000" as netstat prints it, "62893", "::1"; or a
// pasted line that contains one, see Find. Host names other than localhost are not
// resolved. An error is one sentence for the user.
func Parse(text string) (Target, error) {
	text = strings.TrimSpace(text)
	if strings.ContainsFunc(text, unicode.IsSpace) {
		return parseLine(text)
	}
	t, err := parseWord(text)
	if _, notAddress := netip.ParseAddr(text); err == nil || notAddress == nil || strings.Contains(text, "://") {
		return t, err
	}
	if f, ok := Find(text); ok && f.Host == "" { // such as localhost/127.0.0.1:8080
		return f.Target, nil
	}
	return Target{}, err
}

// parseLine parses a pasted line.
func parseLine(text string) (Target, error) {
	f, ok := Find(text)
	switch {
	case !ok:
		return Target{}, fmt.Errorf("no port found in %q", monitor.Clean(text, 60))
	case f.Host != "":
		return Target{}, fmt.Errorf("%s:%d: other host names than localhost are not resolved; write the address, or %d for the port on this machine", monitor.Clean(f.Host, 60), f.Port, f.Port)
	}
	return f.Target, nil
}

// parseWord parses a text without spaces.
func parseWord(text string) (Target, error) {
	if strings.Contains(text, "://") {
		return parseURL(text)
	}
	if a, err := netip.ParseAddr(text); err == nil {
		other, err := parseHostPort(text)
		switch {
		case err != nil:
			return newTarget(text, text, 0)
		case other.Address.IsLoopback() || other.Address.IsUnspecified(): // ::1:8080 as an address is reserved (RFC 4291, section 2.4)
			return other, nil
		}
		return Target{}, fmt.Errorf("%q is ambiguous: write [%s] for the address, or %s for an address with a port", monitor.Clean(text, 60), a, other)
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

// parseHostPort parses text with a port after its last colon.
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

// trimBrackets returns the text inside the brackets around an IPv6 address.
func trimBrackets(text string) (string, bool) {
	if len(text) < 3 || text[0] != '[' || text[len(text)-1] != ']' {
		return "", false
	}
	return text[1 : len(text)-1], true
}

// parseURL parses a URL. Without a port it uses the default port of the scheme.
func parseURL(text string) (Target, error) {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" {
		return Target{}, parseError(text)
	}
	number := u.Port()
	if number == "" {
		number = usualPorts[u.Scheme]
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

// newTarget returns the target for a host, which is an address or localhost.
func newTarget(host, text string, port uint16) (Target, error) {
	if isLocalhost(host) {
		return Target{Localhost: true, Port: port}, nil
	}
	a, err := netip.ParseAddr(host)
	if err != nil || !cleanZone(a) {
		return Target{}, parseError(text)
	}
	return Target{Address: a, Port: port}, nil
}

// isLocalhost reports whether host is a name that resolvers must map to loopback
// (RFC 6761, section 6.3).
func isLocalhost(host string) bool {
	host = strings.ToLower(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// parsePort parses a single port.
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

// parseError returns an error that describes the forms of a target.
func parseError(text string) error {
	return fmt.Errorf("%q is not an address or port: write 127.0.0.1:62893, [::1]:80, localhost:3000 or 62893; other host names are not resolved", monitor.Clean(text, 60))
}

// String formats the target as Parse reads it.
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
