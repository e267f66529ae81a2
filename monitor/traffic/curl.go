package traffic

import (
	"bytes"
	"strings"

	"porthole/monitor"
)

// automaticFields are request header fields that curl sends by itself, in lower case.
var automaticFields = map[string]bool{"host": true, "content-length": true, "connection": true, "transfer-encoding": true, "expect": true}

// Web reports whether e is a request of HTTP, which has a URL.
func (e *Exchange) Web() bool {
	return e.Kind == Request && e.Method != "" && (strings.HasPrefix(e.Protocol, "HTTP/") || e.Protocol == "gRPC")
}

// URL returns the URL of a request of HTTP, as far as it is known.
func (e *Exchange) URL() string {
	if strings.Contains(e.Path, "://") {
		return e.Path
	}
	host := e.Host
	if host == "" && e.Conn != nil && e.Conn.Server.IsValid() {
		host = e.Conn.Server.String()
	}
	return "http://" + host + e.Path
}

// Curl returns a shell command that sends the request of e again, and false if that
// cannot be said in a command line: e is not HTTP, its body is only described, incomplete, or
// contains a zero byte. Secrets are not masked; see [Masked].
func (e *Exchange) Curl() (string, bool) {
	m := &e.Request
	if !e.Web() || m.Described || int64(len(m.Body)) < m.BodySize && !m.Decoded || bytes.IndexByte(m.Body, 0) >= 0 {
		return "", false
	}
	command := []string{"curl", "-i"}
	switch {
	case e.Protocol == "HTTP/2" || e.Protocol == "gRPC":
		command = append(command, "--http2-prior-knowledge")
	case e.Method == "HEAD":
		command = append(command, "-I")
	}
	if e.Method != "HEAD" && !(e.Method == "GET" && len(m.Body) == 0) && !(e.Method == "POST" && len(m.Body) > 0) {
		command = append(command, "-X", e.Method)
	}
	for _, f := range m.Header() {
		if !automaticFields[strings.ToLower(f.Name)] {
			command = append(command, "-H", f.Name+": "+f.Value)
		}
	}
	if len(m.Body) > 0 {
		command = append(command, "--data-raw", string(m.Body))
	}
	return monitor.ShellCommand(append(command, "--", e.URL())), true
}
