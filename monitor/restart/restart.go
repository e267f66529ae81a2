// Package restart starts a process again as it was started: the same command, folder and
// environment.
package restart

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"porthole/monitor"
	"porthole/monitor/ancestry"
	"porthole/monitor/launch"
	"porthole/monitor/process"
)

// Recipe is what starts a process again. Its environment has secrets: it is only passed
// to the new process.
type Recipe struct {
	Command []string // unmasked: pass it through monitor.MaskCommand before showing it
	Folder  string
	// Parent is set if the command is that of the parent which started the process,
	// because the process has replaced its own command line by a title.
	Parent      bool
	program     string
	environment []string
}

// The reasons why a process can't be started again, as clauses that follow "it ".
var (
	errForeign = errors.New("belongs to another user")
	errInside  = errors.New("runs inside a container or another mount namespace")
	errTitle   = errors.New("has replaced its command line by a title, and so have its parents")
	errLong    = errors.New("has a command line that is too long")
	errFolder  = errors.New("works in a folder that is gone")
	errEnv     = errors.New("has an environment that can't be read")
)

// Read returns what starts o again, a process of this user that is still running. The
// error is a clause that follows "it ", or wraps os.ErrProcessDone. Read is safe for
// concurrent use.
func Read(o monitor.Owner) (*Recipe, error) {
	switch {
	case !process.IsOwn(o):
		return nil, errForeign
	case o.Inside:
		return nil, errInside
	}
	starter, parent, err := starterOf(o)
	if err != nil {
		return nil, err
	}
	r := &Recipe{Command: commandOf(starter), Folder: starter.Folder, Parent: parent}
	if info, err := os.Stat(r.Folder); err != nil || !info.IsDir() || !filepath.IsAbs(r.Folder) {
		return nil, errFolder
	}
	if r.environment, err = process.RawEnvironment(starter); err != nil {
		if errors.Is(err, os.ErrProcessDone) {
			return nil, err
		}
		return nil, fmt.Errorf("%w: %w", errEnv, err)
	}
	if r.variable("PATH") == "" && r.variable("HOME") == "" { // overwritten by a long title
		return nil, errEnv
	}
	r.program = r.find(starter)
	if r.program == "" {
		return nil, fmt.Errorf("runs %s, which is gone", monitor.Clean(r.Command[0], 60))
	}
	return r, nil
}

// starterOf returns the process whose command line starts o: o itself, or the nearest
// script or process of the same interpreter above it that has one.
func starterOf(o monitor.Owner) (starter monitor.Owner, parent bool, _ error) {
	if n := len(o.Command); n > 0 && strings.HasSuffix(o.Command[n-1], "…") { // see process.Info
		return o, false, errLong
	}
	if commandOf(o) != nil {
		return o, false, nil
	}
	chain := ancestry.Explain(o, monitor.CgroupInfo{}, monitor.ProcessState{}).Chain
	for i, p := range o.Parents {
		found, err := process.Info(p.PID)
		if err != nil || found.Start != p.Start || !process.IsOwn(found) {
			break
		}
		sameScript := found.Program == o.Program && monitor.IsInterpreter(o.Program) // node next dev, which forks next-server
		if chain[len(chain)-2-i].Role != ancestry.Script && !sameScript {
			break
		}
		if commandOf(found) != nil {
			return found, true, nil
		}
	}
	return o, false, errTitle
}

// commandOf returns the command line of o, nil if that is a title which o gave itself:
// "next-server (v15.0.1)", "nginx: master process nginx". The title of npm is a command.
func commandOf(o monitor.Owner) []string {
	switch {
	case len(o.Command) == 0:
		return nil
	case len(o.Command) > 1 && !strings.HasSuffix(o.Command[0], ":"):
		return o.Command
	case len(o.Command) == 1 && !strings.ContainsAny(o.Command[0], " \u00a0:"):
		return o.Command
	}
	words := strings.Fields(o.Command[0])
	if len(o.Command) == 1 && len(words) > 1 && isScriptTool(words[0]) {
		return words
	}
	return nil
}

// isScriptTool reports whether the title of a program is the command that started it.
func isScriptTool(name string) bool { return name == "npm" || name == "pnpm" || name == "yarn" }

// variable returns a variable of the environment, "" if it is unset.
func (r *Recipe) variable(name string) string {
	for _, v := range r.environment {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value
		}
	}
	return ""
}

// find returns the path of the program: that of o, or, if the file was replaced or the
// command is a title, what its shell would find; "" if there is none.
func (r *Recipe) find(o monitor.Owner) string {
	if o.Program != "" && !o.Deleted && len(o.Command) > 1 && isExecutable(o.Program) {
		return o.Program
	}
	name := r.Command[0]
	if strings.ContainsRune(name, filepath.Separator) {
		if !filepath.IsAbs(name) {
			name = filepath.Join(r.Folder, name)
		}
		if isExecutable(name) {
			return name
		}
		return ""
	}
	for _, dir := range filepath.SplitList(r.variable("PATH")) {
		if path := filepath.Join(dir, name); filepath.IsAbs(dir) && isExecutable(path) {
			return path
		}
	}
	if len(o.Command) == 1 && o.Program != "" && !o.Deleted && isExecutable(o.Program) {
		return o.Program
	}
	return ""
}

// isExecutable reports whether path is a file that can be run.
func isExecutable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// Text returns the command with its folder as a line for people: masked, clean, and not
// meant to be pasted.
func (r *Recipe) Text() string {
	return monitor.Clean(monitor.ShellCommand(monitor.MaskCommand(r.Command)), 300)
}

// Variables returns how many variables the environment has.
func (r *Recipe) Variables() int { return len(r.environment) }

// Start starts the process detached from this one, in a session of its own, with its
// output appended to the file log, which it creates for this user only. ended is called
// on another goroutine when the process ends while this one runs.
func (r *Recipe) Start(log string, ended func(error)) (pid int, _ error) {
	if _, err := os.Stat(r.Folder); err != nil {
		return 0, fmt.Errorf("start the command in its folder: %w", err) // Cmd.Start would name the program
	}
	if err := os.MkdirAll(filepath.Dir(log), 0o700); err != nil {
		return 0, fmt.Errorf("create the folder of the log: %w", err)
	}
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, fmt.Errorf("create the log: %w", err)
	}
	defer out.Close()
	_ = markInUse(out) // where files can't be locked, RemoveOldLogs removes none
	c := r.Cmd()
	c.Stdout, c.Stderr = out, out
	launch.Detach(c)
	if err := c.Start(); err != nil {
		return 0, fmt.Errorf("start the command: %w", err)
	}
	go func() { ended(c.Wait()) }() // until it or this process ends
	return c.Process.Pid, nil
}

// Cmd returns the command, not started and without input or output.
func (r *Recipe) Cmd() *exec.Cmd {
	return &exec.Cmd{Path: r.program, Args: r.Command, Dir: r.Folder, Env: r.environment}
}
