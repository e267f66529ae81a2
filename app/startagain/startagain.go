// Package startagain starts a process again that was stopped: in a new window of the user's
// terminal, or detached with its output in a log.
package startagain

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"porthole/app/desktop"
	"porthole/app/ipc"
	"porthole/app/paths"
	"porthole/app/settings"
	"porthole/monitor"
	"porthole/monitor/ancestry"
	"porthole/monitor/emulator"
	"porthole/monitor/process"
	"porthole/monitor/restart"
	"porthole/monitor/stop"
	"porthole/monitor/terminal"
)

// Command is the hidden command that starts the process in the terminal.
const Command = "run-again"

// Place is where a process is started again. The zero Place is detached.
type Place struct {
	Session  string // name of the session of tmux that gets a new window; "" if none does
	Terminal string // title of the terminal emulator that opens a window; "" if none does
	Problem  error  // why there is no terminal although the user has set one

	tmux     terminal.TmuxSession
	emulator emulator.Emulator
}

// InTerminal reports whether the place is a window of tmux or of a terminal emulator.
func (p Place) InTerminal() bool { return p.Session != "" || p.Terminal != "" }

// Choose returns where to start o again, which must be running. setting is that of the
// settings file. Choose waits for tmux, at most for some seconds.
func Choose(ctx context.Context, setting string, o monitor.Owner) Place {
	switch setting {
	case settings.NoTerminal:
		return Place{}
	case "":
		return find(ctx, o, process.State(o))
	}
	e, err := emulator.Command(setting)
	if err == nil && !emulator.HasScreen(os.LookupEnv) {
		err = errors.New("there is no X or Wayland display")
	}
	if err != nil {
		return Place{Problem: err}
	}
	return Place{Terminal: e.Title, emulator: e}
}

// find returns the session of tmux in which o was started, else the terminal that the user
// uses.
func find(ctx context.Context, o monitor.Owner, state monitor.ProcessState) Place {
	if s, ok := terminal.TmuxSessionOf(ctx, o, state); ok {
		return Place{Session: s.Name, tmux: s}
	}
	before := ""
	if p, ok := ancestry.Explain(o, monitor.CgroupInfo{}, state).Terminal(); ok && p.Role == ancestry.Terminal {
		before = p.Title
	}
	if e, ok := emulator.Find(before, os.LookupEnv); ok {
		return Place{Terminal: e.Title, emulator: e}
	}
	return Place{}
}

// Started is what was started.
type Started struct {
	PID   int
	Place Place
	Log   string // gets the output if the place is detached
	// NotInTerminal is why it was started detached although a terminal was chosen; nil if it
	// was not.
	NotInTerminal error
	// OldLogs is why logs of programs that ended long ago could not be removed; nil if they were.
	OldLogs error
}

// Start starts r at a place, and detached if the terminal fails. log is where the output
// then goes. ended is called on another goroutine if the process ends while ctx lasts and
// this process runs.
func Start(ctx context.Context, r *restart.Recipe, at Place, log string, ended func(error)) (Started, error) {
	failed := at.Problem
	if at.InTerminal() {
		pid, err := inTerminal(ctx, r, at, ended)
		if err == nil {
			return Started{PID: pid, Place: at}, nil
		}
		failed = err
	}
	pid, err := r.Start(log, ended)
	return Started{PID: pid, Log: log, NotInTerminal: failed, OldLogs: restart.RemoveOldLogs(log)}, err
}

// inTerminal starts r in a new window.
func inTerminal(ctx context.Context, r *restart.Recipe, at Place, ended func(error)) (pid int, _ error) {
	dir, err := ipc.OpenRuntimeDir()
	if err != nil {
		return 0, err
	}
	program, err := ownProgram()
	if err != nil {
		return 0, err
	}
	open := func(ctx context.Context, args []string) (<-chan error, error) {
		if at.Session != "" {
			return nil, at.tmux.NewWindow(ctx, filepath.Base(r.Command[0]), args)
		}
		return at.emulator.Open(args, desktop.ChildEnviron())
	}
	return r.StartInTerminal(ctx, dir.String(), slices.Concat(program, []string{Command}), open, ended)
}

// ownProgram returns the command of this program for a process that is not its child.
func ownProgram() ([]string, error) {
	const self = "/proc/self/exe"
	path, err := os.Executable()
	running, selfErr := os.Stat(self)
	if selfErr != nil {
		return []string{path}, err // not Linux
	}
	if file, err := os.Stat(path); err == nil && os.SameFile(file, running) {
		return []string{path}, nil
	}
	return []string{"/proc/" + strconv.Itoa(os.Getpid()) + "/exe"}, nil // it was replaced: the other build may not understand this one
}

// Log returns the path of a new log for what is started again to listen on port.
func Log(port uint16) string { return paths.Output(port, time.Now()) }

// TakenError means that another process uses a port of the stopped one.
type TakenError struct{ Listener *monitor.Listener }

// Taken returns a TakenError if a process uses the endpoints of listeners, which the
// stopped process had: what is started again could not listen there.
func Taken(ctx context.Context, listeners []*monitor.Listener, log *slog.Logger) error {
	now, err := stop.Holders(ctx, listeners, log)
	if err != nil {
		return fmt.Errorf("check that the port is free: %w", err)
	}
	if len(now) > 0 {
		return TakenError{now[0]}
	}
	return nil
}

func (e TakenError) Error() string {
	o, known := e.Listener.Principal()
	if !known {
		return fmt.Sprintf("port %d is in use by another process", e.Listener.Port)
	}
	return fmt.Sprintf("port %d is in use by %s (%d)", e.Listener.Port, monitor.Clean(o.Name, 60), o.PID)
}
