package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"time"

	"porthole/monitor"
)

// file is the writer's open file.
type file struct {
	db    *sql.DB
	conn  *sql.Conn
	info  os.FileInfo
	stmts map[string]*sql.Stmt

	resumed bool  // resume was called
	events  int   // number of stored events
	version int64 // data version: changes if another program writes
	owners  map[[sha256.Size]byte]int64
	boots   map[string]int64
}

// batch is the work of one transaction.
type batch struct {
	boot            string
	started         bool
	base            monitor.Snapshot // the snapshot before events
	events          []monitor.Event
	days, maxEvents int
	cleanup         bool
	closing         bool // the store is closing: delete nothing
}

const (
	maxOwners  = 4096 // cached owner rows
	pruneBatch = 500  // events deleted per transaction
)

func (f *file) close() {
	for _, s := range f.stmts {
		_ = s.Close() // everything is committed
	}
	_ = f.conn.Close()
	_ = f.db.Close()
}

// begin prepares a new connection.
func (f *file) begin(ctx context.Context) error {
	f.stmts = make(map[string]*sql.Stmt)
	if err := f.queryRow(ctx, "PRAGMA data_version", &f.version); err != nil {
		return err
	}
	return f.reset(ctx)
}

// reset drops the caches, which another program may have made invalid.
func (f *file) reset(ctx context.Context) error {
	f.owners, f.boots = make(map[[sha256.Size]byte]int64), make(map[string]int64)
	return f.queryRow(ctx, "SELECT count(*) FROM events", &f.events)
}

// stmt returns the prepared statement of a query, which is cached.
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

// queryRow reads one value.
func (f *file) queryRow(ctx context.Context, query string, to any, args ...any) error {
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

// write writes one batch atomically. more is set if more events must be deleted.
func (f *file) write(ctx context.Context, w batch) (more bool, err error) {
	if len(w.events) == 0 && (f.resumed || !w.started) && !w.cleanup && (w.closing || f.events <= w.maxEvents) {
		return false, nil
	}
	if _, err := f.conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return false, fmt.Errorf("begin transaction: %w", err)
	}
	count, resumed := f.events, f.resumed
	if more, err = f.apply(ctx, w); err == nil {
		_, err = f.conn.ExecContext(ctx, "COMMIT")
	}
	if err != nil {
		_, undo := f.conn.ExecContext(context.Background(), "ROLLBACK")
		f.events, f.resumed = count, resumed
		f.owners, f.boots = make(map[[sha256.Size]byte]int64), make(map[string]int64)
		return false, errors.Join(fmt.Errorf("write batch: %w", err), undo)
	}
	return more, nil
}

// apply writes the contents of a batch within the transaction of write.
func (f *file) apply(ctx context.Context, w batch) (more bool, err error) {
	version := f.version
	if err := f.queryRow(ctx, "PRAGMA data_version", &f.version); err != nil {
		return false, err
	}
	if version != f.version {
		if err := f.reset(ctx); err != nil {
			return false, err
		}
	}
	b := &batchWriter{file: f, ctx: ctx, boot: w.boot, open: make(map[string]*openListener)}
	if w.started && !f.resumed {
		if err := b.resume(w.base); err != nil {
			return false, err
		}
		f.resumed = true
	}
	for _, c := range w.events {
		if err := b.change(c); err != nil {
			return false, err
		}
	}
	if err := b.saveOpen(); err != nil {
		return false, err
	}
	return f.prune(ctx, w)
}

// prune deletes some of the events that exceed the limits.
func (f *file) prune(ctx context.Context, w batch) (more bool, _ error) {
	if w.closing {
		return false, nil
	}
	deleted := 0
	if over := f.events - w.maxEvents; over > 0 {
		// At least as many as a batch adds, so that the file does not grow.
		n, err := f.deleteEvents(ctx, "DELETE FROM events WHERE id IN (SELECT id FROM events ORDER BY id LIMIT ?)", min(over, pruneBatch+len(w.events)))
		if err != nil {
			return false, err
		}
		deleted += n
	}
	if w.cleanup {
		oldest := time.Now().AddDate(0, 0, -w.days).UnixMicro()
		n, err := f.deleteEvents(ctx, "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE at < ? ORDER BY at LIMIT ?)", oldest, pruneBatch)
		if err != nil {
			return false, err
		}
		deleted, more = deleted+n, n == pruneBatch
	}
	f.events -= deleted
	return more || (f.events > w.maxEvents && deleted > 0), nil
}

// deleteEvents runs a DELETE and returns the number of deleted events.
func (f *file) deleteEvents(ctx context.Context, query string, args ...any) (int, error) {
	r, err := f.exec(ctx, query, args...)
	if err != nil {
		return 0, fmt.Errorf("delete old events: %w", err)
	}
	n, err := r.RowsAffected()
	return int(n), err
}

// deleteUnreferencedSQL deletes owners and boots that no event refers to.
const deleteUnreferencedSQL = `
DELETE FROM owners WHERE id NOT IN (
	SELECT owner FROM events UNION SELECT owner_before FROM events WHERE owner_before IS NOT NULL UNION SELECT owner FROM open);
DELETE FROM boots WHERE id NOT IN (SELECT boot FROM events UNION SELECT boot FROM open)`

// deleteUnreferenced deletes unreferenced owners and boots. It scans all events
// outside of a batch; canceling ctx rolls it back.
func (f *file) deleteUnreferenced(ctx context.Context) error {
	_, err := f.conn.ExecContext(ctx, deleteUnreferencedSQL)
	f.owners, f.boots = make(map[[sha256.Size]byte]int64), make(map[string]int64)
	if err != nil {
		return fmt.Errorf("delete unreferenced owners: %w", err)
	}
	return nil
}
