// Package store keeps the history in an SQLite file with one writer and any
// number of readers, which may be in other processes.
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

// openMode is the purpose of a connection.
type openMode int

const (
	readWrite openMode = iota
	readOnly
)

// errNewerVersion means that this program does not know the file's version.
var errNewerVersion = errors.New("it was written by a newer Porthole")

// connect opens the file. Its settings keep memory use small and overwrite
// deleted data with zeros. No connection stays open while it is unused.
func connect(ctx context.Context, path string, m openMode) (*sql.DB, *sql.Conn, error) {
	q := url.Values{"_pragma": {
		"busy_timeout(5000)", "cache_size(-512)", "mmap_size(0)", "secure_delete(on)",
	}}
	if m == readOnly {
		q.Set("mode", "ro")
	} else {
		q.Set("_txlock", "immediate")
		// A crash of the program loses nothing that was committed; a crash of
		// the machine may lose the last seconds, but does not corrupt the file.
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

// prepare creates the folder and the file with access for this user only. SQLite
// gives its auxiliary files the same mode.
func prepare(path string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("create the history folder: %w", err)
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		// Only a new file is opened here: closing a file that SQLite has open in
		// this process would release its locks (fcntl(2)).
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return fmt.Errorf("create the history file: %w", err)
		}
		return f.Close()
	case err != nil:
		return fmt.Errorf("stat the history file: %w", err)
	case info.Mode().Perm()&0o077 != 0:
		return os.Chmod(path, 0o600)
	}
	return nil
}

// migrate checks the file and migrates it to the newest version. Each step is one
// transaction.
func migrate(ctx context.Context, conn *sql.Conn, migrations []string) error {
	have, err := version(ctx, conn)
	if err != nil {
		return err
	}
	if have > len(migrations) {
		return errNewerVersion
	}
	var verdict string
	if err := conn.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return fmt.Errorf("check the history file: %w", err)
	}
	if verdict != "ok" {
		return fmt.Errorf("check the history file: %w: %s", errDamaged, verdict)
	}
	for n := have; n < len(migrations); n++ {
		tx, err := conn.BeginTx(ctx, nil)
		if err != nil {
			return fmt.Errorf("begin migration %d: %w", n+1, err)
		}
		_, err = tx.ExecContext(ctx, migrations[n]+";PRAGMA user_version = "+strconv.Itoa(n+1))
		if err = errors.Join(err, commitOrRollback(tx, err)); err != nil {
			return fmt.Errorf("migration %d: %w", n+1, err)
		}
	}
	return nil
}

// commitOrRollback commits tx, or rolls it back if err is not nil.
func commitOrRollback(tx *sql.Tx, err error) error {
	if err != nil {
		return tx.Rollback()
	}
	return tx.Commit()
}

// version reads the schema version of the file; 0 for an empty file.
func version(ctx context.Context, conn *sql.Conn) (int, error) {
	var n int
	if err := conn.QueryRowContext(ctx, "PRAGMA user_version").Scan(&n); err != nil {
		return 0, fmt.Errorf("read the version of the history file: %w", err)
	}
	return n, nil
}

// errDamaged means that SQLite's check found damage.
var errDamaged = errors.New("the file is damaged")

// isDamaged reports whether err means that the file is not a database or is
// corrupt.
func isDamaged(err error) bool {
	const corrupt, notADatabase = 11, 26 // sqlite.org/rescode.html
	var e *sqlite.Error
	if errors.As(err, &e) && (e.Code()&0xff == corrupt || e.Code()&0xff == notADatabase) {
		return true
	}
	return errors.Is(err, errDamaged)
}

// fileSuffixes are the suffixes of the database file and SQLite's auxiliary files.
var fileSuffixes = []string{"", "-wal", "-shm"}

// maxDamagedFiles is how many damaged files are kept for recovery.
const maxDamagedFiles = 3

// moveAside renames a damaged file and returns its new path.
func moveAside(path string, now time.Time) (string, error) {
	to := path + ".damaged-" + now.UTC().Format("20060102T150405Z")
	for n := 2; exists(to); n++ {
		to = fmt.Sprintf("%s.damaged-%s-%d", path, now.UTC().Format("20060102T150405Z"), n)
	}
	if err := os.Rename(path, to); err != nil {
		return "", fmt.Errorf("move the damaged file aside: %w", err)
	}
	for _, suffix := range fileSuffixes[1:] {
		if err := os.Rename(path+suffix, to+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
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

// Damaged returns the damaged files that were moved aside, oldest first.
func Damaged(path string) []string {
	all, _ := filepath.Glob(globQuote(path) + ".damaged-*") // the pattern is always valid
	all = slices.DeleteFunc(all, func(name string) bool {
		return slices.ContainsFunc(fileSuffixes[1:], func(suffix string) bool { return len(name) > len(suffix) && name[len(name)-len(suffix):] == suffix })
	})
	slices.Sort(all)
	return all
}

// globQuote escapes the special characters of a glob pattern.
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

// exists reports whether there is a file at path.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// remove deletes a file with SQLite's auxiliary files.
func remove(path string) error {
	for _, suffix := range fileSuffixes {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove an old history file: %w", err)
		}
	}
	return nil
}
