// Package enrich adds to owners and sockets what the kernel does not know: names of
// users, projects, branches and frameworks. It asks disks and the name service in
// goroutines of its own. One that hangs costs what it was asked for, nothing else:
// package lookup bounds their number.
package enrich

import (
	"context"
	"runtime"
	"strconv"
	"time"

	"porthole/monitor"
	"porthole/monitor/codingagent"
	"porthole/monitor/lookup"
	"porthole/monitor/process"
	"porthole/monitor/terminal"
	"porthole/monitor/username"
)

// validFor is how long the facts of a folder are used before they are read again, such
// as the branch, which may change.
const validFor = 15 * time.Second

// Enricher implements monitor.Enricher. Its methods are safe for concurrent use.
type Enricher struct {
	folders *lookup.Table[folder, facts]
	paths   *lookup.Table[paths, paths]
	servers *lookup.Table[identity, string]
	agents  *lookup.Table[identity, string]
	// sessions are the names of sessions of tmux and screen.
	sessions *lookup.Table[identity, string]
}

// identity identifies a process.
type identity struct {
	pid   int
	start uint64
}

// sessionValid is how long the name of a session is used: it may be renamed.
const sessionValid = time.Minute

// sessionOf returns the session of tmux or screen in which a process was started.
func sessionOf(k identity) string {
	ctx, cancel := context.WithTimeout(context.Background(), sessionTime)
	defer cancel()
	o := monitor.Owner{PID: k.pid, Start: k.start}
	if full, err := process.Info(k.pid); err == nil && full.Same(o) {
		o = full
	}
	o.Parents = process.Parents(o)
	return terminal.Session(ctx, o)
}

// sessionTime limits the question for a session. It needs milliseconds.
const sessionTime = 2 * time.Second

// serverRetry is after how long an unknown server of a control master is looked up again.
const serverRetry = time.Minute

// folder is a folder of this mount namespace.
type folder struct {
	path         string
	hasFramework bool // its framework is wanted
}

// facts are what the files in a folder say.
type facts struct {
	process.Place
	framework string
}

// paths are the paths of a process: as /proc shows them, or as they were checked.
type paths struct {
	pid             int
	start           uint64
	program, folder string
	deleted, inside bool
}

// New returns an Enricher. It reads the names of this machine's own users.
func New() *Enricher {
	username.Load()
	return &Enricher{
		folders: lookup.New(readFolder, func(f folder) string { return process.MountOf(f.path) }, func(facts) time.Duration { return validFor }),
		servers: lookup.New(sshServer, nil, func(server string) time.Duration {
			if server == "" {
				return serverRetry
			}
			return 0 // the connection is the same as long as the process
		}),
		agents:   lookup.New(agentOf, nil, func(string) time.Duration { return 0 }), // an environment is the same as long as the process
		sessions: lookup.New(sessionOf, nil, func(string) time.Duration { return sessionValid }),
		paths:    lookup.New(checkPaths, func(p paths) string { return process.MountOf(p.folder) }, func(paths) time.Duration { return 0 }),
	}
}

// OnAnswer implements monitor.Enricher.
func (e *Enricher) OnAnswer(f func()) (stop func()) {
	stops := []func(){username.OnAnswer(f), e.folders.OnAnswer(f), e.paths.OnAnswer(f), e.servers.OnAnswer(f), e.agents.OnAnswer(f), e.sessions.OnAnswer(f)}
	return func() {
		for _, stop := range stops {
			stop()
		}
	}
}

// Socket implements monitor.Enricher. It adds the name of the user.
func (e *Enricher) Socket(s *monitor.Socket) monitor.Progress {
	if runtime.GOOS != "linux" {
		return monitor.Complete // its table does not report the user
	}
	name, a := username.Get(s.UID)
	s.User = name
	return note(&s.NoName, a.Known, a.Busy, a.Late, monitor.UnknownNameService)
}

// Owner implements monitor.Enricher. It adds the name of the user, the project, the
// checkout and the framework, the server of an SSH control master, the coding agent and the
// session of tmux or screen that started it, and checks the paths.
func (e *Enricher) Owner(o *monitor.Owner) monitor.Progress {
	progress := addUser(o)
	if monitor.IsSSHMaster(*o) {
		a := e.servers.Get(identity{o.PID, o.Start})
		o.SSHServer = a.Value
		progress = max(progress, note(new(string), a.Known, a.Busy, a.Late, ""))
	}
	if process.IsOwn(*o) {
		a := e.agents.Get(identity{o.PID, o.Start})
		o.Agent = a.Value
		progress = max(progress, note(new(string), a.Known, a.Busy, a.Late, ""))
	}
	if process.IsOwn(*o) && terminal.InMultiplexer(*o) {
		a := e.sessions.Get(identity{o.PID, o.Start})
		o.Session = a.Value
		progress = max(progress, note(new(string), a.Known, a.Busy, a.Late, ""))
	}
	if process.NeedsCheck(*o) {
		key := paths{o.PID, o.Start, o.Program, o.Folder, o.Deleted, o.Inside}
		if a := e.paths.Get(key); a.Known {
			o.Program, o.Folder, o.Deleted, o.Inside = a.Value.program, a.Value.folder, a.Value.deleted, a.Value.inside
		} else if a.Busy {
			return max(progress, note(&o.ProjectUnknown, false, a.Busy, a.Late, monitor.UnknownDisk))
		}
	}
	if o.Folder == "" || o.Inside {
		return progress
	}
	a := e.folders.Get(folder{o.Folder, process.HidesFramework(o.Command)})
	at := a.Value
	o.Project, o.ProjectFolder, o.Framework = at.Project, at.ProjectFolder, at.framework
	o.Branch, o.Repository, o.Worktree = at.Branch, at.Repository, at.Worktree
	return max(progress, note(&o.ProjectUnknown, a.Known, a.Busy, a.Late, monitor.UnknownDisk))
}

// addUser adds the name of the user, if it is identified by a number.
func addUser(o *monitor.Owner) monitor.Progress {
	uid, err := strconv.ParseUint(o.UserID, 10, 32)
	if err != nil {
		return monitor.Complete
	}
	name, a := username.Get(uint32(uid))
	o.User = name
	return note(&o.UserUnknown, a.Known, a.Busy, a.Late, monitor.UnknownNameService)
}

// note returns the progress of one answer. It sets reason if nothing is known and the
// answer is late.
func note(reason *string, known, busy, late bool, why string) monitor.Progress {
	switch {
	case !busy:
		return monitor.Complete
	case !late:
		return monitor.Pending
	case !known:
		*reason = why
	}
	return monitor.Late
}

func readFolder(f folder) facts {
	found := facts{Place: process.Locate(f.path)}
	if f.hasFramework {
		found.framework = process.Framework(f.path)
	}
	return found
}

// agentOf returns the coding agent in the environment of a process. It keeps no other
// part of the environment.
func agentOf(p identity) string {
	return codingagent.Of(process.Variables(p.pid, codingagent.Variables()...))
}

func checkPaths(p paths) paths {
	o := monitor.Owner{PID: p.pid, Start: p.start, Program: p.program, Folder: p.folder, Deleted: p.deleted, Inside: p.inside}
	process.CheckPaths(&o)
	return paths{p.pid, p.start, o.Program, o.Folder, o.Deleted, o.Inside}
}
