// Package replay sends recorded requests again.
package replay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"porthole/monitor/traffic"
)

// timeout bounds a replay: a stream of events has no end.
const timeout = 30 * time.Second

// Errors of Send.
var (
	ErrNotWeb     = errors.New("only requests of HTTP can be sent again")
	ErrIncomplete = errors.New("the body of the request is not known completely")
)

// perConnection are header fields that belong to the recorded connection, in lower case
// (RFC 9110, section 7.6.1).
var perConnection = []string{"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "content-length", "host", "expect"}

// Send sends the request of e to the server again and returns the new exchange. Its body
// is cut off after the limits' size. It follows no redirect.
func Send(ctx context.Context, e *traffic.Exchange, limits traffic.Limits) (*traffic.Exchange, error) {
	m := &e.Request
	switch {
	case !e.Web():
		return nil, ErrNotWeb
	case m.Dropped, m.Lost > 0, int64(len(m.Body)) < m.BodySize && !m.Decoded:
		return nil, ErrIncomplete
	case e.Conn == nil || !e.Conn.Server.IsValid() || e.Conn.Server.Port() == 0:
		return nil, errors.New("the server is not known")
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, e.Method, "http://"+e.Conn.Server.String(), bytes.NewReader(m.Body))
	if err != nil {
		return nil, fmt.Errorf("send %s %s: %w", e.Method, e.Path, err)
	}
	request.Host = e.Host
	request.URL.Opaque = e.Path // as it was sent: Go would clean it
	for _, f := range m.Header() {
		if !slices.Contains(perConnection, strings.ToLower(f.Name)) {
			request.Header.Add(f.Name, f.Value)
		}
	}
	if request.Header.Get("User-Agent") == "" {
		request.Header["User-Agent"] = nil // the recorded request had none
	}
	return roundTrip(request, e, limits)
}

func roundTrip(request *http.Request, e *traffic.Exchange, limits traffic.Limits) (*traffic.Exchange, error) {
	server := e.Conn.Server.String()
	transport := &http.Transport{
		DisableCompression: true, DisableKeepAlives: true, Protocols: new(http.Protocols),
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", server)
		},
	}
	if e.Protocol == "HTTP/2" || e.Protocol == "gRPC" {
		transport.Protocols.SetUnencryptedHTTP2(true)
	} else {
		transport.Protocols.SetHTTP1(true)
	}
	defer transport.CloseIdleConnections()
	out := &traffic.Exchange{Conn: e.Conn, Protocol: e.Protocol, Method: e.Method, Path: e.Path, Host: e.Host, Started: time.Now(), Request: e.Request, Secrets: e.Secrets}
	answer, err := transport.RoundTrip(request)
	if err != nil {
		return nil, fmt.Errorf("send %s %s: %w", e.Method, e.Path, err)
	}
	defer answer.Body.Close()
	out.Answered = time.Now()
	out.Code, out.Failed = answer.StatusCode, answer.StatusCode >= 400
	out.Status = strings.TrimSpace(strings.TrimPrefix(answer.Status, fmt.Sprint(answer.StatusCode)))
	out.Answer.Fields = fields(answer.Header)
	body, err := io.ReadAll(io.LimitReader(answer.Body, int64(limits.Body)+1))
	out.Answer.BodySize = int64(len(body))
	out.Answer.Body = body[:min(len(body), limits.Body)]
	out.Answer.Size = out.Answer.BodySize
	if err != nil {
		out.Problem = "The answer is incomplete: the server broke the connection (" + err.Error() + ")."
	}
	out.Answer.Trailer = fields(answer.Trailer)
	out.Ended = time.Now()
	return out, nil
}

// fields returns a header sorted by name.
func fields(h http.Header) []traffic.Field {
	var out []traffic.Field
	for name, values := range h {
		for _, v := range values {
			out = append(out, traffic.Field{Name: name, Value: v})
		}
	}
	slices.SortStableFunc(out, func(a, b traffic.Field) int { return strings.Compare(a.Name, b.Name) })
	return out
}
