package cli

import (
	"bytes"
	"context"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"porthole/monitor"
)

// writes is a Writer that sends every write to a channel.
type writes chan string

func (w writes) Write(b []byte) (int, error) { w <- string(b); return len(b), nil }

// next returns the next write, which must be one line.
func (w writes) next(t *testing.T) string {
	t.Helper()
	select {
	case line := <-w:
		if strings.Count(line, "\n") != 1 || !strings.HasSuffix(line, "\n") {
			t.Fatalf("got a write of %q, want one line", line)
		}
		return line
	case <-time.After(10 * time.Second):
		t.Fatal("no line within 10s")
		return ""
	}
}

// startEvents runs runEvents until the test ends.
func startEvents(t *testing.T, asJSON bool, args ...string) writes {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, done := make(writes, 1000), make(chan error, 1)
	var stderr bytes.Buffer
	go func() { done <- runEvents(ctx, args, Options{JSON: asJSON, Stdout: out, Stderr: &stderr}) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil || stderr.Len() > 0 {
				t.Errorf("runEvents() = %v, stderr %q, want nil and empty stderr", err, stderr.String())
			}
		case <-time.After(10 * time.Second):
			t.Error("runEvents did not return within 10s after its context ended")
		}
	})
	return out
}

// nextEvent returns the next event that is not "updated".
func nextEvent(t *testing.T, out writes) map[string]any {
	t.Helper()
	for {
		if e := decode(t, []byte(out.next(t))); e["kind"] != "updated" {
			return e
		}
	}
}

func TestEventsJSON(t *testing.T) {
	first, port := listen(t, "127.0.0.1:0")
	number := first.Addr().(*net.TCPAddr).Port
	out := startEvents(t, true, port)
	ready := decode(t, []byte(out.next(t)))
	wantKeys(t, "the ready line", ready, "at", "kind", "listeners")
	if ready["kind"] != "ready" || ready["listeners"] != 1.0 || !strings.HasSuffix(ready["at"].(string), "Z") {
		t.Errorf("first line = %v, want ready with one listener", ready)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	closed := nextEvent(t, out)
	wantKeys(t, "a closed event", closed, "at", "kind", "listener")
	if closed["kind"] != "closed" {
		t.Errorf("after the close: got %v, want closed", closed)
	}

	again, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		t.Fatal(err)
	}
	opened := nextEvent(t, out)
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	wantKeys(t, "an opened event", opened, "at", "kind", "listener")
	l := opened["listener"].(map[string]any)
	if opened["kind"] != "opened" || l["port"] != float64(number) || l["since"] == nil {
		t.Errorf("after it opened: got %v, want opened, port %d and since", opened, number)
	}
	last := nextEvent(t, out)
	if got := last["listener"].(map[string]any); last["kind"] != "closed" || got["id"] != l["id"] {
		t.Errorf("last event = %v, want closed with the ID %v", last, l["id"])
	}
}

func TestEventsOfGivenPortsOnly(t *testing.T) {
	watched, port := listen(t, "127.0.0.1:0")
	out := startEvents(t, true, port)
	out.next(t)
	other, _ := listen(t, "127.0.0.1:0")
	if err := watched.Close(); err != nil {
		t.Fatal(err)
	}
	e := nextEvent(t, out)
	if got := int(e["listener"].(map[string]any)["port"].(float64)); strconv.Itoa(got) != port {
		t.Errorf("got an event of port %d, want %s, not %v", got, port, other.Addr())
	}
}

func TestEventsText(t *testing.T) {
	ln, port := listen(t, "127.0.0.1:0")
	out := startEvents(t, false, port)
	const clock = `^\d\d:\d\d:\d\d\.\d\d\d  `
	if line := out.next(t); !regexp.MustCompile(clock + `watching, 1 listening now\n$`).MatchString(line) {
		t.Errorf("first line = %q, want the number of listeners", line)
	}
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	for {
		line := out.next(t)
		if strings.Contains(line, "updated") {
			continue
		}
		if !regexp.MustCompile(clock + `closed +` + port + `  .+ \(\d+\)  127\.0\.0\.1\n$`).MatchString(line) {
			t.Errorf("second line = %q, want port %s closed, with its owner", line, port)
		}
		return
	}
}

func TestPrintEvent(t *testing.T) {
	listener := func(exposure monitor.Exposure, owners ...monitor.Owner) *monitor.Listener {
		return &monitor.Listener{
			ID: "a", Port: 5432, Protocol: monitor.TCP, Exposure: exposure, User: "root", Owners: owners,
			Addresses: []netip.Addr{netip.MustParseAddr("127.0.0.1")},
		}
	}
	postgres, python := monitor.Owner{PID: 7, Name: "postgres"}, monitor.Owner{PID: 8, Name: "python3\x1b[2J"}
	for _, test := range []struct {
		e    monitor.Event
		want string
	}{
		{
			monitor.Event{Kind: monitor.Opened, Listener: listener(monitor.ExposureLoopback)},
			"opened            5432  unknown (user root) (-)  127.0.0.1\n",
		},
		{
			monitor.Event{Kind: monitor.OwnerChanged, Listener: listener(monitor.ExposureLoopback, python), Before: listener(monitor.ExposureLoopback, postgres)},
			"owner changed     5432  python3 [2J (8)  127.0.0.1  (was postgres, 7)\n",
		},
		{
			monitor.Event{Kind: monitor.ExposureChanged, Listener: listener(monitor.ExposureNetwork, postgres), Before: listener(monitor.ExposureLoopback, postgres)},
			"exposure changed  5432  postgres (7)  127.0.0.1  (was loopback, now network)\n",
		},
		{
			monitor.Event{Kind: monitor.Updated, Listener: listener(monitor.ExposureLoopback, postgres), Before: listener(monitor.ExposureLoopback)},
			"updated           5432  postgres (7)  127.0.0.1\n",
		},
		{
			monitor.Event{Kind: monitor.Closed, Listener: listener(monitor.ExposureLoopback, postgres), Exit: monitor.ExitStatus(1)},
			"closed            5432  postgres (7)  127.0.0.1  (exited with status 1)\n",
		},
		{
			monitor.Event{Kind: monitor.Closed, Listener: listener(monitor.ExposureLoopback, postgres)},
			"closed            5432  postgres (7)  127.0.0.1\n",
		},
	} {
		var out bytes.Buffer
		if err := (query{}).printEvent(&out, test.e); err != nil {
			t.Fatal(err)
		}
		if _, got, _ := strings.Cut(out.String(), "  "); got != test.want {
			t.Errorf("%s: got %q, want %q", test.e.Kind, got, test.want)
		}
	}
}

// Scripts depend on the names of the kinds.
func TestEventKindsInJSON(t *testing.T) {
	l := &monitor.Listener{ID: "a", Port: 5432}
	for kind, want := range map[monitor.Kind]string{
		monitor.Opened: "opened", monitor.Closed: "closed", monitor.OwnerChanged: "owner_changed", monitor.ExposureChanged: "exposure_changed",
		monitor.Updated: "updated", monitor.Discovered: "discovered", monitor.Unlisted: "unlisted",
	} {
		var out bytes.Buffer
		if err := (query{Options: Options{JSON: true}}).printEvent(&out, monitor.Event{Kind: kind, Listener: l, Before: l}); err != nil {
			t.Fatal(err)
		}
		e := decode(t, out.Bytes())
		wantKeys(t, "an event with Before", e, "at", "kind", "listener", "before")
		if e["kind"] != want {
			t.Errorf("kind = %v, want %s", e["kind"], want)
		}
	}
}

// Scripts depend on how the owner of a closed listener ended.
func TestExitInJSON(t *testing.T) {
	l := &monitor.Listener{ID: "a", Port: 5432}
	for want, exit := range map[string]monitor.Exit{
		`"exit_status":0}`:                         monitor.ExitStatus(0),
		`"exit_status":3}`:                         monitor.ExitStatus(3),
		`"signal":"SIGSEGV","core_dumped":true}`:   {Signal: "SIGSEGV", CoreDumped: true},
		`"signal":"SIGKILL","out_of_memory":true}`: {Signal: "SIGKILL", OutOfMemory: true},
	} {
		var out bytes.Buffer
		if err := (query{Options: Options{JSON: true}}).printEvent(&out, monitor.Event{Kind: monitor.Closed, Listener: l, Exit: exit}); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(out.String(), want+"\n") {
			t.Errorf("got %s, want it to end with %s", out.String(), want)
		}
	}
}

// The ready line counts the listeners that were open before the events of the
// first update.
func TestReadyCountsListenersBeforeTheFirstEvents(t *testing.T) {
	l := &monitor.Listener{ID: "a", Port: 5432}
	for _, test := range []struct {
		now    []*monitor.Listener
		events []monitor.Event
		want   string
	}{
		{[]*monitor.Listener{l}, nil, `"listeners":1`},
		{[]*monitor.Listener{l}, []monitor.Event{{Kind: monitor.Opened, Listener: l}}, `"listeners":0`},
		{nil, []monitor.Event{{Kind: monitor.Closed, Listener: l}}, `"listeners":1`},
	} {
		var out bytes.Buffer
		u := monitor.Update{Snapshot: monitor.Snapshot{Listeners: test.now}, Events: test.events, Ready: true}
		if err := (query{Options: Options{JSON: true}}).printReady(&out, u); err != nil || !strings.Contains(out.String(), test.want) {
			t.Errorf("printReady() = %s, %v, want %s", out.String(), err, test.want)
		}
	}
}
