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
	"porthole/monitor/activity"
	"porthole/monitor/activity/store"
)

// HistoryOptions are the flags of History.
type HistoryOptions struct {
	Options
	Since string // "24h", "7d", a date; where "", a day, or everything where ports are named
	Limit int    // the newest; all where 0
	CSV   bool
	Words string // that must all be in the name, project, user, service or command
}

// page is how many events are asked for at once.
const page = 1000

// History prints what is remembered of the ports that args name, or of all, the
// oldest first. It reads the file, whether Porthole runs or not.
func History(ctx context.Context, args []string, o HistoryOptions) error {
	q, err := ask(args, o.Options)
	if err != nil {
		return err
	}
	now := time.Now()
	query := activity.Query{Ports: q.ports, Text: o.Words, All: o.All, UDP: o.UDP}
	if o.Since == "" && q.ports == nil {
		o.Since = "24h"
	}
	if query.Since, err = since(o.Since, now); err != nil {
		return err
	}
	switch {
	case o.Limit < 0:
		return UsageError{fmt.Sprintf("%d: a limit is a number from 0 (none) on", o.Limit)}
	case o.JSON && o.CSV:
		return UsageError{"--json and --csv are two forms: choose one"}
	}
	w := bufio.NewWriter(o.Stdout)
	form, err := historyForm(w, o, nothingRemembered(q.ports, o, query.Since), now)
	if err != nil {
		return err
	}
	if err := remembered(ctx, store.OpenReader(settings.ActivityPath()), query, o.Limit, form.Write); err != nil {
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

// form writes events, one after another.
type form interface {
	Write(activity.Event) error
	Flush() error // what is left
}

func historyForm(w io.Writer, o HistoryOptions, nothing string, now time.Time) (form, error) {
	switch {
	case o.CSV:
		return activity.NewCSV(w)
	case o.JSON:
		return historyLines{w}, nil
	}
	return &historyTable{w: w, nothing: nothing, now: now}, nil
}

// since reads a time ago, or a date. "" is no time.
func since(text string, now time.Time) (time.Time, error) {
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

// remembered gives the newest events to each, the oldest of them first, all
// where limit is 0. However many there are, it holds a page of them.
func remembered(ctx context.Context, r activity.Reader, q activity.Query, limit int, each func(activity.Event) error) error {
	q.Limit = page
	if limit > 0 {
		begin, err := nthNewest(ctx, r, q, limit)
		if err != nil {
			return err
		}
		q.After = begin - 1
	}
	q.Oldest = true
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
		if len(events) < page {
			return nil
		}
	}
}

// nthNewest returns the id of the nth event from the newest on, or of the oldest
// where there are not so many; 1 where there is none.
func nthNewest(ctx context.Context, r activity.Reader, q activity.Query, n int) (int64, error) {
	id := int64(1)
	for n > 0 {
		q.Limit = min(page, n)
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

// historyLines writes JSON Lines.
type historyLines struct{ w io.Writer }

func (h historyLines) Write(e activity.Event) error { return writeLine(h.w, e) }
func (h historyLines) Flush() error                 { return nil }

func nothingRemembered(ports monitor.Ports, o HistoryOptions, from time.Time) string {
	words := "Nothing is remembered"
	if ports != nil {
		words += " of " + ports.String()
	}
	if o.Words != "" {
		words += " with these words"
	}
	if !from.IsZero() {
		words += " since " + from.Local().Format("2006-01-02 15:04")
	}
	return words + "."
}

// historyTable writes a line an event under the day's name, in local time.
type historyTable struct {
	w       io.Writer
	nothing string // where there is no event
	now     time.Time
	day     string // of the last
}

func (h *historyTable) Write(e activity.Event) error {
	at := e.At.In(h.now.Location())
	line := fmt.Sprintf("  %s  %-8s %5s  %s\n", at.Format("15:04:05"), kindWords(e.Kind), eventPort(e), eventWords(e))
	if day := at.Format("Monday 2006-01-02"); day != h.day {
		h.day = day
		line = day + "\n" + line
	}
	return h.write(line)
}

func (h *historyTable) Flush() error {
	if h.day == "" {
		return h.write(h.nothing + "\n")
	}
	return nil
}

func (h *historyTable) write(text string) error {
	if _, err := io.WriteString(h.w, text); err != nil {
		return fmt.Errorf("write the history: %w", err)
	}
	return nil
}

func eventPort(e activity.Event) string {
	return portWords(&monitor.Listener{Port: e.Port, Protocol: e.Protocol})
}

func eventWords(e activity.Event) string {
	addresses := addressWords(&monitor.Listener{Addresses: e.Addresses})
	words := holderWords(e.Owner)
	if e.Owner.PID != 0 && !e.Owner.Inferred {
		words += fmt.Sprintf(" (%d)", e.Owner.PID)
	}
	if project := monitor.Clean(e.Owner.Project, 32); project != "" {
		words += " · " + project
	}
	words += "  " + addresses
	switch e.Kind {
	case monitor.OwnerChanged:
		if e.Before != nil {
			words += fmt.Sprintf("  (was %s, %d)", holderWords(*e.Before), e.Before.PID)
		}
	case monitor.ReachChanged:
		words += fmt.Sprintf("  (was %s, now %s)", reachWords(e.ReachBefore), reachWords(e.Reach))
	case monitor.Found:
		words += "  (was open before)"
	case monitor.Closed:
		if long := durationWords(e); long != "" {
			words += "  after " + long
		}
		if e.Unwatched {
			words += "  (ended while Porthole was not running)"
		}
	}
	return words
}

// holderWords names who had it as ownerWords does.
func holderWords(o activity.Owner) string {
	l := &monitor.Listener{User: o.User, Origin: monitor.Origin{Unit: o.Unit, Container: o.Container}}
	switch {
	case o.Inferred:
		l.Inferred = &monitor.Owner{Name: o.Name, PID: o.PID}
	case o.Name != "" || o.PID != 0:
		l.Owners = []monitor.Owner{{Name: o.Name, PID: o.PID}}
	}
	words, _ := ownerWords(l)
	return words
}

func durationWords(e activity.Event) string {
	d := e.Duration.Round(time.Second)
	if e.Duration < 10*time.Second {
		d = e.Duration.Round(time.Millisecond)
	}
	switch e.Certainty() {
	case activity.AtLeast:
		return "at least " + d.String()
	case activity.AtMost:
		return "at most " + d.String()
	case activity.Unknown:
		return ""
	}
	return d.String()
}

// lastHolder is " Last: postgres, today 14:02–14:07." where that is remembered.
// What is not, and a file that cannot be read, is no word.
func lastHolder(ctx context.Context, port uint16, now time.Time) string {
	s, ok, err := store.OpenReader(settings.ActivityPath()).LastHolder(ctx, port)
	if err != nil || !ok || s.Protocol != monitor.TCP {
		return ""
	}
	return " Last: " + spellWords(s, now) + "."
}

func spellWords(s activity.Spell, now time.Time) string {
	from := momentWords(s.From, now)
	switch {
	case s.From.IsZero():
		from = ""
	case s.Older:
		from = "before " + from
	}
	to := s.To.In(now.Location())
	end := to.Format("15:04")
	if s.From.IsZero() || s.From.In(now.Location()).Format(time.DateOnly) != to.Format(time.DateOnly) {
		end = momentWords(s.To, now)
	}
	switch {
	case s.To.IsZero() && from == "":
		return holderWords(s.Owner)
	case s.To.IsZero():
		return holderWords(s.Owner) + ", seen " + from
	case s.Unwatched:
		return strings.TrimSuffix(holderWords(s.Owner)+", "+from, ", ") + ", ended before " + end
	case from == "":
		return holderWords(s.Owner) + ", until " + end
	}
	return holderWords(s.Owner) + ", " + from + "–" + end
}

// momentWords is "today 14:02", "yesterday 14:02" or "2026-11-20 14:02".
func momentWords(t, now time.Time) string {
	t = t.In(now.Location())
	switch t.Format(time.DateOnly) {
	case now.Format(time.DateOnly):
		return t.Format("today 15:04")
	case now.AddDate(0, 0, -1).Format(time.DateOnly):
		return t.Format("yesterday 15:04")
	}
	return t.Format("2006-01-02 15:04")
}
