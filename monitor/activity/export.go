package activity

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode"

	"porthole/monitor"
)

// eventJSON is the contract of exported JSON: fields are added, never renamed.
// What is unknown is absent. Times are RFC 3339 in UTC.
type eventJSON struct {
	ID        int64            `json:"id"`
	At        time.Time        `json:"at"`
	Kind      monitor.Kind     `json:"kind"`
	Unwatched bool             `json:"unwatched,omitempty"`
	Protocol  monitor.Protocol `json:"protocol"`
	Port      uint16           `json:"port"`
	Addresses []netip.Addr     `json:"addresses"`
	Reach     monitor.Reach    `json:"reach"`
	Listener  string           `json:"listener"`
	Boot      string           `json:"boot,omitempty"`
	Owner     ownerJSON        `json:"owner"`
	Before    *ownerJSON       `json:"owner_before,omitempty"`
	ReachWas  monitor.Reach    `json:"reach_before,omitempty"`
	OpenedAt  *time.Time       `json:"opened_at,omitempty"`
	FoundAt   *time.Time       `json:"found_at,omitempty"` // in its place where it was open before Porthole looked
	Duration  *float64         `json:"duration_seconds,omitempty"`
	Certainty string           `json:"duration_is,omitempty"` // "exact", "at least" or "at most"
}

type ownerJSON struct {
	PID       int      `json:"pid,omitempty"`
	Name      string   `json:"name,omitempty"`
	User      string   `json:"user,omitempty"`
	Project   string   `json:"project,omitempty"`
	Service   string   `json:"service,omitempty"`
	Program   string   `json:"program,omitempty"`
	Folder    string   `json:"folder,omitempty"`
	Command   []string `json:"command,omitempty"`
	Unit      string   `json:"unit,omitempty"`
	Container string   `json:"container,omitempty"`
	Inferred  bool     `json:"inferred,omitempty"`
}

// MarshalJSON writes e in the form of exports.
func (e Event) MarshalJSON() ([]byte, error) {
	out := eventJSON{
		ID: e.ID, At: e.At.UTC(), Kind: e.Kind, Unwatched: e.Unwatched, Protocol: e.Protocol, Port: e.Port,
		Addresses: e.Addresses, Reach: e.Reach, Listener: e.Listener, Boot: e.Boot, Owner: ownerJSON(e.Owner),
		ReachWas: e.ReachBefore,
	}
	if e.Before != nil {
		before := ownerJSON(*e.Before)
		out.Before = &before
	}
	if at := e.OpenedAt.UTC(); e.Older && !at.IsZero() {
		out.FoundAt = &at
	} else if !at.IsZero() {
		out.OpenedAt = &at
	}
	if words := e.Certainty().words(); e.Kind == monitor.Closed && words != "" {
		seconds := e.Duration.Seconds()
		out.Duration, out.Certainty = &seconds, words
	}
	return json.Marshal(out)
}

// words is "" where nothing can be said.
func (c Certainty) words() string { return [...]string{"exact", "at least", "at most", ""}[c] }

// CSV writes events as RFC 4180 has it.
type CSV struct{ w *csv.Writer }

// csvHeader is a contract: columns are added at the end, never renamed.
var csvHeader = []string{
	"at", "kind", "unwatched", "protocol", "port", "addresses", "reach", "name", "pid", "user", "project", "service",
	"program", "folder", "command", "unit", "container", "inferred", "name_before", "pid_before", "reach_before",
	"opened_at", "found_at", "duration_seconds", "duration_is", "id", "listener", "boot",
}

// NewCSV writes the header to w. The caller ends with Flush.
func NewCSV(w io.Writer) (*CSV, error) {
	c := &CSV{csv.NewWriter(w)}
	c.w.UseCRLF = true
	return c, c.row(csvHeader)
}

// Write writes one event.
func (c *CSV) Write(e Event) error {
	var before Owner
	if e.Before != nil {
		before = *e.Before
	}
	addresses := make([]string, len(e.Addresses))
	for i, a := range e.Addresses {
		addresses[i] = a.String()
	}
	opened, found := stamp(e.OpenedAt), ""
	if e.Older {
		opened, found = found, opened
	}
	duration, certainty := "", ""
	if words := e.Certainty().words(); e.Kind == monitor.Closed && words != "" {
		duration, certainty = strconv.FormatFloat(e.Duration.Seconds(), 'f', -1, 64), words
	}
	return c.row([]string{
		stamp(e.At), string(e.Kind), yes(e.Unwatched), string(e.Protocol), strconv.Itoa(int(e.Port)),
		strings.Join(addresses, " "), string(e.Reach), e.Owner.Name, number(e.Owner.PID), e.Owner.User, e.Owner.Project,
		e.Owner.Service, e.Owner.Program, e.Owner.Folder, strings.Join(e.Owner.Command, " "), e.Owner.Unit,
		e.Owner.Container, yes(e.Owner.Inferred), before.Name, number(before.PID), string(e.ReachBefore),
		opened, found, duration, certainty, strconv.FormatInt(e.ID, 10), e.Listener, e.Boot,
	})
}

// Flush writes what is left, and returns the first error of all.
func (c *CSV) Flush() error {
	c.w.Flush()
	if err := c.w.Error(); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	return nil
}

func (c *CSV) row(cells []string) error {
	out := make([]string, len(cells))
	for i, cell := range cells {
		out[i] = harmless(cell)
	}
	if err := c.w.Write(out); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	return nil
}

// formula are the characters with which a spreadsheet lets a formula begin,
// their wide forms included.
const formula = "=+-@\t\r＝＋－＠"

// harmless puts an apostrophe before what a spreadsheet would run: a process
// chooses its own name. A return becomes a line feed, which is what readers of
// CSV make of it.
func harmless(cell string) string {
	trimmed := strings.TrimLeftFunc(cell, func(r rune) bool { return unicode.IsSpace(r) && r != '\t' && r != '\r' })
	risky := trimmed != "" && strings.ContainsRune(formula, []rune(trimmed)[0])
	cell = strings.ReplaceAll(strings.ReplaceAll(cell, "\r\n", "\n"), "\r", "\n")
	cell = strings.Map(func(r rune) rune { // nor what a terminal would run, or show in another order
		if r != '\n' && r != '\t' && unicode.In(r, unicode.Cc, unicode.Cf) {
			return ' '
		}
		return r
	}, cell)
	if risky {
		return "'" + cell
	}
	return cell
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
