package agent

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"porthole/app/desktop"
	"porthole/app/ipc"
	"porthole/internal/await"
	"porthole/internal/testhome"
	"porthole/monitor"
)

// runningAgent is an agent started by Run in its own home directory, without bus
// and display, and the connection of a window process to it.
type runningAgent struct {
	t        *testing.T
	home     string
	dir      ipc.RuntimeDir
	conn     *ipc.Client
	messages chan ipc.Message
	ended    chan *Successor
}

func runAgent(t *testing.T) *runningAgent {
	t.Helper()
	home := testhome.New(t)
	dir, err := ipc.OpenRuntimeDir()
	if err != nil {
		t.Fatal(err)
	}
	r := &runningAgent{t: t, home: home, dir: dir, messages: make(chan ipc.Message, 64), ended: make(chan *Successor, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		successor, err := Run(ctx, Options{RuntimeDir: dir, Session: desktop.Session{}, Hidden: true, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Errorf("Run: %v", err)
		}
		r.ended <- successor
		close(r.ended)
	}()
	t.Cleanup(func() {
		cancel()
		for range r.ended {
		}
	})
	r.connect(ctx)
	return r
}

// connect connects as the window process, once the agent listens.
func (r *runningAgent) connect(ctx context.Context) {
	r.t.Helper()
	var err error
	await.Until(r.t, "the agent listens", func() bool {
		r.conn, err = ipc.Connect(r.dir)
		return err == nil
	}, func() any { return err })
	go func() {
		_ = r.conn.Receive(ctx, func(monitor.Update) {}, func(m ipc.Message) { r.messages <- m }) // until the agent ends
	}()
}

func (r *runningAgent) send(m ipc.Message) {
	r.t.Helper()
	if err := r.conn.Send(m); err != nil {
		r.t.Fatal(err)
	}
}

// waitFor returns the next message that matches.
func (r *runningAgent) waitFor(what string, match func(ipc.Message) bool) ipc.Message {
	r.t.Helper()
	limit := time.After(20 * time.Second)
	for {
		select {
		case m := <-r.messages:
			if match(m) {
				return m
			}
		case <-limit:
			r.t.Fatalf("the agent did not send %s within 20 s", what)
		}
	}
}

// waitForStatus waits for a status that matches.
func (r *runningAgent) waitForStatus(what string, match func(*ipc.Status) bool) {
	r.t.Helper()
	r.waitFor(what, func(m ipc.Message) bool { return m.Kind == ipc.StatusUpdate && match(m.Status) })
}

// set changes a setting. It returns the problem of the result, and the last status
// before the result.
func (r *runningAgent) set(key, value string) (problem string, before ipc.Status) {
	r.t.Helper()
	r.send(ipc.Message{Kind: ipc.Set, Key: key, Value: value})
	m := r.waitFor("a result for "+key, func(m ipc.Message) bool {
		if m.Kind == ipc.StatusUpdate {
			before = *m.Status
		}
		return m.Kind == ipc.Result && m.Key == key
	})
	return m.Problem, before
}

func (r *runningAgent) path(name string) string { return filepath.Join(r.home, name) }

// "porthole pause" and "porthole resume" answer with the new state, which the window
// gets too, and the pause is kept for the next start.
func TestPauseAndResumeFromTheCommandLine(t *testing.T) {
	r := runAgent(t)
	request := func(m ipc.Message) ipc.Status {
		t.Helper()
		answer, err := ipc.Request(r.dir, m)
		if err != nil || answer.Kind != ipc.Done || answer.Status == nil {
			t.Fatalf("%s: got %+v, error %v; want the status", m.Kind, answer, err)
		}
		return *answer.Status
	}
	begin := time.Now()
	s := request(ipc.Message{Kind: ipc.Pause, Seconds: 3600})
	if end := begin.Add(time.Hour).Truncate(time.Second); !s.Paused || s.PausedUntil.Before(end) || s.PausedUntil.After(time.Now().Add(time.Hour)) {
		t.Errorf("pause: got paused %t until %v; want for an hour from %v", s.Paused, s.PausedUntil, begin)
	}
	r.waitForStatus("the pause", func(s *ipc.Status) bool { return s.Paused && !s.PausedUntil.IsZero() })
	if p, err := readPause(pausePath()); err != nil || p.Until.IsZero() {
		t.Errorf("got the saved pause %+v, %v; want its end", p, err)
	}
	if s = request(ipc.Message{Kind: ipc.Pause}); !s.Paused || !s.PausedUntil.IsZero() {
		t.Errorf("pause without a duration: got paused %t until %v; want until resumed", s.Paused, s.PausedUntil)
	}
	if s = request(ipc.Message{Kind: ipc.Resume}); s.Paused {
		t.Error("resume: still paused")
	}
	r.waitForStatus("the end of the pause", func(s *ipc.Status) bool { return !s.Paused })
	if _, err := readPause(pausePath()); err == nil {
		t.Error("the file exists after the pause")
	}
}

// Quitting does not wait forever for a part that hangs.
func TestShutdownDoesNotWaitForHangingParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		never, ended := make(chan struct{}), make(chan struct{})
		begin := time.Now()
		if waitFor(never, shutdownTimeout) || time.Since(begin) != shutdownTimeout {
			t.Errorf("a part that hangs: waited %v, want %v", time.Since(begin), shutdownTimeout)
		}
		close(ended)
		if !waitFor(ended, shutdownTimeout) {
			t.Error("a part that has ended was not noticed")
		}
	})
}
