//go:build cgo

package window

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"porthole/app/paths"
	"porthole/app/settings"
	"porthole/monitor"
	"porthole/monitor/history"
	"porthole/monitor/history/store"
)

// Timeouts. Erasing rewrites the whole file.
const (
	queryTimeout = 5 * time.Second
	eraseTimeout = time.Minute
)

// historyReader implements ui.History: it runs queries on other goroutines and calls
// back on Fyne's goroutine.
type historyReader struct {
	ctx    context.Context // ends with the window
	reader history.Reader
	forget func(context.Context, history.Forget) error // nil if erasing is not possible
	log    *slog.Logger
	do     func(func()) // runs a function on Fyne's goroutine

	queries sync.WaitGroup
	mu      sync.Mutex
	latest  map[string]context.CancelFunc // cancels the latest query, by kind
}

// openHistory returns a reader of the history that the agent writes.
func openHistory(ctx context.Context, do func(func()), log *slog.Logger) *historyReader {
	path := paths.History()
	return newHistoryReader(ctx, do, store.OpenReader(path), func(ctx context.Context, f history.Forget) error {
		_, err := store.Forget(ctx, path, f)
		return err
	}, log)
}

// newHistoryReader returns a reader that reads from reader and erases with forget.
func newHistoryReader(ctx context.Context, do func(func()), reader history.Reader, forget func(context.Context, history.Forget) error, log *slog.Logger) *historyReader {
	return &historyReader{
		ctx: ctx, reader: reader, forget: forget, log: log, do: do,
		latest: map[string]context.CancelFunc{},
	}
}

// query calls run on a new goroutine and then the function that it returns on Fyne's.
// The context of run ends with the window or after timeout. A newer query of the same
// kind cancels an older one, whose result is dropped; queries of kind "" are never
// canceled this way.
func (m *historyReader) query(kind string, timeout time.Duration, run func(context.Context) func()) {
	m.queryWith(m.ctx, kind, timeout, run)
}

func (m *historyReader) queryWith(parent context.Context, kind string, timeout time.Duration, run func(context.Context) func()) {
	ctx, cancel := context.WithTimeout(parent, timeout)
	canceled := func() bool { return errors.Is(context.Cause(ctx), context.Canceled) }
	if kind != "" {
		m.mu.Lock()
		if older := m.latest[kind]; older != nil {
			older()
		}
		m.latest[kind] = cancel
		m.mu.Unlock()
	}
	m.queries.Go(func() {
		done := run(ctx)
		m.do(func() {
			if !canceled() { // checked on the goroutine that starts newer queries
				done()
			}
			cancel()
		})
	})
}

// wait waits for all running queries.
func (m *historyReader) wait() { m.queries.Wait() }

// Events implements ui.History.
func (m *historyReader) Events(q history.Query, done func([]history.Event, error)) {
	m.query("events", queryTimeout, m.events(q, done))
}

// Lookup implements ui.History.
func (m *historyReader) Lookup(q history.Query, done func([]history.Event, error)) {
	m.query("", queryTimeout, m.events(q, done))
}

func (m *historyReader) events(q history.Query, done func([]history.Event, error)) func(context.Context) func() {
	return func(ctx context.Context) func() {
		events, err := m.reader.Events(ctx, q)
		m.logError(ctx, "can't read the history", err)
		return func() { done(events, err) }
	}
}

// ListenerEvents implements ui.History.
func (m *historyReader) ListenerEvents(listener string, done func([]history.Event, error)) {
	m.query("listener events", queryTimeout, func(ctx context.Context) func() {
		events, err := m.reader.ListenerEvents(ctx, listener)
		m.logError(ctx, "can't read the history of a listener", err)
		return func() { done(events, err) }
	})
}

// LastOwner implements ui.History.
func (m *historyReader) LastOwner(protocol monitor.Protocol, ports monitor.Ports, done func(history.Tenure, bool, error)) {
	m.query("", queryTimeout, func(ctx context.Context) func() {
		tenure, known, err := m.reader.LastOwner(ctx, protocol, ports)
		m.logError(ctx, "can't read the last owner of a port", err)
		return func() { done(tenure, known, err) }
	})
}

// Hours implements ui.History.
func (m *historyReader) Hours(q history.Query, done func([]history.HourCount, error)) {
	m.query("hours", queryTimeout, func(ctx context.Context) func() {
		hours, err := m.reader.CountByHour(ctx, q)
		m.logError(ctx, "can't read the events per hour", err)
		return func() { done(hours, err) }
	})
}

// Forget implements ui.History. It continues if the window closes meanwhile.
func (m *historyReader) Forget(f history.Forget, done func(error)) {
	m.queryWith(context.WithoutCancel(m.ctx), "", eraseTimeout, func(ctx context.Context) func() {
		err := errors.New("erasing is not possible")
		if m.forget != nil {
			err = m.forget(ctx, f)
		}
		m.logError(ctx, "can't erase the history", err)
		return func() { done(err) }
	})
}

// Export implements ui.History. Each page of events has its own timeout.
func (m *historyReader) Export(format, path string, q history.Query, done func(error)) {
	m.query("", time.Hour, func(ctx context.Context) func() {
		err := m.export(ctx, format, path, q)
		m.logError(ctx, "can't export the history", err)
		return func() { done(err) }
	})
}

func (m *historyReader) logError(ctx context.Context, what string, err error) {
	if err != nil && ctx.Err() != context.Canceled {
		m.log.Warn(what, "error", err)
	}
}

// export writes the events of q to a file that only the user can read from the beginning. An
// existing file is replaced once all is written. If the export fails, it stays, but an empty one,
// which the file dialog creates, is removed.
func (m *historyReader) export(ctx context.Context, format, path string, q history.Query) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".porthole-history-*") // with mode 0600
	if err != nil {
		return fmt.Errorf("create a file for the history: %w", err)
	}
	defer func() {
		if closing := f.Close(); err == nil && closing != nil {
			err = fmt.Errorf("write %s: %w", f.Name(), closing)
		}
		if err == nil {
			err = os.Rename(f.Name(), path)
		}
		if err != nil {
			_ = os.Remove(f.Name()) // the first error is returned
			if info, statErr := os.Stat(path); statErr == nil && info.Mode().IsRegular() && info.Size() == 0 {
				_ = os.Remove(path)
			}
		}
	}()
	w := bufio.NewWriter(f)
	if err := m.writeEvents(ctx, w, format, q); err != nil {
		return fmt.Errorf("export the history: %w", err)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write %s: %w", f.Name(), err)
	}
	return nil
}

// exportPageSize is the number of events per query.
const exportPageSize = 2000

func (m *historyReader) writeEvents(ctx context.Context, w io.Writer, format string, q history.Query) error {
	var to history.Writer = history.NewJSONArray(w)
	if format == "csv" {
		s, err := settings.Open(settings.Path()).Load()
		if err != nil {
			m.log.Warn("can't read the labels for the export; it has none", "error", err)
		}
		csv, err := history.NewCSVWriter(w, s.Labels.NameOf)
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
		q.Before = events[len(events)-1].Position()
	}
}
