// Package ancestry explains why a process is running: the chain of its parents
// and their roles. It is pure: all it needs of the machine is passed in as data,
// so the window, which does no system calls itself, and the command line give the
// same explanation.
package ancestry

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"

	"porthole/monitor"
	"porthole/monitor/codingagent"
)

// Role is the role of a parent for the processes below it.
type Role string

// The roles of parents. A parent without a role is just a program.
const (
	System     Role = "system"     // systemd or another service manager
	Cron       Role = "cron"       //
	SSH        Role = "ssh"        // the server side of a remote login
	Terminal   Role = "terminal"   // a terminal emulator
	Tmux       Role = "tmux"       // tmux or screen, which outlive the terminal
	Shell      Role = "shell"      // an interactive shell
	IDE        Role = "ide"        //
	Agent      Role = "agent"      // a coding agent
	Script     Role = "script"     // npm run dev, make, a shell script
	Supervisor Role = "supervisor" // pm2, supervisord
	Container  Role = "container"  // a container runtime
)

// Label returns the role in English for display; "" if the role is empty.
func (r Role) Label() string {
	switch r {
	case System:
		return "service manager"
	case Cron, SSH, Terminal, Shell, Script, Supervisor:
		return string(r)
	case Tmux:
		return "terminal multiplexer"
	case IDE:
		return "IDE"
	case Agent:
		return "coding agent"
	case Container:
		return "container runtime"
	}
	return ""
}

// Process is one process of the chain. Its texts are safe to display.
type Process struct {
	PID   int    `json:"pid"`
	Name  string `json:"name"`           // cleaned and masked: "zsh", "npm run dev"
	Role  Role   `json:"role,omitempty"` // "" if unknown
	Title string `json:"-"`              // display name: "GNOME Terminal"; Name if there is no other
	Ended bool   `json:"ended,omitempty"`
	// Session is the name of the session of a terminal multiplexer; "" if unknown.
	Session string `json:"session,omitempty"`

	runsScript bool // a tool that runs a project's script: npm, make
	sameServer bool // the master of the process itself, or of a worker between them
}

// FullTitle returns the title of p with the name of its session: "tmux: web".
func (p Process) FullTitle() string {
	if p.Session == "" {
		return p.Title
	}
	return p.Title + ": " + p.Session
}

// Explanation answers the question "why is it running?".
type Explanation struct {
	Chain []Process `json:"chain"` // oldest first, the process itself last
	// The nearest parent of each kind; nil if there is none. Session is a
	// terminal, SSH login, tmux, IDE or coding agent; Manager is systemd, cron, a supervisor
	// or a container runtime. Agent is a coding agent, also if only the environment of the
	// process names it: then its PID is 0.
	Script, Shell, Session, Manager, Agent *Process `json:"-"`
	// Orphaned is set if the process outlived the shell, terminal or coding agent that
	// started it.
	Orphaned bool `json:"orphaned,omitempty"`
	// TerminalClosed and LoginEnded say why it is orphaned if no ended parent is known: the
	// terminal of its output is gone, or its login has ended, and what started it has ended.
	TerminalClosed bool   `json:"-"`
	LoginEnded     bool   `json:"-"`
	Unit           string `json:"unit,omitempty"`
	Container      string `json:"container,omitempty"`      // name, or the first 12 characters of the ID
	Activates      string `json:"activates,omitempty"`      // the service that systemd starts if Unit is a socket unit
	PerConnection  bool   `json:"per_connection,omitempty"` // systemd starts an instance of Activates for each connection
	Publishes      string `json:"-"`                        // the container whose port the process publishes: "the container web"
}

// Explain explains why o runs. It uses the chain of parents as it was when o was
// first seen, its unit, or else that of the control group that its socket was
// created in, and state, which contains the parents that have ended.
func Explain(o monitor.Owner, cgroup monitor.CgroupInfo, state monitor.ProcessState) Explanation {
	e := Explanation{Unit: monitor.Clean(unitFor(o, cgroup), 60), Container: strings.TrimSpace(firstRunes(monitor.Clean(cgroup.ContainerID, 64), 12))}
	e.Activates, e.PerConnection = monitor.Clean(cgroup.Activates, 80), cgroup.PerConnection
	if c := cgroup.Container; c != nil && c.Published {
		e.Publishes = TheContainer(*c)
	} else if c != nil {
		e.Container = cmp.Or(monitor.Clean(c.Name, 60), e.Container, firstRunes(monitor.Clean(c.ID, 64), 12))
	}
	named, below := false, true // only the same server was seen yet
	for _, p := range o.Parents {
		parent := newProcess(p)
		below = below && parent.Role == "" && sameServer(o, p)
		parent.sameServer = below
		parent.Ended = state.EndedParents[p.PID]
		if parent.Role == Tmux && !named {
			parent.Session, named = o.Session, true // of the nearest multiplexer
		}
		e.Chain = append(e.Chain, parent)
	}
	e.Orphaned = isOrphaned(e.Chain) || state.SessionLeaderEnded || state.ShellEnded && e.InSession()
	slices.Reverse(e.Chain)
	e.Chain = append(e.Chain, Process{PID: o.PID, Name: displayText(o.Name, 40), Title: displayText(o.Name, 40)})
	for i := len(e.Chain) - 2; i >= 0; i-- { // nearest first
		e.assign(&e.Chain[i])
	}
	if starter, ok := unitSupervisor(e, o); ok {
		e.Manager = &starter
	}
	if !e.Orphaned && e.Reparented() && (e.Manager == nil || e.Manager.Role == System) && e.Service() == "" && e.SocketService() == "" && e.Container == "" {
		e.TerminalClosed, e.LoginEnded = state.TerminalClosed, state.LoginEnded
		e.Orphaned = e.TerminalClosed || e.LoginEnded
	}
	if e.Agent == nil && o.Agent != "" && (e.Manager == nil || e.Manager.Role == System) && e.Service() == "" {
		e.Agent = &Process{Name: o.Agent, Title: o.Agent, Role: Agent}
		e.Session = cmp.Or(e.Session, e.Agent)
	}
	return e
}

// supervisorUnits are the units of supervisors, with their programs.
var supervisorUnits = map[string]string{
	"monit.service": "monit", "supervisor.service": "supervisord", "supervisord.service": "supervisord", "circusd.service": "circusd",
}

// unitSupervisor returns the supervisor whose unit o runs in, if systemd is the parent of
// o: systemd started the supervisor, which started o and is not its parent (monit), or o
// outlived the shell that the supervisor started. Its PID is not known.
func unitSupervisor(e Explanation, o monitor.Owner) (Process, bool) {
	program, ok := supervisorUnits[e.Unit]
	isOwn := slices.Contains(programNames(monitor.Parent{Name: o.Name, Command: o.Command}), program)
	if !ok || isOwn || e.Manager == nil || e.Manager.Role != System {
		return Process{}, false
	}
	known := knownPrograms[program]
	return Process{Name: program, Title: cmp.Or(known.title, program), Role: Supervisor}, true
}

// unitFor returns the unit of o. For systemd that is the socket unit for which it
// listens, not its own.
func unitFor(o monitor.Owner, cgroup monitor.CgroupInfo) string {
	if strings.HasSuffix(cgroup.Unit, ".socket") && o.ProgramName() == "systemd" {
		return cgroup.Unit
	}
	return cmp.Or(o.Unit, cgroup.Unit)
}

// TheContainer names a container within a sentence: "the container web", or "a container"
// if nothing is known about it.
func TheContainer(c monitor.Container) string {
	text := monitor.Clean(c.Description(), 200)
	if text == SomeContainer {
		return text
	}
	return "the " + text
}

// isSessionScope reports whether unit is the scope of a login, a terminal's tab or a
// pane of tmux: what runs in it was started from there.
func isSessionScope(unit string) bool {
	return strings.HasSuffix(unit, ".scope") &&
		(strings.HasPrefix(unit, "session-") || strings.HasPrefix(unit, "vte-spawn-") || strings.HasPrefix(unit, "tmux-spawn-"))
}

// InSession reports whether the process was started from a login or a terminal, which
// Unit names.
func (e Explanation) InSession() bool { return isSessionScope(e.Unit) }

// assign stores p as the nearest parent of its kind, unless there is a nearer one. What
// is above a supervisor or a container runtime started that, not the process.
func (e *Explanation) assign(p *Process) {
	var nearest **Process
	if e.Manager != nil && (e.Manager.Role == Supervisor || e.Manager.Role == Container) {
		return
	}
	switch p.Role {
	case Script:
		if e.Shell != nil || e.Session != nil {
			return // the script started the shell, not the process
		}
		nearest = &e.Script
	case Shell:
		nearest = &e.Shell
	case Agent:
		if e.Agent == nil {
			e.Agent = p
		}
		nearest = &e.Session
	case Terminal, SSH, Tmux, IDE:
		nearest = &e.Session
	case System, Cron, Supervisor, Container:
		nearest = &e.Manager
	default:
		return
	}
	if *nearest == nil || p.runsScript && !(*nearest).runsScript { // "npm run dev" is more informative than the "sh -c" below it
		*nearest = p
	}
}

// isOrphaned reports whether the terminal session of a process has ended.
// nearest is the chain, nearest parent first. Parents above tmux do not count,
// because tmux is meant to outlive its terminal. A script that ended does not
// count either: it may have finished its work.
func isOrphaned(nearest []Process) bool {
	for _, p := range nearest {
		switch p.Role {
		case Tmux:
			return p.Ended
		case Supervisor:
			return false // it was made to outlive what started it
		case Shell, Terminal, SSH, Agent:
			if p.Ended {
				return true
			}
		}
	}
	return false
}

// SocketService returns the service that systemd starts for the socket unit Unit; ""
// if Unit is no socket unit. If Activates is unknown, it is the default of
// systemd.socket(5).
func (e Explanation) SocketService() string {
	name, ok := strings.CutSuffix(e.Unit, ".socket")
	if !ok {
		return ""
	}
	return cmp.Or(e.Activates, name+".service")
}

// Service returns the systemd service in which the process runs; "" if there is none.
// It is also "" for a user's instance of systemd (user@1000.service), which contains
// all processes of the user, and if something nearer than systemd, such as a supervisor
// or cron, has started the process.
func (e Explanation) Service() string {
	if !strings.HasSuffix(e.Unit, ".service") || strings.HasPrefix(e.Unit, "user@") || e.Manager != nil && e.Manager.Role != System {
		return ""
	}
	return e.Unit
}

// Starter returns the nearest parent that is not part of the same server, and false if
// none is known: that a master forked its worker is no reason why both run.
func (e Explanation) Starter() (Process, bool) {
	for i := len(e.Chain) - 2; i >= 0; i-- {
		if p := e.Chain[i]; !p.sameServer {
			return p, true
		}
	}
	return Process{}, false
}

// Reparented reports whether what started the server has ended: between the process and
// the first process, or systemd of the user, are only scripts and the server's own
// processes. A service that systemd starts looks the same; see Service.
func (e Explanation) Reparented() bool {
	for i := len(e.Chain) - 2; i >= 0; i-- { // nearest first
		switch p := e.Chain[i]; {
		case p.Role == System:
			return true
		case !p.sameServer && p.Role != Script:
			return false
		}
	}
	return false
}

// StartedBy returns the title of what started the process for people: a coding agent, an
// IDE, a terminal, an SSH login, a supervisor, a unit or a shell, the most telling first;
// "" if none is known.
func (e Explanation) StartedBy() string {
	for _, p := range []*Process{e.Agent, e.Session} {
		if p != nil {
			return p.FullTitle()
		}
	}
	switch {
	case e.Container != "" || e.Publishes != "":
		return SomeContainer
	case e.Manager != nil && e.Manager.Role != System:
		return e.Manager.Title
	case e.SocketService() != "":
		return e.Unit
	case e.Service() != "":
		return e.Service()
	case e.Shell != nil:
		return e.Shell.Title
	case e.Script != nil:
		return e.Script.Name
	}
	return ""
}

// sameServer reports whether p is the master of the server that o belongs to.
func sameServer(o monitor.Owner, p monitor.Parent) bool {
	own := programNames(monitor.Parent{Name: o.Name, Command: o.Command})
	if o.Program != "" {
		own = append(own, monitor.ProgramFile(o.Program))
	}
	for _, name := range programNames(p) {
		if slices.Contains(own, name) || slices.ContainsFunc(own, func(s string) bool { return slices.Contains(serverHelpers[name], s) }) {
			return true
		}
	}
	return false
}

// displayText makes a name or command of another process safe to display on one
// line; "?" if nothing is left.
func displayText(s string, limit int) string { return cmp.Or(monitor.CleanMasked(s, limit), "?") }

// firstRunes returns at most n runes of s.
func firstRunes(s string, n int) string {
	r := []rune(s)
	return string(r[:min(len(r), n)])
}

// newProcess returns the chain element for a parent, with its role and title.
func newProcess(p monitor.Parent) Process {
	process := Process{PID: p.PID, Name: displayText(p.Name, 40)}
	process.Title = process.Name
	if title := codingagent.Title(p.Name, p.Command); title != "" {
		process.Role, process.Title = Agent, title
		return process
	}
	names := programNames(p)
	for i, name := range names {
		known, ok := knownPrograms[name]
		if ok && i == 2 && known.role != Supervisor {
			continue // an argument of an interpreter: only supervisors are scripts
		}
		if ok && known.role == SSH && isSSHDaemon(p) {
			break
		}
		if ok {
			process.Role, process.Title = known.role, cmp.Or(known.title, name)
			break
		}
	}
	script := ""
	if process.Role == Shell {
		script = shellScript(p.Command)
	}
	switch {
	case script != "":
		process.Role, process.Name, process.Title = Script, script, script
	case process.Role == System && p.PID != 1 && slices.Contains(p.Command, "--user"):
		process.Title = UserSystemd
	case process.Role == "" && len(p.Command) > 0 && strings.Contains(monitor.Bound(p.Command[0]), "/.vscode-server/"):
		process.Role, process.Title = IDE, "VS Code"
	case process.Role == "" && slices.Contains(p.Command, "com.intellij.idea.Main"):
		process.Role, process.Title = IDE, JetBrainsIDE // before 2022 it was a plain Java program
	case process.Role == "":
		if name := toolScript(p.Command); name != "" {
			process.Role, process.Name, process.Title, process.runsScript = Script, name, name, true
		}
	}
	if process.Role == "" && p.PID == 1 {
		process.Role = System // regardless of its name: orphans are reparented to it
	}
	return process
}

// isSSHDaemon reports whether p is sshd itself, as opposed to its process for one
// login. Both have the same name; without a command line nothing is known.
func isSSHDaemon(p monitor.Parent) bool {
	return len(p.Command) > 0 && monitor.ProgramFile(p.Command[0]) == "sshd" && !monitor.IsSSHSession(p.Command[0])
}

// programNames returns the names by which knownPrograms may know p: its process
// name, the file that it was started as, and the script that an interpreter runs.
func programNames(p monitor.Parent) []string {
	words := []string{monitor.ProgramFile(p.Name)}
	if len(p.Command) > 0 {
		words = append(words, monitor.ProgramFile(p.Command[0]))
	}
	if len(p.Command) > 1 && monitor.IsInterpreter(monitor.Bound(p.Command[0])) {
		words = append(words, monitor.ProgramFile(p.Command[1])) // python3 /usr/bin/supervisord
	}
	return words
}

// isShellCommand reports whether arg is -c, alone or combined with other flags
// (-lc): a command follows.
func isShellCommand(arg string) bool {
	return len(arg) > 1 && len(arg) < 6 && arg[0] == '-' && arg[1] != '-' && strings.HasSuffix(arg, "c")
}

// shellScript returns what the command line of a shell runs; "" for an
// interactive shell. Terminals of editors make their shell read a file first
// (bash --init-file shellIntegration-bash.sh), which does not count.
func shellScript(command []string) string {
	for i := 1; i < len(command); i++ {
		arg := monitor.Bound(command[i])
		switch {
		case isShellCommand(arg) && i+1 < len(command):
			return displayText(command[i+1], 60)
		case slices.Contains(shellFlags.withValue, arg), arg == "--init-command": // fish(1)
			i++
		case strings.EqualFold(arg, "-noexit"): // PowerShell stays interactive afterwards
			return ""
		case arg != "" && !strings.HasPrefix(arg, "-"):
			return displayText(filepath.Base(arg), 60)
		}
	}
	return ""
}

// scriptTools maps tools that run a project's scripts to the number of words
// after them that name the script.
var scriptTools = map[string]int{
	"npm": 2, "npx": 1, "yarn": 2, "yarnpkg": 2, "pnpm": 2, "pnpx": 1, "bun": 2, "bunx": 1, "deno": 2, "make": 1, "gmake": 1, "just": 1,
	"task": 1, "cargo": 2, "go": 2, "air": 0, "nodemon": 1, "turbo": 2, "nx": 2, "lerna": 2, "poetry": 3, "pipenv": 2, "uv": 2, "hatch": 2,
	"tox": 1, "mvn": 1, "gradle": 1, "rake": 1, "bundle": 2, "foreman": 1, "overmind": 1, "honcho": 1, "composer": 2, "mix": 1, "dotnet": 2,
	"watchexec": 1, "concurrently": 1, "bazel": 2,
}

// toolScript names the script that a command runs: "npm run dev" for
// ["node", "/usr/bin/npm", "run", "dev"], and for npm's process title, which is
// one argument; "" if it runs none.
func toolScript(command []string) string {
	args := truncateArgs(command, 8)
	var first []string // masking is slow, and only tools need it
	for _, arg := range args[:min(len(args), 2)] {
		first = append(first, strings.Fields(arg)...)
	}
	if !slices.ContainsFunc(first[:min(len(first), 2)], func(word string) bool { return toolOf(word) != "" }) {
		return ""
	}
	var words []string
	for _, arg := range monitor.MaskCommand(args) {
		words = append(words, strings.Fields(arg)...)
	}
	for i, word := range words[:min(len(words), 2)] {
		tool := toolOf(word)
		if tool == "" || i == 1 && !monitor.IsInterpreter(words[0]) {
			continue
		}
		rest := words[i+1:]
		if strings.HasSuffix(word, ":") { // a title: "foreman: master"
			rest = nil
		}
		return monitor.Clean(strings.Join(append([]string{tool}, rest[:min(len(rest), scriptTools[tool])]...), " "), 60)
	}
	return ""
}

// toolOf returns the tool of scriptTools that word names, "" if it names none.
func toolOf(word string) string {
	tool := strings.TrimSuffix(strings.TrimSuffix(monitor.ProgramFile(word), ".js"), "-cli")
	if _, ok := scriptTools[tool]; !ok {
		return ""
	}
	return tool
}

// truncateArgs returns at most n arguments, each bounded.
func truncateArgs(command []string, n int) []string {
	out := make([]string, min(len(command), n))
	for i := range out {
		out[i] = monitor.Bound(command[i])
	}
	return out
}
