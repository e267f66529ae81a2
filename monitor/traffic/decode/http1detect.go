package decode

import (
	"bytes"
	"regexp"

	"porthole/monitor/traffic"
)

// detectHTTP1 recognizes a request line, or a status line where the request was missed
// (RFC 9112, section 3 and 4).
func detectHTTP1(first traffic.First) traffic.Verdict {
	if first.ServerFirst {
		return begins(first.ToClient, "HTTP/1.")
	}
	return requestLine(first.ToServer)
}

// requestLine reports whether p begins with a request line of HTTP/1.
func requestLine(p []byte) traffic.Verdict {
	p = bytes.TrimLeft(p, "\r\n") // RFC 9112, section 2.2
	for i, c := range p {
		switch {
		case c == ' ' && i > 0:
			line, _, complete := bytes.Cut(p, []byte("\n"))
			if !complete {
				return traffic.More
			}
			if bytes.Contains(line, []byte(" HTTP/1.")) {
				return traffic.Yes
			}
			return traffic.No
		case i > 24 || !('A' <= c && c <= 'Z' || c == '-' || c == '_'):
			return traffic.No
		}
	}
	return traffic.More
}

// startLine matches a request line or a status line of HTTP/1 (RFC 9112, sections 3 and 4),
// which a header field or the end of the head follows.
var startLine = [2]*regexp.Regexp{
	traffic.ToServer: regexp.MustCompile("^[A-Z][A-Z_-]{1,23} [/*h][^ ]* HTTP/1\\.[01]\r?\n(?:[A-Za-z0-9_-]+:|\r?\n)"),
	traffic.ToClient: regexp.MustCompile("^HTTP/1\\.[01] [1-5][0-9][0-9](?: [^\r\n]*)?\r?\n(?:[A-Za-z0-9_-]+:|\r?\n)"),
}

// resumesHTTP1 reports whether p certainly begins a message of HTTP/1, in a connection whose
// bytes before it were not seen.
func resumesHTTP1(dir traffic.Direction, p []byte) bool {
	return startLine[dir].Match(p[:min(len(p), maxLine)])
}
