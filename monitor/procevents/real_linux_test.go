package procevents_test

import (
	"context"
	"io"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"porthole/monitor"
	"porthole/monitor/owner"
	"porthole/monitor/process/child"
	"porthole/monitor/procevents"
	"porthole/monitor/socket"
)

// The tests in this file use the events of the real kernel, and are skipped where it has
// none for us.

func TestMain(m *testing.M) {
	child.Main(m, child.Roles(map[string]func(){
		"dying server": playDyingServer,
	}))
}

// playDyingServer passes a listener to a shell, which ends as the argument says when its
// input ends: "exit 3", "kill -SEGV $$". The Go runtime would handle some signals.
func playDyingServer() {
	ln, file := child.ListenerFile()
	child.Report(child.Listening{Port: child.Port(ln)})
	if _, err := unix.FcntlInt(file.Fd(), unix.F_SETFD, 0); err != nil { // inherited by the shell
		child.Fail(err)
	}
	child.Fail(syscall.Exec("/bin/sh", []string{"sh", "-c", "read line; " + os.Args[1]}, os.Environ()))
}

// needEvents opens a source, and skips the test if there are no events.
func needEvents(t *testing.T) *procevents.Source {
	t.Helper()
	s := procevents.Open()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if s.State() != procevents.Available {
		t.Skipf("no process events: %s (%s)", s.State(), s.Reason())
	}
	return s
}

// run runs a monitor of the machine until the test ends, and returns its updates after
// the first one.
func run(t *testing.T, source monitor.ProcessSource) *monitor.Subscription {
	t.Helper()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	table, err := socket.Open(log)
	if err != nil {
		t.Fatal(err)
	}
	m := monitor.New(table, owner.New(), monitor.Options{Programs: source, Logger: log})
	updates := m.Subscribe()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); m.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended; _ = table.Close() })
	for {
		<-updates.C
		if u, ok := updates.Take(); ok && u.Ready {
			return updates
		}
	}
}

// await returns the next event of this kind about a port.
func await(t *testing.T, updates *monitor.Subscription, kind monitor.Kind, port int) monitor.Event {
	t.Helper()
	timeout := time.After(time.Minute)
	for {
		select {
		case <-timeout:
			t.Fatalf("no event %q of port %d within a minute", kind, port)
		case <-updates.C:
		}
		u, _ := updates.Take()
		for _, e := range u.Events {
			if e.Kind == kind && int(e.Listener.Port) == port {
				return e
			}
		}
	}
}

func TestClosedSaysHowTheOwnerEnded(t *testing.T) {
	updates := run(t, needEvents(t))
	for how, want := range map[string]string{
		"exit 3":        "exited with status 3",
		"kill -SEGV $$": "was killed by SIGSEGV",
		"kill -KILL $$": "was killed by SIGKILL",
		"kill -TERM $$": "was killed by SIGTERM",
	} {
		t.Run(how, func(t *testing.T) {
			var l child.Listening
			c := child.Command("dying server", how)
			victim := child.StartVictim(t, c)
			if err := victim.ReadReport(&l); err != nil {
				t.Fatal(err)
			}
			await(t, updates, monitor.Opened, l.Port)
			_ = victim.In.Close()
			e := await(t, updates, monitor.Closed, l.Port)
			if got := strings.TrimSuffix(e.Exit.Sentence().String(), " (core dumped)"); got != want {
				t.Errorf("it %q, want %q: %+v", got, want, e.Exit)
			}
		})
	}
}
