package cli

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"porthole/app/paths"
	"porthole/internal/freeport"
	"porthole/internal/testhome"
	"porthole/monitor"
	"porthole/monitor/history"
	"porthole/monitor/history/store"
)

// recorder writes the history of a test.
type recorder struct {
	*store.Store
	n    int
	open []*monitor.Listener
}

// newRecorder replaces the history until the test ends.
func newRecorder(t *testing.T) *recorder {
	t.Helper()
	testhome.Use(t, t.TempDir(), testhome.State)
	s := store.Open(paths.History(), store.Options{Boot: "boot", OnState: func(s store.State) {
		if s != (store.State{}) {
			t.Errorf("the store reported %+v, want no problems", s)
		}
	}})
	t.Cleanup(s.Close)
	return &recorder{Store: s}
}

// record adds a listener that was open from one time to another; to is zero if
// it is still open.
func (r *recorder) record(name string, port uint16, from, to time.Time) {
	r.n++
	l := &monitor.Listener{
		ID: "tcp-" + strconv.Itoa(r.n), Protocol: monitor.TCP, Port: port, Exposure: monitor.ExposureLoopback, Since: from,
		Addresses: []netip.Addr{netip.MustParseAddr("127.0.0.1")},
		Owners:    []monitor.Owner{{PID: r.n, Name: name, User: "ann", Project: "of-" + name, Command: []string{name, "--token=s3cret"}}},
		Sockets:   []monitor.HeldSocket{{Socket: monitor.Socket{ID: monitor.SocketID(r.n)}}},
	}
	u := monitor.Update{Ready: true, Events: []monitor.Event{{At: from, Kind: monitor.Opened, Listener: l}}}
	if to.IsZero() {
		r.open = append(r.open, l)
	} else {
		u.Events = append(u.Events, monitor.Event{At: to, Kind: monitor.Closed, Listener: l})
	}
	u.Snapshot = monitor.Snapshot{TakenAt: time.Now(), Listeners: r.open}
	r.Record(u)
	r.Flush()
}

// historyOutput returns what runHistory prints.
func historyOutput(t *testing.T, o historyOptions, args ...string) string {
	t.Helper()
	var out, stderr bytes.Buffer
	o.Stdout, o.Stderr = &out, &stderr
	if err := runHistory(t.Context(), args, o); err != nil || stderr.Len() > 0 {
		t.Fatalf("runHistory(%q) = %v, stderr %q, want nil and empty stderr", args, err, stderr.String())
	}
	return out.String()
}

func TestHistoryText(t *testing.T) {
	r := newRecorder(t)
	now := time.Now()
	r.record("old", 80, now.AddDate(0, 0, -3), now.AddDate(0, 0, -3).Add(time.Minute))
	r.record("evil\x1b[2J", 5432, now.Add(-time.Minute), now.Add(-time.Second))
	r.record("node", 3000, now.Add(-time.Second), time.Time{})
	got := historyOutput(t, historyOptions{})
	if regexp.MustCompile(`(?s)\d\d:\d\d:\d\d  opened +5432  evil \[2J \(2\) · of-evil \[2J  127\.0\.0\.1\n.*`+
		`\d\d:\d\d:\d\d  closed +5432  .*  after 59s\n.*opened +3000  node`).FindString(got) == "" {
		t.Errorf("last 24 hours: got\n%s", got)
	}
	if !strings.Contains(got, now.Add(-time.Second).Format("Monday 2006-01-02\n")) || strings.Contains(got, "  old ") {
		t.Errorf("last 24 hours: want the day and no older events, got\n%s", got)
	}
	for _, c := range []struct {
		o    historyOptions
		args []string
		want int // events
	}{
		{historyOptions{Since: "7d"}, nil, 5},
		{historyOptions{Since: "1w", Limit: 2}, nil, 2},
		{historyOptions{}, []string{"80"}, 2},
		{historyOptions{}, []string{"1-100", "3000"}, 3},
		{historyOptions{Since: "24h"}, []string{"80"}, 0},
		{historyOptions{Match: "NODE of-"}, nil, 1},
	} {
		got := historyOutput(t, c.o, c.args...)
		if n := len(regexp.MustCompile(`(?m)^  \d\d:`).FindAllString(got, -1)); n != c.want {
			t.Errorf("%+v %q: got %d events, want %d:\n%s", c.o, c.args, n, c.want, got)
		}
		if c.want == 0 && !strings.HasPrefix(got, "No recorded events of 80 since ") {
			t.Errorf("without events: got %q", got)
		}
	}
	if got, want := historyOutput(t, historyOptions{}, "81"), "No recorded events of 81.\n"; got != want {
		t.Errorf("port without events: got %q, want %q", got, want)
	}
}

func TestHistoryJSONAndCSV(t *testing.T) {
	r := newRecorder(t)
	now := time.Now()
	r.record("=HYPERLINK(1)", 5432, now.Add(-time.Minute), now)
	lines := strings.Split(strings.TrimSpace(historyOutput(t, historyOptions{Options: Options{JSON: true}})), "\n")
	if len(lines) != 2 {
		t.Fatalf("JSON Lines = %q, want two", lines)
	}
	e := decode(t, []byte(lines[1]))
	wantKeys(t, "a closed event", e, "id", "at", "kind", "protocol", "port", "addresses", "exposure", "listener", "boot", "owner", "opened_at", "duration_seconds", "duration_certainty")
	if at, err := time.Parse(time.RFC3339Nano, e["at"].(string)); err != nil || !strings.HasSuffix(e["at"].(string), "Z") || at.Sub(now).Abs() > time.Millisecond {
		t.Errorf("at = %v, %v, want %v in UTC", e["at"], err, now)
	}
	got := historyOutput(t, historyOptions{CSV: true})
	rows, err := csv.NewReader(strings.NewReader(got)).ReadAll()
	if err != nil || len(rows) != 3 || !strings.Contains(got, ",'=HYPERLINK(1),") {
		t.Errorf("CSV = %q, %v, want a header and two rows with an escaped formula", got, err)
	}
	if strings.Contains(got, "s3cret") || strings.Contains(strings.Join(lines, ""), "s3cret") {
		t.Error("the output contains a secret")
	}
	if got := historyOutput(t, historyOptions{Options: Options{JSON: true}}, "1"); got != "" {
		t.Errorf("JSON Lines without events = %q, want nothing", got)
	}
}

func TestHistoryRefusesInvalidInput(t *testing.T) {
	newRecorder(t)
	for _, c := range []struct {
		o    historyOptions
		args []string
		want string
	}{
		{historyOptions{Since: "yesterday"}, nil, "--since expects"},
		{historyOptions{Since: "-1h"}, nil, "--since expects"},
		{historyOptions{Since: "d"}, nil, "--since expects"},
		{historyOptions{Limit: -1}, nil, "limit"},
		{historyOptions{CSV: true, Options: Options{JSON: true}}, nil, "cannot be used together"},
		{historyOptions{}, []string{"70000"}, "65535"},
	} {
		c.o.Stdout, c.o.Stderr = &bytes.Buffer{}, &bytes.Buffer{}
		if err := runHistory(t.Context(), c.args, c.o); Status(err) != 2 || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v %q: error = %v, want a UsageError with %q", c.o, c.args, err, c.want)
		}
	}
}

func TestParseSince(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.FixedZone("CET", 3600))
	for text, want := range map[string]time.Time{
		"24h": now.Add(-24 * time.Hour), "90m": now.Add(-90 * time.Minute), "7d": now.AddDate(0, 0, -7), "2w": now.AddDate(0, 0, -14),
		"2026-11-01": time.Date(2026, 11, 1, 0, 0, 0, 0, now.Location()), "": {},
	} {
		if got, err := parseSince(text, now); err != nil || !got.Equal(want) {
			t.Errorf("parseSince(%q) = %v, %v, want %v", text, got, err, want)
		}
	}
}

func TestListOfFreePortNamesLastOwner(t *testing.T) {
	r := newRecorder(t)
	port := fmt.Sprint(freeport.Get(t))
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	list := func() string {
		var out bytes.Buffer
		if err := runList(t.Context(), []string{port}, Options{Stdout: &out, Stderr: &out}); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	if got, want := list(), port+" is free.\n"; got != want {
		t.Errorf("without a last owner: got %q, want %q", got, want)
	}
	r.record("postgres", uint16(n), time.Now().Add(-time.Minute), time.Now())
	if got, want := list(), port+" is free. Last used by postgres, "; !strings.HasPrefix(got, want) {
		t.Errorf("with a last owner: got %q, want it to begin with %q", got, want)
	}
}

func TestTenureText(t *testing.T) {
	now := time.Date(2026, 11, 24, 18, 0, 0, 0, time.FixedZone("CET", 3600))
	from, to := now.Add(-238*time.Minute).UTC(), now.Add(-233*time.Minute).UTC()
	o := history.Owner{Name: "postgres", PID: 7}
	for want, tenure := range map[string]history.Tenure{
		"postgres, today 14:02–14:07":                          {Owner: o, From: from, To: to},
		"postgres, yesterday 14:02–today 14:07":                {Owner: o, From: from.AddDate(0, 0, -1), To: to},
		"postgres, 2026-11-20 14:02–14:07":                     {Owner: o, From: from.AddDate(0, 0, -4), To: to.AddDate(0, 0, -4)},
		"postgres, before today 14:02–14:07":                   {Owner: o, From: from, To: to, AlreadyOpen: true},
		"postgres, today 14:02, closed before 14:07":           {Owner: o, From: from, To: to, Unobserved: true},
		"postgres, seen today 14:02":                           {Owner: o, From: from},
		"postgres, until today 14:07":                          {Owner: o, To: to},
		"unknown (user ann), until today 14:07":                {Owner: history.Owner{User: "ann"}, To: to},
		"unknown (probably cupsd, PID 3), today 14:02–14:07":   {Owner: history.Owner{Name: "cupsd", PID: 3, Inferred: true}, From: from, To: to},
		"unknown (cups.service), seen yesterday 14:02":         {Owner: history.Owner{Unit: "cups.service"}, From: from.AddDate(0, 0, -1)},
		"postgres, closed before today 14:07":                  {Owner: o, To: to, Unobserved: true},
		"postgres, yesterday 14:02, closed before today 14:07": {Owner: o, From: from.AddDate(0, 0, -1), To: to, Unobserved: true},
	} {
		if got := tenureText(tenure, now); got != want {
			t.Errorf("tenureText(%+v) = %q, want %q", tenure, got, want)
		}
	}
}

func TestForget(t *testing.T) {
	r := newRecorder(t)
	now := time.Now()
	r.record("postgres", 5432, now.Add(-time.Minute), now)
	r.record("node", 3000, now.Add(-time.Minute), now)
	forget := func(o forgetOptions) (string, error) {
		var out bytes.Buffer
		o.Stdout, o.Stderr = &out, &out
		err := runForget(t.Context(), o)
		return out.String(), err
	}
	for _, o := range []forgetOptions{
		{}, {Port: "0", Yes: true}, {Port: "1-2", Yes: true}, {Port: "80", Everything: true, Yes: true}, {Port: "80"},
	} {
		if _, err := forget(o); Status(err) != 2 {
			t.Errorf("%+v: error = %v, want a UsageError", o, err)
		}
	}
	for _, answer := range []string{"", "\n", "n\n", "maybe\n"} {
		out, err := forget(forgetOptions{Port: "5432", Stdin: strings.NewReader(answer)})
		if want := "Permanently delete the history of port 5432? [y/N] "; !errors.Is(err, errForgetCanceled) || out != want {
			t.Errorf("answer %q: got %q, %v, want %q, %v", answer, out, err, want, errForgetCanceled)
		}
	}
	// The store is open.
	out, err := forget(forgetOptions{Port: "5432", Stdin: strings.NewReader("y\n")})
	if err != nil || !strings.HasSuffix(out, "Deleted 2 events.\n") {
		t.Errorf("answer y: got %q, %v, want two events deleted", out, err)
	}
	if got := historyOutput(t, historyOptions{}); strings.Contains(got, "5432") || !strings.Contains(got, "3000") {
		t.Errorf("after deleting 5432: got\n%s\nwant only 3000", got)
	}
	damaged := paths.History() + ".damaged-20260101T000000Z"
	if err := os.WriteFile(damaged, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := forget(forgetOptions{Project: "of-node", Yes: true}); err != nil || !strings.Contains(out, damaged) || !strings.HasPrefix(out, "Deleted 2 events.\n") {
		t.Errorf("project: got %q, %v, want two events deleted and the damaged file named", out, err)
	}
	if _, err := forget(forgetOptions{Everything: true, Yes: true}); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(damaged); err == nil {
		t.Error("--everything kept the damaged file")
	}
}

// generatedEvents is a Reader of n events with the IDs 1 to n.
type generatedEvents struct {
	history.Reader
	n        int
	maxLimit int // the largest Limit of all queries
}

func (r *generatedEvents) Events(_ context.Context, q history.Query) (events []history.Event, _ error) {
	r.maxLimit = max(r.maxLimit, q.Limit)
	first, step := int64(r.n), int64(-1)
	if q.OldestFirst {
		first, step = 1, 1
	}
	for id := first; id >= 1 && id <= int64(r.n) && len(events) < q.Limit; id += step {
		e := history.Event{ID: id}
		if at := e.Position(); (q.After.IsZero() || at.Compare(q.After) > 0) && (q.Before.IsZero() || at.Compare(q.Before) < 0) {
			events = append(events, e)
		}
	}
	return events, nil
}

func TestEachEventReadsPages(t *testing.T) {
	for _, c := range []struct{ n, limit, first, count int }{
		{0, 0, 0, 0}, {0, 5, 0, 0}, {2500, 0, 1, 2500}, {2000, 0, 1, 2000}, {2500, 10, 2491, 10}, {2500, 1200, 1301, 1200}, {3, 5, 1, 3},
	} {
		r, ids := &generatedEvents{n: c.n}, []int64(nil)
		err := eachEvent(t.Context(), r, history.Query{}, c.limit, func(e history.Event) error { ids = append(ids, e.ID); return nil })
		if err != nil || len(ids) != c.count || !slices.IsSorted(ids) || (c.count > 0 && ids[0] != int64(c.first)) {
			t.Errorf("%d events, limit %d: got %d from %v on, %v, want %d from %d on", c.n, c.limit, len(ids), ids[:min(1, len(ids))], err, c.count, c.first)
		}
		if r.maxLimit > pageSize {
			t.Errorf("%d events, limit %d: got a query for %d events, want at most %d", c.n, c.limit, r.maxLimit, pageSize)
		}
	}
}
