package store

import (
	"cmp"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"porthole/monitor"
	"porthole/monitor/activity"
)

// This file is what the file knows to be open, and what became of it while no
// Porthole was running.

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
