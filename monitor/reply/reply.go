// Package reply finds out what answers on a listening port: it connects to the port once,
// waits for a server that speaks first, sends one HTTP request and reads what comes back.
//
// It only does that when the user asks for it. The server can log the request.
package reply

import (
	"time"
)

// Protocol is what a server speaks, as its reply shows it.
type Protocol string

// The protocols that a reply shows. [HTTP] covers HTTPS too: then Reply.TLS is set.
const (
	HTTP       Protocol = "HTTP"
	TLS        Protocol = "TLS" // and inside it nothing that is known
	SSH        Protocol = "SSH"
	SMTP       Protocol = "SMTP"
	FTP        Protocol = "FTP"
	POP3       Protocol = "POP3"
	IMAP       Protocol = "IMAP"
	MySQL      Protocol = "MySQL"
	PostgreSQL Protocol = "PostgreSQL"
	Redis      Protocol = "Redis"
	MongoDB    Protocol = "MongoDB"
	Memcached  Protocol = "memcached"
	AMQP       Protocol = "AMQP"
	VNC        Protocol = "VNC"
)

// Failure is the reason why a reply contains nothing.
type Failure string

// The failures.
const (
	NoAddress  Failure = "no_address" // the listener has no address that this machine can connect to
	NoConnect  Failure = "no_connect" // the connection failed, for the reason in Reply.Error
	NoAccept   Failure = "no_accept"  // the connection was not accepted in time
	Refused    Failure = "refused"    // the connection was refused
	Closed     Failure = "closed"     // the server closed the connection without a reply
	Silent     Failure = "silent"     // the server did not reply in time
	NoTLS      Failure = "no_tls"     // the server speaks TLS, but the handshake failed, for the reason in Reply.Error
	NoHTTP     Failure = "no_http"    // the server speaks TLS, but did not answer the request inside it
	Incomplete Failure = "incomplete" // the HTTP reply has no complete header, for the reason in Reply.Error
	Unreadable Failure = "unreadable" // the reply is in an unknown protocol; Reply.Banner is its beginning
)

// Reply is what a server replied. Its texts are cleaned, masked and cut; unknown fields are
// empty.
type Reply struct {
	Address   string      `json:"address"`            // address and port that were asked: 127.0.0.1:3000
	Connected bool        `json:"connected"`          // the server accepted a connection
	Protocol  Protocol    `json:"protocol,omitempty"` // "" if it is not known
	Failure   Failure     `json:"failure,omitempty"`  // "" if the server replied in a known protocol
	Error     string      `json:"error,omitempty"`    // the reason for some failures
	Banner    string      `json:"banner,omitempty"`   // first line of a reply that is not HTTP
	Status    string      `json:"status,omitempty"`   // "HTTP/1.1 200 OK"
	Title     string      `json:"title,omitempty"`    // title of the HTML page
	Server    string      `json:"server,omitempty"`   // the header Server
	Framework string      `json:"framework,omitempty"`
	Evidence  string      `json:"framework_from,omitempty"` // what shows Framework: "cookie csrftoken"
	Type      string      `json:"content_type,omitempty"`
	Redirect  string      `json:"redirect,omitempty"` // target of a redirect, which was not followed
	TLS       *TLSSession `json:"tls,omitempty"`      // nil without TLS
}

// TLSSession describes a TLS connection.
type TLSSession struct {
	Version     string       `json:"version"`        // "TLS 1.3"
	ALPN        string       `json:"alpn,omitempty"` // protocol that the server chose: "h2"; "" if it chose none
	Certificate *Certificate `json:"certificate,omitempty"`
}

// Certificate is the certificate of a server. It was not verified.
type Certificate struct {
	Subject    string    `json:"subject,omitempty"` // its names if it has no subject
	Issuer     string    `json:"issuer,omitempty"`
	NotAfter   time.Time `json:"not_after"`
	Expired    bool      `json:"expired,omitempty"` // at the time of the reply
	SelfSigned bool      `json:"self_signed"`       // signed with its own key
}

// SpeaksHTTP reports whether the server speaks HTTP, and false for known if that is not
// known: the server did not reply, or not in a protocol that Porthole knows.
func (r Reply) SpeaksHTTP() (speaks, known bool) {
	return r.Protocol == HTTP, r.Protocol != "" && r.Protocol != TLS
}
