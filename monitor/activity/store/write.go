package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"porthole/monitor"
	"porthole/monitor/activity"
)

// file is the open file of the writer.
type file struct {
	db    *sql.DB
	conn  *sql.Conn
	info  os.FileInfo
	stmts map[string]*sql.Stmt

	continued bool  // what was open when the last writer ended is dealt with
	rows      int   // of events
	version   int64 // of the data: another program's writing changes it
	owners    map[[sha256.Size]byte]int64
	boots     map[string]int64
}

// work is one batch and what it needs.
type work struct {
	boot       string
	begun      bool
	from       monitor.Snapshot // before changes
	changes    []monitor.Change
	days, rows int
	tidy       bool
	closing    bool // nothing is tidied up any more
}

const (
	maxOwners = 4096 // owners whose row is remembered
	pruneStep = 500  // events that go in one transaction
)

func (f *file) close() {
	for _, s := range f.stmts {
		_ = s.Close() // nothing was written through it that is not committed
	}
	_ = f.conn.Close()
	_ = f.db.Close()
}

func (f *file) begin(ctx context.Context) error {
	f.stmts = make(map[string]*sql.Stmt)
	if err := f.one(ctx, "PRAGMA data_version", &f.version); err != nil {
		return err
	}
	return f.look(ctx)
}

// look forgets what another program may have changed.
func (f *file) look(ctx context.Context) error {
	f.owners, f.boots = make(map[[sha256.Size]byte]int64), make(map[string]int64)
	return f.one(ctx, "SELECT count(*) FROM events", &f.rows)
}

func (f *file) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	if s := f.stmts[query]; s != nil {
		return s, nil
	}
	s, err := f.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("prepare: %w", err)
	}
	f.stmts[query] = s
	return s, nil
}

func (f *file) one(ctx context.Context, query string, to any, args ...any) error {
	s, err := f.stmt(ctx, query)
	if err != nil {
		return err
	}
	return s.QueryRowContext(ctx, args...).Scan(to)
}

func (f *file) exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	s, err := f.stmt(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.ExecContext(ctx, args...)
}

// write writes one batch, whole or not at all. more is true where there is more
// to tidy up.
func (f *file) write(ctx context.Context, w work) (more bool, err error) {
	if len(w.changes) == 0 && (f.continued || !w.begun) && !w.tidy && (w.closing || f.rows <= w.rows) {
		return false, nil
	}
	if _, err := f.conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return false, fmt.Errorf("begin a batch: %w", err)
	}
	rows, continued := f.rows, f.continued
	if more, err = f.fill(ctx, w); err == nil {
		_, err = f.conn.ExecContext(ctx, "COMMIT")
	}
	if err != nil {
		_, undo := f.conn.ExecContext(context.Background(), "ROLLBACK")
		f.rows, f.continued = rows, continued
		f.owners, f.boots = make(map[[sha256.Size]byte]int64), make(map[string]int64)
		return false, errors.Join(fmt.Errorf("write a batch: %w", err), undo)
	}
	return more, nil
}

func (f *file) fill(ctx context.Context, w work) (more bool, err error) {
	version := f.version
	if err := f.one(ctx, "PRAGMA data_version", &f.version); err != nil {
		return false, err
	}
	if version != f.version {
		if err := f.look(ctx); err != nil {
			return false, err
		}
	}
	b := &batchWriter{file: f, ctx: ctx, boot: w.boot, open: make(map[string]*openRow)}
	if w.begun && !f.continued {
		if err := b.goOn(w.from); err != nil {
			return false, err
		}
		f.continued = true
	}
	for _, c := range w.changes {
		if err := b.change(c); err != nil {
			return false, err
		}
	}
	if err := b.saveOpen(); err != nil {
		return false, err
	}
	return f.prune(ctx, w)
}

// prune deletes some of what is too old or too much.
func (f *file) prune(ctx context.Context, w work) (more bool, _ error) {
	if w.closing {
		return false, nil
	}
	deleted := 0
	if over := f.rows - w.rows; over > 0 {
		// At least as much as a batch brings, so that it never grows.
		n, err := f.deleted(ctx, "DELETE FROM events WHERE id IN (SELECT id FROM events ORDER BY id LIMIT ?)", min(over, pruneStep+len(w.changes)))
		if err != nil {
			return false, err
		}
		deleted += n
	}
	if w.tidy {
		oldest := time.Now().AddDate(0, 0, -w.days).UnixMicro()
		n, err := f.deleted(ctx, "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE at < ? ORDER BY at LIMIT ?)", oldest, pruneStep)
		if err != nil {
			return false, err
		}
		deleted, more = deleted+n, n == pruneStep
	}
	f.rows -= deleted
	return more || (f.rows > w.rows && deleted > 0), nil
}

func (f *file) deleted(ctx context.Context, query string, args ...any) (int, error) {
	r, err := f.exec(ctx, query, args...)
	if err != nil {
		return 0, fmt.Errorf("delete old events: %w", err)
	}
	n, err := r.RowsAffected()
	return int(n), err
}

// deleteOrphans deletes owners and boots that no event has any more.
const deleteOrphans = `
DELETE FROM owners WHERE id NOT IN (
	SELECT owner FROM events UNION SELECT owner_before FROM events WHERE owner_before IS NOT NULL UNION SELECT owner FROM open);
DELETE FROM boots WHERE id NOT IN (SELECT boot FROM events UNION SELECT boot FROM open)`

// orphans deletes those. It looks through all events, in no batch: the end of
// ctx takes it back.
func (f *file) orphans(ctx context.Context) error {
	_, err := f.conn.ExecContext(ctx, deleteOrphans)
	f.owners, f.boots = make(map[[sha256.Size]byte]int64), make(map[string]int64)
	if err != nil {
		return fmt.Errorf("delete owners without events: %w", err)
	}
	return nil
}

// openRow is a listener that is open, as the file has it.
type openRow struct {
	listener  string
	event     int64
	bootID    int64
	protocol  monitor.Protocol
	port      uint16
	addresses string
	reach     monitor.Reach
	sockets   string
	owner     int64
	pid       int
	start     int64
	openedAt  int64
	older     bool
	stored    bool // is in the file

	boot, was string // only of allOpen: the run of the machine, and the listener
}

// batchWriter writes the events of one batch. What is open is written once at
// the end: much of it has closed again.
type batchWriter struct {
	*file
	ctx  context.Context
	boot string
	open map[string]*openRow // those of this batch; those that closed have a listener of ""
}

const openColumns = `listener, event, boot, protocol, port, addresses, reach, sockets, owner, pid, start, opened_at, older`

func scanOpen(scan func(...any) error) (*openRow, error) {
	r := &openRow{stored: true}
	err := scan(&r.listener, &r.event, &r.bootID, &r.protocol, &r.port, &r.addresses, &r.reach, &r.sockets, &r.owner, &r.pid, &r.start, &r.openedAt, &r.older)
	return r, err
}

// row returns what is known of an open listener, nil where nothing is.
func (b *batchWriter) row(listener string) (*openRow, error) {
	if r := b.open[listener]; r != nil {
		if r.listener == "" {
			return nil, nil
		}
		return r, nil
	}
	s, err := b.stmt(b.ctx, "SELECT "+openColumns+" FROM open WHERE listener = ?")
	if err != nil {
		return nil, err
	}
	r, err := scanOpen(s.QueryRowContext(b.ctx, listener).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read what is open: %w", err)
	}
	b.open[listener] = r
	return r, nil
}

func (b *batchWriter) put(listener string, r *openRow) {
	if old := b.open[listener]; old != nil {
		r.stored = r.stored || old.stored
	}
	r.listener = listener
	b.open[listener] = r
}

func (b *batchWriter) drop(listener string) error {
	r, err := b.row(listener)
	if r != nil {
		r.listener = ""
	}
	return err
}

func (b *batchWriter) saveOpen() error {
	for listener, r := range b.open {
		var err error
		switch {
		case r.listener != "":
			_, err = b.exec(b.ctx, "INSERT OR REPLACE INTO open ("+openColumns+") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
				r.listener, r.event, r.bootID, string(r.protocol), r.port, r.addresses, string(r.reach), r.sockets, r.owner, r.pid, r.start, r.openedAt, r.older)
		case r.stored:
			_, err = b.exec(b.ctx, "DELETE FROM open WHERE listener = ?", listener)
		}
		if err != nil {
			return fmt.Errorf("write what is open: %w", err)
		}
	}
	return nil
}

// change writes one change.
func (b *batchWriter) change(c monitor.Change) error {
	l := c.Listener
	r, err := b.row(l.ID)
	if err != nil {
		return err
	}
	if c.Kind == monitor.Dropped {
		return b.drop(l.ID)
	}
	if c.Before != nil && c.Before.ID != l.ID { // it came out of another row, or took it in
		return b.joined(c, r)
	}
	e := activity.From(c, b.boot)
	if r != nil && c.Kind != monitor.Opened && c.Kind != monitor.Found {
		recall(&e, r)
	}
	ids, err := b.ids(e)
	if err != nil {
		return err
	}
	id := int64(0)
	if activity.Stored(c.Kind) {
		if id, err = b.insert(e, ids); err != nil {
			return err
		}
	}
	if c.Kind != monitor.Opened && c.Kind != monitor.Found {
		if err := b.complete(r, l.ID, e.Owner.PID, ids); err != nil {
			return err
		}
	}
	switch c.Kind {
	case monitor.Closed:
		return b.drop(l.ID)
	case monitor.Opened, monitor.Found:
		b.put(l.ID, newRow(l, e, ids, id))
		return nil
	}
	if r == nil { // forgotten meanwhile
		b.put(l.ID, newRow(l, e, ids, id))
		return nil
	}
	r.now(l, ids)
	return nil
}

// complete gives the event that began r its owner, where that was found late:
// it was stored without one, or with one that was only inferred.
func (b *batchWriter) complete(r *openRow, listener string, pid int, ids ids) error {
	if r == nil || r.pid != 0 || pid == 0 {
		return nil
	}
	_, err := b.exec(b.ctx, `UPDATE events SET owner = ?, pid = ? WHERE id = ? AND listener = ?
		AND (pid = 0 OR EXISTS (SELECT 1 FROM owners WHERE owners.id = events.owner AND inferred))`, ids.owner, pid, r.event, listener)
	if err != nil {
		return fmt.Errorf("complete an event: %w", err)
	}
	return nil
}

// recall sets what only the file knows: what this program saw begin in an
// earlier run of its own. What it saw begin in this run it has timed itself, by a
// clock that nobody sets.
func recall(e *activity.Event, r *openRow) {
	timed := !e.Older && micros(e.OpenedAt) == r.openedAt
	e.OpenedAt, e.Older = time.UnixMicro(r.openedAt).UTC(), r.older
	if e.Kind == monitor.Closed && !timed {
		e.Duration = max(e.At.Sub(e.OpenedAt), 0)
	}
}

// joined follows rows that merge or split, which opens and closes nothing.
func (b *batchWriter) joined(c monitor.Change, r *openRow) error {
	before, err := b.row(c.Before.ID)
	if err != nil {
		return err
	}
	e := activity.From(c, b.boot)
	ids, err := b.ids(e)
	if err != nil {
		return err
	}
	// The rows of a server on two addresses join when its owner is found: it opened both.
	if err := errors.Join(b.complete(before, c.Before.ID, e.Owner.PID, ids), b.complete(r, c.Listener.ID, e.Owner.PID, ids)); err != nil {
		return err
	}
	switch {
	case r == nil && before != nil:
		fresh := *before
		fresh.stored = false
		b.put(c.Listener.ID, &fresh)
		fresh.now(c.Listener, ids)
	case r != nil:
		r.now(c.Listener, ids)
		if before != nil && r.openedAt > before.openedAt {
			r.openedAt, r.older = before.openedAt, before.older
		}
	}
	if before != nil && overlap(fields(before.sockets), socketIDs(c.Listener)) == len(fields(before.sockets)) {
		return b.drop(c.Before.ID) // all of it went over
	}
	return nil
}

func newRow(l *monitor.Listener, e activity.Event, ids ids, event int64) *openRow {
	r := &openRow{listener: l.ID, event: event, openedAt: cmp.Or(micros(e.OpenedAt), e.At.UnixMicro()), older: e.Older}
	r.now(l, ids)
	return r
}

// now brings the row to the present state.
func (r *openRow) now(l *monitor.Listener, ids ids) {
	o, _ := l.Principal()
	r.bootID, r.protocol, r.port, r.addresses, r.reach = ids.boot, l.Protocol, l.Port, addressText(l.Addresses), l.Reach
	r.sockets, r.owner, r.pid, r.start = strings.Join(socketIDs(l), " "), ids.owner, o.PID, int64(o.Start)
}

func socketIDs(l *monitor.Listener) []string {
	out := make([]string, len(l.Sockets))
	for i, s := range l.Sockets {
		out[i] = strconv.FormatUint(uint64(s.ID), 36)
	}
	return out
}

func fields(s string) []string { return strings.Fields(s) }

func overlap(a, b []string) int {
	n := 0
	for _, x := range a {
		if slices.Contains(b, x) {
			n++
		}
	}
	return n
}

// goOn compares what was open when the last writer ended with what listens now:
// what has gone ended while Porthole was not running, what is new was open
// before Porthole looked, and what is the same goes on.
func (b *batchWriter) goOn(now monitor.Snapshot) error {
	rows, err := b.allOpen()
	if err != nil {
		return err
	}
	byEndpoint := make(map[string][]*openRow)
	for _, r := range rows {
		byEndpoint[endpoint(r.protocol, r.port)] = append(byEndpoint[endpoint(r.protocol, r.port)], r)
	}
	type match struct {
		row *openRow
		l   *monitor.Listener
	}
	var same []match
	var found []*monitor.Listener
	udp := false
	for _, l := range now.Listeners {
		udp = udp || l.Protocol == monitor.UDP
		list := byEndpoint[endpoint(l.Protocol, l.Port)]
		if i := slices.IndexFunc(list, func(r *openRow) bool { return r.listener != "" && b.goesOn(r, l) }); i >= 0 {
			copied := *list[i]
			same = append(same, match{&copied, l})
			list[i].listener = "" // goes on
			continue
		}
		found = append(found, l)
	}
	for _, r := range rows {
		if r.listener == "" {
			continue
		}
		// Where no UDP socket is seen at all, nobody looks there any more.
		if r.protocol != monitor.UDP || udp {
			if err := b.ended(r, now.TakenAt); err != nil {
				return err
			}
		}
	}
	for _, r := range rows {
		if _, err := b.exec(b.ctx, "DELETE FROM open WHERE listener = ?", r.was); err != nil {
			return fmt.Errorf("write what is open: %w", err)
		}
	}
	for _, m := range same {
		ids, err := b.ids(activity.From(monitor.Change{At: now.TakenAt, Listener: m.l}, b.boot))
		if err != nil {
			return err
		}
		m.row.stored = false
		m.row.now(m.l, ids)
		b.put(m.l.ID, m.row)
	}
	for _, l := range found {
		// The time since which this program saw it open is known where the file
		// was lost while it ran.
		e := activity.From(monitor.Change{At: now.TakenAt, Kind: monitor.Found, Listener: l}, b.boot)
		if !l.Since.IsZero() {
			e.OpenedAt = l.Since.UTC()
		}
		ids, err := b.ids(e)
		if err != nil {
			return err
		}
		id, err := b.insert(e, ids)
		if err != nil {
			return err
		}
		b.put(l.ID, newRow(l, e, ids, id))
	}
	return nil
}

func endpoint(p monitor.Protocol, port uint16) string { return string(p) + strconv.Itoa(int(port)) }

// goesOn reports whether l is the listener that r was: they have a socket in
// common. Between two runs of the machine ids say nothing; where those cannot be
// told apart, the owner must be the same process too.
func (b *batchWriter) goesOn(r *openRow, l *monitor.Listener) bool {
	if overlap(fields(r.sockets), socketIDs(l)) == 0 || r.boot != b.boot {
		return false
	}
	if b.boot != "" {
		return true
	}
	o, ok := l.Principal()
	return ok && o.PID == r.pid && int64(o.Start) == r.start && r.start != 0
}

func (b *batchWriter) allOpen() ([]*openRow, error) {
	rows, err := b.conn.QueryContext(b.ctx, "SELECT "+prefixed("open.", openColumns)+", boots.boot FROM open JOIN boots ON boots.id = open.boot ORDER BY listener")
	if err != nil {
		return nil, fmt.Errorf("read what was open: %w", err)
	}
	defer rows.Close()
	var all []*openRow
	for rows.Next() {
		var boot string
		r, err := scanOpen(func(to ...any) error { return rows.Scan(append(to, &boot)...) })
		if err != nil {
			return nil, fmt.Errorf("read what was open: %w", err)
		}
		r.boot, r.was = boot, r.listener
		all = append(all, r)
	}
	return all, rows.Err()
}

func prefixed(prefix, columns string) string {
	return prefix + strings.ReplaceAll(columns, ", ", ", "+prefix)
}

// ended writes that r closed and nobody saw it.
func (b *batchWriter) ended(r *openRow, at time.Time) error {
	duration := any(nil)
	if !r.older {
		duration = max(at.UnixMicro()-r.openedAt, 0)
	}
	_, err := b.exec(b.ctx, insertEvent, at.UnixMicro(), string(monitor.Closed), true, string(r.protocol), r.port, r.addresses,
		loopback(r.addresses), string(r.reach), r.was, r.bootID, r.owner, r.pid, nil, nil, "", r.openedAt, r.older, duration)
	if err != nil {
		return fmt.Errorf("write an event: %w", err)
	}
	b.rows++
	return nil
}

// ids are the rows that an event points to.
type ids struct {
	boot, owner int64
	before      any
}

func (b *batchWriter) ids(e activity.Event) (ids, error) {
	var i ids
	var err error
	if i.boot, err = b.bootRow(e.Boot); err != nil {
		return i, err
	}
	if i.owner, err = b.ownerRow(e.Owner); err != nil {
		return i, err
	}
	if e.Before != nil {
		i.before, err = b.ownerRow(*e.Before)
	}
	return i, err
}

func (b *batchWriter) bootRow(boot string) (int64, error) {
	if id, ok := b.boots[boot]; ok {
		return id, nil
	}
	var id int64
	_, err := b.exec(b.ctx, "INSERT INTO boots (boot) VALUES (?) ON CONFLICT DO NOTHING", boot)
	if err == nil {
		err = b.one(b.ctx, "SELECT id FROM boots WHERE boot = ?", &id, boot)
	}
	if err != nil {
		return 0, fmt.Errorf("write a run of the machine: %w", err)
	}
	b.boots[boot] = id
	return id, nil
}

func (b *batchWriter) ownerRow(o activity.Owner) (int64, error) {
	o.PID = 0
	text, err := json.Marshal(o)
	if err != nil {
		return 0, fmt.Errorf("write an owner: %w", err)
	}
	key := sha256.Sum256(text)
	if id, ok := b.owners[key]; ok {
		return id, nil
	}
	command := ""
	if len(o.Command) > 0 {
		text, err := json.Marshal(o.Command)
		if err != nil {
			return 0, fmt.Errorf("write an owner: %w", err)
		}
		command = string(text)
	}
	words := strings.ToLower(strings.Join([]string{o.Name, o.Project, o.User, o.Service, o.Unit, o.Container, strings.Join(o.Command, " ")}, "\n"))
	_, err = b.exec(b.ctx, `INSERT INTO owners (key, name, user, project, service, program, folder, command, unit, container, inferred, words)
		VALUES (?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING`,
		key[:16], o.Name, o.User, o.Project, o.Service, o.Program, o.Folder, command, o.Unit, o.Container, o.Inferred, words)
	var id int64
	if err == nil {
		err = b.one(b.ctx, "SELECT id FROM owners WHERE key = ?", &id, key[:16])
	}
	if err != nil {
		return 0, fmt.Errorf("write an owner: %w", err)
	}
	if len(b.owners) >= maxOwners {
		clear(b.owners)
	}
	b.owners[key] = id
	return id, nil
}

const insertEvent = `INSERT INTO events (at, kind, unwatched, protocol, port, addresses, loopback, reach, listener, boot,
	owner, pid, owner_before, pid_before, reach_before, opened_at, older, duration) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`

func (b *batchWriter) insert(e activity.Event, i ids) (int64, error) {
	var pidBefore, openedAt, duration any
	if e.Before != nil {
		pidBefore = e.Before.PID
	}
	if !e.OpenedAt.IsZero() {
		openedAt = e.OpenedAt.UnixMicro()
		if e.Kind == monitor.Closed {
			duration = e.Duration.Microseconds()
		}
	}
	addresses := addressText(e.Addresses)
	r, err := b.exec(b.ctx, insertEvent, e.At.UnixMicro(), string(e.Kind), false, string(e.Protocol), e.Port, addresses,
		e.Loopback(), string(e.Reach), e.Listener, i.boot, i.owner, e.Owner.PID, i.before, pidBefore, string(e.ReachBefore), openedAt, e.Older, duration)
	if err != nil {
		return 0, fmt.Errorf("write an event: %w", err)
	}
	b.rows++
	return r.LastInsertId()
}

func addressText(addresses []netip.Addr) string {
	words := make([]string, len(addresses))
	for i, a := range addresses {
		words[i] = a.String()
	}
	return strings.Join(words, " ")
}

func parseAddresses(text string) []netip.Addr {
	var out []netip.Addr
	for word := range strings.FieldsSeq(text) {
		if a, err := netip.ParseAddr(word); err == nil { // we wrote it
			out = append(out, a)
		}
	}
	return out
}

func loopback(addresses string) bool {
	return slices.ContainsFunc(parseAddresses(addresses), monitor.Loopback)
}

// micros is 0 for no time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}
