// Package decode decodes the protocols that local servers speak.
//
// Each decoder has a file, or a package, of its own. A decoder takes bytes as they come, keeps only
// what it needs to go on, and leaves the parsing of heads, frames and fields to the
// library that the field uses.
package decode

import (
	"bytes"

	"porthole/monitor/traffic"
	"porthole/monitor/traffic/decode/postgres"
	"porthole/monitor/traffic/decode/redis"
)

// Protocols returns all protocols, in the order in which they are tried.
func Protocols() []traffic.Protocol {
	return []traffic.Protocol{
		{Name: "HTTP/2", Detect: detectHTTP2, New: newHTTP2},
		{Name: "TLS", Detect: detectTLS, New: newTLS},
		{Name: "HTTP/1.1", Detect: detectHTTP1, New: newHTTP1, Resumes: resumesHTTP1},
		redis.Protocol(),
		postgres.Protocol(),
	}
}

// begins reports whether p begins with prefix, or may do so with more bytes.
func begins(p []byte, prefix string) traffic.Verdict {
	switch n := min(len(p), len(prefix)); {
	case !bytes.Equal(p[:n], []byte(prefix[:n])):
		return traffic.No
	case n < len(prefix):
		return traffic.More
	}
	return traffic.Yes
}
