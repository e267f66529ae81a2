package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"porthole/monitor"
	"porthole/monitor/activity"
)

// This file writes the events of one batch of changes.

// batchWriter writes the events of one batch. What is open is written once at
// the end: much of it has closed again.
type batchWriter struct {
	*file
	ctx  context.Context
	boot string
	open map[string]*openRow // those of this batch; those that closed have a listener of ""
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
