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

// Info reads what the kernel knows about pid now. It never waits for a disk or a name
// service: the rest is up to ReadFolder, CheckPaths and package username, and User is a
// number if its name is not known yet. Fields that may not be read stay empty. An error
// means that there is no such process, or that nothing about it can be read; it is
// os.ErrProcessDone only if the process is known to have exited. Info is safe for
// concurrent use.
func Info(pid int) (monitor.Owner, error) {
	start, startedAt, err := startOf(pid)
	if errors.Is(err, fs.ErrPermission) {
		return fromProcessList(pid, err)
	}
	if err != nil {
		return monitor.Owner{}, err
	}
	o := monitor.Owner{PID: pid, Start: start, StartedAt: startedAt, Inside: !sharesMounts(pid)}
	// Each of these may be denied for another user's process and then stays empty.
	var living *ps.Process
	o.Command, living = commandOf(pid)
	o.Program, _ = living.Exe()
	o.Program, o.Deleted = strings.CutSuffix(o.Program, deleted)
	o.Folder, _ = living.Cwd()
	name, parent, _ := nameAndParent(pid)
	o.ParentPID = parent
	o.Name = DisplayName(name, o.Program, o.Command)
	o.User, o.UserID = userOf(pid)
	o.Output = outputOf(pid)
	return o, nil
}

// deleted is what Linux appends to a link if the file was deleted (proc(5)).
const deleted = " (deleted)"

// CheckPaths corrects Program, Deleted, Folder and Inside of o with the help of the
// disks that the paths are on. It blocks until they answer, which may be never.
func CheckPaths(o *monitor.Owner) {
	if o.Inside && (o.Program == "" || isSameFile(o.PID, o.Program)) && (o.Folder == "" || isSameFile(o.PID, o.Folder)) {
		o.Inside = false // for example a service of systemd with PrivateTmp=
	}
	if o.Deleted && exists(o.PID, o.Program+deleted, "exe") {
		o.Program, o.Deleted = o.Program+deleted, false
	}
	if name, ok := strings.CutSuffix(o.Folder, deleted); ok && !exists(o.PID, o.Folder, "cwd") {
		o.Folder = name
	}
}

// NeedsCheck reports whether CheckPaths can change o.
func NeedsCheck(o monitor.Owner) bool {
	return o.Inside || o.Deleted || strings.HasSuffix(o.Folder, deleted)
}

// isSameFile reports whether path is the same file to pid as it is here.
func isSameFile(pid int, path string) bool {
	theirs, err := os.Stat(fmt.Sprintf("/proc/%d/root%s", pid, path))
	if err != nil {
		return false
	}
	ours, err := os.Stat(path)
	return err == nil && os.SameFile(theirs, ours)
}

// trimDeleted reports whether path, the target of a link in /proc/PID, names a
// deleted file, and returns its name. A file may have such a name while it exists:
// then it is the file that the link leads to.
func trimDeleted(path string, pid int32, link string) (string, bool) {
	name, ok := strings.CutSuffix(path, deleted)
	if !ok {
		return path, false
	}
	if readWithin(path, func() bool { return exists(int(pid), path, link) }) {
		return path, false
	}
	return name, true
}

// exists reports whether path, the target of a link in /proc/PID, names the file that
// the link leads to.
func exists(pid int, path, link string) bool {
	named, err := os.Lstat(fmt.Sprintf("/proc/%d/root%s", pid, path)) // as the process sees it
	if err != nil && sharesMounts(pid) {
		named, err = os.Lstat(path)
	}
	if err != nil {
		return false
	}
	used, err := os.Stat(fmt.Sprintf("/proc/%d/%s", pid, link))
	return err != nil || os.SameFile(used, named)
}

// commandOf returns the command line of pid, and the process or thread to read
// everything else from: if the main thread has exited, only another thread has the
// command, program and folder.
func commandOf(pid int) ([]string, *ps.Process) {
	p := &ps.Process{Pid: int32(pid)}
	command := readCommand(p)
	if len(command) > 0 {
		return truncateCommand(command), p
	}
	for _, id := range threads(pid) {
		t := &ps.Process{Pid: int32(id)}
		if command = readCommand(t); len(command) > 0 {
			return truncateCommand(command), t
		}
	}
	return nil, p
}

// CommandLine returns the arguments of pid; nil if they may not be read, or if the process
// waits for a disk that does not answer.
func CommandLine(pid int) []string { return readCommand(&ps.Process{Pid: int32(pid)}) }

// readCommand returns the command line of p, nil if it may not be read. The kernel reads
// it from the memory of the process, and waits for a process that is mapping a file of a
// disk that does not answer.
func readCommand(p *ps.Process) []string {
	return readWithin(fmt.Sprintf("command %d", p.Pid), func() []string {
		return arguments(int(p.Pid))
	})
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
	name, above, err := nameAndParent(pid)
	if err != nil {
		return monitor.Parent{}, 0, fmt.Errorf("read the parent of process %d: %w", pid, err)
	}
	program, _ := (&ps.Process{Pid: int32(pid)}).Exe() // empty if denied
	program = strings.TrimSuffix(program, deleted)
	command, _ := commandOf(pid)
	return monitor.Parent{PID: pid, Start: start, Name: DisplayName(name, program, command), Command: command}, above, nil
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
