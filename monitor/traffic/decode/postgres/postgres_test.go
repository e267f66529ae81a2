package postgres

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"porthole/internal/traffictest"
	"porthole/monitor/traffic"
)

// part is what one side sends.
type part = traffictest.Piece

// encoder is a message of pgproto3.
type encoder interface {
	Encode([]byte) ([]byte, error)
}

func send(dir traffic.Direction, messages ...encoder) part {
	p := part{Dir: dir}
	for _, m := range messages {
		var err error
		if p.Bytes, err = m.Encode(p.Bytes); err != nil {
			panic(err)
		}
	}
	return p
}

func client(messages ...encoder) part { return send(traffic.ToServer, messages...) }
func server(messages ...encoder) part { return send(traffic.ToClient, messages...) }

// talk decodes parts, in pieces of size bytes; 0 is for whole parts.
func talk(size int, parts ...part) []*traffic.Exchange {
	return traffictest.Decode(Protocol(), size, parts...)
}

func summary(e *traffic.Exchange) string {
	out := fmt.Sprintf("%s %s -> %s", e.Method, e.Path, e.Status)
	if e.Kind == traffic.Event {
		out = "event " + out
	}
	if e.Failed {
		out += " (failed)"
	}
	if e.Problem != "" {
		out += " " + e.Problem
	}
	return out
}

func check(t *testing.T, what string, got []*traffic.Exchange, want ...string) {
	t.Helper()
	for i, e := range got {
		if i >= len(want) || summary(e) != want[i] {
			t.Errorf("%s: exchange %d: got %q, want %q", what, i, summary(e), want[min(i, len(want)-1)])
		}
		if e.Ended.IsZero() || e.Protocol != Name {
			t.Errorf("%s: exchange %d: got the end %v and the protocol %q", what, i, e.Ended, e.Protocol)
		}
	}
	if len(got) < len(want) {
		t.Errorf("%s: got %d exchanges, want %d", what, len(got), len(want))
	}
}

var (
	startup = client(&pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersion30, Parameters: map[string]string{"user": "ann", "database": "shop"}})
	ready   = &pgproto3.ReadyForQuery{TxStatus: 'I'}
	ok      = server(&pgproto3.AuthenticationOk{}, &pgproto3.ParameterStatus{Name: "server_version", Value: "15.8"}, &pgproto3.BackendKeyData{ProcessID: 1, SecretKey: []byte{1, 2, 3, 4}}, ready)
	columns = &pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{{Name: []byte("id"), DataTypeOID: oidInt4}, {Name: []byte("name"), DataTypeOID: oidText}}}
)

func row(values ...string) *pgproto3.DataRow {
	r := &pgproto3.DataRow{}
	for _, v := range values {
		r.Values = append(r.Values, []byte(v))
	}
	return r
}

func TestQueries(t *testing.T) {
	parts := []part{
		client(&pgproto3.SSLRequest{}), {Dir: traffic.ToClient, Bytes: []byte("N")},
		startup, server(&pgproto3.AuthenticationCleartextPassword{}), client(&pgproto3.PasswordMessage{Password: "hunter22"}), ok,
		client(&pgproto3.Query{String: "-- all\nselect * from users"}),
		server(columns, row("1", "ann"), row("2", "b\tb"), &pgproto3.CommandComplete{CommandTag: []byte("SELECT 2")}, ready),
		client(&pgproto3.Query{String: "insert into users values (3); select 1"}),
		server(&pgproto3.CommandComplete{CommandTag: []byte("INSERT 0 1")}, columns, row("1", "x"), &pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")}, ready),
		client(&pgproto3.Query{String: "select nonsense"}),
		server(&pgproto3.ErrorResponse{Severity: "ERROR", Code: "42703", Message: `column "nonsense" does not exist`}, ready),
		client(&pgproto3.Query{String: "copy users from stdin"}), server(&pgproto3.CopyInResponse{}),
		client(&pgproto3.CopyData{Data: []byte("4\tdan\n")}, &pgproto3.CopyDone{}), server(&pgproto3.CommandComplete{CommandTag: []byte("COPY 1")}, ready),
		client(&pgproto3.Query{String: "alter role ann password 'geheim'"}), server(&pgproto3.CommandComplete{CommandTag: []byte("ALTER ROLE")}, ready),
		server(&pgproto3.NotificationResponse{Channel: "jobs", Payload: "7"}),
		client(&pgproto3.Terminate{}),
	}
	for _, size := range []int{0, 1, 7} {
		got := talk(size, parts...)
		check(t, fmt.Sprintf("in pieces of %d", size), got, "CONNECT ann@shop -> OK", "SELECT -- all\nselect * from users -> SELECT 2",
			"INSERT insert into users values (3); select 1 -> INSERT 0 1; SELECT 1",
			`SELECT select nonsense -> ERROR 42703: column "nonsense" does not exist (failed)`,
			"COPY copy users from stdin -> COPY 1", "ALTER alter role ann password 'geheim' -> ALTER ROLE", "event NOTIFY jobs -> ")
		if t.Failed() {
			return
		}
		if body := string(got[1].Answer.Body); body != "id\tname\n1\tann\n2\tb\\tb\n" {
			t.Errorf("got the rows %q", body)
		}
		if body := string(got[4].Request.Body); body != "copy users from stdin\n4\tdan\n" {
			t.Errorf("got the body of COPY %q", body)
		}
		if f := got[0].Request.Fields; f[len(f)-1] != (traffic.Field{Name: "password", Value: "hunter22"}) {
			t.Errorf("got the fields %v, want the password last", f)
		}
		for _, e := range []*traffic.Exchange{got[0], got[5]} {
			m := traffic.Masked(e)
			if all := fmt.Sprint(m.Path, m.Request.Fields, string(m.Request.Body)); strings.Contains(all, "hunter22") || strings.Contains(all, "geheim") {
				t.Errorf("a password is readable: %s", all)
			}
		}
	}
}

func TestExtendedQueries(t *testing.T) {
	binaryInt := &pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{{Name: []byte("n"), DataTypeOID: oidInt4, Format: 1}}}
	parts := []part{
		startup, ok,
		client(&pgproto3.Parse{Name: "s1", Query: "select $1::int"}, &pgproto3.Describe{ObjectType: 'S', Name: "s1"}, &pgproto3.Sync{}), // pgx prepares first
		server(&pgproto3.ParseComplete{}, &pgproto3.ParameterDescription{}, binaryInt, ready),
		client(&pgproto3.Bind{PreparedStatement: "s1", Parameters: [][]byte{[]byte("7")}, ResultFormatCodes: []int16{1}}, &pgproto3.Execute{}, &pgproto3.Sync{}),
		server(&pgproto3.BindComplete{}, &pgproto3.DataRow{Values: [][]byte{{0, 0, 0, 7}}}, &pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")}, ready),
		// A pipeline of which the second fails.
		client(&pgproto3.Parse{Query: "select 1"}, &pgproto3.Bind{}, &pgproto3.Execute{}, &pgproto3.Parse{Query: "select x"}, &pgproto3.Bind{}, &pgproto3.Execute{},
			&pgproto3.Parse{Query: "select 3"}, &pgproto3.Bind{}, &pgproto3.Execute{}, &pgproto3.Sync{}),
		server(&pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, row("1"), &pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")},
			&pgproto3.ErrorResponse{Severity: "ERROR", Code: "42703", Message: "no x"}, ready),
		client(&pgproto3.Parse{Query: "selec"}, &pgproto3.Sync{}),
		server(&pgproto3.ErrorResponse{Severity: "ERROR", Code: "42601", Message: "syntax error"}, ready),
		client(&pgproto3.Query{String: "select 9"}), server(&pgproto3.CommandComplete{CommandTag: []byte("SELECT 9")}, ready),
	}
	for _, size := range []int{0, 1, 5} {
		got := talk(size, parts...)
		check(t, fmt.Sprintf("in pieces of %d", size), got, "CONNECT ann@shop -> OK", "PREPARE select $1::int -> OK", "SELECT select $1::int -> SELECT 1",
			"SELECT select 1 -> SELECT 1", "SELECT select x -> ERROR 42703: no x (failed)", "SELECT select 3 ->  Not executed: an earlier statement failed.",
			"PREPARE selec -> ERROR 42601: syntax error (failed)", "SELECT select 9 -> SELECT 9")
		if t.Failed() {
			return
		}
		if body := string(got[2].Request.Body) + "|" + string(got[2].Answer.Body); body != "select $1::int\n-- $1 = '7'|n\n7\n" {
			t.Errorf("got the bodies %q", body)
		}
	}
}

// A connection that was open before the recording is decoded from its next query on.
func TestPartial(t *testing.T) {
	check(t, "simple", talk(3, client(&pgproto3.Query{String: "select 1"}), server(&pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")}, ready)), "SELECT select 1 -> SELECT 1")
	check(t, "prepared before", talk(0, client(&pgproto3.Bind{PreparedStatement: "s1"}, &pgproto3.Execute{}, &pgproto3.Sync{}),
		server(&pgproto3.BindComplete{}, &pgproto3.CommandComplete{CommandTag: []byte("UPDATE 1")}, ready)), "EXECUTE  -> UPDATE 1")
}

func TestLoginFails(t *testing.T) {
	got := talk(0, startup, server(&pgproto3.AuthenticationSASL{AuthMechanisms: []string{"SCRAM-SHA-256"}}), client(&pgproto3.SASLInitialResponse{AuthMechanism: "SCRAM-SHA-256", Data: []byte("n,,n=,r=abc")}),
		server(&pgproto3.ErrorResponse{Severity: "FATAL", Code: "28P01", Message: "password authentication failed"}))
	check(t, "SCRAM", got, "CONNECT ann@shop -> FATAL 28P01: password authentication failed (failed)")
	if f := got[0].Answer.Fields; len(f) != 1 || f[0].Value != "SCRAM-SHA-256" {
		t.Errorf("got the fields %v, want the mechanism", f)
	}
}

// Other protocols are not taken for PostgreSQL; a message that is not valid ends the
// decoding, and what follows is text.
func TestFallback(t *testing.T) {
	for _, b := range []string{"GET / HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\n", "QUIT\r\n", "\x00\x00\x00\x08\x00\x00\x00\x00", "BEGIN\n", "\x16\x03\x01"} {
		if got := talk(0, part{Dir: traffic.ToServer, Bytes: []byte(b)}); len(got) != 1 || got[0].Protocol == Name {
			t.Errorf("%q: got %d exchanges, want one that is not PostgreSQL", b, len(got))
		}
	}
	got := talk(0, startup, ok, part{Dir: traffic.ToServer, Bytes: []byte("Z\x00\x00\x00\x05IQ")})
	if len(got) != 2 || got[1].Protocol == Name {
		t.Errorf("a message of an unknown type: got %d exchanges, want the connection and text", len(got))
	}
}

func FuzzPostgres(f *testing.F) {
	// Short ones: Go spends up to a minute on shortening each interesting input.
	f.Add(client(&pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersion30, Parameters: map[string]string{"user": "a"}}).Bytes, server(&pgproto3.AuthenticationOk{}, ready).Bytes, uint64(1))
	f.Add(client(&pgproto3.Query{String: "q"}).Bytes, server(row("1"), &pgproto3.CommandComplete{}, ready).Bytes, uint64(2))
	f.Add(client(&pgproto3.Parse{}, &pgproto3.Sync{}).Bytes, server(&pgproto3.ErrorResponse{Code: "1"}, ready).Bytes, uint64(3))
	f.Add(client(&pgproto3.Bind{Parameters: [][]byte{{1}}}, &pgproto3.Execute{}, &pgproto3.Sync{}).Bytes, server(&pgproto3.BindComplete{}, ready).Bytes, uint64(4))
	f.Add(client(&pgproto3.Bind{}, &pgproto3.Describe{ObjectType: 'P'}).Bytes, server(columns).Bytes, uint64(5))
	f.Fuzz(func(t *testing.T, client, server []byte, seed uint64) {
		traffictest.Fuzz(t, Protocol(), client, server, seed)
	})
}
