package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"porthole/monitor/history"
)

// Forget erases what f names from the file at path, and says how many events
// that were. It is not only unlinked: the file is written anew without it. It may
// be called in any process, while the writer and readers have the file open;
// they wait for each other. What is still open is forgotten too; its end will be
// remembered when it comes.
//
// With Everything the files go that were damaged and moved aside, too; for the
// rest, see Damaged: nobody can erase a part of those.
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
		return 0, fmt.Errorf("%s is left alone: %w", path, errNewerVersion)
	case have == 0:
		return 0, nil
	}
	if events, err = erase(ctx, conn, f); err != nil {
		return 0, fmt.Errorf("erase from %s: %w", path, err)
	}
	// Pages keep traces of what was moved within them: all are written anew, and
	// what they were leaves the log of changes too.
	if _, err := conn.ExecContext(ctx, "VACUUM"); err != nil {
		return events, fmt.Errorf("write %s anew: %w", path, err)
	}
	var busy, log, done int
	if err := conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &log, &done); err != nil {
		return events, fmt.Errorf("empty the log of %s: %w", path, err)
	}
	if busy != 0 {
		return events, fmt.Errorf("it is erased from %s, but a program that reads the file keeps traces in its log; forget it again", path)
	}
	return events, nil
}

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
		return 0, errors.Join(errors.New("nothing is named"), tx.Rollback())
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
