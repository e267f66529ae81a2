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

// lines is a writer that hands on what it gets, a write at a time.
type lines chan string

func (l lines) Write(b []byte) (int, error) { l <- string(b); return len(b), nil }

// next returns the next line and fails where none comes.
func (l lines) next(t *testing.T) string {
	t.Helper()
	select {
	case line := <-l:
		if strings.Count(line, "\n") != 1 || !strings.HasSuffix(line, "\n") {
			t.Fatalf("one write was %q, want one whole line", line)
		}
		return line
	case <-time.After(10 * time.Second):
		t.Fatal("no line came")
		return ""
	}
}

// follow runs Events until the test ends.
func follow(t *testing.T, asJSON bool, args ...string) lines {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, ended := make(lines, 1000), make(chan error, 1)
	var problems bytes.Buffer
	go func() { ended <- Events(ctx, args, Options{JSON: asJSON, Stdout: out, Stderr: &problems}) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil || problems.Len() > 0 {
				t.Errorf("Events: %v, stderr %q; want neither", err, problems.String())
			}
		case <-time.After(10 * time.Second):
			t.Error("Events does not end with its context")
		}
	})
	return out
}

// change returns the next change that someone is told of.
func change(t *testing.T, out lines) map[string]any {
	t.Helper()
	for {
		if c := decode(t, []byte(out.next(t))); c["kind"] != "updated" {
			return c
		}
	}
}

func TestEventsJSON(t *testing.T) {
	first, port := listen(t, "127.0.0.1:0")
	number := first.Addr().(*net.TCPAddr).Port
	out := follow(t, true, port)
	ready := decode(t, []byte(out.next(t)))
	sameKeys(t, "the ready line", ready, "at", "kind", "listeners")
	if ready["kind"] != "ready" || ready["listeners"] != 1.0 || !strings.HasSuffix(ready["at"].(string), "Z") {
		t.Errorf("first line = %v, want ready with one listener", ready)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	closed := change(t, out)
	sameKeys(t, "a closed line", closed, "at", "kind", "listener")
	if closed["kind"] != "closed" {
		t.Errorf("after the close: %v, want closed", closed)
	}

	again, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		t.Fatal(err)
	}
	opened := change(t, out)
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	sameKeys(t, "an opened line", opened, "at", "kind", "listener")
	l := opened["listener"].(map[string]any)
	if opened["kind"] != "opened" || l["port"] != float64(number) || l["since"] == nil {
		t.Errorf("after it opened: %v; want opened, port %d, a time since when", opened, number)
	}
	last := change(t, out)
	if got := last["listener"].(map[string]any); last["kind"] != "closed" || got["id"] != l["id"] {
		t.Errorf("at last: %v; want closed, with the id of what opened, %v", last, l["id"])
	}
}

func TestEventsTellOnlyThePortsAskedFor(t *testing.T) {
	asked, port := listen(t, "127.0.0.1:0")
	out := follow(t, true, port)
	out.next(t)
	other, _ := listen(t, "127.0.0.1:0")
	if err := asked.Close(); err != nil {
		t.Fatal(err)
	}
	c := change(t, out)
	if got := int(c["listener"].(map[string]any)["port"].(float64)); strconv.Itoa(got) != port {
		t.Errorf("told of port %d, want %s and not %v", got, port, other.Addr())
	}
}

func TestEventsForPeople(t *testing.T) {
	ln, port := listen(t, "127.0.0.1:0")
	out := follow(t, false, port)
	const clock = `^\d\d:\d\d:\d\d\.\d\d\d  `
	if line := out.next(t); !regexp.MustCompile(clock + `watching; listening now: 1\n$`).MatchString(line) {
		t.Errorf("first line = %q", line)
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
			t.Errorf("second line = %q, want that port %s closed and who had it", line, port)
		}
		return
	}
}

func TestChangesForPeople(t *testing.T) {
	held := func(reach monitor.Exposure, owners ...monitor.Owner) *monitor.Listener {
		return &monitor.Listener{
			ID: "a", Port: 5432, Protocol: monitor.TCP, Exposure: reach, User: "root", Owners: owners,
			Addresses: []netip.Addr{netip.MustParseAddr("127.0.0.1")},
		}
	}
	postgres, python := monitor.Owner{PID: 7, Name: "postgres"}, monitor.Owner{PID: 8, Name: "python3\x1b[2J"}
	for _, test := range []struct {
		c    monitor.Event
		want string
	}{
		{
			monitor.Event{Kind: monitor.Opened, Listener: held(monitor.ExposureLoopback)},
			"opened    5432  root's process (hidden) (-)  127.0.0.1\n",
		},
		{
			monitor.Event{Kind: monitor.OwnerChanged, Listener: held(monitor.ExposureLoopback, python), Before: held(monitor.ExposureLoopback, postgres)},
			"owner     5432  python3 [2J (8)  127.0.0.1  (was postgres, 7)\n",
		},
		{
			monitor.Event{Kind: monitor.ExposureChanged, Listener: held(monitor.ExposureNetwork, postgres), Before: held(monitor.ExposureLoopback, postgres)},
			"reach     5432  postgres (7)  127.0.0.1  (was this machine, now the network)\n",
		},
		{
			monitor.Event{Kind: monitor.Updated, Listener: held(monitor.ExposureLoopback, postgres), Before: held(monitor.ExposureLoopback)},
			"updated   5432  postgres (7)  127.0.0.1\n",
		},
	} {
		var out bytes.Buffer
		if err := (query{}).printEvent(&out, test.c); err != nil {
			t.Fatal(err)
		}
		if _, got, _ := strings.Cut(out.String(), "  "); got != test.want {
			t.Errorf("%s: %q, want %q", test.c.Kind, got, test.want)
		}
	}
	c := query{}.eventJSON(monitor.Event{Kind: monitor.Updated, Listener: held(monitor.ExposureLoopback), Before: held(monitor.ExposureLoopback)})
	var out bytes.Buffer
	if err := writeLine(&out, c); err != nil {
		t.Fatal(err)
	}
	sameKeys(t, "a changed line", decode(t, out.Bytes()), "at", "kind", "listener", "before")
}

// What opened and closed before the first line is not counted as open before,
// or left out: it is told behind it.
func TestReadyCountsWhatWasOpenBefore(t *testing.T) {
	l := &monitor.Listener{ID: "a", Port: 5432}
	for _, test := range []struct {
		now     []*monitor.Listener
		changes []monitor.Event
		want    string
	}{
		{[]*monitor.Listener{l}, nil, `"listeners":1`},
		{[]*monitor.Listener{l}, []monitor.Event{{Kind: monitor.Opened, Listener: l}}, `"listeners":0`},
		{nil, []monitor.Event{{Kind: monitor.Closed, Listener: l}}, `"listeners":1`},
	} {
		var out bytes.Buffer
		u := monitor.Update{Snapshot: monitor.Snapshot{Listeners: test.now}, Events: test.changes, Ready: true}
		if err := (query{Options: Options{JSON: true}}).printReady(&out, u); err != nil || !strings.Contains(out.String(), test.want) {
			t.Errorf("ready = %s, %v; want %s", out.String(), err, test.want)
		}
	}
}
