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
	"porthole/monitor/activity"
)

// book is a Reader of events, the oldest first. Events waits for its turn where
// hold is not nil.
type book struct {
	events []activity.Event
	err    error
	hold   chan struct{}
	begun  chan activity.Query
}

func (b *book) Events(ctx context.Context, q activity.Query) ([]activity.Event, error) {
	if b.hold != nil {
		b.begun <- q
		select {
		case <-b.hold:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	var out []activity.Event
	for i := len(b.events) - 1; i >= 0 && len(out) < q.Limit; i-- {
		if e := b.events[i]; q.Before == 0 || e.ID < q.Before {
			out = append(out, e)
		}
	}
	return out, b.err
}

func (b *book) Story(context.Context, string) ([]activity.Event, error) { return b.events, b.err }

func (b *book) LastHolder(context.Context, uint16) (activity.Spell, bool, error) {
	return activity.Spell{}, false, b.err
}

func (b *book) Hours(context.Context, activity.Query) ([]activity.Hour, error) {
	return nil, b.err
}

// memoryOf returns a memory whose answers go through one goroutine, as through
// Fyne's, and the way to run something there.
func memoryOf(t *testing.T, r activity.Reader) (*memory, func(func())) {
	t.Helper()
	m := newMemory(t.Context(), nil, r, nil, slog.New(slog.NewTextHandler(io.Discard, nil)))
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
	folder := t.TempDir()
	m.folder = func() string { return folder }
	m.now = func() time.Time { return time.Date(2026, 11, 24, 15, 0, 0, 0, time.UTC) }
	return m, m.do
}

func many(n int) []activity.Event {
	events := make([]activity.Event, n)
	for i := range events {
		events[i] = activity.Event{ID: int64(i + 1), Kind: monitor.Opened, Protocol: monitor.TCP, Port: uint16(i%60000 + 1)}
	}
	return events
}

func TestANewerQuestionEndsAnOlderOne(t *testing.T) {
	b := &book{events: many(3), hold: make(chan struct{}), begun: make(chan activity.Query, 2)}
	m, do := memoryOf(t, b)
	answers, said := make(chan string, 4), make(chan bool, 4)
	m.do = func(answer func()) {
		do(answer)
		said <- true
	}
	question := func(name string) func() {
		return func() {
			m.Events(activity.Query{Limit: 1}, func(e []activity.Event, err error) { answers <- fmt.Sprint(name, ": ", len(e), " ", err) })
		}
	}
	do(question("first"))
	<-b.begun
	do(question("second"))
	<-b.begun
	close(b.hold)
	if got := <-answers; got != "second: 1 <nil>" {
		t.Errorf("the first answer is %q; want that to the second question", got)
	}
	<-said
	<-said
	do(func() {}) // both have been here
	select {
	case got := <-answers:
		t.Errorf("the first question was answered: %q", got)
	default:
	}
}

func TestEveryWindowGetsWhatWasBefore(t *testing.T) {
	b := &book{events: many(3), hold: make(chan struct{}), begun: make(chan activity.Query, 2)}
	m, do := memoryOf(t, b)
	answers := make(chan error, 2)
	for range 2 {
		do(func() {
			m.Before(activity.Query{Limit: 1}, func(_ []activity.Event, err error) { answers <- err })
		})
		<-b.begun
	}
	close(b.hold)
	for range 2 {
		if err := <-answers; err != nil {
			t.Error(err)
		}
	}
}

type saved struct {
	path string
	err  error
}

func export(m *memory, do func(func()), format string) saved {
	answer := make(chan saved, 1)
	do(func() {
		m.Export(format, activity.Query{}, func(path string, err error) { answer <- saved{path, err} })
	})
	return <-answer
}

func TestExportWritesAllAndOverNothing(t *testing.T) {
	m, do := memoryOf(t, &book{events: many(2*exportPage + 10)})
	for _, want := range []string{"porthole-activity-2026-11-24.csv", "porthole-activity-2026-11-24-2.csv", "porthole-activity-2026-11-24.json"} {
		got := export(m, do, filepath.Ext(want)[1:])
		if got.err != nil || filepath.Base(got.path) != want {
			t.Fatalf("saved %q, %v; want %s", got.path, got.err, want)
		}
		info, err := os.Stat(got.path)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v; want 0600", want, info.Mode(), err)
		}
		text, err := os.ReadFile(got.path)
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
		if n != 2*exportPage+10 {
			t.Errorf("%s has %d events; want %d", want, n, 2*exportPage+10)
		}
	}
}

func TestAnExportOfNothingIsAFileAndOneThatFailsIsNone(t *testing.T) {
	m, do := memoryOf(t, &book{})
	got := export(m, do, "json")
	if text, err := os.ReadFile(got.path); err != nil || string(text) != "[]\n" {
		t.Errorf("nothing is %q, %v", text, err)
	}
	m, do = memoryOf(t, &book{err: errors.New("damaged")})
	if got := export(m, do, "csv"); got.err == nil || got.path != "" {
		t.Errorf("a failed export is %+v", got)
	}
	if left, err := os.ReadDir(m.folder()); err != nil || len(left) != 0 {
		t.Errorf("it left %v, %v", left, err)
	}
}

func TestForgettingWithoutAWayToIsAnError(t *testing.T) {
	m, do := memoryOf(t, &book{})
	answer := make(chan error, 2)
	ask := func() { m.Forget(activity.Forget{Port: 80}, func(err error) { answer <- err }) }
	do(ask)
	if err := <-answer; err == nil {
		t.Error("nothing was erased, and nothing said")
	}
	var got activity.Forget
	m.forget = func(_ context.Context, f activity.Forget) error { got = f; return nil }
	do(ask)
	if err := <-answer; err != nil || got.Port != 80 {
		t.Errorf("erased %+v, %v", got, err)
	}
}

// A window that closes while something is being erased waits for that.
func TestWhatIsBeingErasedIsErasedToTheEnd(t *testing.T) {
	ctx, closed := context.WithCancel(t.Context())
	begun, erased := make(chan struct{}), false
	m := newMemory(ctx, func(func()) {}, &book{}, func(ctx context.Context, _ activity.Forget) error {
		close(begun)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
			erased = true
			return nil
		}
	}, slog.New(slog.NewTextHandler(io.Discard, nil)))
	m.Forget(activity.Forget{Everything: true}, func(error) {})
	<-begun
	closed()
	m.wait()
	if !erased {
		t.Error("the end of the window ended it")
	}
}
