package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"porthole/app/paths"
	"porthole/monitor"
	"porthole/monitor/history"
	"porthole/monitor/history/store"
	"porthole/monitor/label"
)

// historyOptions are the flags of the history command.
type historyOptions struct {
	Options
	Since string // "24h", "7d" or a date; "": 24 hours, or everything if ports are given
	Limit int    // print only the newest events; 0: all
	CSV   bool
	Match string // words that the events must contain
}

func newHistory() *cobra.Command {
	o := historyOptions{Options: standardOptions()}
	c := &cobra.Command{
		Use:   "history [PORT | RANGE]...",
		Short: "Show recorded events, by default all of the given ports or those of the last 24 hours",
		RunE:  func(c *cobra.Command, args []string) error { return runHistory(c.Context(), args, o) },
	}
	c.Flags().StringVar(&o.Since, "since", "", "show events since a `TIME`: 90m, 24h, 7d or 2w ago, or a date such as 2026-11-24")
	c.Flags().IntVar(&o.Limit, "limit", 0, "show at most `N` events, the newest ones (default: no limit)")
	c.Flags().StringVar(&o.Match, "match", "", "show events that contain all `WORDS` in process, project, user, service, command, PID or the start of an address; -word excludes")
	o.addJSON(c, "print JSON Lines, one object per event")
	c.Flags().BoolVar(&o.CSV, "csv", false, "print CSV (RFC 4180)")
	o.addAll(c)
	o.addUDP(c)
	return c
}

// runHistory prints the recorded events of the ports in args, or of all ports,
// oldest first. It reads the database, whether Porthole is running or not.
func runHistory(ctx context.Context, args []string, o historyOptions) error {
	q, err := newQuery(args, o.Options)
	if err != nil {
		return err
	}
	now := time.Now()
	filter := history.Query{Ports: q.ports, Text: o.Match, AllAddresses: o.All, UDP: o.UDP}
	if o.Since == "" && q.ports == nil {
		o.Since = "24h"
	}
	if filter.Since, err = parseSince(o.Since, now); err != nil {
		return err
	}
	switch {
	case o.Limit < 0:
		return UsageError{fmt.Sprintf("%d: the limit must not be negative", o.Limit)}
	case o.JSON && o.CSV:
		return UsageError{"--json and --csv cannot be used together"}
	}
	buffer := bufio.NewWriter(o.Stdout)
	w, err := newEventWriter(buffer, o, q.labels, noEventsText(q.ports, o, filter.Since), now)
	if err != nil {
		return err
	}
	if err := eachEvent(ctx, store.OpenReader(paths.History()), filter, o.Limit, w.Write); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := buffer.Flush(); err != nil {
		return fmt.Errorf("write the history: %w", err)
	}
	return nil
}

func newEventWriter(w io.Writer, o historyOptions, labels label.Rules, empty string, now time.Time) (history.Writer, error) {
	switch {
	case o.CSV:
		return history.NewCSVWriter(w, labels.NameOf)
	case o.JSON:
		return history.NewJSONLines(w), nil
	}
	return &textHistory{w: w, empty: empty, now: now}, nil
}

// parseSince parses a duration before now (90m, 24h, 7d, 2w) or a date. "" is the
// zero time.
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
	return time.Time{}, UsageError{fmt.Sprintf("%q: --since expects a duration such as 90m, 24h or 7d, or a date such as 2026-11-24", monitor.Clean(text, 40))}
}

// pageSize is the number of events per database query.
const pageSize = 1000

// eachEvent calls f with the newest limit events, or with all if limit is 0,
// oldest first. It holds one page of events in memory.
func eachEvent(ctx context.Context, r history.Reader, q history.Query, limit int, f func(history.Event) error) error {
	q.Limit = pageSize
	if limit > 0 {
		first, err := nthNewest(ctx, r, q, limit)
		if err != nil {
			return err
		}
		if !first.IsZero() {
			q.After = history.Position{At: first.At, ID: first.ID - 1}
		}
	}
	q.OldestFirst = true
	for {
		events, err := r.Events(ctx, q)
		if err != nil {
			return err
		}
		for _, e := range events {
			if err := f(e); err != nil {
				return err
			}
			q.After = e.Position()
		}
		if len(events) < pageSize {
			return nil
		}
	}
}

// nthNewest returns the place of the nth newest event, of the oldest one if there
// are fewer than n, and the zero value if there is none.
func nthNewest(ctx context.Context, r history.Reader, q history.Query, n int) (history.Position, error) {
	var at history.Position
	for n > 0 {
		q.Limit = min(pageSize, n)
		events, err := r.Events(ctx, q)
		if err != nil {
			return at, err
		}
		if len(events) > 0 {
			at = events[len(events)-1].Position()
		}
		if len(events) < q.Limit {
			break
		}
		n, q.Before = n-len(events), at
	}
	return at, nil
}

// noEventsText returns the answer if no event matches.
func noEventsText(ports monitor.Ports, o historyOptions, since time.Time) string {
	text := "No recorded events"
	if ports != nil {
		text += " of " + ports.String()
	}
	if !since.IsZero() {
		text += " since " + since.Local().Format("2006-01-02 15:04")
	}
	if o.Match != "" {
		text += " match"
	}
	return text + "."
}

// textHistory writes one line per event, in local time, below a line for each
// day.
type textHistory struct {
	w     io.Writer
	empty string // written by Flush if there was no event
	now   time.Time
	day   string // day of the previous event
}

func (h *textHistory) Write(e history.Event) error {
	at := e.At.In(h.now.Location())
	line := fmt.Sprintf("  %s  %-16s %5s  %s\n", at.Format("15:04:05"), kindText(e.Kind), portText(&monitor.Listener{Port: e.Port, Protocol: e.Protocol}), eventText(e))
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

// eventText returns owner, project, addresses and what changed.
func eventText(e history.Event) string {
	if e.Kind == monitor.Attempted {
		times := "times"
		if e.Attempts == 1 {
			times = "time"
		}
		return fmt.Sprintf("closed, and something tried to connect at least %d %s", e.Attempts, times)
	}
	text := eventOwnerText(e.Owner)
	if e.Owner.PID != 0 && !e.Owner.Inferred {
		text += fmt.Sprintf(" (%d)", e.Owner.PID)
	}
	if project := monitor.Clean(e.Owner.Project, 32); project != "" {
		text += " · " + project
	}
	text += "  " + addressText(&monitor.Listener{Addresses: e.Addresses})
	switch e.Kind {
	case monitor.OwnerChanged:
		if e.OwnerBefore != nil {
			text += fmt.Sprintf("  (was %s, %d)", eventOwnerText(*e.OwnerBefore), e.OwnerBefore.PID)
		}
	case monitor.ExposureChanged:
		text += fmt.Sprintf("  (was %s, now %s)", e.ExposureBefore, e.Exposure)
	case monitor.Connected:
		text += "  (first connection of " + e.Client.Clean(60).String() + ")"
	case monitor.Unhealthy:
		text += fmt.Sprintf("  (%s for %s)", e.Health.Sentence(), monitor.Clean(e.Health.Path, 60))
	case monitor.Healthy:
		text += "  (was unhealthy for " + e.Duration.Truncate(time.Second).String() + ")"
	case monitor.Discovered:
		text += "  (was already open)"
	case monitor.Closed:
		if duration := durationText(e); duration != "" {
			text += "  after " + duration
		}
		if e.Stopped != "" {
			text += "  (stopped by you: " + monitor.Clean(e.Stopped, 120) + ")"
		}
		if e.Exit.Known() && e.Stopped == "" {
			text += "  (" + e.Exit.Sentence().String() + ")"
		}
		if e.Unobserved {
			text += "  (closed while Porthole was not running)"
		}
	}
	return text
}

// eventOwnerText returns the name of a recorded owner, as ownerText does.
func eventOwnerText(o history.Owner) string {
	l := &monitor.Listener{User: o.User, CgroupInfo: monitor.CgroupInfo{Unit: o.Unit, ContainerID: o.Container}}
	switch {
	case o.Inferred:
		l.Inferred = &monitor.Owner{Name: o.Name, PID: o.PID}
	case o.Name != "" || o.PID != 0:
		l.Owners = []monitor.Owner{{Name: o.Name, PID: o.PID}}
	}
	text, _ := ownerText(l)
	return text
}

// durationText returns how long a closed listener was open: "at least 2m3s"; ""
// if unknown. From 10 seconds on it rounds down, as the window and the notifications do.
func durationText(e history.Event) string {
	d := e.Duration.Truncate(time.Second)
	if e.Certainty() == history.AtMost {
		d = e.Duration.Round(time.Second)
	}
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

// lastOwnerText returns " Last used by postgres, today 14:02–14:07.", or "" if
// that is not recorded or cannot be read.
func lastOwnerText(ctx context.Context, port uint16, now time.Time) string {
	t, ok, err := store.OpenReader(paths.History()).LastOwner(ctx, monitor.TCP, monitor.Ports{{First: port, Last: port}})
	if err != nil || !ok {
		return ""
	}
	text := " Last used by " + tenureText(t, now)
	if t.Exit.Known() {
		text += "; it " + t.Exit.Sentence().String()
	}
	return text + "."
}

// tenureText returns the owner and the times of a tenure, as far as they are
// known.
func tenureText(t history.Tenure, now time.Time) string {
	from := timeText(t.From, now)
	switch {
	case t.From.IsZero():
		from = ""
	case t.AlreadyOpen:
		from = "before " + from
	}
	to := t.To.In(now.Location())
	end := to.Format("15:04")
	if t.From.IsZero() || t.From.In(now.Location()).Format(time.DateOnly) != to.Format(time.DateOnly) {
		end = timeText(t.To, now)
	}
	owner := eventOwnerText(t.Owner)
	switch {
	case t.To.IsZero() && from == "":
		return owner
	case t.To.IsZero():
		return owner + ", seen " + from
	case t.Unobserved:
		return strings.TrimSuffix(owner+", "+from, ", ") + ", closed before " + end
	case from == "":
		return owner + ", until " + end
	}
	return owner + ", " + from + "–" + end
}
