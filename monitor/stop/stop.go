// Package stop ends a process that holds a port, by its identity and never by
// its number alone: between showing a process and stopping it, its number may
// be given to another one. A file a way to hold a process; see Open.
package stop

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"syscall"
	"time"

	"porthole/monitor"
	"porthole/monitor/process"
)

// GracePeriod is how long a process is given to end before force is offered.
const GracePeriod = 10 * time.Second

// Reason says why a process is not stopped, in words that follow "it ".
type Reason string

// The reasons.
const (
	SystemProcess   Reason = "is the system's own: without it the machine stops"
	Self            Reason = "is Porthole itself"
	ParentProcess   Reason = "runs this program, which would end with it"
	IdentityUnknown Reason = "cannot be told from a later process with its number"
	IdentityChanged Reason = "is another process now: the one that was meant has ended"
	PortReleased    Reason = "no longer holds the port"
)

// RefusedError says that a process is not stopped, whoever asks.
type RefusedError struct {
	PID    int
	Reason Reason
}

func (e RefusedError) Error() string {
	return fmt.Sprintf("process %d is not stopped: it %s", e.PID, e.Reason)
}

// PermissionError says that the system does not let this user stop a process.
type PermissionError struct {
	PID  int
	User string // whose process it is; "" where unknown
	Err  error
}

func (e PermissionError) Error() string {
	whose := "another user's"
	if e.User != "" {
		whose = monitor.Clean(e.User, 40) + "'s"
	}
	return fmt.Sprintf("process %d is %s: only that user and an administrator may stop it", e.PID, whose)
}

func (e PermissionError) Unwrap() error { return e.Err }

// ErrKillOnly says that this system can end a process by force alone.
var ErrKillOnly = errors.New("this system cannot ask a process to end, only force it (--force)")

// Process is a process that is held: its number cannot come to mean another one
// unnoticed. It is to be used by one goroutine at a time.
type Process struct {
	owner  monitor.Owner
	handle handle
}

// handle is how a system holds a process.
type handle interface {
	signal(syscall.Signal) error // os.ErrProcessDone where it has ended
	ended() (bool, error)
	// wait returns when the process has ended, or after a moment.
	wait() (ended bool, err error)
	close()
}

// Open takes hold of the process that o was when it was seen. The error is a
// RefusedError where it is not to be stopped, and os.ErrProcessDone where it has
// ended. The caller closes it.
func Open(o monitor.Owner) (*Process, error) {
	if reason := refusal(o); reason != "" {
		return nil, RefusedError{o.PID, reason}
	}
	held, err := openHandle(o)
	if err != nil {
		return nil, wrapError(o, "take hold of", err)
	}
	// What is held has this number as long as it lives. So if the one that was
	// meant lives after that, it is the one that is held.
	if !process.IsAlive(o.PID, o.Start) {
		held.close()
		if _, err := process.Info(o.PID); err != nil {
			return nil, fmt.Errorf("process %d: %w", o.PID, os.ErrProcessDone)
		}
		return nil, RefusedError{o.PID, IdentityChanged}
	}
	return &Process{o, held}, nil
}

// refusal says why o is not to be stopped, "" where it may be.
func refusal(o monitor.Owner) Reason {
	switch {
	case isSystemProcess(runtime.GOOS, o.PID):
		return SystemProcess
	case o.PID == os.Getpid():
		return Self
	}
	ourselves, _ := process.Info(os.Getpid()) // where it cannot be read there are no parents to find
	above := slices.ContainsFunc(process.Parents(ourselves), func(p monitor.Parent) bool { return p.PID == o.PID })
	switch {
	case o.PID == os.Getppid(), above:
		if isOurProgram(o.PID) {
			return Self
		}
		return ParentProcess
	case o.Start == 0:
		return IdentityUnknown
	}
	return ""
}

// isSystemProcess reports whether pid is the system's own: nobody's (0), the first process
// (1), and on Windows "System" (4).
func isSystemProcess(goos string, pid int) bool { return pid <= 1 || goos == "windows" && pid == 4 }

// isOurProgram reports whether pid runs this program's own file: the agent is the
// parent of the window, and both are Porthole.
func isOurProgram(pid int) bool {
	if ours, err := os.Stat("/proc/self/exe"); err == nil { // also where it was replaced since
		theirs, err := os.Stat(fmt.Sprintf("/proc/%d/exe", pid))
		return err == nil && os.SameFile(ours, theirs)
	}
	ours, _ := os.Executable() // "" where unknown
	theirs, err := process.Info(pid)
	return err == nil && ours != "" && theirs.Program == ours
}

// Owner returns the process as it was seen.
func (p *Process) Owner() monitor.Owner { return p.owner }

// Ended reports whether the process has ended; false where that cannot be told.
func (p *Process) Ended() bool {
	ended, err := p.handle.ended()
	return ended && err == nil
}

// Terminate asks the process to end, with SIGTERM. holds tells whether it has the
// port now, and is nil where it need not have one; where it does not, the error is
// a RefusedError. os.ErrProcessDone says
// that it has ended, ErrOnlyForce that this system knows Kill alone.
func (p *Process) Terminate(holds func(monitor.Owner) bool) error {
	return p.send(syscall.SIGTERM, holds)
}

// Kill ends the process by force, with SIGKILL. It may have closed its port
// already, so nothing is asked but that it is still the same process.
func (p *Process) Kill() error { return p.send(syscall.SIGKILL, nil) }

func (p *Process) send(s syscall.Signal, holds func(monitor.Owner) bool) error {
	done, err := p.handle.ended()
	if done {
		err = os.ErrProcessDone
	}
	if err == nil && holds != nil && !holds(p.owner) {
		return RefusedError{p.owner.PID, PortReleased}
	}
	if err == nil {
		err = p.handle.signal(s)
	}
	return wrapError(p.owner, "end", err)
}

// wrapError says err as what it means to whoever wanted to stop o.
func wrapError(o monitor.Owner, what string, err error) error {
	switch {
	case err == nil, errors.Is(err, ErrKillOnly):
		return err
	case errors.Is(err, os.ErrPermission):
		return PermissionError{o.PID, o.User, err}
	}
	return fmt.Errorf("%s process %d: %w", what, o.PID, err)
}

// Wait returns nil when the process has ended, and the error of ctx where that
// ends first.
func (p *Process) Wait(ctx context.Context) error {
	for {
		ended, err := p.handle.wait()
		switch {
		case err != nil:
			return fmt.Errorf("wait for the end of process %d: %w", p.owner.PID, err)
		case ended:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		}
	}
}

// Close lets go of the process.
func (p *Process) Close() { p.handle.close() }
