package explain

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync"

	"porthole/monitor"
)

// This file finds the address and port in a line that people paste: the error of a
// server that could not start or of a client that could not connect, a line of a log,
// or of ss, netstat or lsof. Numbers of other kinds are never ports: times, PIDs,
// versions, error codes, line numbers of source files, the port of a client.

// Found is what Find found.
type Found struct {
	Target
	// Host is the name of the host if it is a name other than localhost, which is not
	// resolved. Then Target is only the port.
	Host string
}

// Find returns the address and port in text of any length and content. ok is false
// if there is none. If the line names both loopback addresses with one port, as
// clients do that try one after the other, the target is localhost.
func Find(text string) (f Found, ok bool) {
	l := newLine(text)
	for _, find := range []func() []endpoint{
		l.specific, l.literals, l.portWords, l.takenNumbers, l.bare, l.named, l.withProtocol, l.usualPort,
	} {
		if found := find(); len(found) > 0 {
			return join(found), true
		}
	}
	return Found{}, false
}

// join returns the first of the endpoints, extended by others with its port: both
// loopback addresses are localhost, both wildcards are any address.
func join(found []endpoint) Found {
	first := found[0]
	for _, e := range found[1:] {
		a, b := first.address.Unmap(), e.address.Unmap()
		switch {
		case e.port != first.port || !a.IsValid() || !b.IsValid() || a.Is4() == b.Is4():
		case a.IsLoopback() && b.IsLoopback():
			return Found{Target: Target{Localhost: true, Port: first.port}}
		case a.IsUnspecified() && b.IsUnspecified():
			return Found{Target: Target{Port: first.port}}
		}
	}
	return Found{Target{first.address, first.localhost, first.port}, first.host}
}

// endpoint is a host with a port. At most one of address, localhost and host is set;
// none for any address.
type endpoint struct {
	address   netip.Addr
	localhost bool
	host      string // another name
	bare      bool   // written without a host: ":8080"
	port      uint16
}

// literal reports whether the host is an address, localhost or "*".
func (e endpoint) literal() bool { return e.host == "" && !e.bare }

// line is a text with its words.
type line struct {
	text  string
	words []word
}

// word is a part of a line between separators.
type word struct {
	before string // the separators before it
	text   string
}

// maxPaste limits how much of a pasted text is examined, in bytes.
const maxPaste = 64 << 10

// pasteRegexps find an endpoint by the words around it.
type pasteRegexps struct {
	style, client, lookup, word, url, firstIPv4, name, file, goNet, tuple, hostPort, wget, hostKey, portKey,
	portWord, taken, takenAfter, withProtocol, bsd, connects, netstat *regexp.Regexp
}

// pastePatterns compiles the patterns on first use, because the agent never parses
// pasted text.
var pastePatterns = sync.OnceValue(func() pasteRegexps {
	re := regexp.MustCompile
	return pasteRegexps{
		style:     re(`\x1b\[[0-9;?]*[ -/]*[@-~]`), // colors of a terminal (ECMA-48, CSI)
		client:    re(`(?i)\bfrom\s+(?:\S+\s+port\s+\d+|\S+:\d+)|\blocal=\S+`),
		lookup:    re(`(?i)\blookup \S+ on \S+`), // Go: the address of the DNS server
		word:      re("[^\\s\"'`“”‘’„«»(),;<>{}|=/@#?&\\\\]+"),
		firstIPv4: re(`^(\d{1,3}(?:\.\d{1,3}){3}:\d{1,5}):`), // Docker: 0.0.0.0:8080:172.17.0.2:80
		name:      re(`(?i)^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9])?)*$`),
		// Source files, of which a position is reported: server.js:12.
		file: re(`(?i)\.(?:asm|bash|c|cc|clj|conf|cpp|cs|css|cts|dart|ex|exs|erl|go|gradle|groovy|h|hpp|hs|html?|ini|java|jl|js|json|jsx|kts?|lock|log|lua|m|md|mjs|ml|mod|mts|nim|php|pl|pm|ps1|py|pyx|r|rb|rs|sbt|scala|sh|sql|svelte|swift|tf|toml|tsx?|txt|vb|vue|xml|ya?ml|zig)$`),
		// Go's net.OpError: "dial tcp [::1]:5432: connect: connection refused"; "Could
		// not connect to Redis at redis:6379".
		goNet: re(`(?i)\b(?:(?:dial|listen)\s+(?:tcp|udp)[46]?:?|connect to \S+ at)\s+([^\s"']+)`),
		// Python's address tuple: ('127.0.0.1', 8000), ('::1', 8000, 0, 0).
		tuple: re(`\(\s*["']([^"'\s]*)["'],\s*(\d{1,5})\b`),
		// ssh, psql, curl: host localhost port 22; server at "localhost" (::1), port 5432.
		hostPort: re(`(?i)\b(?:host|server at|connect to|to)\s+["']?([^\s"',()]+)["']?(?:\s*\(([^()\s]+)\))?,?\s+(?:and accepting\s+tcp/ip connections\s+on\s+)?port\s+(\d{1,5})\b`),
		wget:     re(`\|([0-9a-fA-F:.%]+)\|:(\d{1,5})\b`), // localhost (localhost)|127.0.0.1|:8080
		// Objects and arguments: address: '::1', port: 3000; host='localhost', port=8000.
		hostKey:      re(`(?i)\b(host|hostname|address|addr|ip)["']?\s*(?:=>|[:=])\s*["']?([^\s"',;(){}]+)`),
		portKey:      re(`(?i)(?:^|[^a-z])port["']?\s*(?:=>|[:=])\s*["']?(\d{1,5})\b`),
		portWord:     re(`(?i)(?:^|[^a-z])port["']?\s*(?:=>|[:=#,])?\s*(?:number\s+|is\s+)?["'#]?(\d{1,5})(?:[^\w.:-]|[.:-](?:\D|$)|$)`),
		url:          re(`(?i)\b([a-z][a-z0-9+.-]*)://(?:[^/\s@]*@)?(\[[^\]\s]*\]|[^/\s:?#"'(),]+)(?:[/?#\s"'(),]|$)`),
		taken:        re(`(?i)\b(\d{1,5})(?:\s+port)?\s+(?:is|was)\s+(?:already\s+|currently\s+)?(?:in use|taken|allocated|occupied|used)\b`),
		takenAfter:   re(`(?i)\b(?:in use|allocated|taken)\s*[:-]?\s+(\d{1,5})\b`),
		withProtocol: re(`(?i)(?:^|\s)(\d{1,5})/(?:tcp|udp)\b`),
		bsd:          re(`^(\*|\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F:]*::[0-9a-fA-F:]*(?:%\w+)?)\.(\d{1,5})$`),
		connects:     re(`(?i)^(?:to|host|server|on|for|connect|connecting|bind|binding|listen|listening|tcp[46]?|udp[46]?|broker|node|addr|address|endpoint|host:|server:)$`),
		netstat:      re(`(?i)\b(?:tcp|udp)(?:4|6|46)?\b`),
	}
})

// notHosts are words between "to" and "port" that are no names of hosts.
var notHosts = []string{"the", "a", "this", "that", "your", "its", "any", "tcp", "udp", "local", "remote", "server", "host", "bind", "listen", "connect", "open", "use", "http", "https", "network", "same", "another", "serial"}

func newLine(text string) line {
	p := pastePatterns()
	text = p.style.ReplaceAllString(text[:min(len(text), maxPaste)], "")
	text = strings.NewReplacer("->", " > ", "→", " > ", "%5B", "[", "%5D", "]", "%5b", "[", "%5d", "]").Replace(text)
	text = p.client.ReplaceAllString(text, " ")
	text = p.lookup.ReplaceAllString(text, " ")
	l := line{text: text}
	end := 0
	for _, at := range p.word.FindAllStringIndex(text, -1) {
		l.words = append(l.words, word{text[end:at[0]], text[at[0]:at[1]]})
		end = at[1]
	}
	return l
}

// specific returns the endpoints that the words around them identify.
func (l line) specific() (found []endpoint) {
	p := pastePatterns()
	for _, m := range p.goNet.FindAllStringSubmatch(l.text, -1) {
		if e, ok := parseEndpoint(m[1]); ok {
			found = append(found, e)
		}
	}
	add := func(host, port string) {
		if e, ok := newEndpoint(host, port); ok && !slices.Contains(notHosts, strings.ToLower(e.host)) {
			found = append(found, e)
		}
	}
	for _, m := range p.tuple.FindAllStringSubmatch(l.text, -1) {
		add(m[1], m[2])
	}
	for _, m := range p.wget.FindAllStringSubmatch(l.text, -1) {
		add(m[1], m[2])
	}
	for _, m := range p.hostPort.FindAllStringSubmatch(l.text, -1) {
		host := m[1]
		if _, err := netip.ParseAddr(m[2]); err == nil { // the address that was tried
			host = m[2]
		}
		add(host, m[3])
	}
	if port := p.portKey.FindStringSubmatch(l.text); port != nil {
		for _, m := range p.hostKey.FindAllStringSubmatch(l.text, -1) {
			if e, ok := newEndpoint(m[2], port[1]); ok && (e.host == "" || strings.HasPrefix(strings.ToLower(m[1]), "host")) {
				found = append(found, e)
			}
		}
	}
	return found
}

// literals returns the words that are an address, localhost or "*" with a port. Of the
// two ends of a connection, the one with the lower port is the server.
func (l line) literals() (found []endpoint) {
	last := -1 // index of the last word that was found
	for i, w := range l.words {
		e, ok := parseEndpoint(w.text)
		if ok && !l.allowsBSD() && pastePatterns().bsd.MatchString(strings.TrimRight(w.text, ".,;:!")) {
			ok = false // 1.2.3.4.5 is a version
		}
		if !ok || !e.literal() {
			continue
		}
		if n := len(found); n > 0 && last == i-1 && strings.Trim(w.before, " \t>") == "" && e.port < found[n-1].port {
			found[n-1] = e
			continue
		}
		found, last = append(found, e), i
	}
	return found
}

// allowsBSD reports whether the line may be one of BSD's netstat, which writes a dot
// before the port.
func (l line) allowsBSD() bool {
	return len(l.words) == 1 || pastePatterns().netstat.MatchString(l.text)
}

// portWords returns the ports after the word "port", with the address if the line names
// only one.
func (l line) portWords() (found []endpoint) {
	at := l.onlyAddress()
	for _, m := range pastePatterns().portWord.FindAllStringSubmatch(l.text, -1) {
		if port, err := parsePort(m[1]); err == nil {
			found = append(found, endpoint{address: at.address, localhost: at.localhost, port: port})
		}
	}
	return found
}

// onlyAddress returns the only address in the line. If there is none, but localhost, it
// returns that; if there are several, an endpoint without host.
func (l line) onlyAddress() (at endpoint) {
	var addresses []netip.Addr
	for _, w := range l.words {
		text := strings.TrimRight(w.text, ".,;:!")
		if inner, ok := trimBrackets(text); ok {
			text = inner
		}
		a, err := netip.ParseAddr(text)
		switch {
		case err == nil && !slices.Contains(addresses, a):
			addresses = append(addresses, a)
		case isLocalhost(text):
			at.localhost = true
		}
	}
	switch {
	case len(addresses) == 1 && cleanZone(addresses[0]):
		return endpoint{address: addresses[0]}
	case len(addresses) > 0:
		return endpoint{}
	}
	return at
}

// takenNumbers returns the numbers that are in use: "3000 is already in use".
func (l line) takenNumbers() (found []endpoint) {
	p := pastePatterns()
	return slices.Concat(l.numbers(p.taken), l.numbers(p.takenAfter))
}

// bare returns the ports that are written without a host: ":8080".
func (l line) bare() (found []endpoint) {
	for _, w := range l.words {
		if e, ok := parseEndpoint(w.text); ok && e.bare {
			found = append(found, e)
		}
	}
	return found
}

// named returns the hosts with other names: those of URLs, those that follow a word
// such as "to", and a name with a dot that is the whole text.
func (l line) named() (found []endpoint) {
	p := pastePatterns()
	for i, w := range l.words {
		e, ok := parseEndpoint(w.text)
		if !ok || e.host == "" || slices.Contains(notHosts, strings.ToLower(e.host)) {
			continue
		}
		inURL := strings.HasSuffix(w.before, "//") || strings.HasSuffix(w.before, "@")
		follows := i > 0 && p.connects.MatchString(l.words[i-1].text) && strings.Trim(w.before, " \t\"'`") == ""
		whole := len(l.words) == 1 && strings.Contains(e.host, ".") || i == 0 && strings.HasPrefix(strings.TrimSpace(l.text[len(w.text):]), "/") && strings.Contains(e.host, ".")
		if inURL || (follows || whole) && !p.file.MatchString(e.host) {
			found = append(found, e)
		}
	}
	return found
}

// withProtocol returns ports such as "3000/tcp".
func (l line) withProtocol() []endpoint { return l.numbers(pastePatterns().withProtocol) }

// numbers returns the ports that re finds.
func (l line) numbers(re *regexp.Regexp) (found []endpoint) {
	for _, m := range re.FindAllStringSubmatch(l.text, -1) {
		if port, err := parsePort(m[1]); err == nil {
			found = append(found, endpoint{bare: true, port: port})
		}
	}
	return found
}

// usualPort returns the default port of a URL without a port that leads to this
// machine, or that is the whole text.
func (l line) usualPort() []endpoint {
	for _, m := range pastePatterns().url.FindAllStringSubmatch(l.text, -1) {
		e, ok := newEndpoint(m[2], usualPorts[strings.ToLower(m[1])])
		if ok && (e.literal() || !strings.ContainsAny(strings.TrimSpace(l.text), " \t\n")) {
			return []endpoint{e}
		}
	}
	return nil
}

// usualPorts are the default ports of URL schemes (IANA's registry of service names).
var usualPorts = map[string]string{
	"http": "80", "ws": "80", "https": "443", "wss": "443", "ftp": "21", "ssh": "22", "sftp": "22", "ldap": "389",
	"postgres": "5432", "postgresql": "5432", "mysql": "3306", "mariadb": "3306", "redis": "6379", "mongodb": "27017",
	"amqp": "5672", "mqtt": "1883", "nats": "4222", "rtsp": "554", "vnc": "5900", "rdp": "3389",
}

// parseEndpoint parses one word: "127.0.0.1:3000", "[::1]:3000", "::1:3000",
// ":::3000", "*:3000", ":3000", "db:5432", "0.0.0.0.3000".
func parseEndpoint(text string) (endpoint, bool) {
	p := pastePatterns()
	text = strings.TrimRight(text, ".,;:!?…")
	if strings.Count(text, "]") > strings.Count(text, "[") {
		text = strings.TrimRight(strings.TrimSuffix(text, "]"), ".,;:!?…")
	}
	if strings.Count(text, "[") > strings.Count(text, "]") {
		text = strings.TrimPrefix(text, "[")
	}
	if inner, ok := trimBrackets(text); ok { // haproxy: [127.0.0.1:80]
		e, ok := parseEndpoint(inner)
		return e, ok && !e.address.Is6()
	}
	if m := p.bsd.FindStringSubmatch(text); m != nil {
		return newEndpoint(m[1], m[2])
	}
	if m := p.firstIPv4.FindStringSubmatch(text); m != nil {
		text = m[1]
	}
	at := strings.LastIndexByte(text, ':')
	if at < 0 {
		return endpoint{}, false
	}
	host := text[:at]
	for _, family := range []string{"ipv4:", "ipv6:"} { // gRPC
		host = strings.TrimPrefix(host, family)
	}
	e, ok := newEndpoint(host, text[at+1:])
	e.bare = host == ""
	return e, ok
}

// newEndpoint returns the endpoint of a host and a port.
func newEndpoint(host, portText string) (endpoint, bool) {
	if len(portText) == 0 || len(portText) > 5 || strings.Trim(portText, "0123456789") != "" {
		return endpoint{}, false
	}
	port, err := parsePort(portText)
	if err != nil {
		return endpoint{}, false
	}
	if inner, ok := trimBrackets(host); ok {
		host = inner
	}
	if a, device, ok := strings.Cut(host, "%"); ok && device != "" && !strings.Contains(a, ":") {
		host = a // ss: 127.0.0.53%lo:53
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return endpoint{address: a, port: port}, cleanZone(a)
	}
	switch {
	case host == "", host == "*":
		return endpoint{port: port}, true
	case isLocalhost(host):
		return endpoint{localhost: true, port: port}, true
	case strings.Trim(host, "0123456789.") == "", !pastePatterns().name.MatchString(host), host != monitor.Clean(host, 253):
		return endpoint{}, false // 10:20 is a time
	}
	return endpoint{host: host, port: port}, true
}

// cleanZone reports whether the zone of a is safe to display, and to read again.
func cleanZone(a netip.Addr) bool {
	return a.Zone() == monitor.Clean(a.Zone(), 20) && !strings.ContainsAny(a.Zone(), "[]")
}
