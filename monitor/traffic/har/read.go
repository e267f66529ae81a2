package har

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"porthole/monitor/traffic"
)

// maxFile bounds the file that Read reads: 64 MB of bodies take 86 MB as Base64.
const maxFile = 512 << 20

// Read reads the exchanges of a HAR file, whether Porthole wrote it or not. Their IDs
// are the ones in the file, or count from 1.
func Read(r io.Reader) ([]traffic.Exchange, error) {
	limited := &io.LimitedReader{R: r, N: maxFile}
	var in file
	if err := json.NewDecoder(limited).Decode(&in); err != nil {
		if limited.N <= 0 {
			return nil, fmt.Errorf("read a HAR file: it is larger than %d MB", maxFile>>20)
		}
		return nil, fmt.Errorf("read a HAR file: %w", err)
	}
	if in.Log.Version == "" && in.Log.Entries == nil {
		return nil, fmt.Errorf("read a HAR file: it has no log")
	}
	connections := map[string]*traffic.Connection{}
	out := make([]traffic.Exchange, 0, len(in.Log.Entries))
	for i, e := range in.Log.Entries {
		exchange := e.exchange()
		if exchange.ID == 0 {
			exchange.ID = uint64(i + 1)
		}
		exchange.Conn = e.conn(connections)
		out = append(out, exchange)
	}
	return out, nil
}

// conn returns the connection of an entry, which it may share with others.
func (e *entry) conn(known map[string]*traffic.Connection) *traffic.Connection {
	key := e.Connection + " " + e.Client + " " + e.Server + " " + e.ServerIP
	if c := known[key]; c != nil {
		return c
	}
	c := &traffic.Connection{ID: uint64(len(known) + 1), Conn: traffic.Conn{Opened: e.Started}}
	c.Client, _ = netip.ParseAddrPort(e.Client)
	c.Server, _ = netip.ParseAddrPort(e.Server)
	if !c.Server.IsValid() {
		if ip, err := netip.ParseAddr(strings.Trim(e.ServerIP, "[]")); err == nil {
			c.Server = netip.AddrPortFrom(ip, 0)
		}
	}
	if e.PID != 0 || e.Process != "" {
		c.SetProcess(traffic.Process{PID: e.PID, Name: e.Process})
	}
	known[key] = c
	return c
}

func (e *entry) exchange() traffic.Exchange {
	out := traffic.Exchange{
		ID: e.ID, Parent: e.Parent, Protocol: e.Protocol, Method: e.Request.Method, Code: e.Response.Status, Status: e.Response.StatusText,
		Failed: e.Failed || e.Response.Status >= 400, Problem: e.Problem, Started: e.Started,
	}
	if out.Protocol == "" {
		out.Protocol = protocolName(e.Request.Version, e.Response.Version)
	}
	out.Host, out.Path = splitURL(e.Request.URL)
	if e.Command != "" || e.Kind != "" {
		out.Path = e.Command
	}
	for kind, name := range kinds {
		if name == e.Kind {
			out.Kind = kind
		}
	}
	if e.Direction == traffic.ToClient.String() {
		out.Direction = traffic.ToClient
	}
	if !e.Unfinished {
		out.Ended = e.Started.Add(duration(e.Time))
	}
	if e.Kind != kinds[traffic.Event] && (e.Response.Status != 0 || e.Timings.Receive > 0 || e.Response.BodySize > 0) {
		out.Answered = e.Started.Add(duration(max(e.Timings.Send, 0) + max(e.Timings.Wait, 0)))
	}
	out.Request = e.Request.message.read(e.Request.Headers, e.Request.Trailer)
	if p := e.Request.PostData; p != nil {
		setBody(&out.Request, p.Text, p.Encoding, e.Request.BodySize)
	}
	out.Answer = e.Response.message.read(e.Response.Headers, e.Response.Trailer)
	setBody(&out.Answer, e.Response.Content.Text, e.Response.Content.Encoding, e.Response.BodySize)
	return out
}

// protocolName returns Porthole's name of a protocol, which browsers write in many forms.
func protocolName(versions ...string) string {
	for _, v := range versions {
		switch strings.ToLower(v) {
		case "", "unknown":
		case "h2", "http/2", "http/2.0":
			return "HTTP/2"
		case "h3", "http/3", "http/3.0":
			return "HTTP/3"
		default:
			return strings.ToUpper(v)
		}
	}
	return "HTTP"
}

func splitURL(text string) (host, path string) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return "", text
	}
	return u.Host, u.RequestURI()
}

// duration returns the duration of milliseconds; 0 if it does not apply or is absurd.
func duration(ms float64) time.Duration {
	if !(ms > 0 && ms < float64(365*24*time.Hour/time.Millisecond)) {
		return 0
	}
	return time.Duration(ms * float64(time.Millisecond))
}

func (m message) read(headers, trailer []pair) traffic.Message {
	return traffic.Message{Fields: fields(headers), Trailer: fields(trailer), Size: m.Size, Dropped: m.Dropped, Lost: m.Lost}
}

func fields(pairs []pair) []traffic.Field {
	if len(pairs) == 0 {
		return nil
	}
	out := make([]traffic.Field, len(pairs))
	for i, p := range pairs {
		out[i] = traffic.Field(p)
	}
	return out
}

// setBody sets the body, which a HAR file has without content coding.
func setBody(m *traffic.Message, text, encoding string, size int64) {
	body := []byte(text)
	if encoding == "base64" {
		if decoded, err := base64.StdEncoding.DecodeString(text); err == nil {
			body = decoded
		}
	}
	m.Decoded = true
	if len(body) > 0 {
		m.Body = body
	}
	m.BodySize = max(size, 0)
	if size <= 0 {
		m.BodySize = int64(len(body))
	}
}
