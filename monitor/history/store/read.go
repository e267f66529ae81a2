package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"porthole/monitor"
	"porthole/monitor/history"
)

// Reader answers queries from the file, in any process and while the writer
// writes. It opens the file for each query: it keeps no memory between queries
// and notices if the file was replaced. It is safe for concurrent use.
type Reader struct{ path string }

var _ history.Reader = Reader{}

// OpenReader returns a Reader of the file at path. A missing file has no events.
func OpenReader(path string) Reader { return Reader{path} }

// withConn calls do with a connection to the file. It does not call it if the
// file is missing or empty.
func (r Reader) withConn(ctx context.Context, do func(*sql.Conn) error) error {
	info, err := os.Stat(r.path)
	if errors.Is(err, fs.ErrNotExist) || (err == nil && info.Size() == 0 && !exists(r.path+"-wal")) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the history: %w", err)
	}
	db, conn, err := connect(ctx, r.path, readOnly)
	if err != nil {
		return r.wrapError(err)
	}
	defer db.Close()
	defer conn.Close()
	have, err := version(ctx, conn)
	if err != nil || have == 0 { // the writer has not created the tables yet
		return r.wrapError(err)
	}
	err = do(conn)
	if err != nil && have > len(migrations) {
		return fmt.Errorf("read %s: %w: %w", r.path, errNewerVersion, err)
	}
	return r.wrapError(err)
}

// wrapError adds the path to err and, for a damaged file, what will happen to it.
func (r Reader) wrapError(err error) error {
	switch {
	case err == nil:
		return nil
	case isDamaged(err):
		return fmt.Errorf("%s is damaged; the Porthole agent will move it aside: %w", r.path, err)
	}
	return fmt.Errorf("read %s: %w", r.path, err)
}

// Columns of later versions.
const (
	exitColumns   = "e.exit_status, e.signal, e.core_dumped, e.out_of_memory"
	clientColumns = "e.attempts, e.client"
	healthColumns = "e.health"
)

const eventColumns = `e.id, e.at, e.kind, e.unobserved, e.protocol, e.port, e.addresses, e.exposure, e.listener, boots.boot,
	e.pid, e.pid_before, e.exposure_before, e.opened_at, e.already_open, e.duration, e.stopped, ` + exitColumns + ", " + clientColumns + ", " + healthColumns + `,
	o.name, o.user, o.project, o.service, o.program, o.folder, o.command, o.unit, o.container, o.inferred,
	p.name, p.user, p.project, p.service, p.program, p.folder, p.command, p.unit, p.container, p.inferred`

const eventTables = ` FROM events e CROSS JOIN boots ON boots.id = e.boot CROSS JOIN owners o ON o.id = e.owner LEFT JOIN owners p ON p.id = e.owner_before`

// condition is part of a WHERE clause with its arguments.
type condition struct {
	parts []string
	args  []any
}

func (c *condition) and(part string, args ...any) {
	c.parts, c.args = append(c.parts, part), append(c.args, args...)
}

func (c condition) where() string {
	if len(c.parts) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(c.parts, " AND ")
}

// conditions translates a query to SQL.
func conditions(q history.Query) condition {
	var c condition
	if !q.Before.IsZero() {
		c.and("(e.at, e.id) < (?, ?)", q.Before.At.UnixMicro(), q.Before.ID)
	}
	if !q.After.IsZero() {
		c.and("(e.at, e.id) > (?, ?)", q.After.At.UnixMicro(), q.After.ID)
	}
	if !q.AllAddresses {
		c.and("e.loopback")
	}
	if !q.UDP {
		c.and("e.protocol = 'tcp'")
	}
	if q.Ports != nil {
		c.andPorts(q.Ports)
	}
	if !q.Since.IsZero() {
		c.and("e.at >= ?", q.Since.UnixMicro())
	}
	if !q.Until.IsZero() {
		c.and("e.at < ?", q.Until.UnixMicro())
	}
	with, without := q.Words()
	c.andWords(with)
	for _, w := range without { // only the new owner of a change counts
		is, args := wordCondition(w)
		c.and("NOT ("+is+")", args...)
	}
	return c
}

// andPorts adds the condition that the event is about one of ports.
func (c *condition) andPorts(ports monitor.Ports) {
	if port, single := ports.Single(); single {
		c.and("e.port = ?", port)
		return
	}
	var parts []string
	var args []any
	for _, r := range ports {
		parts, args = append(parts, "e.port BETWEEN ? AND ?"), append(args, r.First, r.Last)
	}
	c.and("("+strings.Join(append(parts, "0"), " OR ")+")", args...)
}

// andWords adds conditions for the words. Words that can only belong to an owner
// are combined into one condition, which quickly selects few owners.
func (c *condition) andWords(with []string) {
	var match []string
	var args []any
	for _, w := range with {
		if !isAddress(w) && parseNumber(w) == 0 {
			match, args = append(match, "instr(words, ?)"), append(args, w)
			continue
		}
		is, its := wordCondition(w)
		c.and("("+is+" OR ifnull(e.pid_before = ?, 0))", append(its, parseNumber(w))...)
	}
	if len(match) > 0 {
		owners := "(SELECT id FROM owners WHERE " + strings.Join(match, " AND ") + ")"
		c.and("(e.owner IN "+owners+" OR e.owner_before IN "+owners+")", append(args, args...)...)
	}
}

// ownersWithWord selects the owners that contain a word.
const ownersWithWord = "(SELECT id FROM owners WHERE instr(words, ?))"

// isAddress reports whether a word may be a prefix of an address.
func isAddress(word string) bool {
	return strings.ContainsAny(word, ".:") && strings.Trim(word, "0123456789abcdef.:") == ""
}

// wordCondition returns the condition that an event contains a word, with the
// same meaning as the filter of the Ports page: in the stored fields of the
// owner; a number also as the PID or a prefix of the port; and as a prefix of an
// address if it may be one.
func wordCondition(word string) (is string, args []any) {
	n := parseNumber(word)
	if n == 0 && isAddress(word) {
		return "e.owner IN " + ownersWithWord + " OR instr(' ' || e.addresses, ?)", []any{word, " " + word}
	}
	if n == 0 {
		return "e.owner IN " + ownersWithWord, []any{word}
	}
	parts, args := []string{"e.pid = ?", "e.owner IN " + ownersWithWord}, []any{n, word}
	for _, p := range portsWithPrefix(word) {
		parts, args = append(parts, "e.port BETWEEN ? AND ?"), append(args, p.First, p.Last)
	}
	return strings.Join(parts, " OR "), args
}

// parseNumber returns the positive number that a word is, 0 if it is not one.
func parseNumber(word string) int {
	n, err := strconv.Atoi(word)
	if err != nil || n < 0 || strconv.Itoa(n) != word {
		return 0
	}
	return n
}

// portsWithPrefix returns the ports whose decimal form starts with digits; nil if
// there are none.
func portsWithPrefix(digits string) monitor.Ports {
	n, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || n == 0 || strconv.FormatUint(n, 10) != digits {
		return nil
	}
	var ports monitor.Ports
	for first, last := n, n; first <= 65535; first, last = first*10, last*10+9 {
		ports = append(ports, monitor.PortRange{First: uint16(first), Last: uint16(min(last, 65535))})
	}
	return ports
}

// Events implements history.Reader.
func (r Reader) Events(ctx context.Context, q history.Query) (events []history.Event, err error) {
	limit := q.Limit
	if limit <= 0 {
		limit = history.DefaultLimit
	}
	c, order := conditions(q), "DESC"
	if q.OldestFirst {
		order = "ASC"
	}
	err = r.withConn(ctx, func(conn *sql.Conn) error {
		events, err = queryEvents(ctx, conn, c.where()+" ORDER BY e.at "+order+", e.id "+order+" LIMIT ?", append(c.args, limit)...)
		return err
	})
	return events, err
}

// ListenerEvents implements history.Reader.
func (r Reader) ListenerEvents(ctx context.Context, listener string) (events []history.Event, err error) {
	err = r.withConn(ctx, func(conn *sql.Conn) error {
		events, err = queryEvents(ctx, conn, ` WHERE e.listener = ?1 AND e.boot =
			(SELECT boot FROM events WHERE listener = ?1 ORDER BY id DESC LIMIT 1) ORDER BY e.at, e.id`, listener)
		return err
	})
	return events, err
}

// LastOwner implements history.Reader. The last event of a port is the one that was stored last,
// even if the clock was set back meanwhile.
func (r Reader) LastOwner(ctx context.Context, protocol monitor.Protocol, ports monitor.Ports) (tenure history.Tenure, ok bool, err error) {
	var c condition
	c.andPorts(ports)
	c.and("e.protocol = ?", protocol)
	c.and("e.kind NOT IN ('attempted', 'connected', 'unhealthy', 'healthy')")
	err = r.withConn(ctx, func(conn *sql.Conn) error {
		last, err := queryEvents(ctx, conn, c.where()+" ORDER BY e.id DESC LIMIT 1", c.args...)
		if err != nil || len(last) == 0 {
			return err
		}
		tenure, ok = last[0].Tenure(), true
		// The last owner need not be the one that opened it.
		changes, err := queryEvents(ctx, conn, ` WHERE e.port = ? AND e.listener = ? AND e.kind = 'owner_changed' AND e.id <= ?
			AND e.boot = (SELECT boot FROM events WHERE id = ?) ORDER BY e.id DESC LIMIT 1`, last[0].Port, last[0].Listener, last[0].ID, last[0].ID)
		if len(changes) > 0 {
			tenure.From, tenure.AlreadyOpen = changes[0].At, false
		}
		return err
	})
	return tenure, ok, err
}

// Openings returns the opening times, by listener ID, of the listeners that the writer saw open
// during this boot and that have not closed.
func (r Reader) Openings(ctx context.Context, boot string) (map[string]time.Time, error) {
	openings := make(map[string]time.Time)
	err := r.withConn(ctx, func(conn *sql.Conn) error {
		rows, err := conn.QueryContext(ctx, "SELECT listener, opened_at FROM open JOIN boots ON boots.id = open.boot WHERE boots.boot = ? AND NOT already_open", boot)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var listener string
			var at int64
			if err := rows.Scan(&listener, &at); err != nil {
				return err
			}
			openings[listener] = time.UnixMicro(at)
		}
		return rows.Err()
	})
	return openings, err
}

// CountByHour implements history.Reader.
func (r Reader) CountByHour(ctx context.Context, q history.Query) (hours []history.HourCount, err error) {
	c := conditions(q)
	err = r.withConn(ctx, func(conn *sql.Conn) error {
		const hour = "3600000000"
		rows, err := conn.QueryContext(ctx, "SELECT e.at / "+hour+" * "+hour+", count(*) FROM events e"+c.where()+" GROUP BY 1 ORDER BY 1", c.args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var at int64
			var h history.HourCount
			if err := rows.Scan(&at, &h.Count); err != nil {
				return err
			}
			h.Start = time.UnixMicro(at).UTC()
			hours = append(hours, h)
		}
		return rows.Err()
	})
	return hours, err
}

// queryEvents returns the events for the rest of a SELECT: WHERE, ORDER BY, LIMIT.
func queryEvents(ctx context.Context, conn *sql.Conn, rest string, args ...any) ([]history.Event, error) {
	var columns string
	if n, err := version(ctx, conn); err != nil {
		return nil, err
	} else { // only an agent that runs migrates the file
		columns = columnsOf(n)
	}
	rows, err := conn.QueryContext(ctx, "SELECT "+columns+eventTables+rest, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var events []history.Event
	for rows.Next() {
		e, err := scanEvent(rows)
		if err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	return events, rows.Err()
}

// columnsOf returns the eventColumns of a file of version n, with the defaults of columns
// that it does not have.
func columnsOf(n int) string {
	columns := eventColumns
	if n < versionStopped {
		columns = strings.Replace(columns, "e.stopped", "''", 1)
	}
	if n < versionExit {
		columns = strings.Replace(columns, exitColumns, "NULL, '', 0, 0", 1)
	}
	if n < versionClients {
		columns = strings.Replace(columns, clientColumns, "0, ''", 1)
	}
	if n < versionHealth {
		columns = strings.Replace(columns, healthColumns, "''", 1)
	}
	return columns
}

// scanEvent reads the eventColumns of one row.
func scanEvent(rows *sql.Rows) (history.Event, error) {
	var e history.Event
	var at int64
	var addresses, command, client, health string
	var pidBefore, openedAt, duration sql.NullInt64
	var inferredBefore sql.NullBool
	var before [9]sql.NullString
	to := []any{
		&e.ID, &at, &e.Kind, &e.Unobserved, &e.Protocol, &e.Port, &addresses, &e.Exposure, &e.Listener, &e.Boot,
		&e.Owner.PID, &pidBefore, &e.ExposureBefore, &openedAt, &e.AlreadyOpen, &duration, &e.Stopped, &e.Exit.Status, &e.Exit.Signal, &e.Exit.CoreDumped, &e.Exit.OutOfMemory, &e.Attempts, &client, &health,
		&e.Owner.Name, &e.Owner.User, &e.Owner.Project, &e.Owner.Service, &e.Owner.Program, &e.Owner.Folder, &command,
		&e.Owner.Unit, &e.Owner.Container, &e.Owner.Inferred,
	}
	for i := range before {
		to = append(to, &before[i])
	}
	if err := rows.Scan(append(to, &inferredBefore)...); err != nil {
		return e, err
	}
	e.At, e.Addresses = time.UnixMicro(at).UTC(), parseAddresses(addresses)
	e.Owner.Command, e.Client, e.Health = parseCommand(command), monitor.ParseClient(client), monitor.ParseHealthAnswer(health)
	if openedAt.Valid {
		e.OpenedAt = time.UnixMicro(openedAt.Int64).UTC()
	}
	e.Duration = time.Duration(duration.Int64) * time.Microsecond
	if pidBefore.Valid {
		e.OwnerBefore = &history.Owner{
			PID: int(pidBefore.Int64), Name: before[0].String, User: before[1].String, Project: before[2].String,
			Service: before[3].String, Program: before[4].String, Folder: before[5].String, Command: parseCommand(before[6].String),
			Unit: before[7].String, Container: before[8].String, Inferred: inferredBefore.Bool,
		}
	}
	return e, nil
}

// parseCommand parses a command that ownerRow wrote.
func parseCommand(text string) []string {
	var command []string
	if text != "" && json.Unmarshal([]byte(text), &command) != nil {
		return []string{monitor.Clean(text, 200)} // written by another program
	}
	return command
}

// Version returns the version of the file, 0 if it does not exist yet, and
// whether this program supports it. It returns an error if the file cannot be
// read.
func (r Reader) Version(ctx context.Context) (have int, known bool, err error) {
	err = r.withConn(ctx, func(conn *sql.Conn) error {
		have, err = version(ctx, conn)
		return err
	})
	return have, have <= len(migrations), err
}
