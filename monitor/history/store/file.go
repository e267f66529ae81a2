// Package store keeps the activity in a SQLite file: one writer, any number of
// readers, each in a process of its own if they like.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"modernc.org/sqlite" // also registers the driver
)

// openMode is what a connection is for.
type openMode int

const (
	readWrite openMode = iota
	readOnly
)

// errNewerVersion is a file whose version this program does not know.
var errNewerVersion = errors.New("it was written by a newer Porthole")

// connect opens the file. Its settings keep little in memory, and zeroes on disk
// where something was deleted. No connection is kept while nobody uses it.
func connect(ctx context.Context, path string, m openMode) (*sql.DB, *sql.Conn, error) {
	q := url.Values{"_pragma": {
		"busy_timeout(5000)", "cache_size(-512)", "mmap_size(0)", "secure_delete(on)",
	}}
	if m == readOnly {
		q.Set("mode", "ro")
	} else {
		q.Set("_txlock", "immediate")
		// A crash of the program loses nothing that was committed; one of the
		// machine may lose the last seconds, and harms nothing.
		q.Add("_pragma", "journal_mode(wal)")
		q.Add("_pragma", "synchronous(normal)")
		q.Add("_pragma", "journal_size_limit(1048576)")
		q.Add("_pragma", "wal_autocheckpoint(256)")
	}
	slashed := filepath.ToSlash(path)
	if filepath.VolumeName(path) != "" {
		slashed = "/" + slashed
	}
	dsn := (&url.URL{Scheme: "file", Path: slashed, RawQuery: q.Encode()}).String()
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, nil, fmt.Errorf("open %s: %w", path, err)
	}
	db.SetMaxOpenConns(1)
	conn, err := db.Conn(ctx)
	if err != nil {
		_ = db.Close()
		return nil, nil, fmt.Errorf("open %s: %w", path, err)
	}
	return db, conn, nil
}

// prepare makes the folder and the file, for this user alone. SQLite gives the
// files beside it the same mode.
func prepare(path string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the folder of the activity: %w", err)
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		// Only a new file is opened here: to close one that SQLite has open in
		// this process would end its locks (fcntl(2)).
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return fmt.Errorf("make the file of the activity: %w", err)
		}
		return f.Close()
	case err != nil:
		return fmt.Errorf("look at the file of the activity: %w", err)
	case info.Mode().Perm()&0o077 != 0:
		return os.Chmod(path, 0o600)
	}
	return nil
}

// migrate checks the file and leads it to the newest version, each step whole or
// not at all.
func migrate(ctx context.Context, conn *sql.Conn, steps []string) error {
	have, err := version(ctx, conn)
	if err != nil {
		return err
	}
	if have > len(steps) {
		return errNewerVersion
	}
	var verdict string
	if err := conn.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return fmt.Errorf("check the activity: %w", err)
	}
	if verdict != "ok" {
		return fmt.Errorf("check the activity: %w: %s", errDamaged, verdict)
	}
	for n := have; n < len(steps); n++ {
		tx, err := conn.BeginTx(ctx, nil)
		if err != nil {
			return fmt.Errorf("begin migration %d: %w", n+1, err)
		}
		_, err = tx.ExecContext(ctx, steps[n]+";PRAGMA user_version = "+strconv.Itoa(n+1))
		if err = errors.Join(err, commitOrRollback(tx, err)); err != nil {
			return fmt.Errorf("migration %d: %w", n+1, err)
		}
	}
	return nil
}

// commitOrRollback commits tx, or takes it back where there is an error.
func commitOrRollback(tx *sql.Tx, err error) error {
	if err != nil {
		return tx.Rollback()
	}
	return tx.Commit()
}

func version(ctx context.Context, conn *sql.Conn) (int, error) {
	var n int
	if err := conn.QueryRowContext(ctx, "PRAGMA user_version").Scan(&n); err != nil {
		return 0, fmt.Errorf("read the version of the activity: %w", err)
	}
	return n, nil
}

var errDamaged = errors.New("the file is damaged")

// isDamaged reports whether err says that the file is no database, or a broken one.
func isDamaged(err error) bool {
	const corrupt, notADatabase = 11, 26 // sqlite.org/rescode.html
	var e *sqlite.Error
	if errors.As(err, &e) && (e.Code()&0xff == corrupt || e.Code()&0xff == notADatabase) {
		return true
	}
	return errors.Is(err, errDamaged)
}

// fileSuffixes are the files that SQLite keeps beside its own.
var fileSuffixes = []string{"", "-wal", "-shm"}

// maxDamagedFiles is how many damaged files are kept: they are for who wants to
// rescue something, and nobody looks at a fourth.
const maxDamagedFiles = 3

// moveAside renames a damaged file and says to what.
func moveAside(path string, now time.Time) (string, error) {
	to := path + ".damaged-" + now.UTC().Format("20060102T150405Z")
	for n := 2; exists(to); n++ {
		to = fmt.Sprintf("%s.damaged-%s-%d", path, now.UTC().Format("20060102T150405Z"), n)
	}
	if err := os.Rename(path, to); err != nil {
		return "", fmt.Errorf("move the damaged file aside: %w", err)
	}
	for _, beside := range fileSuffixes[1:] {
		if err := os.Rename(path+beside, to+beside); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("move the damaged file aside: %w", err)
		}
	}
	old := Damaged(path)
	for _, name := range old[:max(len(old)-maxDamagedFiles, 0)] {
		if err := remove(name); err != nil {
			return to, err
		}
	}
	return to, nil
}

// Damaged returns the damaged files that were moved aside, the oldest first.
func Damaged(path string) []string {
	all, _ := filepath.Glob(globQuote(path) + ".damaged-*") // the pattern is a good one
	all = slices.DeleteFunc(all, func(name string) bool {
		return slices.ContainsFunc(fileSuffixes[1:], func(beside string) bool { return len(name) > len(beside) && name[len(name)-len(beside):] == beside })
	})
	slices.Sort(all)
	return all
}

// globQuote makes a path stand for itself in a pattern.
func globQuote(path string) string {
	var out []rune
	for _, r := range path {
		if r == '*' || r == '?' || r == '[' {
			out = append(out, '[', r, ']')
			continue
		}
		out = append(out, r)
	}
	return string(out)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// remove removes a file with all that SQLite keeps beside it.
func remove(path string) error {
	for _, beside := range fileSuffixes {
		if err := os.Remove(path + beside); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove an old file of the activity: %w", err)
		}
	}
	return nil
}
