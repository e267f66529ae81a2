// Package stop stops processes that hold a port. It identifies them by PID and
// start time rather than by PID alone, because a PID may be reused between
// showing a process and stopping it. See Open.
package stop

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"porthole/monitor"
	"porthole/monitor/process"
)

// GracePeriod is how long a process may take to end before a force quit is
// offered.
const GracePeriod = 10 * time.Second

// Reason is why a process is not stopped, in words that follow "it ".
type Reason string

// The reasons.
const (
	SystemProcess   Reason = "is a critical system process"
	Self            Reason = "is Porthole itself"
	ParentProcess   Reason = "is a parent of Porthole, which would exit with it"
	IdentityUnknown Reason = "can't be identified: its PID may have been reused"
	IdentityChanged Reason = "is now a different process; the original has exited"
	PortReleased    Reason = "no longer owns the port"
)

// RefusedError means that a process must not be stopped, regardless of who asks.
type RefusedError struct {
	PID    int
	Reason Reason
}

func (e RefusedError) Error() string {
	return fmt.Sprintf("process %d is not stopped: it %s", e.PID, e.Reason)
}

// PermissionError means that this user may not stop a process.
type PermissionError struct {
	PID  int
	User string // user of the process; "" if unknown
	Err  error
}

func (e PermissionError) Error() string {
	owner := "another user's"
	if e.User != "" {
		owner = monitor.Clean(e.User, 40) + "'s"
	}
	return fmt.Sprintf("process %d is %s: only that user or an administrator may stop it", e.PID, owner)
}

func (e PermissionError) Unwrap() error { return e.Err }

// ErrKillOnly means that this system has no way to ask a process to end.
var ErrKillOnly = errors.New("this system cannot ask a process to end; use force quit (--force)")

// Process is a process with an open handle, so that its PID cannot be reused
// unnoticed. It is not safe for concurrent use.
type Process struct {
	owner  monitor.Owner
	handle handle
}

// handle is an operating system's reference to a process.
type handle interface {
	signal(syscall.Signal) error // os.ErrProcessDone if it has ended
	ended() (bool, error)
	// wait returns when the process has ended, or after pollInterval.
	wait() (ended bool, err error)
	close()
}

// Open opens the process that was seen as o. The error is a RefusedError if it
// must not be stopped, and wraps os.ErrProcessDone if it has ended. The caller
// must close the Process.
func Open(o monitor.Owner) (*Process, error) {
	if reason := refusal(o); reason != "" {
		return nil, RefusedError{o.PID, reason}
	}
	h, err := openHandle(o)
	if err != nil {
		return nil, wrapError(o, "open", err)
	}
	// The handle's process keeps its PID as long as it runs. So if o still runs
	// now, it is the process of the handle.
	if !process.IsAlive(o.PID, o.Start) {
		h.close()
		if _, err := process.Info(o.PID); err != nil {
			return nil, fmt.Errorf("process %d: %w", o.PID, os.ErrProcessDone)
		}
		return nil, RefusedError{o.PID, IdentityChanged}
	}
	return &Process{o, h}, nil
}

// refusal returns why o must not be stopped; "" if it may be.
func refusal(o monitor.Owner) Reason {
	switch {
	case isSystemProcess(runtime.GOOS, o.PID):
		return SystemProcess
	case o.PID == os.Getpid():
		return Self
	}
	self, _ := process.Info(os.Getpid()) // without them no parents are found
	isParent := slices.ContainsFunc(process.Parents(self), func(p monitor.Parent) bool { return p.PID == o.PID })
	switch {
	case o.PID == os.Getppid(), isParent:
		if isOurProgram(o.PID) {
			return Self
		}
		return ParentProcess
	case o.Start == 0:
		return IdentityUnknown
	}
	return protection(o)
}

// isSystemProcess reports whether pid belongs to the system: the idle process
// (0), init (1), and on Windows "System" (4).
func isSystemProcess(goos string, pid int) bool { return pid <= 1 || goos == "windows" && pid == 4 }

// isOurProgram reports whether pid runs this program's file: the agent is the
// parent of the window, and both are Porthole.
func isOurProgram(pid int) bool {
	if ours, err := os.Stat("/proc/self/exe"); err == nil { // works even if the file was replaced since
		theirs, err := os.Stat(fmt.Sprintf("/proc/%d/exe", pid))
		return err == nil && os.SameFile(ours, theirs)
	}
	ours, _ := os.Executable() // "" if unknown
	theirs, err := process.Info(pid)
	return err == nil && ours != "" && theirs.Program == ours
}

// Owner returns the process as it was seen.
func (p *Process) Owner() monitor.Owner { return p.owner }

// Ended reports whether the process has ended; false if that is not known.
func (p *Process) Ended() bool {
	ended, err := p.handle.ended()
	return ended && err == nil
}

// ParseSignal returns the signal with that name, such as "INT" or "SIGINT", in upper or
// lower case, and its full name. The error lists the names.
func ParseSignal(name string) (syscall.Signal, string, error) {
	short := strings.TrimPrefix(strings.ToUpper(name), "SIG")
	if s, ok := signals[short]; ok {
		return s, "SIG" + short, nil
	}
	return 0, "", fmt.Errorf("%q: expected one of %s", monitor.Clean(name, 40), SignalNames())
}

// SignalNames returns the names that ParseSignal knows, separated by commas.
func SignalNames() string { return strings.Join(slices.Sorted(maps.Keys(signals)), ", ") }

// Terminate sends SIGTERM: see Signal.
func (p *Process) Terminate(holds func(monitor.Owner) bool) error {
	return p.Signal(syscall.SIGTERM, holds)
}

// Signal sends a signal that ends the process. holds reports whether a process holds the
// port now; if it returns false, the error is a RefusedError. It may be nil if the
// process need not hold a port. The error wraps os.ErrProcessDone if the process has
// ended and is ErrKillOnly if this system only supports Kill. A suspended process
// is also continued, because it does not act on signals while it is suspended.
func (p *Process) Signal(s syscall.Signal, holds func(monitor.Owner) bool) error {
	err := p.send(s, holds)
	if err == nil && process.IsSuspended(p.owner.PID) {
		err = p.send(continueSignal, nil)
		if errors.Is(err, os.ErrProcessDone) { // the signal has ended it
			err = nil
		}
	}
	return err
}

// Kill sends SIGKILL. The process may have closed its port already, so only its
// identity is checked.
func (p *Process) Kill() error { return p.send(syscall.SIGKILL, nil) }

// send sends s if the process still runs and, if holds is not nil, still holds the
// port.
func (p *Process) send(s syscall.Signal, holds func(monitor.Owner) bool) error {
	ended, err := p.handle.ended()
	if ended {
		err = os.ErrProcessDone
	}
	if err == nil && holds != nil && !holds(p.owner) {
		return RefusedError{p.owner.PID, PortReleased}
	}
	if err == nil {
		err = p.handle.signal(s)
	}
	return wrapError(p.owner, "stop", err)
}

// wrapError adds what was tried on which process to err.
func wrapError(o monitor.Owner, action string, err error) error {
	switch {
	case err == nil, errors.Is(err, ErrKillOnly):
		return err
	case errors.Is(err, os.ErrPermission):
		return PermissionError{o.PID, o.User, err}
	}
	return fmt.Errorf("%s process %d: %w", action, o.PID, err)
}

// Wait returns nil when the process has ended, or the error of ctx if that is
// done first.
func (p *Process) Wait(ctx context.Context) error {
	for {
		ended, err := p.handle.wait()
		switch {
		case err != nil:
			return fmt.Errorf("wait for process %d: %w", p.owner.PID, err)
		case ended:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		}
	}
}

// Close closes the handle.
func (p *Process) Close() { p.handle.close() }
