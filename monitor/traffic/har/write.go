package har

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"porthole/monitor"
	"porthole/monitor/traffic"
)

// Options say what is written.
type Options struct {
	Version  string // of Porthole
	Unmasked bool   // secrets are not masked
}

// Write writes exchanges, in their order. It is safe for concurrent use.
func Write(w io.Writer, exchanges []*traffic.Exchange, o Options) error {
	out := file{log{Version: "1.2", Creator: program{"Porthole", o.Version}, Entries: make([]entry, 0, len(exchanges))}}
	if !o.Unmasked {
		out.Log.Comment = "Secrets are masked. Masking is best effort: check before you share this file."
	}
	for _, e := range exchanges {
		if !o.Unmasked {
			e = traffic.Masked(e)
		}
		out.Log.Entries = append(out.Log.Entries, newEntry(e))
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(out); err != nil {
		return fmt.Errorf("write a HAR file: %w", err)
	}
	return nil
}

// kinds are the names of the kinds of exchanges other than requests.
var kinds = map[traffic.Kind]string{traffic.Event: "message", traffic.Info: "info"}

func newEntry(e *traffic.Exchange) entry {
	out := entry{
		Started: e.Started, Comment: e.Problem, Cache: struct{}{},
		ID: e.ID, Parent: e.Parent, Kind: kinds[e.Kind], Protocol: e.Protocol, Status: e.Status,
		Failed: e.Failed, Problem: e.Problem, Unfinished: e.Ended.IsZero(),
	}
	if e.Kind == traffic.Event {
		out.Direction = e.Direction.String()
	}
	if !e.Ended.IsZero() {
		out.Time, out.Timings = times(e)
	}
	if !web(e) {
		out.Command = e.Path
	}
	if c := e.Conn; c != nil {
		out.Connection = fmt.Sprint(c.ID)
		if c.Server.IsValid() {
			out.ServerIP, out.Server = c.Server.Addr().String(), c.Server.String()
		}
		if c.Client.IsValid() {
			out.Client = c.Client.String()
		}
		out.Process, out.PID = monitor.Clean(c.Process().Name, 100), c.Process().PID
	}
	out.Request, out.Response = newRequest(e), newResponse(e)
	return out
}

// times divides the duration. The request is sent until the first byte of the answer, as
// far as is known.
func times(e *traffic.Exchange) (float64, timings) {
	if e.Answered.IsZero() {
		all := milliseconds(max(e.Ended.Sub(e.Started), 0))
		return all, timings{Wait: all}
	}
	t := timings{Wait: milliseconds(max(e.Answered.Sub(e.Started), 0)), Receive: milliseconds(max(e.Ended.Sub(e.Answered), 0))}
	return t.Wait + t.Receive, t
}

// web reports whether the path of e is part of a URL.
func web(e *traffic.Exchange) bool {
	return e.Kind == traffic.Request && (strings.HasPrefix(e.Protocol, "HTTP/") || e.Protocol == "gRPC")
}

// address returns the URL of e. Exchanges of other protocols have one that is made up.
func address(e *traffic.Exchange) string {
	host := e.Host
	if host == "" && e.Conn != nil && e.Conn.Server.IsValid() {
		host = e.Conn.Server.String()
	}
	if host == "" {
		host = "unknown"
	}
	if !web(e) {
		scheme := strings.ToLower(strings.Map(letter, e.Protocol))
		return (&url.URL{Scheme: scheme, Host: host, Path: "/"}).String()
	}
	if strings.Contains(e.Path, "://") {
		return e.Path
	}
	return "http://" + host + e.Path
}

func letter(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
		return r
	}
	return -1
}

func newRequest(e *traffic.Exchange) request {
	m := &e.Request
	out := request{
		Method: e.Method, URL: address(e), Version: e.Protocol, Cookies: []cookie{}, Headers: pairs(m.Header()), Query: []pair{},
		HeadersSize: headersSize(m), BodySize: m.BodySize, Trailer: optional(m.Trailer), message: newMessage(m),
	}
	if cookies, err := http.ParseCookie(m.Get("Cookie")); err == nil {
		for _, c := range cookies {
			out.Cookies = append(out.Cookies, cookie{Name: c.Name, Value: c.Value})
		}
	}
	if _, query, ok := strings.Cut(e.Path, "?"); ok && web(e) {
		for part := range strings.SplitSeq(query, "&") {
			name, value, _ := strings.Cut(part, "=")
			out.Query = append(out.Query, pair{unescape(name), unescape(value)})
		}
	}
	if m.BodySize > 0 {
		body, problem := readable(m)
		out.PostData = &postData{MimeType: m.Get("Content-Type"), Params: []pair{}, Comment: problem}
		out.PostData.Text, out.PostData.Encoding = text(body)
	}
	return out
}

func unescape(s string) string {
	if out, err := url.QueryUnescape(s); err == nil {
		return out
	}
	return s
}

func newResponse(e *traffic.Exchange) response {
	m := &e.Answer
	out := response{
		Status: e.Code, StatusText: e.Status, Version: e.Protocol, Cookies: []cookie{}, Headers: pairs(m.Header()),
		RedirectURL: m.Get("Location"), HeadersSize: headersSize(m), BodySize: m.BodySize, Trailer: optional(m.Trailer), message: newMessage(m),
	}
	for _, f := range m.Header() {
		if !strings.EqualFold(f.Name, "Set-Cookie") {
			continue
		}
		if c, err := http.ParseSetCookie(f.Value); err == nil {
			set := cookie{Name: c.Name, Value: c.Value, Path: c.Path, Domain: c.Domain, HTTPOnly: c.HttpOnly, Secure: c.Secure}
			if !c.Expires.IsZero() {
				set.Expires = c.Expires.Format(time.RFC3339)
			}
			out.Cookies = append(out.Cookies, set)
		}
	}
	body, problem := readable(m)
	out.Content = content{Size: int64(len(body)), MimeType: m.Get("Content-Type"), Comment: problem}
	if m.Get("Content-Encoding") != "" && problem == "" {
		out.Content.Compression = int64(len(body)) - m.BodySize
	}
	out.Content.Text, out.Content.Encoding = text(body)
	return out
}

// readable returns the body without content coding, and why it is not complete.
func readable(m *traffic.Message) ([]byte, string) {
	body, err := m.Content(0)
	switch {
	case m.Dropped:
		return nil, "The body was dropped to make room for newer ones."
	case err != nil:
		return body, "The body is incomplete: " + err.Error() + "."
	case int64(len(m.Body)) < m.BodySize && m.Get("Content-Encoding") == "":
		return body, fmt.Sprintf("The body is incomplete: %d of %d bytes were kept.", len(m.Body), m.BodySize)
	}
	return body, ""
}

// text returns a body as JSON can have it.
func text(body []byte) (text, encoding string) {
	if utf8.Valid(body) {
		return string(body), ""
	}
	return base64.StdEncoding.EncodeToString(body), "base64"
}

func headersSize(m *traffic.Message) int64 {
	if m.Head == nil {
		return -1
	}
	return int64(len(m.Head))
}

func newMessage(m *traffic.Message) message {
	return message{Size: m.Size, Dropped: m.Dropped, Lost: m.Lost}
}

func pairs(fields []traffic.Field) []pair {
	out := make([]pair, len(fields))
	for i, f := range fields {
		out[i] = pair(f)
	}
	return out
}

// optional returns nil for no fields, which leaves them out.
func optional(fields []traffic.Field) []pair {
	if len(fields) == 0 {
		return nil
	}
	return pairs(fields)
}
