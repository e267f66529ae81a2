package cli

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"porthole/app/desktop"
	"porthole/internal/freeport"
	"porthole/monitor"
	"porthole/monitor/process/child"
	"porthole/monitor/terminal"
)

func TestTerminalOfNothing(t *testing.T) {
	setSettings(t, "")
	free := uint16(freeport.Get(t))
	var out bytes.Buffer
	if err := runTerminal(t.Context(), monitor.Ports{{First: free, Last: free}}.String(), desktop.Windows{}, Options{Stdout: &out, Stderr: &out}); !errors.Is(err, ErrFree) || !strings.Contains(out.String(), " is free") {
		t.Errorf("free port: got %q, %v", out.String(), err)
	}
	if err := runTerminal(t.Context(), "shop", desktop.Windows{}, Options{Stdout: &out, Stderr: &out}); Status(err) != 2 {
		t.Errorf("no port: got %v, want exit status 2", err)
	}
}

// A process without a terminal has nothing to go to: the parent of this one is the test.
func TestTerminalOfService(t *testing.T) {
	setSettings(t, "")
	t.Setenv("TMUX", "") // the test may run in tmux
	server := child.Serve(t, "listen")
	var out bytes.Buffer
	port := uint16(server.Port)
	err := runTerminal(t.Context(), monitor.Ports{{First: port, Last: port}}.String(), desktop.Windows{}, Options{Stdout: &out, Stderr: &out})
	if _, isProblem := errors.AsType[terminal.Problem](err); !isProblem || Status(err) != 1 || out.Len() > 0 {
		t.Errorf("got %q, %v; want the reason and exit status 1", out.String(), err)
	}
}
