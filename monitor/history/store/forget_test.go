package store

import (
	"bytes"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"porthole/monitor"
	"porthole/monitor/history"
)

// traces counts the files in the folder that contain word.
func traces(t *testing.T, path, word string) int {
	t.Helper()
	files, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(filepath.Dir(path), f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte(word)) {
			n++
		}
	}
	return n
}

// namedListener returns a listener whose words occur nowhere else.
func namedListener(port uint16, cookie int, name, project string) *monitor.Listener {
	l := listener(port, cookie)
	l.Project = project
	o := &l.Owners[0]
	o.Name, o.Project, o.Folder, o.Program = name, project, "/home/"+project, "/opt/"+name
	o.Command = []string{name, "--of", project}
	return l
}

func TestForgetErasesWhileTheWriterRuns(t *testing.T) {
	for what, c := range map[string]struct {
		f      history.Forget
		erased []string
		stays  []string
		count  int
	}{
		"a port":     {history.Forget{Port: 5432}, []string{"postgrey", "tcp-5432-"}, []string{"tornado", "acmeweb", "otherhands"}, 200},
		"a project":  {history.Forget{Project: "acmeweb"}, []string{"acmeweb", "tornado"}, []string{"postgrey"}, 202},
		"everything": {history.Forget{Everything: true}, []string{"postgrey", "tornado", "acmeweb", "otherhands"}, nil, 402},
	} {
		t.Run(what, func(t *testing.T) {
			path := testPath(t)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path+".damaged-1", []byte("postgrey"), 0o600); err != nil {
				t.Fatal(err)
			}
			s, _ := open(t, path, Options{})
			p := &timeline{}
			for n := range 200 { // enough to fill and split pages and to move rows
				l := namedListener(5432, 1000+n, fmt.Sprint("postgrey", n%50), "")
				k := namedListener(3000, 5000+n, fmt.Sprint("tornado", n%50), "acmeweb")
				p.open(l)
				p.open(k)
				if n == 7 {
					p.end(monitor.Closed, p.change(monitor.OwnerChanged, k, withOwner(k, "otherhands", 3)))
				}
				write(s, p)
			}
			for _, word := range c.erased {
				if traces(t, path, word) == 0 {
					t.Fatalf("%q is not in the file before Forget", word)
				}
			}
			n, err := Forget(t.Context(), path, c.f)
			if err != nil {
				t.Fatal(err)
			}
			want(t, "erased events", n, c.count)
			if !c.f.Everything {
				want(t, "damaged files", len(Damaged(path)), 1)
				if err := os.Remove(path + ".damaged-1"); err != nil {
					t.Fatal(err)
				}
			}
			for _, word := range c.erased {
				want(t, "files with "+word, traces(t, path, word), 0)
			}
			for _, word := range c.stays {
				if traces(t, path, word) == 0 {
					t.Errorf("%q was erased too", word)
				}
			}
			want(t, "events left", len(events(t, path, history.Query{Limit: 1000})), 402-c.count)

			// The writer continues, also with an owner that it has cached.
			p.end(monitor.Closed, p.listens[0])
			p.open(namedListener(5432, 9000, "postgrey0", ""))
			write(s, p)
			last := events(t, path, history.Query{Limit: 1})
			want(t, "newest event", kinds(last)+" "+last[0].Owner.Name, "opened 5432 postgrey0")
		})
	}
}

// Several programs may write at the same time: nothing fails, and only the
// selected events are lost.
func TestForgetWithConcurrentWriterAndReaders(t *testing.T) {
	path := testPath(t)
	s, states := open(t, path, Options{})
	p := &timeline{}
	p.open(listener(1, 0))
	write(s, p)
	done := make(chan struct{})
	var others sync.WaitGroup
	for _, do := range []func() error{
		func() error { _, err := Forget(t.Context(), path, history.Forget{Port: 2}); return err },
		func() error {
			_, err := OpenReader(path).Events(t.Context(), history.Query{})
			return err
		},
	} {
		others.Go(func() {
			for {
				if err := do(); err != nil {
					t.Error(err)
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for n := range 20 {
		p.open(listener(1, 1+2*n))
		p.open(listener(2, 2+2*n))
		write(s, p)
	}
	close(done)
	others.Wait()
	want(t, "states", len(states), 0)
	port1 := history.Query{Ports: monitor.Ports{{First: 1, Last: 1}}}
	want(t, "events of the other port", len(events(t, path, port1)), 21)
}

// The write-ahead log cannot be truncated while somebody reads; this is reported.
func TestForgetReportsTracesKeptByReader(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: Forget waits for the reader")
	}
	path := newFilledFile(t)
	db, conn, err := connect(t.Context(), path, readOnly)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	defer conn.Close()
	tx, err := conn.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := tx.QueryRow("SELECT count(*) FROM events").Scan(&n); err != nil {
		t.Fatal(err)
	}
	if _, err := Forget(t.Context(), path, history.Forget{Port: 5}); err == nil {
		t.Error("no error while a reader uses the log")
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if _, err := Forget(t.Context(), path, history.Forget{Port: 5}); err != nil {
		t.Errorf("after the reader ended: %v", err)
	}
}

func TestForgetNeedsASelection(t *testing.T) {
	if _, err := Forget(t.Context(), newFilledFile(t), history.Forget{}); err == nil {
		t.Error("no error although nothing is selected")
	}
	if n, err := Forget(t.Context(), testPath(t), history.Forget{Everything: true}); n != 0 || err != nil {
		t.Errorf("without a file: got %d, %v", n, err)
	}
}
