package history

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"porthole/monitor"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.FixedZone("CET", 3600))

func server(since time.Time) *monitor.Listener {
	return &monitor.Listener{
		ID: "tcp-5432-a", Protocol: monitor.TCP, Port: 5432, Exposure: monitor.ExposureLoopback, Since: since, User: "ann", Project: "acme",
		Addresses: []netip.Addr{netip.MustParseAddr("::1")},
		Owners:    []monitor.Owner{{PID: 7, Name: "node", Command: []string{"node", "--token", "s3cret", "postgres://u:pw@h/d"}}},
	}
}

func TestNewEvent(t *testing.T) {
	before := server(noon)
	before.Exposure = monitor.ExposureNetwork
	before.Owners = []monitor.Owner{{PID: 6, Name: "old", Command: []string{"old", "--password=s3cret"}}}
	for _, c := range []struct {
		kind  monitor.Kind
		since time.Time
		check func(Event) bool
	}{
		{monitor.Opened, noon, func(e Event) bool { return e.OpenedAt.Equal(noon) && !e.AlreadyOpen && e.Duration == 0 }},
		{monitor.Discovered, time.Time{}, func(e Event) bool { return e.OpenedAt.Equal(e.At) && e.AlreadyOpen }},
		{monitor.Closed, noon, func(e Event) bool { return e.Duration == time.Minute && e.Certainty() == Exact }},
		{monitor.Closed, noon.Add(time.Hour), func(e Event) bool { return e.Duration == 0 }}, // the clock was set back
		{monitor.Closed, time.Time{}, func(e Event) bool { return e.AlreadyOpen && e.Certainty() == Unknown }},
		{monitor.OwnerChanged, noon, func(e Event) bool { return e.OwnerBefore != nil && e.OwnerBefore.PID == 6 && e.ExposureBefore == "" }},
		{monitor.ExposureChanged, noon, func(e Event) bool { return e.OwnerBefore == nil && e.ExposureBefore == monitor.ExposureNetwork }},
	} {
		e := NewEvent(monitor.Event{At: noon.Add(time.Minute), Kind: c.kind, Listener: server(c.since), Before: before}, "boot")
		if !c.check(e) || !Stored(c.kind) {
			t.Errorf("%s since %v: got %+v", c.kind, c.since, e)
		}
		if e.At.Location() != time.UTC || e.Owner.Name != "node" || e.Boot != "boot" || !e.AcceptsLoopback() {
			t.Errorf("%s: %+v", c.kind, e)
		}
		b, err := json.Marshal(e)
		if err != nil || strings.Contains(string(b), "s3cret") || strings.Contains(string(b), "pw@") {
			t.Errorf("%s contains a secret: %s, %v", c.kind, b, err)
		}
	}
	if Stored(monitor.Updated) || Stored(monitor.Unlisted) || Stored("what comes later") {
		t.Error("a kind that is not an event is stored")
	}
}

func TestUnknownOwners(t *testing.T) {
	l := server(noon)
	l.Owners, l.CgroupInfo = nil, monitor.CgroupInfo{Unit: "cups.service", ContainerID: "abc", Inferred: &monitor.Owner{PID: 3, Name: "cupsd"}}
	o := OwnerOf(l)
	if o.Name != "cupsd" || !o.Inferred || o.Unit != "cups.service" || o.Container != "abc" || o.User != "ann" {
		t.Errorf("%+v", o)
	}
	l.Inferred = nil
	if o := OwnerOf(l); o.Name != "" || o.Inferred || o.PID != 0 || o.User != "ann" {
		t.Errorf("got %+v, want only the user", o)
	}
}

func TestCommandIsMaskedBeforeTruncation(t *testing.T) {
	l := server(noon)
	l.Owners[0].Command = append([]string{strings.Repeat("ü", maxCommand/2-10), "--password", "s3cret"}, slices.Repeat([]string{"x"}, 500)...)
	got := OwnerOf(l).Command
	text := strings.Join(got, " ")
	if strings.Contains(text, "s3c") || !utf8.ValidString(text) || len(text) > 2*maxCommand || got[len(got)-1] != "…" {
		t.Errorf("got %d bytes in %d arguments, the last one %q", len(text), len(got), got[len(got)-1])
	}
	if got := truncate("ab\xff", 10); got != "ab�" {
		t.Errorf("truncate: got %q", got)
	}
}

func TestTenure(t *testing.T) {
	e := Event{Kind: monitor.Closed, OpenedAt: noon, At: noon.Add(time.Hour), AlreadyOpen: true, Unobserved: true}
	if s := e.Tenure(); s.From != noon || s.To != e.At || !s.AlreadyOpen || !s.Unobserved {
		t.Errorf("closed: got %+v", s)
	}
	e.Kind = monitor.OwnerChanged
	if s := e.Tenure(); s.From != e.At || s.AlreadyOpen || !s.To.IsZero() {
		t.Errorf("owner changed: got %+v, want from then on, without an end", s)
	}
	for want, e := range map[Certainty]Event{
		Exact: {OpenedAt: noon}, AtLeast: {OpenedAt: noon, AlreadyOpen: true}, AtMost: {OpenedAt: noon, Unobserved: true},
		Unknown: {OpenedAt: noon, Unobserved: true, AlreadyOpen: true},
	} {
		if got := e.Certainty(); got != want {
			t.Errorf("%+v: got %v, want %v", e, got, want)
		}
	}
}

func TestExports(t *testing.T) {
	e := NewEvent(monitor.Event{At: noon.Add(1500 * time.Millisecond), Kind: monitor.Closed, Listener: server(noon), Stopped: "SIGTERM", Exit: monitor.Exit{Signal: "SIGABRT", CoreDumped: true}}, "boot")
	e.ID = 9
	e.Owner.Name = "=cmd|' /C calc'!A0"
	b, err := json.Marshal(e)
	const want = `{"id":9,"at":"2026-11-24T11:00:01.5Z","kind":"closed","protocol":"tcp","port":5432,"addresses":["::1"],` +
		`"exposure":"` + string(monitor.ExposureLoopback) + `","listener":"tcp-5432-a","boot":"boot","owner":{"pid":7,"name":"=cmd|' /C calc'!A0","user":"ann","project":"acme",` +
		`"command":["node","--token","•••","postgres://h/•••"]},"opened_at":"2026-11-24T11:00:00Z","duration_seconds":1.5,"duration_certainty":"exact","stopped_by_user":"SIGTERM","signal":"SIGABRT","core_dumped":true}`
	if err != nil || string(b) != want {
		t.Errorf("JSON: got %s, %v\nwant %s", b, err, want)
	}
	var out bytes.Buffer
	c, err := NewCSVWriter(&out, func(l *monitor.Listener) string {
		o, _ := l.Principal()
		return fmt.Sprint("database of ", o.Project, " on ", l.Port)
	})
	if err == nil {
		err = c.Write(e)
	}
	if err == nil {
		err = c.Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(out.String(), "\r\n")
	if len(lines) != 3 || strings.Count(out.String(), "\n") != 2 {
		t.Fatalf("CSV: got %q, want two lines that end in CRLF", out.String())
	}
	const line = "2026-11-24T11:00:01.5Z,closed,,tcp,5432,::1," + string(monitor.ExposureLoopback) + ",'=cmd|' /C calc'!A0,7,ann,acme,,,,node --token ••• postgres://h/•••,,,,,,," +
		"2026-11-24T11:00:00Z,,1.5,exact,9,tcp-5432-a,boot,SIGTERM,,SIGABRT,yes,,,,,database of acme on 5432\r\n"
	if lines[1] != line {
		t.Errorf("CSV: got %q\nwant %q", lines[1], line)
	}
}

func TestEscapeCell(t *testing.T) {
	for cell, want := range map[string]string{
		"=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "\tx": "'\tx", "\rx": "'\nx", " =1": "' =1", "\n=1": "'\n=1",
		"＝1": "'＝1", "node": "node", "a=b": "a=b", "": "", "•••": "•••",
	} {
		if got := escapeCell(cell); got != want {
			t.Errorf("escapeCell(%q): got %q, want %q", cell, got, want)
		}
	}
}

func FuzzCSVRoundTrip(f *testing.F) {
	for _, s := range []string{"node", "=1", "a,b", `"`, "a\r\nb", "\r", "\n", " ", `\.`, "'", "\ufeff", "\x00\xff"} {
		f.Add(s, "x")
		f.Add("x", s)
	}
	f.Fuzz(func(t *testing.T, name, argument string) {
		e := Event{Owner: Owner{Name: name, Command: []string{argument}}}
		var out bytes.Buffer
		c, err := NewCSVWriter(&out, nil)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := c.Write(e); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.Flush(); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(&out).ReadAll()
		if err != nil || len(rows) != 3 {
			t.Fatalf("got %d rows, %v", len(rows), err)
		}
		for _, row := range rows[1:] {
			for column, want := range map[string]string{"name": escapeCell(name), "command": escapeCell(argument)} {
				if got := row[slices.Index(csvHeader, column)]; got != want {
					t.Errorf("%s: wrote %q, read %q", column, want, got)
				}
			}
		}
		for _, cell := range rows[1] {
			if cell != "" && strings.ContainsRune(formulaStarts, []rune(cell)[0]) {
				t.Errorf("a cell starts a formula: %q", cell)
			}
		}
	})
}

// A failed health check is exported with its answer, and its end with how long it lasted.
func TestExportsHealth(t *testing.T) {
	answer := monitor.HealthAnswer{Path: "/health", Status: 503}
	e := NewEvent(monitor.Event{At: noon, Kind: monitor.Unhealthy, Listener: server(noon), Health: answer}, "boot")
	b, err := json.Marshal(e)
	if want := `"health":{"path":"/health","status":503,"text":"HTTP 503"}`; err != nil || !strings.Contains(string(b), want) {
		t.Errorf("JSON: got %s, %v; want %s", b, err, want)
	}
	e = NewEvent(monitor.Event{At: noon, Kind: monitor.Healthy, Listener: server(noon), Lasted: 90 * time.Second, Health: monitor.HealthAnswer{Path: "/health", Failure: monitor.NoAnswer}}, "boot")
	var out bytes.Buffer
	c, err := NewCSVWriter(&out, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Write(e); err != nil {
		t.Fatal(err)
	}
	if err := c.Flush(); err != nil || !strings.Contains(out.String(), ",90,") || !strings.HasSuffix(out.String(), ",/health no_answer,\r\n") {
		t.Errorf("CSV: got %q, %v; want 90 seconds and the answer", out.String(), err)
	}
}
