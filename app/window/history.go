//go:build cgo

package window

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/adrg/xdg"

	"porthole/app/settings"
	"porthole/monitor/history"
	"porthole/monitor/history/store"
)

// How long the window waits for an answer. Erasing writes the whole file anew.
const (
	queryTimeout = 5 * time.Second
	eraseTimeout = time.Minute
)

// historyReader answers the window's questions off Fyne's goroutine, and hands the
// answers to it.
type historyReader struct {
	ctx    context.Context // the window's life
	reader history.Reader
	forget func(context.Context, history.Forget) error // nil where nothing can be erased
	log    *slog.Logger
	do     func(func()) // on Fyne's goroutine
	folder func() string
	now    func() time.Time

	queries sync.WaitGroup
	mu      sync.Mutex
	latest  map[string]context.CancelFunc // of each kind of question; one that waits for an answer
}

// openHistory returns the memory of what the agent writes.
func openHistory(ctx context.Context, do func(func()), log *slog.Logger) *historyReader {
	path := settings.HistoryPath()
	return newHistoryReader(ctx, do, store.OpenReader(path), func(ctx context.Context, f history.Forget) error {
		_, err := store.Forget(ctx, path, f)
		return err
	}, log)
}

// newHistoryReader returns the memory that reads from reader and erases with forget.
func newHistoryReader(ctx context.Context, do func(func()), reader history.Reader, forget func(context.Context, history.Forget) error, log *slog.Logger) *historyReader {
	return &historyReader{
		ctx: ctx, reader: reader, forget: forget, log: log, do: do, folder: exportFolder, now: time.Now,
		latest: map[string]context.CancelFunc{},
	}
}

// query runs a question on a goroutine, which ends with the window, and then what
// it returns on Fyne's. A newer question of the same kind ends an older one,
// which is not answered then; kind is "" where all are to be. A question has
// limit as its deadline.
func (m *historyReader) query(kind string, limit time.Duration, question func(context.Context) func()) {
	m.queryWith(m.ctx, kind, limit, question)
}

func (m *historyReader) queryWith(life context.Context, kind string, limit time.Duration, question func(context.Context) func()) {
	ctx, cancel := context.WithTimeout(life, limit)
	unwanted := func() bool { return errors.Is(context.Cause(ctx), context.Canceled) }
	if kind != "" {
		m.mu.Lock()
		if older := m.latest[kind]; older != nil {
			older()
		}
		m.latest[kind] = cancel
		m.mu.Unlock()
	}
	m.queries.Go(func() {
		answer := question(ctx)
		m.do(func() {
			if !unwanted() { // asked here, where newer questions come from
				answer()
			}
			cancel()
		})
	})
}

// wait returns when no question is under way.
func (m *historyReader) wait() { m.queries.Wait() }

// Events is ui.Memory's.
func (m *historyReader) Events(q history.Query, done func([]history.Event, error)) {
	m.query("events", queryTimeout, m.events(q, done))
}

// Lookup is ui.Memory's.
func (m *historyReader) Lookup(q history.Query, done func([]history.Event, error)) {
	m.query("", queryTimeout, m.events(q, done))
}

func (m *historyReader) events(q history.Query, done func([]history.Event, error)) func(context.Context) func() {
	return func(ctx context.Context) func() {
		events, err := m.reader.Events(ctx, q)
		m.logError(ctx, "the activity cannot be read", err)
		return func() { done(events, err) }
	}
}

// ListenerEvents is ui.Memory's.
func (m *historyReader) ListenerEvents(listener string, done func([]history.Event, error)) {
	m.query("story", queryTimeout, func(ctx context.Context) func() {
		events, err := m.reader.ListenerEvents(ctx, listener)
		m.logError(ctx, "the activity of a listener cannot be read", err)
		return func() { done(events, err) }
	})
}

// LastOwner is ui.Memory's.
func (m *historyReader) LastOwner(port uint16, done func(history.Tenure, bool, error)) {
	m.query("last holder", queryTimeout, func(ctx context.Context) func() {
		spell, known, err := m.reader.LastOwner(ctx, port)
		m.logError(ctx, "the last holder of a port cannot be read", err)
		return func() { done(spell, known, err) }
	})
}

// Hours is ui.Memory's.
func (m *historyReader) Hours(q history.Query, done func([]history.HourCount, error)) {
	m.query("hours", queryTimeout, func(ctx context.Context) func() {
		hours, err := m.reader.CountByHour(ctx, q)
		m.logError(ctx, "the activity of the day cannot be read", err)
		return func() { done(hours, err) }
	})
}

// Forget is ui.Memory's. What was begun is ended, also where the window closes
// meanwhile.
func (m *historyReader) Forget(f history.Forget, done func(error)) {
	m.queryWith(context.WithoutCancel(m.ctx), "", eraseTimeout, func(ctx context.Context) func() {
		err := errors.New("nothing can be erased here")
		if m.forget != nil {
			err = m.forget(ctx, f)
		}
		m.logError(ctx, "the activity could not be erased", err)
		return func() { done(err) }
	})
}

// Export is ui.Memory's. Each page of events has a deadline of its own.
func (m *historyReader) Export(format string, q history.Query, done func(string, error)) {
	m.query("", time.Hour, func(ctx context.Context) func() {
		path, err := m.export(ctx, format, q)
		m.logError(ctx, "the activity could not be exported", err)
		return func() { done(path, err) }
	})
}

func (m *historyReader) logError(ctx context.Context, what string, err error) {
	if err != nil && ctx.Err() != context.Canceled {
		m.log.Warn(what, "problem", err)
	}
}

// export writes the events of q to a new file and returns its path. A file that
// is not whole does not stay.
func (m *historyReader) export(ctx context.Context, format string, q history.Query) (path string, err error) {
	f, err := createUnique(m.folder(), "porthole-activity-"+m.now().Format(time.DateOnly), format)
	if err != nil {
		return "", err
	}
	defer func() {
		if closing := f.Close(); err == nil && closing != nil {
			err = fmt.Errorf("write %s: %w", f.Name(), closing)
		}
		if err != nil {
			_ = os.Remove(f.Name()) // what is reported is why
		}
	}()
	w := bufio.NewWriter(f)
	if err := m.writeEvents(ctx, w, format, q); err != nil {
		return "", fmt.Errorf("export the activity: %w", err)
	}
	if err := w.Flush(); err != nil {
		return "", fmt.Errorf("write %s: %w", f.Name(), err)
	}
	return f.Name(), nil
}

// exportPageSize is how many events are read at once.
const exportPageSize = 2000

func (m *historyReader) writeEvents(ctx context.Context, w io.Writer, format string, q history.Query) error {
	var to eventWriter = &jsonWriter{w: w}
	if format == "csv" {
		csv, err := history.NewCSVWriter(w)
		if err != nil {
			return err
		}
		to = csv
	}
	q.Limit = exportPageSize
	for {
		page, cancel := context.WithTimeout(ctx, queryTimeout)
		events, err := m.reader.Events(page, q)
		cancel()
		if err != nil {
			return err
		}
		for _, e := range events {
			if err := to.Write(e); err != nil {
				return err
			}
		}
		if len(events) < exportPageSize {
			return to.Flush()
		}
		q.Before = events[len(events)-1].ID
	}
}

// eventWriter writes events in some format.
type eventWriter interface {
	Write(history.Event) error
	Flush() error // what is left
}

// jsonWriter writes an array, an event a line.
type jsonWriter struct {
	w     io.Writer
	begun bool
}

func (j *jsonWriter) Write(e history.Event) error {
	b, err := json.Marshal(e)
	if err != nil {
		return err
	}
	before := "[\n"
	if j.begun {
		before = ",\n"
	}
	j.begun = true
	_, err = fmt.Fprintf(j.w, "%s%s", before, b)
	return err
}

func (j *jsonWriter) Flush() error {
	end := "[]\n"
	if j.begun {
		end = "\n]\n"
	}
	_, err := io.WriteString(j.w, end)
	return err
}

// exportFolder is the user's folder of documents, or their home.
func exportFolder() string {
	if info, err := os.Stat(xdg.UserDirs.Documents); err == nil && info.IsDir() {
		return xdg.UserDirs.Documents
	}
	return xdg.Home
}

// createUnique makes a file that was not there and that nobody else may read:
// "name.csv", or "name-2.csv" and so on.
func createUnique(folder, name, extension string) (*os.File, error) {
	for n := 1; ; n++ {
		path := filepath.Join(folder, name+"."+extension)
		if n > 1 {
			path = filepath.Join(folder, fmt.Sprintf("%s-%d.%s", name, n, extension))
		}
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, fs.ErrExist) || n == 1000 {
			return nil, fmt.Errorf("make a file for the activity: %w", err)
		}
	}
}
