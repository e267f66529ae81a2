package postgres

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"porthole/monitor/traffic"
)

// step is a message of the client that the server answers, in order.
type step struct {
	kind     byte
	exchange *traffic.Exchange // of Query, Execute and FunctionCall
	key      string            // of Describe: what is described
	query    string            // of Parse
	at       time.Time
	portal   portal // of Execute
	size     int64
}

// group collects what belongs to the next Execute.
type group struct {
	began    time.Time // of Parse or Bind; zero if there was none
	size     int64
	executed bool // since the last Sync
}

// statement is a prepared statement.
type statement struct {
	query   string
	columns []column // nil if they were not described
}

// portal is a statement with parameters.
type portal struct {
	statement string // its name
	query     string
	arguments []string
	binary    []int16 // format codes of the columns
	columns   []column
}

// Limits of what is kept.
const (
	maxStatements = 1000
	maxSteps      = 10_000
	maxQuery      = 64 << 10 // bytes of a query of a prepared statement
	maxPath       = 8 << 10  // bytes of a query in lists
	maxArgument   = 1 << 10
)

// fromClient handles a message of the client.
func (d *decoder) fromClient(m message) error {
	if d.client.untyp {
		return d.fromNewClient(m)
	}
	switch m.kind {
	case 'Q':
		query := text(m.body)
		e := d.begin(query, d.at)
		e.Request.Size = m.size
		d.push(step{kind: 'Q', exchange: e})
	case 'P':
		return d.parse(m)
	case 'B':
		return d.bind(m)
	case 'D', 'C':
		d.group.size += m.size
		if len(m.body) == 0 {
			return errLength
		}
		d.push(step{kind: m.kind, key: string(m.body[:1]) + text(m.body[1:])})
	case 'E':
		d.execute(m)
	case 'F':
		e := d.sink.Begin(traffic.Exchange{Protocol: Name, Method: "FUNCTION", Started: d.at})
		e.Request.Size = m.size
		d.push(step{kind: 'F', exchange: e})
	case 'S':
		d.sync(m)
	case 'd', 'c', 'f':
		d.copyIn(m)
	case 'p':
		d.sendPassword(m)
	}
	return nil
}

// fromNewClient handles a message before the connection is set up.
func (d *decoder) fromNewClient(m message) error {
	if len(m.body) < 4 {
		return errLength
	}
	switch code := binary.BigEndian.Uint32(m.body); code {
	case sslCode, gssCode:
		d.encryption = true
		return nil
	case cancelCode:
		e := d.sink.Begin(traffic.Exchange{Protocol: Name, Method: "CANCEL", Started: d.at})
		e.Request.Size = m.size
		d.sink.End(e, d.at)
		return nil
	}
	var s pgproto3.StartupMessage
	if err := s.Decode(m.body); err != nil {
		return fmt.Errorf("decode the startup message: %w", err)
	}
	d.client.untyp, d.started = false, true
	e := d.sink.Begin(traffic.Exchange{Protocol: Name, Method: "CONNECT", Started: d.at})
	e.Path = s.Parameters["user"]
	if database := s.Parameters["database"]; database != "" {
		e.Path += "@" + database
	}
	for _, name := range slices.Sorted(maps.Keys(s.Parameters)) {
		e.Request.Fields = append(e.Request.Fields, traffic.Field{Name: name, Value: s.Parameters[name]})
	}
	e.Request.Size = m.size
	d.startup = e
	return nil
}

// sendPassword handles a password, or a message of SASL or GSSAPI.
func (d *decoder) sendPassword(m message) {
	if d.startup == nil {
		return
	}
	d.startup.Request.Size += m.size
	value := text(m.body)
	if d.password == "" || d.password == "SASL" { // challenge and response: no secret that can be used again
		return
	}
	d.startup.Request.Fields = append(d.startup.Request.Fields, traffic.Field{Name: d.password, Value: value})
	d.startup.Secrets = append(d.startup.Secrets, value)
	d.sink.Changed(d.startup)
}

func (d *decoder) push(s step) {
	if len(d.queue) >= maxSteps {
		if e := d.queue[0].exchange; e != nil {
			d.sink.End(e, d.at)
		}
		d.queue = d.queue[1:]
	}
	s.at = d.at
	d.queue = append(d.queue, s)
}

// begin starts the exchange of a query.
func (d *decoder) begin(query string, at time.Time) *traffic.Exchange {
	e := d.sink.Begin(traffic.Exchange{Protocol: Name, Method: verb(query), Path: query[:min(len(query), maxPath)], Started: at, Secrets: passwords(query)})
	d.sink.AppendBody(&e.Request, []byte(query))
	return e
}

func (d *decoder) parse(m message) error {
	name, rest, ok := bytes.Cut(m.body, []byte{0})
	if !ok {
		return errLength
	}
	query := text(rest)
	query = strings.Clone(query[:min(len(query), maxQuery)])
	if len(d.statements) >= maxStatements {
		clear(d.statements)
	}
	d.statements[string(name)] = statement{query: query}
	d.grow(m)
	d.push(step{kind: 'P', query: query, size: m.size})
	return nil
}

// grow adds a message to those of the next Execute.
func (d *decoder) grow(m message) {
	if d.group.began.IsZero() {
		d.group.began = d.at
	}
	d.group.size += m.size
}

func (d *decoder) bind(m message) error {
	d.grow(m)
	d.push(step{kind: 'B', at: d.at})
	var b pgproto3.Bind
	if m.cut {
		return nil
	}
	if err := b.Decode(m.body); err != nil {
		return fmt.Errorf("decode Bind: %w", err)
	}
	s := d.statements[b.PreparedStatement]
	p := portal{statement: b.PreparedStatement, query: s.query, columns: s.columns, binary: slices.Clone(b.ResultFormatCodes)}
	for i, value := range b.Parameters {
		p.arguments = append(p.arguments, argument(value, format(b.ParameterFormatCodes, i)))
	}
	if len(d.portals) >= maxStatements {
		clear(d.portals)
	}
	d.portals[b.DestinationPortal] = p
	return nil
}

func (d *decoder) execute(m message) {
	name, _, _ := bytes.Cut(m.body, []byte{0})
	p := d.portals[string(name)]
	began := d.group.began
	if began.IsZero() {
		began = d.at
	}
	e := d.begin(p.query, began)
	for i, a := range p.arguments {
		d.sink.AppendBody(&e.Request, fmt.Appendf(nil, "\n-- $%d = %s", i+1, a))
	}
	if p.query == "" {
		e.Method, e.Path = "EXECUTE", strings.TrimSpace(string(name))
	}
	e.Request.Size = d.group.size + m.size
	d.group = group{executed: true}
	d.push(step{kind: 'E', exchange: e, portal: p})
}

// sync ends a group. A statement that was only prepared is shown by itself.
func (d *decoder) sync(m message) {
	if !d.group.executed {
		for i := range d.queue {
			if s := &d.queue[i]; s.kind == 'P' && s.exchange == nil {
				s.exchange = d.begin(s.query, s.at)
				s.exchange.Method = "PREPARE"
				s.exchange.Request.Size = s.size
			}
		}
	}
	_ = m
	d.group = group{}
	d.push(step{kind: 'S'})
}

// copyIn handles data of COPY ... FROM STDIN.
func (d *decoder) copyIn(m message) {
	e := d.current()
	if e == nil {
		return
	}
	e.Request.Size += m.size
	if m.kind == 'd' {
		if len(e.Request.Body) == len(e.Path) && len(e.Path) > 0 {
			d.sink.AppendBody(&e.Request, []byte("\n"))
		}
		d.sink.AppendBody(&e.Request, m.body)
	}
}
