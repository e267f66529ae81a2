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

	"porthole/app/ipc"
	"porthole/monitor"
	"porthole/monitor/process"
)

// fakeAgent is an agent that knows rows.
type fakeAgent struct{ rows []*monitor.Listener }

func (a fakeAgent) Command(m ipc.Message) ipc.Message {
	if m.Kind != ipc.Lookup {
		return ipc.Message{Kind: ipc.Refused}
	}
	return ipc.Message{Kind: ipc.Done, Listeners: a.rows}
}
func (fakeAgent) WindowConnected(*ipc.WindowConn)            {}
func (fakeAgent) WindowMessage(*ipc.WindowConn, ipc.Message) {}
func (fakeAgent) WindowDisconnected(*ipc.WindowConn)         {}

// runAgent starts an agent's end of the link for one test.
func runAgent(t *testing.T, rows ...*monitor.Listener) {
	t.Helper()
	folder, err := os.MkdirTemp("", "ph") // short: the name of a socket has 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	t.Setenv("XDG_RUNTIME_DIR", folder)
	place, err := ipc.OpenRuntimeDir()
	if err != nil {
		t.Fatal(err)
	}
	server, err := ipc.Listen(place, fakeAgent{rows}, nil, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	ctx := t.Context() // ends before the cleanups
	go func() {
		defer close(ended)
		server.Serve(ctx)
	}()
	t.Cleanup(func() { <-ended })
}

// The agent saw the server's shell, which has ended since: who tells that it was
// left behind. Of another process with its pid it would tell nothing.
func TestWhoTellsWhatWasLeftBehind(t *testing.T) {
	setSettings(t, "")
	pid, port, ok := server(t, "127.0.0.1:0", nil)
	if !ok {
		t.Fatal("no IPv4 loopback")
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
	o.Parents = []monitor.Parent{{PID: test, Start: self.Start - 1, Name: "zsh", Command: []string{"-zsh"}}} // one that had our pid
	runAgent(t, &monitor.Listener{ID: "1", Protocol: monitor.TCP, Port: uint16(port), Owners: []monitor.Owner{o}})
	text, err := asked(t, strconv.Itoa(port), false)
	if err != nil {
		t.Fatal(err)
	}
	second := strings.Split(text, "\n")[1]
	if want := "! Started in zsh, which has closed: it was left behind. Stop it if it is not needed any more."; second != want {
		t.Errorf("the second line is %q; want %q", second, want)
	}
	if want := fmt.Sprintf("zsh (%d, shell, ended) › ", test); !strings.Contains(text, want) {
		t.Errorf("no chain with %q:\n%s", want, text)
	}
	o.Start++
	runAgent(t, &monitor.Listener{ID: "1", Protocol: monitor.TCP, Port: uint16(port), Owners: []monitor.Owner{o}})
	if text, err = asked(t, strconv.Itoa(port), false); err != nil || strings.Contains(text, "left behind") {
		t.Errorf("it tells the story of another process: %v\n%s", err, text)
	}
}

func TestWhoTellsWhatIsOddAndWhoIsConnected(t *testing.T) {
	setSettings(t, "")
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir()) // where no agent runs
	_, port, ok := server(t, "0.0.0.0:0", nil)
	if !ok {
		t.Fatal("no IPv4")
	}
	for range 2 {
		c, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	text, err := asked(t, strconv.Itoa(port), false)
	if err != nil {
		t.Fatal(err)
	}
	if want := "\n! The network can reach it. Bind it to 127.0.0.1 unless others are to use it.\n"; !strings.Contains(text, want) {
		t.Errorf("no line %q:\n%s", want, text)
	}
	if want := fmt.Sprintf("  connected   2 of %s (%d)\n", filepath.Base(os.Args[0]), os.Getpid()); !strings.Contains(text, want) {
		t.Errorf("no line %q:\n%s", want, text)
	}
	text, err = asked(t, strconv.Itoa(port), true)
	var answer struct {
		Listeners []struct {
			Odd         []struct{ Kind, Text string }
			Connections *int
			AcceptQueue *struct{ Waiting, Limit int } `json:"accept_queue"`
		}
	}
	if err != nil || json.Unmarshal([]byte(text), &answer) != nil || len(answer.Listeners) != 1 {
		t.Fatalf("as JSON: %s, %v", text, err)
	}
	l := answer.Listeners[0]
	if l.Connections == nil || *l.Connections != 2 || l.AcceptQueue == nil || l.AcceptQueue.Waiting != 2 || l.AcceptQueue.Limit == 0 {
		t.Errorf("as JSON: %s; want 2 connections that wait to be accepted", text)
	}
	exposed := false
	for _, odd := range l.Odd {
		exposed = exposed || odd.Kind == "exposed" && odd.Text != ""
	}
	if !exposed {
		t.Errorf("as JSON it is not exposed: %s", text)
	}
}
