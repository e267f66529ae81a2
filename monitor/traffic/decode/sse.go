package decode

import (
	"bytes"
	"strings"
	"time"

	"porthole/monitor/traffic"
)

// maxEvent bounds the bytes of an event that are kept.
const maxEvent = 1 << 20

// events decodes Server-Sent Events in the body of an answer (WHATWG HTML, section
// 9.2.6). Each event becomes an exchange of its own.
type events struct {
	sink   *traffic.Sink
	parent *traffic.Exchange
	line   []byte // an incomplete line
	name   string
	id     string
	data   []byte
	size   int64 // bytes of the event, including its end
	began  time.Time
	full   bool // line is too long
}

// newEvents returns a decoder if the answer of e is a stream of events, else nil.
func newEvents(sink *traffic.Sink, e *traffic.Exchange, contentType, coding string) *events {
	if !strings.HasPrefix(strings.ToLower(contentType), "text/event-stream") || coding != "" {
		return nil
	}
	return &events{sink: sink, parent: e}
}

// add decodes the next bytes of the body.
func (d *events) add(at time.Time, p []byte) {
	for len(p) > 0 {
		if d.size == 0 {
			d.began = at
		}
		i := bytes.IndexByte(p, '\n')
		part := p
		if i >= 0 {
			part = p[:i]
		}
		d.size += int64(len(part))
		if d.full = d.full || len(d.line)+len(part) > maxEvent; !d.full {
			d.line = append(d.line, part...)
		}
		if i < 0 {
			return
		}
		d.size++
		d.end(at)
		p = p[i+1:]
	}
}

// end takes the line that is complete.
func (d *events) end(at time.Time) {
	line := bytes.TrimSuffix(d.line, []byte("\r"))
	defer func() { d.line, d.full = d.line[:0], false }()
	if len(line) == 0 {
		d.publish(at)
		return
	}
	name, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimPrefix(value, []byte(" "))
	switch string(name) {
	case "event":
		d.name = string(value)
	case "id":
		d.id = string(value)
	case "data":
		if len(d.data) > 0 {
			d.data = append(d.data, '\n')
		}
		if len(d.data)+len(value) <= maxEvent {
			d.data = append(d.data, value...)
		}
	}
}

// publish ends an event, if there was one: comments keep a connection alive.
func (d *events) publish(at time.Time) {
	if len(d.data) > 0 || d.name != "" {
		name := d.name
		if name == "" {
			name = "message"
		}
		e := d.sink.Begin(traffic.Exchange{
			Parent: d.parent.ID, Kind: traffic.Event, Direction: traffic.ToClient, Protocol: "Events",
			Method: name, Path: preview(d.data), Host: d.parent.Host, Started: d.began,
		})
		if d.id != "" {
			e.Answer.Fields = []traffic.Field{{Name: "id", Value: d.id}}
		}
		d.sink.AppendBody(&e.Answer, d.data)
		e.Answer.Size = d.size
		d.sink.End(e, at)
	}
	d.name, d.id, d.data, d.size = "", "", nil, 0
}

// maxPreview is how many bytes of a message represent it in the list.
const maxPreview = 256

// preview returns the first line of a message, or "" if it is not text.
func preview(p []byte) string {
	p = p[:min(len(p), maxPreview)]
	line, _, _ := bytes.Cut(p, []byte("\n"))
	if !traffic.Readable(line) {
		return ""
	}
	return strings.TrimRight(string(line), "\r")
}
