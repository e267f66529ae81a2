package store

import (
	"bufio"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"porthole/monitor"
	"porthole/monitor/history"
	"porthole/monitor/process/child"
)

// This file tests the store with a full disk, missing files, slow readers and kills.

func TestRecordNeverBlocksAndCoalesces(t *testing.T) {
	path := testPath(t)
	if err := os.MkdirAll(filepath.Dir(path)+"/history.db", 0o700); err != nil { // a folder in place of the file
		t.Fatal(err)
	}
	s, states := open(t, path, Options{})
	p := &timeline{}
	p.listens = []*monitor.Listener{listener(1, 1)}
	s.Record(p.next())
	if state := <-states; state.Err == nil {
		t.Fatalf("got state %+v, want an error", state)
	}
	for n := range maxPending {
		p.end(monitor.Closed, p.open(listener(2, 10+n)))
		s.Record(p.next())
	}
	p.open(listener(3, 5))
	p.end(monitor.Unlisted, p.listens[0])
	s.Record(p.next())
	for n := range maxPending { // the coalesced events are coalesced again
		p.end(monitor.Closed, p.open(listener(2, 20_000+n)))
		s.Record(p.next())
	}
	s.mu.Lock()
	waiting := len(s.events)
	s.mu.Unlock()
	if waiting > maxPending {
		t.Errorf("%d events waiting, want at most %d", waiting, maxPending)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if state := <-states; state.Err != nil {
		t.Fatalf("got state %+v, want no problem", state)
	}
	s.Flush()
	all := events(t, path, history.Query{Ports: monitor.Ports{{First: 1, Last: 1}, {First: 3, Last: 3}}})
	want(t, "coalesced events", kinds(all), "discovered 1, opened 3")
}

func TestUnwritableFolderIsReportedOnceAndRetried(t *testing.T) {
	path := testPath(t)
	dir := filepath.Dir(path)
	if err := os.WriteFile(dir, nil, 0o600); err != nil { // a file in place of the folder, which affects root too
		t.Fatal(err)
	}
	s, states := open(t, path, Options{})
	p := &timeline{}
	p.open(listener(1, 1))
	s.Record(p.next())
	if state := <-states; state.Err == nil {
		t.Fatalf("got state %+v, want an error", state)
	}
	p.open(listener(2, 2))
	s.Record(p.next())
	time.Sleep(collectTime + 10*s.opts.retryInterval)
	select {
	case state := <-states:
		t.Errorf("reported again: %+v", state)
	default:
	}
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if state := <-states; state != (State{}) {
		t.Errorf("got state %+v, want no problem", state)
	}
	s.Flush()
	want(t, "events", kinds(events(t, path, history.Query{})), "opened 1, opened 2")
	for name, mode := range map[string]fs.FileMode{dir: 0o700 | fs.ModeDir, path: 0o600, path + "-wal": 0o600, path + "-shm": 0o600} {
		info, err := os.Stat(name)
		if err != nil {
			t.Error(err)
			continue
		}
		want(t, "mode of "+filepath.Base(name), info.Mode(), mode)
	}
}

func TestFullDisk(t *testing.T) {
	path := testPath(t)
	s, states := open(t, path, Options{})
	p := &timeline{}
	p.open(listener(1, 1))
	write(s, p)
	// The store's goroutine is idle, and the connection reports a full disk until
	// it is reopened.
	if _, err := s.file.conn.ExecContext(t.Context(), "PRAGMA max_page_count = 1"); err != nil {
		t.Fatal(err)
	}
	for n := range 200 {
		p.open(listener(uint16(100+n), n+2))
	}
	s.Record(p.next())
	if state := <-states; state.Err == nil || isDamaged(state.Err) {
		t.Fatalf("got state %+v, want a full disk", state)
	}
	if state := <-states; state != (State{}) {
		t.Fatalf("got state %+v, want no problem", state)
	}
	s.Flush()
	want(t, "events", len(events(t, path, history.Query{Limit: 5000})), 201)
}

func TestRemovedFileIsRecreated(t *testing.T) {
	path := testPath(t)
	s, _ := open(t, path, Options{})
	p := &timeline{}
	l := p.open(listener(1, 1))
	write(s, p)
	if err := remove(path); err != nil {
		t.Fatal(err)
	}
	p.open(listener(2, 2))
	write(s, p)
	want(t, "events", kinds(events(t, path, history.Query{})), "discovered 1, opened 2")
	want(t, "opening time", events(t, path, history.Query{})[1].OpenedAt.Equal(l.Since), true)
}

func TestReadersDuringWrites(t *testing.T) {
	path := testPath(t)
	s, _ := open(t, path, Options{})
	p := &timeline{}
	p.open(listener(1, 0))
	write(s, p)
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			r := OpenReader(path)
			for last := 0; ; {
				all, err := r.Events(t.Context(), history.Query{Limit: 10_000})
				if err != nil {
					t.Error(err)
					return
				}
				if len(all) < last {
					t.Errorf("%d events after %d", len(all), last)
				}
				last = len(all)
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for n := range 20 {
		for i := range 5 {
			p.open(listener(uint16(2+n), 1+n*5+i))
		}
		write(s, p)
	}
	close(done)
	readers.Wait()
	want(t, "events", len(events(t, path, history.Query{Limit: 10_000})), 101)
}

func TestKillDuringWriteLosesNothingCommitted(t *testing.T) {
	times := 10
	if os.Getenv("PORTHOLE_LONG") != "" {
		times = 100
	}
	path := testPath(t)
	before := 0
	for n := range times {
		promised := killWriter(t, path, time.Duration(n%10)*3*time.Millisecond)
		f, err := openFile(t.Context(), path, migrations) // checks the file
		if err != nil {
			t.Fatalf("after kill %d: %v", n+1, err)
		}
		opened := 0
		err = f.queryRow(t.Context(), "SELECT count(*) FROM events WHERE kind = 'opened'", &opened)
		f.close()
		if err != nil || opened < before+promised {
			t.Fatalf("after kill %d: got %d events, %v; want at least the %d committed ones", n+1, opened, err, before+promised)
		}
		before = opened
	}
	t.Logf("%d kills, %d events", times, before)
	want(t, "files moved aside", len(Damaged(path)), 0)
}

// killWriter starts a writing child, kills it a moment after its first commits,
// and returns the number of events it reported as committed.
func killWriter(t *testing.T, path string, moment time.Duration) int {
	t.Helper()
	c := child.Command("write", path)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	last := 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if last, err = strconv.Atoi(lines.Text()); err != nil {
			t.Fatal(err)
		}
		if last == 40 {
			time.AfterFunc(moment, func() { _ = c.Process.Signal(syscall.SIGKILL) })
		}
	}
	_ = c.Wait() // it was killed
	if last < 40 {
		t.Fatalf("the writer ended after %d events", last)
	}
	return last
}
