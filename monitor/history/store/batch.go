package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"porthole/monitor"
	"porthole/monitor/history"
)

// batchWriter writes the events of one batch. Changes of open listeners are
// collected and saved once at the end, because many close again within the batch.
type batchWriter struct {
	*file
	ctx  context.Context
	boot string
	open map[string]*openListener // open listeners touched by this batch; listener is "" for those that closed
}

// change writes one event.
func (b *batchWriter) change(c monitor.Event) error {
	l := c.Listener
	if c.Kind.AboutUse() {
		return b.insertOnly(c)
	}
	r, err := b.openListener(l.ID)
	if err != nil {
		return err
	}
	if c.Kind == monitor.Unlisted {
		return b.removeOpen(l.ID)
	}
	if c.Before != nil && c.Before.ID != l.ID { // it was split off another listener, or absorbed it
		return b.moveSockets(c, r)
	}
	e := history.NewEvent(c, b.boot)
	if r != nil && c.Kind != monitor.Opened && c.Kind != monitor.Discovered {
		restoreOpenedAt(&e, r)
	}
	ids, err := b.referencesOf(e)
	if err != nil {
		return err
	}
	id := int64(0)
	if history.Stored(c.Kind) {
		if id, err = b.insert(e, ids); err != nil {
			return err
		}
	}
	if c.Kind != monitor.Opened && c.Kind != monitor.Discovered {
		if err := b.completeOwner(r, l.ID, e.Owner.PID, ids); err != nil {
			return err
		}
	}
	switch c.Kind {
	case monitor.Closed:
		return b.removeOpen(l.ID)
	case monitor.Opened, monitor.Discovered:
		b.setOpen(l.ID, newOpenListener(l, e, ids, id))
		return nil
	}
	if r == nil { // it was erased meanwhile
		b.setOpen(l.ID, newOpenListener(l, e, ids, id))
		return nil
	}
	r.update(l, ids)
	return nil
}

// insertOnly writes an event that changes nothing about what listens.
func (b *batchWriter) insertOnly(c monitor.Event) error {
	e := history.NewEvent(c, b.boot)
	ids, err := b.referencesOf(e)
	if err != nil {
		return err
	}
	_, err = b.insert(e, ids)
	return err
}

// completeOwner adds the owner to the event that opened r, if it was found later:
// the event was stored without an owner, or with an inferred one.
func (b *batchWriter) completeOwner(r *openListener, listener string, pid int, ids references) error {
	if r == nil || r.pid != 0 || pid == 0 {
		return nil
	}
	_, err := b.exec(b.ctx, `UPDATE events SET owner = ?, pid = ? WHERE id = ? AND listener = ?
		AND (pid = 0 OR EXISTS (SELECT 1 FROM owners WHERE owners.id = events.owner AND inferred))`, ids.owner, pid, r.event, listener)
	if err != nil {
		return fmt.Errorf("complete event: %w", err)
	}
	return nil
}

// restoreOpenedAt sets the opening time from the file if an earlier run of the
// agent saw it. An opening in this run was timed by the monotonic clock, which
// cannot be set.
func restoreOpenedAt(e *history.Event, r *openListener) {
	timed := !e.AlreadyOpen && micros(e.OpenedAt) == r.openedAt
	e.OpenedAt, e.AlreadyOpen = time.UnixMicro(r.openedAt).UTC(), r.alreadyOpen
	if e.Kind == monitor.Closed && !timed {
		e.Duration = max(e.At.Sub(e.OpenedAt), 0)
	}
}

// moveSockets handles listeners that merge or split, which opens and closes
// nothing.
func (b *batchWriter) moveSockets(c monitor.Event, r *openListener) error {
	before, err := b.openListener(c.Before.ID)
	if err != nil {
		return err
	}
	e := history.NewEvent(c, b.boot)
	ids, err := b.referencesOf(e)
	if err != nil {
		return err
	}
	// Two listeners of one server merge when their owner is found: it opened both.
	if err := errors.Join(b.completeOwner(before, c.Before.ID, e.Owner.PID, ids), b.completeOwner(r, c.Listener.ID, e.Owner.PID, ids)); err != nil {
		return err
	}
	switch {
	case r == nil && before != nil:
		fresh := *before
		fresh.stored = false
		b.setOpen(c.Listener.ID, &fresh)
		fresh.update(c.Listener, ids)
	case r != nil:
		r.update(c.Listener, ids)
		if before != nil && r.openedAt > before.openedAt {
			r.openedAt, r.alreadyOpen = before.openedAt, before.alreadyOpen
		}
	}
	if before != nil && countCommon(fields(before.sockets), socketIDs(c.Listener)) == len(fields(before.sockets)) {
		return b.removeOpen(c.Before.ID) // all its sockets moved
	}
	return nil
}
