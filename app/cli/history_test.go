package cli

import (
	"bytes"
	"context"
	"encoding/csv"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/adrg/xdg"

	"porthole/app/settings"
	"porthole/monitor"
	"porthole/monitor/history"
	"porthole/monitor/history/store"
)

// memory is a writer of an activity of the test's own.
type memory struct {
	*store.Store
	n       int
	listens []*monitor.Listener
}

func remember(t *testing.T) *memory {
	t.Helper()
	before := xdg.StateHome
	xdg.StateHome = t.TempDir()
	s := store.Open(settings.HistoryPath(), store.Options{Boot: "boot", OnState: func(s store.State) {
		if s != (store.State{}) {
			t.Errorf("the store says %+v", s)
		}
	}})
	t.Cleanup(func() { s.Close(); xdg.StateHome = before })
	return &memory{Store: s}
}

// spell lets someone have a port from one moment to another; to is zero where it goes on.
func (m *memory) spell(name string, port uint16, from, to time.Time) {
	m.n++
	l := &monitor.Listener{
		ID: "tcp-" + strconv.Itoa(m.n), Protocol: monitor.TCP, Port: port, Exposure: monitor.ExposureLoopback, Since: from,
		Addresses: []netip.Addr{netip.MustParseAddr("127.0.0.1")},
		Owners:    []monitor.Owner{{PID: m.n, Name: name, User: "ann", Project: "of-" + name, Command: []string{name, "--token=s3cret"}}},
		Sockets:   []monitor.HeldSocket{{Socket: monitor.Socket{ID: monitor.SocketID(m.n)}}},
	}
	u := monitor.Update{Ready: true, Events: []monitor.Event{{At: from, Kind: monitor.Opened, Listener: l}}}
	if to.IsZero() {
		m.listens = append(m.listens, l)
	} else {
		u.Events = append(u.Events, monitor.Event{At: to, Kind: monitor.Closed, Listener: l})
	}
	u.Snapshot = monitor.Snapshot{TakenAt: time.Now(), Listeners: m.listens}
	m.Record(u)
	m.Flush()
}

func runHistory(t *testing.T, o HistoryOptions, args ...string) string {
	t.Helper()
	var out, problems bytes.Buffer
	o.Stdout, o.Stderr = &out, &problems
	if err := History(t.Context(), args, o); err != nil || problems.Len() > 0 {
		t.Fatalf("History(%q): %v, stderr %q", args, err, problems.String())
	}
	return out.String()
}

func TestHistoryForPeople(t *testing.T) {
	m := remember(t)
	now := time.Now()
	m.spell("old", 80, now.AddDate(0, 0, -3), now.AddDate(0, 0, -3).Add(time.Minute))
	m.spell("evil\x1b[2J", 5432, now.Add(-time.Minute), now.Add(-time.Second))
	m.spell("node", 3000, now.Add(-time.Second), time.Time{})
	got := runHistory(t, HistoryOptions{})
	if regexp.MustCompile(`(?s)\d\d:\d\d:\d\d  opened    5432  evil \[2J \(2\) · of-evil \[2J  127\.0\.0\.1\n.*`+
		`\d\d:\d\d:\d\d  closed    5432  .*  after 59s\n.*opened    3000  node`).FindString(got) == "" {
		t.Errorf("the last day is\n%s", got)
	}
	if !strings.Contains(got, now.Add(-time.Second).Format("Monday 2006-01-02\n")) || strings.Contains(got, "  old ") {
		t.Errorf("want the day's name, and nothing older than a day:\n%s", got)
	}
	for _, c := range []struct {
		o    HistoryOptions
		args []string
		want int // lines of events
	}{
		{HistoryOptions{Since: "7d"}, nil, 5},
		{HistoryOptions{Since: "1w", Limit: 2}, nil, 2},
		{HistoryOptions{}, []string{"80"}, 2},
		{HistoryOptions{}, []string{"1-100", "3000"}, 3},
		{HistoryOptions{Since: "24h"}, []string{"80"}, 0},
		{HistoryOptions{Match: "NODE of-"}, nil, 1},
	} {
		got := runHistory(t, c.o, c.args...)
		if n := len(regexp.MustCompile(`(?m)^  \d\d:`).FindAllString(got, -1)); n != c.want {
			t.Errorf("%+v %q: %d events, want %d:\n%s", c.o, c.args, n, c.want, got)
		}
		if c.want == 0 && !strings.HasPrefix(got, "Nothing is remembered of 80 since ") {
			t.Errorf("no events are %q", got)
		}
	}
	if got := runHistory(t, HistoryOptions{}, "81"); got != "Nothing is remembered of 81.\n" {
		t.Errorf("a port that nobody had: %q", got)
	}
}

func TestHistoryForScripts(t *testing.T) {
	m := remember(t)
	now := time.Now()
	m.spell("=HYPERLINK(1)", 5432, now.Add(-time.Minute), now)
	lines := strings.Split(strings.TrimSpace(runHistory(t, HistoryOptions{Options: Options{JSON: true}})), "\n")
	if len(lines) != 2 {
		t.Fatalf("JSON Lines: %q", lines)
	}
	e := decode(t, []byte(lines[1]))
	sameKeys(t, "a closed line", e, "id", "at", "kind", "protocol", "port", "addresses", "exposure", "listener", "boot", "owner", "opened_at", "duration_seconds", "duration_certainty")
	if at, err := time.Parse(time.RFC3339Nano, e["at"].(string)); err != nil || !strings.HasSuffix(e["at"].(string), "Z") || at.Sub(now).Abs() > time.Millisecond {
		t.Errorf("at = %v, %v; want %v in UTC", e["at"], err, now)
	}
	got := runHistory(t, HistoryOptions{CSV: true})
	rows, err := csv.NewReader(strings.NewReader(got)).ReadAll()
	if err != nil || len(rows) != 3 || !strings.Contains(got, ",'=HYPERLINK(1),") {
		t.Errorf("CSV: %q, %v", got, err)
	}
	if strings.Contains(got, "s3cret") || strings.Contains(strings.Join(lines, ""), "s3cret") {
		t.Error("a secret is told")
	}
	if got := runHistory(t, HistoryOptions{Options: Options{JSON: true}}, "1"); got != "" {
		t.Errorf("no events as JSON Lines are %q, want nothing", got)
	}
}

func TestHistoryRefuses(t *testing.T) {
	remember(t)
	for _, c := range []struct {
		o    HistoryOptions
		args []string
		want string
	}{
		{HistoryOptions{Since: "yesterday"}, nil, "since is a time ago"},
		{HistoryOptions{Since: "-1h"}, nil, "since is a time ago"},
		{HistoryOptions{Since: "d"}, nil, "since is a time ago"},
		{HistoryOptions{Limit: -1}, nil, "limit"},
		{HistoryOptions{CSV: true, Options: Options{JSON: true}}, nil, "choose one"},
		{HistoryOptions{}, []string{"70000"}, "65535"},
	} {
		c.o.Stdout, c.o.Stderr = &bytes.Buffer{}, &bytes.Buffer{}
		if err := History(t.Context(), c.args, c.o); Status(err) != 2 || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v %q: %v; want status 2 and %q", c.o, c.args, err, c.want)
		}
	}
}

func TestSince(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.FixedZone("CET", 3600))
	for text, want := range map[string]time.Time{
		"24h": now.Add(-24 * time.Hour), "90m": now.Add(-90 * time.Minute), "7d": now.AddDate(0, 0, -7), "2w": now.AddDate(0, 0, -14),
		"2026-11-01": time.Date(2026, 11, 1, 0, 0, 0, 0, now.Location()), "": {},
	} {
		if got, err := parseSince(text, now); err != nil || !got.Equal(want) {
			t.Errorf("since(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
}

func TestAFreePortSaysWhoHadItLast(t *testing.T) {
	m := remember(t)
	ln, port := listen(t, "127.0.0.1:0")
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	ask := func() string {
		var out bytes.Buffer
		if err := List(t.Context(), []string{port}, Options{Stdout: &out, Stderr: &out}); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	if got, want := ask(), port+" is free on loopback.\n"; got != want {
		t.Errorf("before: %q, want %q", got, want)
	}
	m.spell("postgres", uint16(n), time.Now().Add(-time.Minute), time.Now())
	if got := ask(); !strings.HasPrefix(got, port+" is free on loopback. Last: postgres, ") {
		t.Errorf("after: %q", got)
	}
}

func TestSpellsForPeople(t *testing.T) {
	now := time.Date(2026, 11, 24, 18, 0, 0, 0, time.FixedZone("CET", 3600))
	from, to := now.Add(-238*time.Minute).UTC(), now.Add(-233*time.Minute).UTC()
	o := history.Owner{Name: "postgres", PID: 7}
	for want, s := range map[string]history.Tenure{
		"postgres, today 14:02–14:07":                         {Owner: o, From: from, To: to},
		"postgres, yesterday 14:02–today 14:07":               {Owner: o, From: from.AddDate(0, 0, -1), To: to},
		"postgres, 2026-11-20 14:02–14:07":                    {Owner: o, From: from.AddDate(0, 0, -4), To: to.AddDate(0, 0, -4)},
		"postgres, before today 14:02–14:07":                  {Owner: o, From: from, To: to, AlreadyOpen: true},
		"postgres, today 14:02, ended before 14:07":           {Owner: o, From: from, To: to, Unobserved: true},
		"postgres, seen today 14:02":                          {Owner: o, From: from},
		"postgres, until today 14:07":                         {Owner: o, To: to},
		"ann's process (hidden), until today 14:07":           {Owner: history.Owner{User: "ann"}, To: to},
		"cupsd (inferred, PID 3), today 14:02–14:07":          {Owner: history.Owner{Name: "cupsd", PID: 3, Inferred: true}, From: from, To: to},
		"cups.service (hidden), seen yesterday 14:02":         {Owner: history.Owner{Unit: "cups.service"}, From: from.AddDate(0, 0, -1)},
		"postgres, ended before today 14:07":                  {Owner: o, To: to, Unobserved: true},
		"postgres, yesterday 14:02, ended before today 14:07": {Owner: o, From: from.AddDate(0, 0, -1), To: to, Unobserved: true},
	} {
		if got := tenureText(s, now); got != want {
			t.Errorf("%+v: %q, want %q", s, got, want)
		}
	}
}

func TestForget(t *testing.T) {
	m := remember(t)
	now := time.Now()
	m.spell("postgres", 5432, now.Add(-time.Minute), now)
	m.spell("node", 3000, now.Add(-time.Minute), now)
	forget := func(o ForgetOptions) (string, error) {
		var out bytes.Buffer
		o.Stdout, o.Stderr = &out, &out
		err := Forget(t.Context(), o)
		return out.String(), err
	}
	for _, o := range []ForgetOptions{
		{}, {Port: "0", Yes: true}, {Port: "1-2", Yes: true}, {Port: "80", Everything: true, Yes: true}, {Port: "80"},
	} {
		if _, err := forget(o); Status(err) != 2 {
			t.Errorf("%+v: %v; want status 2", o, err)
		}
	}
	for _, answer := range []string{"", "\n", "n\n", "maybe\n"} {
		said, err := forget(ForgetOptions{Port: "5432", Stdin: strings.NewReader(answer)})
		if err != ErrForgetCanceled || said != "Erase all that is remembered of port 5432, for good? [y/N] " {
			t.Errorf("answer %q: %q, %v", answer, said, err)
		}
	}
	// While the writer runs.
	said, err := forget(ForgetOptions{Port: "5432", Stdin: strings.NewReader("y\n")})
	if err != nil || !strings.HasSuffix(said, "Forgotten: 2 events.\n") {
		t.Errorf("%q, %v", said, err)
	}
	if got := runHistory(t, HistoryOptions{}); strings.Contains(got, "5432") || !strings.Contains(got, "3000") {
		t.Errorf("after forgetting 5432:\n%s", got)
	}
	damaged := filepath.Join(filepath.Dir(settings.HistoryPath()), "activity.db.damaged-20260101T000000Z")
	if err := os.WriteFile(damaged, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if said, err := forget(ForgetOptions{Project: "of-node", Yes: true}); err != nil || !strings.Contains(said, damaged) || !strings.HasPrefix(said, "Forgotten: 2 events.\n") {
		t.Errorf("%q, %v; want two events, and that the damaged file may tell of it", said, err)
	}
	if _, err := forget(ForgetOptions{Everything: true, Yes: true}); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(damaged); err == nil {
		t.Error("everything was forgotten, and the damaged file stays")
	}
}

// manyEvents is a Reader of so many events, with ids from 1 on.
type manyEvents struct {
	history.Reader
	n, most int // most is how many were asked for at once
}

func (r *manyEvents) Events(_ context.Context, q history.Query) (events []history.Event, _ error) {
	r.most = max(r.most, q.Limit)
	first, step := int64(r.n), int64(-1)
	if q.OldestFirst {
		first, step = 1, 1
	}
	for id := first; id >= 1 && id <= int64(r.n) && len(events) < q.Limit; id += step {
		if id > q.After && (q.Before == 0 || id < q.Before) {
			events = append(events, history.Event{ID: id})
		}
	}
	return events, nil
}

func TestALongHistoryIsNotHeldInMemory(t *testing.T) {
	for _, c := range []struct{ n, limit, first, count int }{
		{0, 0, 0, 0}, {0, 5, 0, 0}, {2500, 0, 1, 2500}, {2000, 0, 1, 2000}, {2500, 10, 2491, 10}, {2500, 1200, 1301, 1200}, {3, 5, 1, 3},
	} {
		r, ids := &manyEvents{n: c.n}, []int64(nil)
		err := eachEvent(t.Context(), r, history.Query{}, c.limit, func(e history.Event) error { ids = append(ids, e.ID); return nil })
		if err != nil || len(ids) != c.count || !slices.IsSorted(ids) || (c.count > 0 && ids[0] != int64(c.first)) {
			t.Errorf("%d events, limit %d: %d from %v, %v; want %d from %d on", c.n, c.limit, len(ids), ids[:min(1, len(ids))], err, c.count, c.first)
		}
		if r.most > pageSize {
			t.Errorf("%d events, limit %d: %d were asked for at once", c.n, c.limit, r.most)
		}
	}
}
