package history

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

// eventJSON is the exported JSON. Once released, fields are added, never renamed.
// Unknown fields are absent. Times are RFC 3339 in UTC.
type eventJSON struct {
	ID             int64            `json:"id"`
	At             time.Time        `json:"at"`
	Kind           monitor.Kind     `json:"kind"`
	Unobserved     bool             `json:"unobserved,omitempty"`
	Protocol       monitor.Protocol `json:"protocol"`
	Port           uint16           `json:"port"`
	Addresses      []netip.Addr     `json:"addresses"`
	Exposure       monitor.Exposure `json:"exposure"`
	Listener       string           `json:"listener"`
	Boot           string           `json:"boot,omitempty"`
	Owner          ownerJSON        `json:"owner"`
	OwnerBefore    *ownerJSON       `json:"owner_before,omitempty"`
	ExposureBefore monitor.Exposure `json:"exposure_before,omitempty"`
	OpenedAt       *time.Time       `json:"opened_at,omitempty"`
	DiscoveredAt   *time.Time       `json:"discovered_at,omitempty"` // instead of opened_at if it was open before Porthole first polled it
	Duration       *float64         `json:"duration_seconds,omitempty"`
	Certainty      string           `json:"duration_certainty,omitempty"` // "exact", "at_least" or "at_most"
	Attempts       int              `json:"attempts,omitempty"`           // a lower limit
	Client         monitor.Client   `json:"client,omitzero"`
	Health         *healthJSON      `json:"health,omitempty"`
	Stopped        string           `json:"stopped_by_user,omitempty"` // how the user stopped the owners: "SIGTERM", "docker stop web"
	monitor.Exit                    // how the owner of a closed listener ended
}

// healthJSON is the answer to a health check, with one English clause about it.
type healthJSON struct {
	monitor.HealthAnswer
	Text string `json:"text"`
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

// MarshalJSON returns the exported form of e.
func (e Event) MarshalJSON() ([]byte, error) {
	out := eventJSON{
		ID: e.ID, At: e.At.UTC(), Kind: e.Kind, Unobserved: e.Unobserved, Protocol: e.Protocol, Port: e.Port,
		Addresses: e.Addresses, Exposure: e.Exposure, Listener: e.Listener, Boot: e.Boot, Owner: ownerJSON(e.Owner),
		ExposureBefore: e.ExposureBefore, Stopped: e.Stopped, Exit: e.Exit, Attempts: e.Attempts, Client: e.Client,
	}
	if e.OwnerBefore != nil {
		before := ownerJSON(*e.OwnerBefore)
		out.OwnerBefore = &before
	}
	if at := e.OpenedAt.UTC(); e.AlreadyOpen && !at.IsZero() {
		out.DiscoveredAt = &at
	} else if !at.IsZero() {
		out.OpenedAt = &at
	}
	if text := e.Certainty().text(); e.Kind == monitor.Closed && text != "" {
		seconds := e.Duration.Seconds()
		out.Duration, out.Certainty = &seconds, text
	}
	if !e.Health.IsZero() {
		out.Health = &healthJSON{e.Health, e.Health.Sentence().String()}
	}
	if e.Kind == monitor.Attempted || e.Kind == monitor.Healthy {
		seconds := e.Duration.Seconds()
		out.Duration = &seconds
	}
	return json.Marshal(out)
}

// text is "" for Unknown.
func (c Certainty) text() string { return [...]string{"exact", "at_least", "at_most", ""}[c] }

// CSVWriter writes events as CSV (RFC 4180).
type CSVWriter struct {
	w     *csv.Writer
	label func(*monitor.Listener) string
}

// csvHeader is stable once released: columns are added at the end, never renamed.
var csvHeader = []string{
	"at", "kind", "unobserved", "protocol", "port", "addresses", "exposure", "name", "pid", "user", "project", "service",
	"program", "folder", "command", "unit", "container", "inferred", "name_before", "pid_before", "exposure_before",
	"opened_at", "discovered_at", "duration_seconds", "duration_certainty", "id", "listener", "boot",
	"stopped_by_user", "exit_status", "signal", "core_dumped", "out_of_memory",
	"attempts", "client", "health", "label",
}

// NewCSVWriter writes the header to w. label returns the user's present name for a listener; nil
// for no names. The caller must call Flush at the end.
func NewCSVWriter(w io.Writer, label func(*monitor.Listener) string) (*CSVWriter, error) {
	if label == nil {
		label = func(*monitor.Listener) string { return "" }
	}
	c := &CSVWriter{csv.NewWriter(w), label}
	c.w.UseCRLF = true
	return c, c.writeRow(csvHeader)
}

// Write writes one event.
func (c *CSVWriter) Write(e Event) error {
	var before Owner
	if e.OwnerBefore != nil {
		before = *e.OwnerBefore
	}
	addresses := make([]string, len(e.Addresses))
	for i, a := range e.Addresses {
		addresses[i] = a.String()
	}
	opened, found := formatTime(e.OpenedAt), ""
	if e.AlreadyOpen {
		opened, found = found, opened
	}
	duration, certainty := "", ""
	if e.Kind == monitor.Attempted || e.Kind == monitor.Healthy {
		duration = strconv.FormatFloat(e.Duration.Seconds(), 'f', -1, 64)
	}
	if text := e.Certainty().text(); e.Kind == monitor.Closed && text != "" {
		duration, certainty = strconv.FormatFloat(e.Duration.Seconds(), 'f', -1, 64), text
	}
	return c.writeRow([]string{
		formatTime(e.At), string(e.Kind), formatBool(e.Unobserved), string(e.Protocol), strconv.Itoa(int(e.Port)),
		strings.Join(addresses, " "), string(e.Exposure), e.Owner.Name, formatNumber(e.Owner.PID), e.Owner.User, e.Owner.Project,
		e.Owner.Service, e.Owner.Program, e.Owner.Folder, strings.Join(e.Owner.Command, " "), e.Owner.Unit,
		e.Owner.Container, formatBool(e.Owner.Inferred), before.Name, formatNumber(before.PID), string(e.ExposureBefore),
		opened, found, duration, certainty, strconv.FormatInt(e.ID, 10), e.Listener, e.Boot, e.Stopped,
		formatStatus(e.Exit.Status), e.Exit.Signal, formatBool(e.Exit.CoreDumped), formatBool(e.Exit.OutOfMemory),
		formatNumber(e.Attempts), e.Client.Text(), e.Health.Text(), c.label(e.AsListener()),
	})
}

// AsListener returns the listener that e is about, as far as e contains it.
func (e Event) AsListener() *monitor.Listener {
	l := &monitor.Listener{ID: e.Listener, Protocol: e.Protocol, Port: e.Port, Addresses: e.Addresses, Exposure: e.Exposure,
		User: e.Owner.User, Service: e.Owner.Service, Project: e.Owner.Project}
	l.Unit, l.ContainerID = e.Owner.Unit, e.Owner.Container
	o := monitor.Owner{PID: e.Owner.PID, Name: e.Owner.Name, Command: e.Owner.Command, Program: e.Owner.Program, Folder: e.Owner.Folder, User: e.Owner.User, Project: e.Owner.Project}
	switch {
	case e.Owner.Inferred:
		l.Inferred = &o
	case o.PID != 0 || o.Name != "":
		l.Owners = []monitor.Owner{o}
	}
	return l
}

// Flush writes buffered data and returns the first error of all writes.
func (c *CSVWriter) Flush() error {
	c.w.Flush()
	if err := c.w.Error(); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	return nil
}

func (c *CSVWriter) writeRow(cells []string) error {
	out := make([]string, len(cells))
	for i, cell := range cells {
		out[i] = escapeCell(cell)
	}
	if err := c.w.Write(out); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	return nil
}

// formulaStarts are the characters that start a formula in spreadsheets,
// including their full-width forms.
const formulaStarts = "=+-@\t\r＝＋－＠"

// escapeCell puts an apostrophe before text that a spreadsheet would run as a
// formula, because a process chooses its own name. Carriage returns become line
// feeds, as CSV readers do it.
func escapeCell(cell string) string {
	trimmed := strings.TrimLeftFunc(cell, func(r rune) bool { return unicode.IsSpace(r) && r != '\t' && r != '\r' })
	risky := trimmed != "" && strings.ContainsRune(formulaStarts, []rune(trimmed)[0])
	cell = strings.ReplaceAll(strings.ReplaceAll(cell, "\r\n", "\n"), "\r", "\n")
	cell = strings.Map(func(r rune) rune { // control and bidi characters affect terminals
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

// formatTime formats t as RFC 3339 in UTC; "" for the zero time.
func formatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// formatBool returns "yes" or "".
func formatBool(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

// formatNumber formats a PID or another number; "" for 0.
func formatNumber(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// formatStatus formats an exit status; "" if it is unknown.
func formatStatus(status *int) string {
	if status == nil {
		return ""
	}
	return strconv.Itoa(*status)
}
