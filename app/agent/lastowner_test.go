package agent

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"porthole/app/paths"
	"porthole/internal/testhome"
	"porthole/monitor"
	"porthole/monitor/history/lastowner"
	"porthole/monitor/history/store"
	"porthole/ui/tray"
)

// The tray's menu names the last owner of a closed watched port: from the history after a start,
// and from the events later. Events of other ports are not kept.
func TestTrayNamesLastOwner(t *testing.T) {
	testhome.New(t)
	l := testListener()
	closing := func(name string) monitor.Event {
		closed := *l
		closed.Owners = []monitor.Owner{{PID: 7, Start: 7, Name: name}}
		return monitor.Event{At: time.Now(), Kind: monitor.Closed, Listener: &closed}
	}
	s := store.Open(paths.History(), store.Options{Boot: "boot", Logger: slog.New(slog.DiscardHandler)})
	s.Record(monitor.Update{Ready: true})
	s.Record(monitor.Update{Ready: true, Events: []monitor.Event{closing("postgres")}})
	s.Close()

	a, _ := newTestAgent(t, "")
	defer a.quit()
	menu := func() []tray.Line { return tray.NewModel(a.trayState()).Watched }
	want := func(when, text string) {
		t.Helper()
		if got := menu(); len(got) != 1 || got[0].Text != text {
			t.Errorf("%s: got %+v, want %q", when, got, text)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		a.answerLastOwners(ctx)
	}()
	defer func() { cancel(); <-ended }()
	want("before the history answers", "○ 62893 closed")
	(<-a.inbox)()
	want("at the start", "○ 62893 closed, last: postgres")

	other := closing("deno")
	other.Listener.Port = 3000
	a.observeLastOwners([]monitor.Event{closing("node"), other})
	want("just closed", "○ 62893 closed, last: node")
	if got, _ := a.lastOwners.Last(lastowner.Port{Protocol: monitor.TCP, Number: 3000}, time.Now()); got != nil {
		t.Errorf("got %+v for a port that is not watched, want nothing kept", got)
	}
	a.update.Snapshot.Listeners = []*monitor.Listener{l}
	want("open", "● 62893 node")
}

// A history that does not answer must not block the loop.
func TestQueriesOfLastOwnersDoNotBlock(t *testing.T) {
	a, _ := newTestAgent(t, "")
	defer a.quit()
	for range 2 * maxLastOwnerQueries {
		a.lastOwners = newLastOwners(a)
		a.trayState()
	}
	if got := len(a.lastOwnerQueries); got != maxLastOwnerQueries {
		t.Errorf("got %d waiting queries, want %d", got, maxLastOwnerQueries)
	}
}
