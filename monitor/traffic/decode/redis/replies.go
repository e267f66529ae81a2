package redis

import (
	"slices"
	"strings"
	"time"

	"porthole/monitor/traffic"
)

// replies reads what the server sends: answers in the order of the commands, and
// messages that answer none.
type replies struct {
	tokens
	d       *decoder
	render  render
	message traffic.Message // the value that is being read
	began   time.Time
	inValue bool
	pushing bool // the value is a push of RESP3
	ignored bool // an attribute of RESP3, which precedes the value that it is about
}

// subscriptions are the first words of the answers to commands that subscribe.
var subscriptions = []string{"subscribe", "unsubscribe", "psubscribe", "punsubscribe", "ssubscribe", "sunsubscribe"}

// messages are the first words of messages to subscribers.
var messages = []string{"message", "pmessage", "smessage"}

func (r *replies) append(p []byte) { r.d.sink.AppendBody(&r.message, p) }

// begin notes the first byte of a value.
func (r *replies) begin() {
	if r.inValue {
		return
	}
	r.inValue, r.began, r.message = true, r.d.at, traffic.Message{}
	r.pushing, r.ignored = false, false
	r.render.stack, r.render.words, r.render.seen, r.render.first = r.render.stack[:0], [3]string{}, 0, ""
	if len(r.d.queue) > 0 {
		if e := r.d.queue[0].exchange; e.Answered.IsZero() {
			e.Answered = r.d.at
			r.d.sink.Changed(e)
		}
	}
}

// end handles a complete value.
func (r *replies) end(done bool) error {
	if !done {
		return nil
	}
	r.inValue = false
	r.message.Size = r.size()
	d := r.d
	switch word := r.render.words[0]; {
	case r.ignored:
		r.ignored = false
		return nil
	case slices.Contains(messages, word) && (r.pushing || d.subscribed):
		d.event(strings.ToUpper(word), r.render.words[1], r)
	case slices.Contains(subscriptions, word) && (r.pushing || d.subscribed || d.answers(strings.ToUpper(word))):
		d.subscribed = true
		if d.answers(strings.ToUpper(word)) {
			d.complete(r)
		}
	case r.pushing:
		d.event(strings.ToUpper(word), r.render.words[1], r)
	case len(d.queue) == 0 && d.monitoring && r.render.kind == '+':
		d.event("MONITOR", r.render.first, r)
	case len(d.queue) == 0:
		d.event("", "", r) // of a command before the recording
	default:
		d.complete(r)
	}
	return nil
}

// answers reports whether the next command that waits is verb.
func (d *decoder) answers(verb string) bool { return len(d.queue) > 0 && d.queue[0].verb == verb }

// complete ends the first command with the value that r has read.
func (d *decoder) complete(r *replies) {
	e := d.queue[0].exchange
	d.queue[0] = nil
	d.queue = d.queue[1:]
	lost := e.Answer.Lost
	e.Answer = r.message
	e.Answer.Lost = lost
	e.Status, e.Failed = r.render.status(), r.render.kind == '-' || r.render.kind == '!'
	d.sink.End(e, d.at)
}

// event publishes a value that answers no command.
func (d *decoder) event(verb, about string, r *replies) {
	e := d.sink.Begin(traffic.Exchange{Kind: traffic.Event, Protocol: Name, Method: verb, Path: about, Started: r.began, Answered: r.began,
		Answer: r.message, Status: r.render.status()})
	d.sink.End(e, d.at)
}

func (r *replies) simple(kind byte, line []byte) error {
	r.begin()
	return r.end(r.render.simple(kind, line))
}

func (r *replies) aggregate(kind byte, n int64) error {
	top := !r.inValue
	r.begin()
	if top {
		r.pushing, r.ignored = kind == '>', kind == '|'
	}
	done, err := r.render.open(kind, n)
	if err != nil {
		return err
	}
	return r.end(done)
}

func (r *replies) ended() error {
	done, err := r.render.close()
	if err != nil {
		return err
	}
	return r.end(done)
}

func (r *replies) blob(kind byte, n int64) error {
	r.begin()
	r.render.blobBegin(kind, n)
	return nil
}

func (r *replies) blobData(p []byte)   { r.render.blobData(p) }
func (r *replies) blobEnd() error      { return r.end(r.render.blobEnd()) }
func (r *replies) inline([]byte) error { return errKind }
