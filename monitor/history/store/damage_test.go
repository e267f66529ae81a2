package store

import (
	"bytes"
	"crypto/rand"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"porthole/monitor"
	"porthole/monitor/history"
)

// newFilledFile creates a file with many events and closes it.
func newFilledFile(t *testing.T) string {
	t.Helper()
	path := testPath(t)
	s, _ := open(t, path, Options{})
	p := &timeline{}
	for n := range 300 {
		p.open(listener(uint16(1+n), n))
	}
	write(s, p)
	s.Close()
	return path
}

func TestDamagedFileIsMovedAside(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, path string, size int64) error{
		"truncated":             func(_ *testing.T, path string, size int64) error { return os.Truncate(path, size/2) },
		"cut in its first page": func(_ *testing.T, path string, _ int64) error { return os.Truncate(path, 50) },
		"garbage": func(_ *testing.T, path string, _ int64) error {
			return os.WriteFile(path, bytes.Repeat([]byte("garbage "), 5000), 0o600)
		},
		"zeroes": func(_ *testing.T, path string, size int64) error {
			return os.WriteFile(path, make([]byte, size), 0o600)
		},
		"noise in its middle": func(t *testing.T, path string, size int64) error {
			f, err := os.OpenFile(path, os.O_RDWR, 0)
			if err != nil {
				return err
			}
			noise := make([]byte, 4<<10)
			_, _ = rand.Read(noise) // never fails
			_, err = f.WriteAt(noise, size/2)
			return errors.Join(err, f.Close())
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := newFilledFile(t)
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := damage(t, path, info.Size()); err != nil {
				t.Fatal(err)
			}
			broken, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			s, states := open(t, path, Options{})
			p := &timeline{}
			p.open(listener(80, 1))
			write(s, p)
			want(t, "events", kinds(events(t, path, history.Query{})), "opened 80")
			state := <-states
			if state.Err != nil || !strings.HasPrefix(state.MovedTo, path+".damaged-") {
				t.Fatalf("got state %+v, want the path of the damaged file", state)
			}
			kept, err := os.ReadFile(state.MovedTo)
			if err != nil || !bytes.Equal(kept, broken) {
				t.Errorf("the damaged file was changed: %v", err)
			}
		})
	}
}

func TestEmptyFileIsInitialized(t *testing.T) {
	path := testPath(t)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	want(t, "events", len(events(t, path, history.Query{})), 0)
	s, states := open(t, path, Options{})
	p := &timeline{}
	p.open(listener(80, 1))
	write(s, p)
	want(t, "events", kinds(events(t, path, history.Query{})), "opened 80")
	want(t, "states", len(states), 0)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "mode", info.Mode().Perm(), 0o600)
}

func TestFileDamagedWhileOpen(t *testing.T) {
	path := testPath(t)
	s, states := open(t, path, Options{})
	p := &timeline{}
	l := p.open(listener(1, 1))
	write(s, p)
	for _, name := range []string{path, path + "-wal"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, bytes.Repeat([]byte{0xff}, int(info.Size())), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.closeFile() // its cache would hide the damage
	p.open(listener(2, 2))
	write(s, p)
	if state := <-states; state.MovedTo == "" {
		t.Errorf("got state %+v, want the path of the damaged file", state)
	}
	all := events(t, path, history.Query{})
	want(t, "events", kinds(all), "discovered 1, opened 2")
	want(t, "opening time of the first", all[1].OpenedAt.Equal(l.Since), true)
}

func TestOnlyNewestDamagedFilesAreKept(t *testing.T) {
	path := testPath(t)
	for n := range maxDamagedFiles + 2 {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(strings.Repeat("x", 1000+n)), 0o600); err != nil {
			t.Fatal(err)
		}
		s, _ := open(t, path, Options{})
		s.Flush()
		s.Close()
	}
	all := Damaged(path)
	want(t, "damaged files", len(all), maxDamagedFiles)
}

func TestNewerVersionIsReadOnly(t *testing.T) {
	path := newFilledFile(t)
	alter(t, path, "PRAGMA user_version = 99")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s, states := open(t, path, Options{})
	p := &timeline{}
	p.open(listener(60000, 9999))
	write(s, p)
	if state := <-states; !state.NewerVersion {
		t.Errorf("got state %+v, want NewerVersion", state)
	}
	if _, err := Forget(t.Context(), path, history.Forget{Everything: true}); !errors.Is(err, errNewerVersion) {
		t.Errorf("Forget: got %v, want an error", err)
	}
	s.Close()
	after, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file was changed: %v", err)
	}
	want(t, "the newest event", events(t, path, history.Query{})[0].Port, 300)
	want(t, "files moved aside", len(Damaged(path)), 0)
}

// alter runs SQL on a closed file.
func alter(t *testing.T, path, query string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(query); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// testdata/v1.sql is a file of version 1. Every later program must be able to
// migrate it.
func TestOpenVersion1(t *testing.T) {
	script, err := os.ReadFile("testdata/v1.sql")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		steps   []string
		version int
		fails   bool
	}{
		"to this version":      {migrations, len(migrations), false},
		"to one after it":      {append(migrations[:len(migrations):len(migrations)], "ALTER TABLE events ADD COLUMN note TEXT NOT NULL DEFAULT 'x'"), len(migrations) + 1, false},
		"by a step that fails": {append(migrations[:len(migrations):len(migrations)], "CREATE TABLE half (a); INSERT INTO nowhere VALUES (1)"), len(migrations), true},
	} {
		t.Run(name, func(t *testing.T) {
			path := testPath(t)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			alter(t, path, string(script))
			want(t, "events before migration", kinds(events(t, path, history.Query{})), "opened 5432, closed 5432")
			s, states := open(t, path, Options{Boot: "7d1f", migrations: c.steps})
			p := &timeline{}
			p.listens = []*monitor.Listener{listener(62893, 1)}
			write(s, p)
			s.Close()
			if c.fails {
				if state := <-states; state.Err == nil {
					t.Errorf("got state %+v, want an error", state)
				}
			}
			db, err := sql.Open("sqlite", path)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			var version, half int
			if err := errors.Join(db.QueryRow("PRAGMA user_version").Scan(&version), db.QueryRow("SELECT count(*) FROM sqlite_master WHERE name = 'half'").Scan(&half)); err != nil {
				t.Fatal(err)
			}
			want(t, "version", version, c.version)
			want(t, "tables of the failed step", half, 0)
			expected := "opened 5432, closed 5432, closed 3000 unobserved, discovered 62893"
			if c.fails {
				expected = "opened 5432, closed 5432"
			}
			want(t, "events", kinds(events(t, path, history.Query{})), expected)
		})
	}
}
