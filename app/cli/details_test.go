package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"porthole/app/ipc"
	"porthole/internal/testhome"
	"porthole/monitor"
	"porthole/monitor/connection"
	"porthole/monitor/explain"
	"porthole/monitor/process"
	"porthole/monitor/warning"
)

// fakeAgent answers Lookup with its listeners and refuses everything else.
type fakeAgent struct{ listeners []*monitor.Listener }

func (a fakeAgent) Command(m ipc.Message) ipc.Message {
	if m.Kind != ipc.Lookup {
		return ipc.Message{Kind: ipc.Refused}
	}
	return ipc.Message{Kind: ipc.Done, Listeners: a.listeners}
}
func (fakeAgent) WindowConnected(*ipc.WindowConn)            {}
func (fakeAgent) WindowMessage(*ipc.WindowConn, ipc.Message) {}
func (fakeAgent) WindowDisconnected(*ipc.WindowConn)         {}

// startAgent runs a fakeAgent until the test ends.
func startAgent(t *testing.T, listeners ...*monitor.Listener) {
	t.Helper()
	testhome.Use(t, testhome.Short(t), testhome.State, testhome.Runtime) // no other agent runs there
	dir, err := ipc.OpenRuntimeDir()
	if err != nil {
		t.Fatal(err)
	}
	server, err := ipc.Listen(dir, fakeAgent{listeners}, nil, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	ctx := t.Context() // ends before the cleanups run
	go func() {
		defer close(done)
		server.Serve(ctx)
	}()
	t.Cleanup(func() { <-done })
}

// whoWarnings returns the kinds of the warnings in the JSON of a single listener.
func whoWarnings(t *testing.T, port int) []warning.Kind {
	t.Helper()
	text, err := whoOutput(t, strconv.Itoa(port), true)
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Listeners []struct {
			Warnings []struct {
				Kind warning.Kind
				Text string
			}
		}
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil || len(answer.Listeners) != 1 {
		t.Fatalf("JSON = %s, %v, want one listener", text, err)
	}
	var kinds []warning.Kind
	for _, w := range answer.Listeners[0].Warnings {
		if w.Text == "" {
			t.Errorf("the warning %s has no text", w.Kind)
		}
		kinds = append(kinds, w.Kind)
	}
	return kinds
}

func contains(kinds []warning.Kind, kind warning.Kind) bool {
	for _, k := range kinds {
		if k == kind {
			return true
		}
	}
	return false
}

// The agent has seen the shell that started the server. The shell has exited
// since. What the agent reports about another process with the same PID must not
// be used.
func TestWhoUsesParentsThatTheAgentHasSeen(t *testing.T) {
	setSettings(t, "")
	pid, port, ok := server(t, "127.0.0.1:0")
	if !ok {
		t.Skip("no IPv4 loopback")
	}
	o, err := process.Info(pid)
	if err != nil {
		t.Fatal(err)
	}
	test := os.Getpid()
	self, err := process.Info(test)
	if err != nil {
		t.Fatal(err)
	}
	o.Parents = []monitor.Parent{{PID: test, Start: self.Start - 1, Name: "zsh", Command: []string{"-zsh"}}} // an earlier process with our PID
	startAgent(t, &monitor.Listener{ID: "1", Protocol: monitor.TCP, Port: uint16(port), Owners: []monitor.Owner{o}})
	text, err := whoOutput(t, strconv.Itoa(port), false)
	if err != nil {
		t.Fatal(err)
	}
	if second := strings.Split(text, "\n")[1]; !strings.HasPrefix(second, "! ") || !strings.Contains(second, "zsh") {
		t.Errorf("second line = %q, want the warning that zsh has exited", second)
	}
	if want := fmt.Sprintf("zsh (%d, shell, ended) › ", test); !strings.Contains(text, want) {
		t.Errorf("no chain with %q:\n%s", want, text)
	}
	if kinds := whoWarnings(t, port); !contains(kinds, warning.Orphaned) {
		t.Errorf("warnings = %q, want %s", kinds, warning.Orphaned)
	}
	o.Start++
	startAgent(t, &monitor.Listener{ID: "1", Protocol: monitor.TCP, Port: uint16(port), Owners: []monitor.Owner{o}})
	if kinds := whoWarnings(t, port); contains(kinds, warning.Orphaned) {
		t.Errorf("warnings = %q, want no warning about an earlier process with this PID", kinds)
	}
}

func TestWhoShowsWarningsAndConnections(t *testing.T) {
	setSettings(t, "")
	_, port, ok := server(t, "0.0.0.0:0")
	if !ok {
		t.Skip("no IPv4")
	}
	for range 2 {
		c, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	text, err := whoOutput(t, strconv.Itoa(port), false)
	if err != nil {
		t.Fatal(err)
	}
	if want := "\n! "; !strings.Contains(text, want) {
		t.Errorf("no line with a warning:\n%s", text)
	}
	if want := fmt.Sprintf("  connections  2 × %s (%d)\n", filepath.Base(os.Args[0]), os.Getpid()); !strings.Contains(text, want) {
		t.Errorf("no line %q:\n%s", want, text)
	}
	if kinds := whoWarnings(t, port); !contains(kinds, warning.Exposed) {
		t.Errorf("warnings = %q, want %s", kinds, warning.Exposed)
	}
	text, err = whoOutput(t, strconv.Itoa(port), true)
	var answer struct {
		Listeners []struct {
			Connections []any
			AcceptQueue struct{ Waiting, Limit int } `json:"accept_queue"`
		}
	}
	if err != nil || json.Unmarshal([]byte(text), &answer) != nil || len(answer.Listeners) != 1 {
		t.Fatalf("JSON = %s, %v, want one listener", text, err)
	}
	if l := answer.Listeners[0]; len(l.Connections) != 2 || l.AcceptQueue.Waiting != 2 || l.AcceptQueue.Limit == 0 {
		t.Errorf("JSON = %s, want two connections that wait to be accepted", text)
	}
}

// Root, who can see the process, and a user, who cannot, get the same answer about a
// service.
func TestWhoNamesTheUnitToEverybody(t *testing.T) {
	o := monitor.Owner{PID: 1 << 30, Start: 1, Name: "nginx", Unit: "nginx.service", Parents: []monitor.Parent{{PID: 1 << 30, Name: "nginx"}, {PID: 1, Name: "systemd"}}}
	seen := &monitor.Listener{Port: 80, Protocol: monitor.TCP, Owners: []monitor.Owner{o}, CgroupInfo: monitor.CgroupInfo{Unit: "nginx.service"}}
	unknown := &monitor.Listener{Port: 80, Protocol: monitor.TCP, OwnerUnknown: monitor.UnknownForeign, CgroupInfo: monitor.CgroupInfo{Unit: "nginx.service"}}
	for _, l := range []*monitor.Listener{seen, unknown} {
		var out strings.Builder
		details := query{}.gatherDetails(nil, []*monitor.Listener{l}, ipc.Message{})
		if err := (query{}).printDetails(t.Context(), &out, target{explain.Target{Port: 80}}, details); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), "  Started by systemd as nginx.service\n") {
			t.Errorf("got %s, want that systemd started nginx.service", &out)
		}
		if got := (query{}).whoJSON(80, details).Listeners[0].Unit; got != "nginx.service" {
			t.Errorf("JSON has the unit %q, want nginx.service", got)
		}
	}
}

func TestTotalsText(t *testing.T) {
	now := time.Date(2026, 11, 30, 15, 0, 0, 0, time.Local)
	counted := connection.Totals{Amount: connection.Amount{Connections: 1204, Received: 999, Sent: 12_000_000}, Since: now.Add(-time.Hour),
		LastMinute: connection.LastMinute{Amount: connection.Amount{Connections: 38}}}
	whole, lost := counted, counted
	whole.SinceOpened = true
	lost.AtLeast = true
	for want, totals := range map[string]*connection.Totals{
		"": nil,
		"1204 since it opened, 38 in the last minute; 999 bytes received, 12.0 MB sent":                                          &whole,
		"1204 since today 14:00, when Porthole began to count, 38 in the last minute; 999 bytes received, 12.0 MB sent":          &counted,
		"at least 1204 since today 14:00, when Porthole began to count, 38 in the last minute; 999 bytes received, 12.0 MB sent": &lost,
	} {
		if got := totalsText(totals, now); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestVisitorsText(t *testing.T) {
	if got := visitorsText(nil); got != "" {
		t.Errorf("nil: got %q", got)
	}
	clients := []connection.Visitor{{Name: "psql", PID: 812, User: "ann", Connections: 2}, {Connections: 1}}
	if got, want := visitorsText(&connection.Totals{Clients: clients}), "2 × psql (PID 812, user ann), a program that was not identified"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
