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
	"porthole/monitor/activity"
	"porthole/monitor/activity/store"
)

// How long the window waits for an answer. Erasing writes the whole file anew.
const (
	answerTime = 5 * time.Second
	eraseTime  = time.Minute
)

// memory answers the window's questions off Fyne's goroutine, and hands the
// answers to it.
type memory struct {
	ctx    context.Context // the window's life
	reader activity.Reader
	forget func(context.Context, activity.Forget) error // nil where nothing can be erased
	log    *slog.Logger
	do     func(func()) // on Fyne's goroutine
	folder func() string
	now    func() time.Time

	asking sync.WaitGroup
	mu     sync.Mutex
	newest map[string]context.CancelFunc // of each kind of question; one that waits for an answer
}

// openMemory returns the memory of what the agent writes.
func openMemory(ctx context.Context, do func(func()), log *slog.Logger) *memory {
	path := settings.ActivityPath()
	return newMemory(ctx, do, store.OpenReader(path), func(ctx context.Context, f activity.Forget) error {
		_, err := store.Forget(ctx, path, f)
		return err
	}, log)
}

// newMemory returns the memory that reads from reader and erases with forget.
func newMemory(ctx context.Context, do func(func()), reader activity.Reader, forget func(context.Context, activity.Forget) error, log *slog.Logger) *memory {
	return &memory{
		ctx: ctx, reader: reader, forget: forget, log: log, do: do, folder: exportFolder, now: time.Now,
		newest: map[string]context.CancelFunc{},
	}
}

// ask runs a question on a goroutine, which ends with the window, and then what
// it returns on Fyne's. A newer question of the same kind ends an older one,
// which is not answered then; kind is "" where all are to be. A question has
// limit as its deadline.
func (m *memory) ask(kind string, limit time.Duration, question func(context.Context) func()) {
	m.askIn(m.ctx, kind, limit, question)
}

func (m *memory) askIn(life context.Context, kind string, limit time.Duration, question func(context.Context) func()) {
	ctx, cancel := context.WithTimeout(life, limit)
	unwanted := func() bool { return errors.Is(context.Cause(ctx), context.Canceled) }
	if kind != "" {
		m.mu.Lock()
		if older := m.newest[kind]; older != nil {
			older()
		}
		m.newest[kind] = cancel
		m.mu.Unlock()
	}
	m.asking.Go(func() {
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
func (m *memory) wait() { m.asking.Wait() }

// Events is ui.Memory's.
func (m *memory) Events(q activity.Query, done func([]activity.Event, error)) {
	m.ask("events", answerTime, m.events(q, done))
}

// Before is ui.Memory's.
func (m *memory) Before(q activity.Query, done func([]activity.Event, error)) {
	m.ask("", answerTime, m.events(q, done))
}

func (m *memory) events(q activity.Query, done func([]activity.Event, error)) func(context.Context) func() {
	return func(ctx context.Context) func() {
		events, err := m.reader.Events(ctx, q)
		m.problem(ctx, "the activity cannot be read", err)
		return func() { done(events, err) }
	}
}

// Story is ui.Memory's.
func (m *memory) Story(listener string, done func([]activity.Event, error)) {
	m.ask("story", answerTime, func(ctx context.Context) func() {
		events, err := m.reader.Story(ctx, listener)
		m.problem(ctx, "the activity of a listener cannot be read", err)
		return func() { done(events, err) }
	})
}

// LastHolder is ui.Memory's.
func (m *memory) LastHolder(port uint16, done func(activity.Spell, bool, error)) {
	m.ask("last holder", answerTime, func(ctx context.Context) func() {
		spell, known, err := m.reader.LastHolder(ctx, port)
		m.problem(ctx, "the last holder of a port cannot be read", err)
		return func() { done(spell, known, err) }
	})
}

// Hours is ui.Memory's.
func (m *memory) Hours(q activity.Query, done func([]activity.Hour, error)) {
	m.ask("hours", answerTime, func(ctx context.Context) func() {
		hours, err := m.reader.Hours(ctx, q)
		m.problem(ctx, "the activity of the day cannot be read", err)
		return func() { done(hours, err) }
	})
}

// Forget is ui.Memory's. What was begun is ended, also where the window closes
// meanwhile.
func (m *memory) Forget(f activity.Forget, done func(error)) {
	m.askIn(context.WithoutCancel(m.ctx), "", eraseTime, func(ctx context.Context) func() {
		err := errors.New("nothing can be erased here")
		if m.forget != nil {
			err = m.forget(ctx, f)
		}
		m.problem(ctx, "the activity could not be erased", err)
		return func() { done(err) }
	})
}

// Export is ui.Memory's. Each page of events has a deadline of its own.
func (m *memory) Export(format string, q activity.Query, done func(string, error)) {
	m.ask("", time.Hour, func(ctx context.Context) func() {
		path, err := m.export(ctx, format, q)
		m.problem(ctx, "the activity could not be exported", err)
		return func() { done(path, err) }
	})
}

func (m *memory) problem(ctx context.Context, what string, err error) {
	if err != nil && ctx.Err() != context.Canceled {
		m.log.Warn(what, "problem", err)
	}
}

// export writes the events of q to a new file and returns its path. A file that
// is not whole does not stay.
func (m *memory) export(ctx context.Context, format string, q activity.Query) (path string, err error) {
	f, err := create(m.folder(), "porthole-activity-"+m.now().Format(time.DateOnly), format)
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
	if err := m.write(ctx, w, format, q); err != nil {
		return "", fmt.Errorf("export the activity: %w", err)
	}
	if err := w.Flush(); err != nil {
		return "", fmt.Errorf("write %s: %w", f.Name(), err)
	}
	return f.Name(), nil
}

// exportPage is how many events are read at once.
const exportPage = 2000

func (m *memory) write(ctx context.Context, w io.Writer, format string, q activity.Query) error {
	var to exporter = &jsonWriter{w: w}
	if format == "csv" {
		csv, err := activity.NewCSV(w)
		if err != nil {
			return err
		}
		to = csv
	}
	q.Limit = exportPage
	for {
		page, cancel := context.WithTimeout(ctx, answerTime)
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
		if len(events) < exportPage {
			return to.Flush()
		}
		q.Before = events[len(events)-1].ID
	}
}

// exporter writes events in some format.
type exporter interface {
	Write(activity.Event) error
	Flush() error // what is left
}

// jsonWriter writes an array, an event a line.
type jsonWriter struct {
	w     io.Writer
	begun bool
}

func (j *jsonWriter) Write(e activity.Event) error {
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

// create makes a file that was not there and that nobody else may read:
// "name.csv", or "name-2.csv" and so on.
func create(folder, name, extension string) (*os.File, error) {
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
