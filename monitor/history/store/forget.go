package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"porthole/monitor/history"
)

// Forget erases what f selects from the file at path and returns the number of
// events erased. The file is rewritten so that no traces remain. Forget may be
// called in any process while the writer and readers have the file open; they
// wait for each other. Open listeners are forgotten too; their close will be
// stored when it happens.
//
// With Everything, damaged files that were moved aside are deleted too. Otherwise
// they are left (see Damaged), because nothing can be erased from a damaged file.
func Forget(ctx context.Context, path string, f history.Forget) (events int, err error) {
	if f.Everything {
		for _, name := range Damaged(path) {
			if err := remove(name); err != nil {
				return 0, err
			}
		}
	}
	if !exists(path) {
		return 0, nil
	}
	db, conn, err := connect(ctx, path, readWrite)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	defer conn.Close()
	have, err := version(ctx, conn)
	switch {
	case err != nil:
		return 0, err
	case have > len(migrations):
		return 0, fmt.Errorf("%s was not changed: %w", path, errNewerVersion)
	case have == 0:
		return 0, nil
	}
	if events, err = erase(ctx, conn, f); err != nil {
		return 0, fmt.Errorf("erase from %s: %w", path, err)
	}
	// Pages keep traces of deleted rows, so the whole file is rewritten and the
	// write-ahead log is truncated.
	if _, err := conn.ExecContext(ctx, "VACUUM"); err != nil {
		return events, fmt.Errorf("rewrite %s: %w", path, err)
	}
	var busy, log, done int
	if err := conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &log, &done); err != nil {
		return events, fmt.Errorf("truncate the write-ahead log of %s: %w", path, err)
	}
	if busy != 0 {
		return events, fmt.Errorf("erased from %s, but another program that has the file open keeps traces in the write-ahead log; run forget again", path)
	}
	return events, nil
}

// erase deletes the rows that f selects and the owners and boots that nothing else
// refers to. It returns the number of deleted events.
func erase(ctx context.Context, conn *sql.Conn, f history.Forget) (int, error) {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	where, args := "1", []any(nil)
	open := where
	switch {
	case f.Everything:
	case f.Port != 0:
		where, open, args = "port = ?1", "port = ?1", []any{f.Port}
	case f.Project != "":
		const owners = " IN (SELECT id FROM owners WHERE project = ?1)"
		where, open, args = "owner"+owners+" OR owner_before"+owners, "owner"+owners, []any{f.Project}
	default:
		return 0, errors.Join(errors.New("nothing selected"), tx.Rollback())
	}
	r, err := tx.ExecContext(ctx, "DELETE FROM events WHERE "+where, args...)
	if err == nil {
		_, err = tx.ExecContext(ctx, "DELETE FROM open WHERE "+open, args...)
	}
	if err == nil {
		_, err = tx.ExecContext(ctx, deleteUnreferencedSQL)
	}
	if err = errors.Join(err, commitOrRollback(tx, err)); err != nil {
		return 0, err
	}
	n, err := r.RowsAffected()
	return int(n), err
}
