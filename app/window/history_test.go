//go:build cgo

package window

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"porthole/monitor"
	"porthole/monitor/history"
)

// fakeHistory is a history.Reader of events, the oldest first. If hold is not nil,
// Events sends its query to begun and waits for hold.
type fakeHistory struct {
	events []history.Event
	err    error
	hold   chan struct{}
	begun  chan history.Query
}

func (b *fakeHistory) Events(ctx context.Context, q history.Query) ([]history.Event, error) {
	if b.hold != nil {
		b.begun <- q
		select {
		case <-b.hold:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	var out []history.Event
	for i := len(b.events) - 1; i >= 0 && len(out) < q.Limit; i-- {
		if e := b.events[i]; q.Before.IsZero() || e.Position().Compare(q.Before) < 0 {
			out = append(out, e)
		}
	}
	return out, b.err
}

func (b *fakeHistory) ListenerEvents(context.Context, string) ([]history.Event, error) {
	return b.events, b.err
}

func (b *fakeHistory) LastOwner(context.Context, monitor.Protocol, monitor.Ports) (history.Tenure, bool, error) {
	return history.Tenure{}, false, b.err
}

func (b *fakeHistory) CountByHour(context.Context, history.Query) ([]history.HourCount, error) {
	return nil, b.err
}

// newTestReader returns a historyReader with one goroutine in place of Fyne's, and a
// function that runs functions on it.
func newTestReader(t *testing.T, r history.Reader) (*historyReader, func(func())) {
	t.Helper()
	m := newHistoryReader(t.Context(), nil, r, nil, slog.New(slog.NewTextHandler(io.Discard, nil)))
	work, ended := make(chan func()), make(chan struct{})
	go func() {
		for {
			select {
			case do := <-work:
				do()
			case <-ended:
				return
			}
		}
	}()
	t.Cleanup(func() { close(ended) })
	m.do = func(do func()) {
		select {
		case work <- do:
		case <-ended:
		}
	}
	return m, m.do
}

func testEvents(n int) []history.Event {
	events := make([]history.Event, n)
	for i := range events {
		events[i] = history.Event{ID: int64(i + 1), Kind: monitor.Opened, Protocol: monitor.TCP, Port: uint16(i%60000 + 1)}
	}
	return events
}

func TestNewerQueryCancelsOlderOne(t *testing.T) {
	f := &fakeHistory{events: testEvents(3), hold: make(chan struct{}), begun: make(chan history.Query, 2)}
	m, do := newTestReader(t, f)
	answers, handled := make(chan string, 4), make(chan bool, 4)
	m.do = func(answer func()) {
		do(answer)
		handled <- true
	}
	query := func(name string) func() {
		return func() {
			m.Events(history.Query{Limit: 1}, func(e []history.Event, err error) { answers <- fmt.Sprint(name, ": ", len(e), " ", err) })
		}
	}
	do(query("first"))
	<-f.begun
	do(query("second"))
	<-f.begun
	close(f.hold)
	if got := <-answers; got != "second: 1 <nil>" {
		t.Errorf("got answer %q, want that of the second query", got)
	}
	<-handled
	<-handled
	do(func() {}) // both results have been handled
	select {
	case got := <-answers:
		t.Errorf("the first query was answered: %q", got)
	default:
	}
}

func TestLookupsAreNotCanceled(t *testing.T) {
	f := &fakeHistory{events: testEvents(3), hold: make(chan struct{}), begun: make(chan history.Query, 2)}
	m, do := newTestReader(t, f)
	answers := make(chan error, 2)
	for range 2 {
		do(func() {
			m.Lookup(history.Query{Limit: 1}, func(_ []history.Event, err error) { answers <- err })
		})
		<-f.begun
	}
	close(f.hold)
	for range 2 {
		if err := <-answers; err != nil {
			t.Error(err)
		}
	}
}

func export(m *historyReader, do func(func()), path string) error {
	answer := make(chan error, 1)
	do(func() {
		m.Export(filepath.Ext(path)[1:], path, history.Query{}, func(err error) { answer <- err })
	})
	return <-answer
}

func TestExportWritesAllEvents(t *testing.T) {
	m, do := newTestReader(t, &fakeHistory{events: testEvents(2*exportPageSize + 10)})
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "old.csv"), make([]byte, 1<<20), 0o644); err != nil { // it is replaced
		t.Fatal(err)
	}
	for _, want := range []string{"new.csv", "old.csv", "new.json"} {
		path := filepath.Join(folder, want)
		if err := export(m, do, path); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: got mode %v, error %v; want 0600", want, info.Mode(), err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		if strings.HasSuffix(want, ".json") {
			var events []map[string]any
			if err := json.Unmarshal(text, &events); err != nil {
				t.Fatal(err)
			}
			n = len(events)
		} else {
			rows, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			n = len(rows) - 1
		}
		if n != 2*exportPageSize+10 {
			t.Errorf("%s: got %d events, want %d", want, n, 2*exportPageSize+10)
		}
	}
}

func TestEmptyAndFailedExport(t *testing.T) {
	m, do := newTestReader(t, &fakeHistory{})
	folder := t.TempDir()
	path := filepath.Join(folder, "empty.json")
	exported := export(m, do, path)
	if text, err := os.ReadFile(path); exported != nil || err != nil || string(text) != "[]\n" {
		t.Errorf("no events: got error %v, %q, error %v; want []", exported, text, err)
	}
	m, do = newTestReader(t, &fakeHistory{err: errors.New("damaged")})
	failed := filepath.Join(folder, "failed.csv")
	if err := os.WriteFile(failed, nil, 0o644); err != nil { // as the file dialog does
		t.Fatal(err)
	}
	if err := export(m, do, failed); err == nil {
		t.Error("failed export: got no error")
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) != 1 {
		t.Errorf("failed export: got files %v, error %v; want only empty.json", left, err)
	}
}

func TestForget(t *testing.T) {
	m, do := newTestReader(t, &fakeHistory{})
	answer := make(chan error, 2)
	forget := func() { m.Forget(history.Forget{Port: 80}, func(err error) { answer <- err }) }
	do(forget)
	if err := <-answer; err == nil {
		t.Error("erasing is not possible: got no error")
	}
	var got history.Forget
	m.forget = func(_ context.Context, f history.Forget) error { got = f; return nil }
	do(forget)
	if err := <-answer; err != nil || got.Port != 80 {
		t.Errorf("got %+v, error %v; want port 80", got, err)
	}
}

func TestForgetContinuesIfTheWindowCloses(t *testing.T) {
	ctx, closed := context.WithCancel(t.Context())
	begun, erased := make(chan struct{}), false
	m := newHistoryReader(ctx, func(func()) {}, &fakeHistory{}, func(ctx context.Context, _ history.Forget) error {
		close(begun)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
			erased = true
			return nil
		}
	}, slog.New(slog.NewTextHandler(io.Discard, nil)))
	m.Forget(history.Forget{Everything: true}, func(error) {})
	<-begun
	closed()
	m.wait()
	if !erased {
		t.Error("erasing was canceled by the end of the window")
	}
}
