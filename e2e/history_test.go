package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"porthole/e2e/desktop"
)

// historyEvent is a line of porthole history --json.
type historyEvent struct {
	Kind       string
	Port       int
	Unobserved bool
	Owner      struct{ Name, Project string }
	Status     int `json:"exit_status"`
	Signal     string
}

// history returns what porthole history prints.
func (d *desk) history(args ...string) []historyEvent {
	d.t.Helper()
	p := d.start(append([]string{"history", "--json"}, args...)...)
	d.wantStatus(p, 0)
	var events []historyEvent
	for line := range strings.Lines(p.out.String()) {
		var e historyEvent
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			d.t.Fatalf("a line of history is %q: %v", line, err)
		}
		events = append(events, e)
	}
	return events
}

// waitHistory waits until the history of a port has exactly these kinds of events.
func (d *desk) waitHistory(port string, kinds ...string) []historyEvent {
	d.t.Helper()
	var events []historyEvent
	d.eventually("history of "+port, func() error {
		events = d.history(port)
		var got []string
		for _, e := range events {
			got = append(got, e.Kind)
		}
		if strings.Join(got, " ") != strings.Join(kinds, " ") {
			return fmt.Errorf("got %q, want %q", got, kinds)
		}
		return nil
	})
	return events
}

// Events are stored across restarts, and those that Porthole missed are marked. The
// window and the command line show them, and forget erases them.
func TestHistory(t *testing.T) {
	d := startDesk(t, desktop.DefaultOptions())
	agent := d.start()
	item := d.item(agent)
	window := d.mainWindow()
	postgres := d.project("shop-db", "postgres", "127.0.0.1:5432")
	d.waitHistory("5432", eventOpened)
	postgres.close()
	events := d.waitHistory("5432", eventOpened, eventClosed)
	if o := events[1].Owner; o.Name != "postgres" || o.Project != "shop-db" || events[1].Unobserved {
		t.Errorf("got the close %+v; want postgres of shop-db, not unobserved", events[1])
	}

	// The window shows who used the port last, and the page of events.
	empty := d.steady(window)
	d.do("ask for the port", window.Type("5432"))
	d.waitChanged("the window shows that the port is free", window, empty)
	d.steady(window)
	d.shot("last-owner")
	before := d.steady(window)
	d.do("go to the history", window.Key("ctrl+2")) // from the filter, which has the focus
	d.waitChanged("the page changes", window, before)
	before = d.steady(window)
	d.shot("history")
	d.do("go to the watches", window.Key("ctrl+3"))
	d.waitChanged("the page changes", window, before)
	d.steady(window)
	d.shot("watches")

	// A server that ends while Porthole does not run.
	web := d.project("acme-web", "web", "127.0.0.1:3000")
	d.waitHistory("3000", eventOpened)
	d.do("quit", item.Click(d.step(), menuQuit))
	d.wantStatus(agent, 0)
	web.close()
	agent = d.start("--hidden")
	d.item(agent)
	if events := d.waitHistory("3000", eventOpened, eventClosed); !events[1].Unobserved {
		t.Errorf("got the close %+v; want it unobserved", events[1])
	}

	d.wantStatus(d.start("forget", "5432", "--yes"), 0)
	if events := d.history("5432"); len(events) != 0 {
		t.Errorf("after forgetting 5432 got %+v; want no events", events)
	}
	if events := d.history("3000"); len(events) != 2 {
		t.Errorf("after forgetting 5432 got %+v of 3000; want 2 events", events)
	}
}
