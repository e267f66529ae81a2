// Package process reads information about processes. It is the only package that
// uses gopsutil for that.
package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	ps "github.com/shirou/gopsutil/v3/process"

	"porthole/monitor"
)

// Limits for what is read from another process, which may be hostile: a command
// line can be two megabytes long.
const (
	maxCommand   = 16 << 10 // bytes of a command line
	maxArguments = 512
	maxParents   = 32
)

// Info reads everything that can be known about pid now. Fields that may not be
// read stay empty. An error means that there is no such process, or that nothing
// about it can be read; it is os.ErrProcessDone only if the process is known to
// have exited. Info is safe for concurrent use.
func Info(pid int) (monitor.Owner, error) {
	start, startedAt, err := startOf(pid)
	if errors.Is(err, fs.ErrPermission) {
		return fromProcessList(pid, err)
	}
	if err != nil {
		return monitor.Owner{}, err
	}
	p := &ps.Process{Pid: int32(pid)}
	o := monitor.Owner{PID: pid, Start: start, StartedAt: startedAt}
	// Each of these may be denied for another user's process and then stays empty.
	var living *ps.Process
	o.Command, living = commandOf(pid)
	o.Program, _ = living.Exe()
	o.Program, o.Deleted = trimDeleted(o.Program, living.Pid, "exe")
	o.Folder, _ = living.Cwd()
	o.Folder, _ = trimDeleted(o.Folder, living.Pid, "cwd")
	o.User = readWithin("user names", func() string { // may ask a directory server
		name, _ := p.Username()
		return name
	})
	if parent, err := p.Ppid(); err == nil {
		o.ParentPID = int(parent)
	}
	o.Name, _ = p.Name()
	o.Name = DisplayName(o.Name, o.Program, o.Command)
	facts := readFolder(pid, o.Folder, o.Command)
	o.Project, o.Branch, o.Framework = facts.project, facts.branch, facts.framework
	return o, nil
}

// deleted is what Linux appends to a link if the file was deleted (proc(5)).
const deleted = " (deleted)"

// trimDeleted reports whether path, the target of a link in /proc/PID, names a
// deleted file, and returns its name. A file may have such a name while it exists:
// then it is the file that the link leads to.
func trimDeleted(path string, pid int32, link string) (string, bool) {
	name, ok := strings.CutSuffix(path, deleted)
	if !ok {
		return path, false
	}
	exists := readWithin(path, func() bool {
		named, err := os.Lstat(fmt.Sprintf("/proc/%d/root%s", pid, path)) // as the process sees it
		if err != nil {
			named, err = os.Lstat(path)
		}
		if err != nil {
			return false
		}
		used, err := os.Stat(fmt.Sprintf("/proc/%d/%s", pid, link))
		return err != nil || os.SameFile(used, named)
	})
	if exists {
		return path, false
	}
	return name, true
}

// commandOf returns the command line of pid, and the process or thread to read
// everything else from: if the main thread has exited, only another thread has the
// command, program and folder.
func commandOf(pid int) ([]string, *ps.Process) {
	p := &ps.Process{Pid: int32(pid)}
	command, _ := p.CmdlineSlice() // empty if denied
	if len(command) > 0 {
		return truncateCommand(command), p
	}
	for _, id := range threads(pid) {
		t := &ps.Process{Pid: int32(id)}
		if command, _ = t.CmdlineSlice(); len(command) > 0 {
			return truncateCommand(command), t
		}
	}
	return nil, p
}

func truncateCommand(command []string) []string {
	left := maxCommand
	for i, arg := range command {
		if i == maxArguments || left <= 0 {
			return append(command[:i:i], "…")
		}
		if len(arg) > left {
			command[i] = strings.ToValidUTF8(arg[:left], "") + "…"
		}
		left -= len(arg)
	}
	return command
}

// Parents returns the current chain of parents of o, nearest first. It ends at the
// first process that cannot be read, or that started after its child and so is not
// its parent.
func Parents(o monitor.Owner) []monitor.Parent {
	var chain []monitor.Parent
	child, next := o.Start, o.ParentPID
	for next > 0 && len(chain) < maxParents {
		p, grandparent, err := parent(next)
		if err != nil || p.Start > child {
			break
		}
		chain = append(chain, p)
		child, next = p.Start, grandparent
	}
	return chain
}

func parent(pid int) (_ monitor.Parent, ppid int, _ error) {
	start, _, err := startOf(pid)
	if err != nil {
		return monitor.Parent{}, 0, err
	}
	p := &ps.Process{Pid: int32(pid)}
	above, err := p.Ppid()
	if err != nil {
		return monitor.Parent{}, 0, fmt.Errorf("read the parent of process %d: %w", pid, err)
	}
	name, _ := p.Name() // empty if denied
	program, _ := p.Exe()
	program, _ = trimDeleted(program, p.Pid, "exe")
	command, _ := commandOf(pid)
	return monitor.Parent{PID: pid, Start: start, Name: DisplayName(name, program, command), Command: command}, int(above), nil
}

// IsAlive reports whether pid is still the process with that start. If the start
// is 0 because it may not be read, IsAlive is true as long as that is the case.
func IsAlive(pid int, start uint64) bool {
	now, _, err := startOf(pid)
	if start == 0 && errors.Is(err, fs.ErrPermission) {
		return true
	}
	return err == nil && now == start
}
