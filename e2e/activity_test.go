package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"porthole/e2e/desktop"
)

// remembered is a line of porthole history --json.
type remembered struct {
	Kind       string
	Port       int
	Unobserved bool
	Owner      struct{ Name, Project string }
}

// history is what the command line tells of ports.
func (d *desk) history(args ...string) []remembered {
	d.t.Helper()
	p := d.start(append([]string{"history", "--json"}, args...)...)
	d.wantStatus(p, 0)
	var events []remembered
	for line := range strings.Lines(p.out.String()) {
		var e remembered
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			d.t.Fatalf("a line of history is %q: %v", line, err)
		}
		events = append(events, e)
	}
	return events
}

// remembers waits until history tells these kinds of changes of a port.
func (d *desk) remembers(port string, kinds ...string) []remembered {
	d.t.Helper()
	var events []remembered
	d.eventually("history of "+port, func() error {
		events = d.history(port)
		var got []string
		for _, e := range events {
			got = append(got, e.Kind)
		}
		if strings.Join(got, " ") != strings.Join(kinds, " ") {
			return fmt.Errorf("it is %q, want %q", got, kinds)
		}
		return nil
	})
	return events
}

// What happened is remembered, across the end of Porthole and while nobody
// looked; the window and the command line tell it; and what is forgotten is gone.
func TestTheMemoryOfPorts(t *testing.T) {
	d := boot(t, desktop.DefaultOptions())
	agent := d.start()
	item := d.item(agent)
	window := d.window("Porthole")
	postgres := d.project("shop-db", "postgres", "127.0.0.1:5432")
	d.remembers("5432", "opened")
	postgres.close()
	events := d.remembers("5432", "opened", "closed")
	if o := events[1].Owner; o.Name != "postgres" || o.Project != "shop-db" || events[1].Unobserved {
		t.Errorf("the close is remembered as %+v; want postgres of shop-db, seen", events[1])
	}

	// The window tells it: who had the port that is asked for, and the page.
	empty := d.steady(window)
	d.do("ask for the port", window.Type("5432"))
	d.eventually("the window says that it is free", func() error { return differs(d, window, empty) })
	d.steady(window)
	d.shot("who-had-it")
	before := d.steady(window)
	d.do("go to Activity", window.Key("ctrl+2")) // from the filter, which has the keyboard
	d.eventually("the page comes", func() error { return differs(d, window, before) })
	before = d.steady(window)
	d.shot("activity")
	d.do("go to Watches", window.Key("ctrl+3"))
	d.eventually("the page comes", func() error { return differs(d, window, before) })
	d.steady(window)
	d.shot("watches")

	// What ends while Porthole does not run is told as that.
	web := d.project("acme-web", "web", "127.0.0.1:3000")
	d.remembers("3000", "opened")
	d.do("quit", item.Click(d.step(), "Quit Porthole"))
	d.wantStatus(agent, 0)
	web.close()
	agent = d.start("--hidden")
	d.item(agent)
	if events := d.remembers("3000", "opened", "closed"); !events[1].Unobserved {
		t.Errorf("the close is remembered as %+v; want that nobody saw it", events[1])
	}

	d.wantStatus(d.start("forget", "5432", "--yes"), 0)
	if events := d.history("5432"); len(events) != 0 {
		t.Errorf("after forgetting 5432 there is %+v", events)
	}
	if events := d.history("3000"); len(events) != 2 {
		t.Errorf("after forgetting 5432 there is %+v of 3000; want both", events)
	}
}
