package postgres

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgproto3"

	"porthole/monitor/traffic"
)

// fromServer handles a message of the server.
func (d *decoder) fromServer(m message) error {
	switch m.kind {
	case 'A':
		return d.notification(m)
	case 'N':
		return d.notice(m)
	}
	if e := d.current(); e != nil {
		if e.Answered.IsZero() {
			e.Answered = d.at
			d.sink.Changed(e)
		}
		e.Answer.Size += m.size
	}
	switch m.kind {
	case 'R':
		return d.authentication(m)
	case 'S':
		return d.parameter(m)
	case 'Z':
		d.ready()
	case '1', '2', '3':
		d.stepDone(map[byte]byte{'1': 'P', '2': 'B', '3': 'C'}[m.kind])
	case 'T':
		return d.describe(m)
	case 'n':
		d.stepDone('D')
	case 'D':
		return d.row(m)
	case 'C':
		d.complete(text(m.body))
	case 'I':
		d.complete("empty query")
	case 's':
		d.complete("suspended: more rows follow")
	case 'E':
		return d.fail(m)
	case 'd':
		if e := d.current(); e != nil {
			d.sink.AppendBody(&e.Answer, m.body)
		}
	case 'V':
		if len(d.queue) > 0 && d.queue[0].kind == 'F' {
			d.queue[0].exchange.Status = "OK"
		}
	}
	return nil
}

// authentication notes how the client must identify itself.
func (d *decoder) authentication(m message) error {
	if len(m.body) < 4 {
		return errLength
	}
	switch binary.BigEndian.Uint32(m.body) {
	case pgproto3.AuthTypeCleartextPassword:
		d.password = "password"
	case pgproto3.AuthTypeMD5Password:
		d.password = "password (MD5)"
	case pgproto3.AuthTypeSASL:
		d.password = "SASL"
	}
	if d.startup != nil && d.startup.Status == "" && d.password != "" {
		d.startup.Answer.Fields = append(d.startup.Answer.Fields, traffic.Field{Name: "authentication", Value: d.authenticationName(m)})
		d.startup.Status = "authenticating"
	}
	return nil
}

// authenticationName names the kind of authentication, of SASL with its mechanisms.
func (d *decoder) authenticationName(m message) string {
	switch d.password {
	case "password":
		return "cleartext password"
	case "SASL":
		var mechanisms []string
		for name := range bytes.SplitSeq(m.body[4:], []byte{0}) {
			if len(name) > 0 {
				mechanisms = append(mechanisms, string(name))
			}
		}
		return strings.Join(mechanisms, ", ")
	}
	return "MD5 password"
}

func (d *decoder) parameter(m message) error {
	var p pgproto3.ParameterStatus
	if err := p.Decode(m.body); err != nil {
		return fmt.Errorf("decode ParameterStatus: %w", err)
	}
	if d.startup != nil {
		d.startup.Answer.Fields = append(d.startup.Answer.Fields, traffic.Field{Name: p.Name, Value: p.Value})
	}
	return nil
}

// ready handles ReadyForQuery: it answers Sync, a Query or the startup.
func (d *decoder) ready() {
	if d.startup != nil {
		d.startup.Status = "OK"
		d.sink.End(d.startup, d.at)
		d.startup = nil
		return
	}
	for len(d.queue) > 0 {
		s := d.queue[0]
		d.queue = d.queue[1:]
		if s.exchange != nil {
			d.sink.End(s.exchange, d.at)
		}
		if s.kind == 'S' || s.kind == 'Q' || s.kind == 'F' {
			return
		}
	}
}

// stepDone removes a step that the server has confirmed.
func (d *decoder) stepDone(kind byte) {
	if len(d.queue) == 0 || d.queue[0].kind != kind {
		return
	}
	if e := d.queue[0].exchange; e != nil { // a statement that was only prepared
		e.Status = "OK"
		d.sink.End(e, d.at)
	}
	d.queue = d.queue[1:]
}

// describe handles the names of columns.
func (d *decoder) describe(m message) error {
	columns, err := columnsOf(m)
	if err != nil || len(d.queue) == 0 {
		return err
	}
	switch s := &d.queue[0]; s.kind {
	case 'D':
		name := s.key[1:]
		if s.key[0] == 'S' {
			if st, ok := d.statements[name]; ok {
				st.columns = columns
				d.statements[name] = st
			}
		} else if p, ok := d.portals[name]; ok {
			p.columns = columns
			d.portals[name] = p
		}
		// Execute may have been sent before.
		for i := range d.queue {
			if e := &d.queue[i]; e.kind == 'E' && e.portal.columns == nil && (s.key[0] == 'P' || e.portal.statement == name) {
				e.portal.columns = columns
				break
			}
		}
		d.stepDone('D')
	case 'Q', 'E':
		s.portal.columns = columns
		s.portal.binary = nil
		d.header(s)
	}
	return nil
}

// header writes the names of the columns.
func (d *decoder) header(s *step) {
	names := make([]string, len(s.portal.columns))
	for i, c := range s.portal.columns {
		names[i] = c.name
	}
	if len(s.exchange.Answer.Body) > 0 {
		names = slices.Insert(names, 0, "\n")
		names[1] = names[0] + names[1]
		names = names[1:]
	}
	d.sink.AppendBody(&s.exchange.Answer, []byte(strings.Join(names, "\t")+"\n"))
}

// row handles a row of a result.
func (d *decoder) row(m message) error {
	if len(d.queue) == 0 || d.queue[0].exchange == nil {
		return nil
	}
	s := &d.queue[0]
	e := s.exchange
	if e.Answer.BodySize == 0 && s.kind == 'E' && s.portal.columns != nil {
		d.header(s)
	}
	if m.cut {
		d.sink.AppendBody(&e.Answer, fmt.Appendf(nil, "(a row of %d bytes)\n", m.size))
		return nil
	}
	if int64(len(e.Answer.Body)) < e.Answer.BodySize { // it is full: only count
		e.Answer.BodySize += m.size
		return nil
	}
	var r pgproto3.DataRow
	if err := r.Decode(m.body); err != nil {
		return fmt.Errorf("decode DataRow: %w", err)
	}
	line := make([]byte, 0, len(m.body))
	for i, value := range r.Values {
		if i > 0 {
			line = append(line, '\t')
		}
		line = appendValue(line, value, s.portal.column(i))
	}
	d.sink.AppendBody(&e.Answer, append(line, '\n'))
	return nil
}

// complete ends a statement with its tag.
func (d *decoder) complete(tag string) {
	if len(d.queue) == 0 || d.queue[0].exchange == nil {
		return
	}
	s := d.queue[0]
	if s.exchange.Status != "" {
		tag = s.exchange.Status + "; " + tag
	}
	s.exchange.Status = tag
	if s.kind == 'E' {
		d.sink.End(s.exchange, d.at)
		d.queue = d.queue[1:]
		return
	}
	d.sink.Changed(s.exchange)
}

// skipped is the problem of what the server does not do after an error.
const skipped = "Not executed: an earlier statement failed."

// fail handles an error: the server skips everything until the next Sync.
func (d *decoder) fail(m message) error {
	var r pgproto3.ErrorResponse
	if err := r.Decode(m.body); err != nil && !m.cut {
		return fmt.Errorf("decode ErrorResponse: %w", err)
	}
	if d.startup != nil {
		setError(d.startup, &r)
		d.sink.End(d.startup, d.at)
		d.startup = nil
		return nil
	}
	if len(d.queue) == 0 {
		e := d.sink.Begin(traffic.Exchange{Kind: traffic.Event, Protocol: Name, Method: "ERROR", Started: d.at, Answered: d.at})
		setError(e, &r)
		d.sink.End(e, d.at)
		return nil
	}
	failed := d.current()
	if failed == nil && d.queue[0].kind == 'P' {
		failed = d.begin(d.queue[0].query, d.queue[0].at)
		failed.Method = "PREPARE"
	}
	if failed != nil {
		setError(failed, &r)
		d.sink.Changed(failed)
	}
	if d.queue[0].kind == 'Q' || d.queue[0].kind == 'F' {
		return nil // ReadyForQuery follows
	}
	if failed != nil {
		d.sink.End(failed, d.at)
	}
	for len(d.queue) > 0 && d.queue[0].kind != 'S' {
		if e := d.queue[0].exchange; e != nil && e != failed {
			e.Problem = skipped
			d.sink.End(e, d.at)
		}
		d.queue = d.queue[1:]
	}
	return nil
}

// setError describes an error in an exchange.
func setError(e *traffic.Exchange, r *pgproto3.ErrorResponse) {
	e.Failed = true
	e.Status = strings.TrimSpace(r.Severity + " " + r.Code + ": " + r.Message)
	for _, f := range []traffic.Field{{Name: "detail", Value: r.Detail}, {Name: "hint", Value: r.Hint}, {Name: "where", Value: r.Where},
		{Name: "table", Value: r.TableName}, {Name: "column", Value: r.ColumnName}, {Name: "constraint", Value: r.ConstraintName}} {
		if f.Value != "" {
			e.Answer.Fields = append(e.Answer.Fields, f)
		}
	}
}

// notice adds a notice to what the server is working on.
func (d *decoder) notice(m message) error {
	var r pgproto3.NoticeResponse
	if err := r.Decode(m.body); err != nil && !m.cut {
		return fmt.Errorf("decode NoticeResponse: %w", err)
	}
	line := strings.TrimSpace(r.Severity + " " + r.Code + ": " + r.Message)
	if e := d.current(); e != nil {
		e.Answer.Size += m.size
		e.Answer.Fields = append(e.Answer.Fields, traffic.Field{Name: "notice", Value: line})
		return nil
	}
	e := d.sink.Begin(traffic.Exchange{Kind: traffic.Event, Protocol: Name, Method: "NOTICE", Path: line, Started: d.at, Answered: d.at})
	e.Answer.Size = m.size
	d.sink.End(e, d.at)
	return nil
}

// notification shows a message of NOTIFY.
func (d *decoder) notification(m message) error {
	var n pgproto3.NotificationResponse
	if err := n.Decode(m.body); err != nil {
		return fmt.Errorf("decode NotificationResponse: %w", err)
	}
	e := d.sink.Begin(traffic.Exchange{Kind: traffic.Event, Protocol: Name, Method: "NOTIFY", Path: n.Channel, Started: d.at, Answered: d.at})
	e.Answer.Size = m.size
	d.sink.AppendBody(&e.Answer, []byte(n.Payload))
	d.sink.End(e, d.at)
	return nil
}
