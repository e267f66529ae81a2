package ipc

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"porthole/app/paths"
	"porthole/monitor"
	"porthole/monitor/process"
)

// This file handles the lock that makes an agent the only one of its user, and the
// description of the agent beside it, for programs that look for the agent.

// agentInfo describes the agent that holds the lock.
type agentInfo struct {
	PID        int    `json:"pid"`
	Start      uint64 `json:"start"`   // start of the process, as in monitor.Owner
	Program    string `json:"program"` // path of its program file
	Host       string `json:"host"`    // the home folder may be shared between machines
	RuntimeDir string `json:"runtime_dir"`
}

// Attempts to lock. Programs that look for the agent hold a shared lock for a
// moment.
const (
	lockAttempts = 5
	lockPause    = 20 * time.Millisecond
)

// Lock makes this process the only agent of the user until it exits or calls
// unlock. ok is false if another process holds the lock. If the state folder
// cannot be written, the lock is in the runtime directory.
func (d RuntimeDir) Lock() (unlock func() error, ok bool, err error) {
	path := paths.AgentLock()
	l, ok, err := tryLock(path)
	if err != nil {
		path = filepath.Join(d.path, filepath.Base(path))
		l, ok, err = tryLock(path)
	}
	if err != nil || !ok {
		return nil, false, err
	}
	info := infoPath(path)
	d.describe(info)
	return func() error {
		_ = os.Remove(info) // the file has no meaning without the lock
		return l.Close()
	}, true, nil
}

// tryLock locks the file at path.
func tryLock(path string) (l *flock.Flock, ok bool, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, false, fmt.Errorf("create the folder of %s: %w", path, err)
	}
	l = flock.New(path, flock.SetPermissions(0o600))
	for range lockAttempts {
		if ok, err = l.TryLock(); ok || err != nil {
			break
		}
		time.Sleep(lockPause)
	}
	if err != nil {
		_ = l.Close()
		return nil, false, fmt.Errorf("lock %s: %w", path, err)
	}
	if !ok {
		_ = l.Close()
	}
	return l, ok, nil
}

// infoPath returns the path of the description of the agent that holds the lock.
func infoPath(lock string) string { return strings.TrimSuffix(lock, ".lock") + ".json" }

// describe writes the description of this process. Without it, for example on a
// full disk, other programs find the agent in their own runtime directory.
func (d RuntimeDir) describe(path string) {
	_ = os.Remove(path) // of an agent that was killed
	self, err := process.Identity(os.Getpid())
	if err != nil {
		return
	}
	host, _ := os.Hostname()
	b, err := json.Marshal(agentInfo{self.PID, self.Start, self.Program, host, d.path})
	if err == nil {
		_ = os.WriteFile(path, b, 0o600)
	}
}

// runningAgent returns the description of the agent that holds the lock in the
// state folder. running is false if there is none on this machine.
func runningAgent() (info agentInfo, running bool) { return agentOf(paths.AgentLock()) }

// agentOf returns the description of the agent that holds the lock at path.
func agentOf(path string) (info agentInfo, running bool) {
	b, err := os.ReadFile(infoPath(path))
	if err != nil || json.Unmarshal(b, &info) != nil {
		return agentInfo{}, false
	}
	if host, err := os.Hostname(); err != nil || host != info.Host || !isLocked(path) {
		return agentInfo{}, false
	}
	return info, true
}

// isLocked reports whether a process holds the lock at path.
func isLocked(path string) bool {
	if _, err := os.Stat(path); err != nil {
		return false
	}
	l := flock.New(path, flock.SetPermissions(0o600))
	defer l.Close()
	free, err := l.TryRLock()
	return err == nil && !free
}

// ErrAgentUnknown means that it is not certain which process is the agent.
var ErrAgentUnknown = errors.New("which process it is can't be verified")

// Agent returns the process of the running agent: the one that described itself
// when it took the lock, if it still runs with that start and program. If there is
// no description, Linux knows which process listens on the socket. The error is
// ErrNotRunning, or wraps ErrAgentUnknown.
func (d RuntimeDir) Agent() (monitor.Owner, error) {
	info, running := runningAgent()
	if !running {
		info, running = agentOf(filepath.Join(d.path, filepath.Base(paths.AgentLock())))
	}
	if !running {
		return d.listeningAgent()
	}
	now, err := process.Identity(info.PID)
	switch {
	case err != nil:
		return monitor.Owner{}, fmt.Errorf("%w: process %d: %w", ErrAgentUnknown, info.PID, err)
	case now.Start != info.Start || now.Program != info.Program:
		return monitor.Owner{}, fmt.Errorf("%w: PID %d now belongs to another process", ErrAgentUnknown, info.PID)
	}
	return now, nil
}

// listeningAgent returns the process that listens on the socket, if it runs this
// program.
func (d RuntimeDir) listeningAgent() (monitor.Owner, error) {
	c, err := d.dial()
	if err != nil {
		return monitor.Owner{}, ErrNotRunning
	}
	defer c.Close()
	peer, err := peerOf(c)
	if err != nil {
		return monitor.Owner{}, fmt.Errorf("%w: %w", ErrAgentUnknown, err)
	}
	now, err := process.Identity(peer.pid)
	if err != nil {
		return monitor.Owner{}, fmt.Errorf("%w: %w", ErrAgentUnknown, err)
	}
	self, err := process.Identity(os.Getpid())
	if err != nil || now.Program == "" || filepath.Base(now.Program) != filepath.Base(self.Program) {
		return monitor.Owner{}, fmt.Errorf("%w: process %d runs another program", ErrAgentUnknown, peer.pid)
	}
	return now, nil
}
