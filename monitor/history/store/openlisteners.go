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
	"porthole/monitor/history"
)

// openListener is an open listener as it is stored.
type openListener struct {
	listener    string
	event       int64
	bootID      int64
	protocol    monitor.Protocol
	port        uint16
	addresses   string
	exposure    monitor.Exposure
	sockets     string
	owner       int64
	pid         int
	start       int64
	openedAt    int64
	alreadyOpen bool
	stored      bool // it is in the file

	boot, storedID string // only set by allOpen: the boot ID and the listener ID in the file
}

const openColumns = `listener, event, boot, protocol, port, addresses, exposure, sockets, owner, pid, start, opened_at, already_open`

// scanOpen reads the openColumns of one row.
func scanOpen(scan func(...any) error) (*openListener, error) {
	r := &openListener{stored: true}
	err := scan(&r.listener, &r.event, &r.bootID, &r.protocol, &r.port, &r.addresses, &r.exposure, &r.sockets, &r.owner, &r.pid, &r.start, &r.openedAt, &r.alreadyOpen)
	return r, err
}

// openListener returns an open listener, nil if it is not stored.
func (b *batchWriter) openListener(listener string) (*openListener, error) {
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
		return nil, fmt.Errorf("read open listeners: %w", err)
	}
	b.open[listener] = r
	return r, nil
}

// setOpen stores r as an open listener at the end of the batch.
func (b *batchWriter) setOpen(listener string, r *openListener) {
	if old := b.open[listener]; old != nil {
		r.stored = r.stored || old.stored
	}
	r.listener = listener
	b.open[listener] = r
}

// removeOpen deletes an open listener at the end of the batch.
func (b *batchWriter) removeOpen(listener string) error {
	r, err := b.openListener(listener)
	if r != nil {
		r.listener = ""
	}
	return err
}

// saveOpen writes the changes of open listeners to the file.
func (b *batchWriter) saveOpen() error {
	for listener, r := range b.open {
		var err error
		switch {
		case r.listener != "":
			_, err = b.exec(b.ctx, "INSERT OR REPLACE INTO open ("+openColumns+") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
				r.listener, r.event, r.bootID, string(r.protocol), r.port, r.addresses, string(r.exposure), r.sockets, r.owner, r.pid, r.start, r.openedAt, r.alreadyOpen)
		case r.stored:
			_, err = b.exec(b.ctx, "DELETE FROM open WHERE listener = ?", listener)
		}
		if err != nil {
			return fmt.Errorf("store open listeners: %w", err)
		}
	}
	return nil
}

func newOpenListener(l *monitor.Listener, e history.Event, ids references, event int64) *openListener {
	r := &openListener{listener: l.ID, event: event, openedAt: cmp.Or(micros(e.OpenedAt), e.At.UnixMicro()), alreadyOpen: e.AlreadyOpen}
	r.update(l, ids)
	return r
}

// update sets the current state of l.
func (r *openListener) update(l *monitor.Listener, ids references) {
	o, _ := l.Principal()
	r.bootID, r.protocol, r.port, r.addresses, r.exposure = ids.boot, l.Protocol, l.Port, addressText(l.Addresses), l.Exposure
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

// countCommon returns how many elements of a are in b.
func countCommon(a, b []string) int {
	n := 0
	for _, x := range a {
		if slices.Contains(b, x) {
			n++
		}
	}
	return n
}

// resume compares the listeners that were open when the last writer ended with
// those of now. Listeners that vanished closed while Porthole was not running,
// new ones were opened before Porthole first polled them, and the others
// continue.
func (b *batchWriter) resume(now monitor.Snapshot) error {
	stored, err := b.allOpen()
	if err != nil {
		return err
	}
	byEndpoint := make(map[string][]*openListener)
	for _, r := range stored {
		byEndpoint[endpoint(r.protocol, r.port)] = append(byEndpoint[endpoint(r.protocol, r.port)], r)
	}
	type match struct {
		stored   *openListener
		listener *monitor.Listener
	}
	var same []match
	var added []*monitor.Listener
	udp := false
	for _, l := range now.Listeners {
		udp = udp || l.Protocol == monitor.UDP
		list := byEndpoint[endpoint(l.Protocol, l.Port)]
		if i := slices.IndexFunc(list, func(r *openListener) bool { return r.listener != "" && b.isSame(r, l) }); i >= 0 {
			copied := *list[i]
			same = append(same, match{&copied, l})
			list[i].listener = "" // continues
			continue
		}
		added = append(added, l)
	}
	for _, r := range stored {
		if r.listener == "" {
			continue
		}
		// Without any UDP socket, UDP is probably no longer polled.
		if r.protocol != monitor.UDP || udp {
			if err := b.insertUnobservedClose(r, now.TakenAt); err != nil {
				return err
			}
		}
	}
	for _, r := range stored {
		if _, err := b.exec(b.ctx, "DELETE FROM open WHERE listener = ?", r.storedID); err != nil {
			return fmt.Errorf("store open listeners: %w", err)
		}
	}
	for _, m := range same {
		ids, err := b.referencesOf(history.NewEvent(monitor.Event{At: now.TakenAt, Listener: m.listener}, b.boot))
		if err != nil {
			return err
		}
		m.stored.stored = false
		m.stored.update(m.listener, ids)
		b.setOpen(m.listener.ID, m.stored)
	}
	for _, l := range added {
		// If the file was lost while the agent ran, the opening time is known.
		e := history.NewEvent(monitor.Event{At: now.TakenAt, Kind: monitor.Discovered, Listener: l}, b.boot)
		if !l.Since.IsZero() {
			e.OpenedAt = l.Since.UTC()
		}
		ids, err := b.referencesOf(e)
		if err != nil {
			return err
		}
		id, err := b.insert(e, ids)
		if err != nil {
			return err
		}
		b.setOpen(l.ID, newOpenListener(l, e, ids, id))
	}
	return nil
}

func endpoint(p monitor.Protocol, port uint16) string { return string(p) + strconv.Itoa(int(port)) }

// isSame reports whether l is the listener of r: they have a socket in common.
// Socket IDs are only comparable within one boot; without a boot ID the owner must be
// the same process too.
func (b *batchWriter) isSame(r *openListener, l *monitor.Listener) bool {
	if countCommon(fields(r.sockets), socketIDs(l)) == 0 || r.boot != b.boot {
		return false
	}
	if b.boot != "" {
		return true
	}
	o, ok := l.Principal()
	return ok && o.PID == r.pid && int64(o.Start) == r.start && r.start != 0
}

// allOpen returns all open listeners in the file.
func (b *batchWriter) allOpen() ([]*openListener, error) {
	rows, err := b.conn.QueryContext(b.ctx, "SELECT "+prefixed("open.", openColumns)+", boots.boot FROM open JOIN boots ON boots.id = open.boot ORDER BY listener")
	if err != nil {
		return nil, fmt.Errorf("read open listeners: %w", err)
	}
	defer rows.Close()
	var all []*openListener
	for rows.Next() {
		var boot string
		r, err := scanOpen(func(to ...any) error { return rows.Scan(append(to, &boot)...) })
		if err != nil {
			return nil, fmt.Errorf("read open listeners: %w", err)
		}
		r.boot, r.storedID = boot, r.listener
		all = append(all, r)
	}
	return all, rows.Err()
}

func prefixed(prefix, columns string) string {
	return prefix + strings.ReplaceAll(columns, ", ", ", "+prefix)
}

// insertUnobservedClose stores that r closed while Porthole was not running.
func (b *batchWriter) insertUnobservedClose(r *openListener, at time.Time) error {
	duration := any(nil)
	if !r.alreadyOpen {
		duration = max(at.UnixMicro()-r.openedAt, 0)
	}
	_, err := b.exec(b.ctx, insertEvent, at.UnixMicro(), string(monitor.Closed), true, string(r.protocol), r.port, r.addresses,
		loopback(r.addresses), string(r.exposure), r.storedID, r.bootID, r.owner, r.pid, nil, nil, "", r.openedAt, r.alreadyOpen, duration, "", nil, "", false, false, 0, "", "")
	if err != nil {
		return fmt.Errorf("store event: %w", err)
	}
	b.events++
	return nil
}
