package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"porthole/app/settings"
	"porthole/monitor"
	"porthole/monitor/history"
	"porthole/monitor/history/store"
)

// HistoryOptions are the flags of History.
type HistoryOptions struct {
	Options
	Since string // "24h", "7d", a date; where "", a day, or everything where ports are named
	Limit int    // the newest; all where 0
	CSV   bool
	Match string // that must all be in the name, project, user, service or command
}

// pageSize is how many events are asked for at once.
const pageSize = 1000

// History prints what is remembered of the ports that args name, or of all, the
// oldest first. It reads the file, whether Porthole runs or not.
func History(ctx context.Context, args []string, o HistoryOptions) error {
	q, err := newQuery(args, o.Options)
	if err != nil {
		return err
	}
	now := time.Now()
	query := history.Query{Ports: q.ports, Text: o.Match, AllAddresses: o.All, UDP: o.UDP}
	if o.Since == "" && q.ports == nil {
		o.Since = "24h"
	}
	if query.Since, err = parseSince(o.Since, now); err != nil {
		return err
	}
	switch {
	case o.Limit < 0:
		return UsageError{fmt.Sprintf("%d: a limit is a number from 0 (none) on", o.Limit)}
	case o.JSON && o.CSV:
		return UsageError{"--json and --csv are two forms: choose one"}
	}
	w := bufio.NewWriter(o.Stdout)
	form, err := newEventWriter(w, o, noEventsText(q.ports, o, query.Since), now)
	if err != nil {
		return err
	}
	if err := eachEvent(ctx, store.OpenReader(settings.HistoryPath()), query, o.Limit, form.Write); err != nil {
		return err
	}
	if err := form.Flush(); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write the history: %w", err)
	}
	return nil
}

// eventWriter writes events, one after another.
type eventWriter interface {
	Write(history.Event) error
	Flush() error // what is left
}

func newEventWriter(w io.Writer, o HistoryOptions, nothing string, now time.Time) (eventWriter, error) {
	switch {
	case o.CSV:
		return history.NewCSVWriter(w)
	case o.JSON:
		return jsonLines{w}, nil
	}
	return &textHistory{w: w, empty: nothing, now: now}, nil
}

// parseSince reads a time ago, or a date. "" is no time.
func parseSince(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, text, now.Location()); err == nil {
		return t, nil
	}
	if n, unit := text[:len(text)-1], text[len(text)-1]; unit == 'd' || unit == 'w' {
		if days, err := strconv.Atoi(n); err == nil && days > 0 && days <= 10_000 {
			if unit == 'w' {
				days *= 7
			}
			return now.AddDate(0, 0, -days), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return now.Add(-d), nil
	}
	return time.Time{}, UsageError{fmt.Sprintf("%q: since is a time ago like 90m, 24h or 7d, or a date like 2026-11-24", monitor.Clean(text, 40))}
}

// eachEvent gives the newest events to each, the oldest of them first, all
// where limit is 0. However many there are, it holds a page of them.
func eachEvent(ctx context.Context, r history.Reader, q history.Query, limit int, each func(history.Event) error) error {
	q.Limit = pageSize
	if limit > 0 {
		begin, err := nthNewest(ctx, r, q, limit)
		if err != nil {
			return err
		}
		q.After = begin - 1
	}
	q.OldestFirst = true
	for {
		events, err := r.Events(ctx, q)
		if err != nil {
			return err
		}
		for _, e := range events {
			if err := each(e); err != nil {
				return err
			}
			q.After = e.ID
		}
		if len(events) < pageSize {
			return nil
		}
	}
}

// nthNewest returns the id of the nth event from the newest on, or of the oldest
// where there are not so many; 1 where there is none.
func nthNewest(ctx context.Context, r history.Reader, q history.Query, n int) (int64, error) {
	id := int64(1)
	for n > 0 {
		q.Limit = min(pageSize, n)
		events, err := r.Events(ctx, q)
		if err != nil {
			return 0, err
		}
		if len(events) > 0 {
			id = events[len(events)-1].ID
		}
		if len(events) < q.Limit {
			break
		}
		n, q.Before = n-len(events), id
	}
	return id, nil
}

// jsonLines writes JSON Lines.
type jsonLines struct{ w io.Writer }

func (h jsonLines) Write(e history.Event) error { return writeLine(h.w, e) }
func (h jsonLines) Flush() error                { return nil }

func noEventsText(ports monitor.Ports, o HistoryOptions, from time.Time) string {
	words := "Nothing is remembered"
	if ports != nil {
		words += " of " + ports.String()
	}
	if o.Match != "" {
		words += " with these words"
	}
	if !from.IsZero() {
		words += " since " + from.Local().Format("2006-01-02 15:04")
	}
	return words + "."
}

// textHistory writes a line an event under the day's name, in local time.
type textHistory struct {
	w     io.Writer
	empty string // where there is no event
	now   time.Time
	day   string // of the last
}

func (h *textHistory) Write(e history.Event) error {
	at := e.At.In(h.now.Location())
	line := fmt.Sprintf("  %s  %-8s %5s  %s\n", at.Format("15:04:05"), kindText(e.Kind), eventPort(e), eventText(e))
	if day := at.Format("Monday 2006-01-02"); day != h.day {
		h.day = day
		line = day + "\n" + line
	}
	return h.write(line)
}

func (h *textHistory) Flush() error {
	if h.day == "" {
		return h.write(h.empty + "\n")
	}
	return nil
}

func (h *textHistory) write(text string) error {
	if _, err := io.WriteString(h.w, text); err != nil {
		return fmt.Errorf("write the history: %w", err)
	}
	return nil
}

func eventPort(e history.Event) string {
	return portText(&monitor.Listener{Port: e.Port, Protocol: e.Protocol})
}

func eventText(e history.Event) string {
	addresses := addressText(&monitor.Listener{Addresses: e.Addresses})
	words := eventOwnerText(e.Owner)
	if e.Owner.PID != 0 && !e.Owner.Inferred {
		words += fmt.Sprintf(" (%d)", e.Owner.PID)
	}
	if project := monitor.Clean(e.Owner.Project, 32); project != "" {
		words += " · " + project
	}
	words += "  " + addresses
	switch e.Kind {
	case monitor.OwnerChanged:
		if e.OwnerBefore != nil {
			words += fmt.Sprintf("  (was %s, %d)", eventOwnerText(*e.OwnerBefore), e.OwnerBefore.PID)
		}
	case monitor.ExposureChanged:
		words += fmt.Sprintf("  (was %s, now %s)", exposureText(e.ExposureBefore), exposureText(e.Exposure))
	case monitor.Discovered:
		words += "  (was open before)"
	case monitor.Closed:
		if long := durationText(e); long != "" {
			words += "  after " + long
		}
		if e.Unobserved {
			words += "  (ended while Porthole was not running)"
		}
	}
	return words
}

// eventOwnerText names who had it as ownerWords does.
func eventOwnerText(o history.Owner) string {
	l := &monitor.Listener{User: o.User, CgroupInfo: monitor.CgroupInfo{Unit: o.Unit, ContainerID: o.Container}}
	switch {
	case o.Inferred:
		l.Inferred = &monitor.Owner{Name: o.Name, PID: o.PID}
	case o.Name != "" || o.PID != 0:
		l.Owners = []monitor.Owner{{Name: o.Name, PID: o.PID}}
	}
	words, _ := ownerText(l)
	return words
}

func durationText(e history.Event) string {
	d := e.Duration.Round(time.Second)
	if e.Duration < 10*time.Second {
		d = e.Duration.Round(time.Millisecond)
	}
	switch e.Certainty() {
	case history.AtLeast:
		return "at least " + d.String()
	case history.AtMost:
		return "at most " + d.String()
	case history.Unknown:
		return ""
	}
	return d.String()
}

// lastOwnerText is " Last: postgres, today 14:02–14:07." where that is remembered.
// What is not, and a file that cannot be read, is no word.
func lastOwnerText(ctx context.Context, port uint16, now time.Time) string {
	s, ok, err := store.OpenReader(settings.HistoryPath()).LastOwner(ctx, port)
	if err != nil || !ok || s.Protocol != monitor.TCP {
		return ""
	}
	return " Last: " + tenureText(s, now) + "."
}

func tenureText(s history.Tenure, now time.Time) string {
	from := timeText(s.From, now)
	switch {
	case s.From.IsZero():
		from = ""
	case s.AlreadyOpen:
		from = "before " + from
	}
	to := s.To.In(now.Location())
	end := to.Format("15:04")
	if s.From.IsZero() || s.From.In(now.Location()).Format(time.DateOnly) != to.Format(time.DateOnly) {
		end = timeText(s.To, now)
	}
	switch {
	case s.To.IsZero() && from == "":
		return eventOwnerText(s.Owner)
	case s.To.IsZero():
		return eventOwnerText(s.Owner) + ", seen " + from
	case s.Unobserved:
		return strings.TrimSuffix(eventOwnerText(s.Owner)+", "+from, ", ") + ", ended before " + end
	case from == "":
		return eventOwnerText(s.Owner) + ", until " + end
	}
	return eventOwnerText(s.Owner) + ", " + from + "–" + end
}

// timeText is "today 14:02", "yesterday 14:02" or "2026-11-20 14:02".
func timeText(t, now time.Time) string {
	t = t.In(now.Location())
	switch t.Format(time.DateOnly) {
	case now.Format(time.DateOnly):
		return t.Format("today 15:04")
	case now.AddDate(0, 0, -1).Format(time.DateOnly):
		return t.Format("yesterday 15:04")
	}
	return t.Format("2006-01-02 15:04")
}
