package cli

import (
	"time"

	"porthole/monitor/traffic"
)

// exchangeJSON is an exchange in the output of tap, capture and traffic. Fields that do
// not apply or are unknown are absent.
type exchangeJSON struct {
	ID         uint64       `json:"id"`
	At         time.Time    `json:"at"`
	Kind       string       `json:"kind"` // request, event or info
	Protocol   string       `json:"protocol"`
	Connection uint64       `json:"connection,omitempty"`
	Parent     uint64       `json:"parent,omitempty"` // the exchange that opened the stream of an event
	Client     endpointJSON `json:"client"`
	Server     string       `json:"server"`
	Method     string       `json:"method,omitempty"`
	Path       string       `json:"path,omitempty"`
	Host       string       `json:"host,omitempty"`
	Code       int          `json:"code,omitempty"`   // the status code of HTTP
	Status     string       `json:"status,omitempty"` // in the protocol's words
	Failed     bool         `json:"failed,omitempty"`
	DurationMS *float64     `json:"duration_ms,omitempty"` // absent while the exchange lasts
	Request    *messageJSON `json:"request,omitempty"`
	Answer     *messageJSON `json:"answer,omitempty"`
	Lost       int64        `json:"lost_bytes,omitempty"`
	Problem    string       `json:"problem,omitempty"`
	Partial    bool         `json:"partial,omitempty"` // the connection was open before
}

// endpointJSON is the client of a connection.
type endpointJSON struct {
	Address string `json:"address"`
	Name    string `json:"name,omitempty"`
	PID     int    `json:"pid,omitempty"`
}

// messageJSON is one message. The fields and the body are present with --body only.
type messageJSON struct {
	Size     int64       `json:"size"` // bytes, with the header
	BodySize int64       `json:"body_size,omitempty"`
	Fields   []fieldJSON `json:"fields,omitempty"`
	Body     *string     `json:"body,omitempty"`        // text, without content coding
	Binary   []byte      `json:"body_base64,omitempty"` // instead of body
	Partial  bool        `json:"body_partial,omitempty"`
}

// fieldJSON is a header field.
type fieldJSON struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// kindNames are the names of traffic.Kind.
var kindNames = map[traffic.Kind]string{traffic.Request: "request", traffic.Event: "event", traffic.Info: "info"}

// exchangeJSONOf returns e, with headers and bodies if wanted.
func exchangeJSONOf(e *traffic.Exchange, bodies bool) exchangeJSON {
	p := e.Conn.Process()
	out := exchangeJSON{ID: e.ID, At: e.Started.UTC(), Kind: kindNames[e.Kind], Protocol: e.Protocol, Connection: e.Conn.ID, Parent: e.Parent,
		Client: endpointJSON{Address: e.Conn.Client.String(), Name: p.Name, PID: p.PID}, Server: e.Conn.Server.String(),
		Method: e.Method, Path: e.Path, Host: e.Host, Code: e.Code, Status: e.Status, Failed: e.Failed, Lost: e.Lost(), Problem: e.Problem, Partial: e.Conn.Partial}
	if !e.Ended.IsZero() {
		ms := float64(e.Duration(e.Ended).Microseconds()) / 1000
		out.DurationMS = &ms
	}
	out.Request, out.Answer = messageJSONOf(&e.Request, bodies), messageJSONOf(&e.Answer, bodies)
	return out
}

// messageJSONOf returns m, nil if it is empty.
func messageJSONOf(m *traffic.Message, bodies bool) *messageJSON {
	if m.Size == 0 && m.BodySize == 0 && len(m.Head) == 0 && len(m.Fields) == 0 {
		return nil
	}
	out := &messageJSON{Size: m.Size, BodySize: m.BodySize}
	if !bodies {
		return out
	}
	for _, f := range append(m.Header(), m.Trailer...) {
		out.Fields = append(out.Fields, fieldJSON{f.Name, f.Value})
	}
	content, err := m.Shown(0)
	out.Partial = err != nil || int64(len(m.Body)) < m.BodySize
	switch {
	case len(content) == 0:
	case traffic.Readable(content):
		text := string(content)
		out.Body = &text
	default:
		out.Binary = content
	}
	return out
}
