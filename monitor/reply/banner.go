package reply

import (
	"bytes"
	"regexp"
)

// maxBanner is how many bytes of a reply are examined that is not HTTP.
const maxBanner = 512

// sslRequest asks a PostgreSQL server whether it supports TLS. It answers with one byte, S or N
// (PostgreSQL documentation, "Message Formats": SSLRequest).
var sslRequest = []byte{0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f}

// readSSLReply reads the reply to sslRequest.
func (r *Reply) readSSLReply(b []byte) {
	if len(b) == 1 && (b[0] == 'S' || b[0] == 'N') {
		r.Protocol = PostgreSQL
		return
	}
	r.readBanner(b)
}

// banners are the beginnings by which protocols are recognized, in this order.
var banners = []struct {
	begin    *regexp.Regexp
	protocol Protocol
}{
	{regexp.MustCompile(`^SSH-[12]\.`), SSH},
	{regexp.MustCompile(`^RFB \d{3}\.\d{3}\n`), VNC},
	{regexp.MustCompile(`^(?:\+PONG|-(?:ERR|NOAUTH|DENIED|LOADING|MISCONF|NOPERM) ?)`), Redis},
	{regexp.MustCompile(`^[245]\d\d[ -](?i:.*\b(?:E?SMTP|LMTP)\b)`), SMTP},
	{regexp.MustCompile(`^[245]\d\d[ -](?i:.*FTP)`), FTP},
	{regexp.MustCompile(`^\+OK\b`), POP3},
	{regexp.MustCompile(`^\* (?:OK|PREAUTH|BYE)\b`), IMAP},
	{regexp.MustCompile(`^AMQP`), AMQP},
	{regexp.MustCompile(`^ERROR\r\n`), Memcached}, // its answer to an unknown command
}

// wantsTLS matches the page of a server that got HTTP instead of TLS: nginx ("The plain HTTP
// request was sent to HTTPS port"), Go, Apache ("speaking plain HTTP to an SSL-enabled server
// port"), Jetty.
var wantsTLS = regexp.MustCompile(`(?i)https|\bssl\b|\btls\b`)

// readBanner reads a reply that is not HTTP. It never fails: an unknown reply is Unreadable.
func (r *Reply) readBanner(b []byte) {
	b = b[:min(len(b), maxBanner)]
	if text, ok := mysqlGreeting(b); ok {
		r.Protocol, r.Banner = MySQL, clean(text, 80)
		return
	}
	line, _, _ := bytes.Cut(b, []byte("\n"))
	r.Banner = clean(string(line), 160)
	for _, known := range banners {
		if known.begin.Match(b) {
			r.Protocol, r.Failure = known.protocol, ""
			return
		}
	}
	r.Failure = Unreadable
}

// mysqlGreeting returns the version in the first packet of a MySQL or MariaDB server (MySQL
// Internals, "Protocol::HandshakeV10"), or the text of its error packet.
func mysqlGreeting(b []byte) (text string, ok bool) {
	const header = 4 // length in three bytes, sequence number
	if len(b) <= header || b[3] != 0 {
		return "", false
	}
	packet := b[header:]
	if length := int(b[0]) | int(b[1])<<8 | int(b[2])<<16; length < len(packet) || length > maxBanner {
		return "", false
	}
	switch packet[0] {
	case 10: // protocol version
		version, _, found := bytes.Cut(packet[1:], []byte{0})
		return string(version), found && len(version) > 0
	case 0xff: // error code in two bytes, then the text
		if len(packet) > 3 {
			return string(packet[3:]), true
		}
	}
	return "", false
}
