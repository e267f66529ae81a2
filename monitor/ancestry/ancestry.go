// Package story tells of one process and its port what people ask: why it
// runs. It is pure: what it needs of the machine is handed in as data, so the
// window, which looks at nothing itself, and the command line tell the same.
package ancestry

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"

	"porthole/monitor"
)

// Role is what a parent is to the process below it.
type Role string

// The roles of parents. A parent without one is just a program.
const (
	System     Role = "system"     // systemd, or another first process
	Cron       Role = "cron"       //
	SSH        Role = "ssh"        // the server side of a login from elsewhere
	Terminal   Role = "terminal"   // the emulator
	Tmux       Role = "tmux"       // tmux or screen: it outlives the terminal
	Shell      Role = "shell"      // that a person types in
	IDE        Role = "ide"        //
	Script     Role = "script"     // npm run dev, make, a shell script
	Supervisor Role = "supervisor" // pm2, supervisord
	Container  Role = "container"  // a container's runtime
)

// Label says the role in English, for people; "" where nothing is known of it.
func (r Role) Label() string {
	switch r {
	case System:
		return "first process"
	case Cron, SSH, Terminal, Shell, Script, Supervisor:
		return string(r)
	case Tmux:
		return "outlives its terminal"
	case IDE:
		return "IDE"
	case Container:
		return "container's runtime"
	}
	return ""
}

// Process is one process of the chain, fit to be shown.
type Process struct {
	PID   int    `json:"pid"`
	Name  string `json:"name"`           // clean, masked: "zsh", "npm run dev"
	Role  Role   `json:"role,omitempty"` // "" where nothing is known of it
	Title string `json:"-"`              // what people call it: "GNOME Terminal"; Name where it has no other
	Ended bool   `json:"ended,omitempty"`

	runsScript bool // a script that a tool runs: npm, make
}

// Explanation is the answer to "why is it running?".
type Explanation struct {
	Chain []Process `json:"chain"` // the oldest first, the process itself last
	// What started it, each nil where there is none: the nearest of its role.
	Script, Shell, Session, Manager *Process `json:"-"`
	// Orphaned says that the shell or the terminal from which it was started
	// has ended, while it runs on.
	Orphaned  bool   `json:"left_behind,omitempty"`
	Unit      string `json:"unit,omitempty"`
	Container string `json:"container,omitempty"` // its name, or the first 12 characters of its id
}

// Explain reads the chain of o's parents, as it was when o was first seen.
// origin tells where the socket was made, as far as that is known, and live which
// of the parents no longer run.
func Explain(o monitor.Owner, origin monitor.CgroupInfo, live monitor.ProcessState) Explanation {
	w := Explanation{Unit: monitor.Clean(origin.Unit, 60), Container: strings.TrimSpace(firstRunes(monitor.Clean(origin.ContainerID, 64), 12))}
	if c := origin.Container; c != nil && !c.Published {
		w.Container = cmp.Or(monitor.Clean(c.Name, 60), w.Container, firstRunes(monitor.Clean(c.ID, 64), 12))
	}
	for _, p := range o.Parents {
		l := newProcess(p)
		l.Ended = live.EndedParents[p.PID]
		w.Chain = append(w.Chain, l)
	}
	w.Orphaned = isOrphaned(w.Chain) || live.SessionLeaderEnded
	slices.Reverse(w.Chain)
	w.Chain = append(w.Chain, Process{PID: o.PID, Name: displayText(o.Name, 40), Title: displayText(o.Name, 40)})
	for i := len(w.Chain) - 2; i >= 0; i-- { // the nearest first
		w.assign(&w.Chain[i])
	}
	return w
}

func (w *Explanation) assign(l *Process) {
	var place **Process
	switch l.Role {
	case Script:
		if w.Shell != nil || w.Session != nil {
			return // it started the shell, not the process
		}
		place = &w.Script
	case Shell:
		place = &w.Shell
	case Terminal, SSH, Tmux, IDE:
		place = &w.Session
	case System, Cron, Supervisor, Container:
		place = &w.Manager
	default:
		return
	}
	if *place == nil || l.runsScript && !(*place).runsScript { // npm run dev says more than the sh -c that it runs
		*place = l
	}
}

// isOrphaned reports whether what held the terminal is gone. nearest is the
// chain, the nearest parent first. Beyond tmux nothing counts: it is meant to
// outlive its terminal. A script that ended tells nothing: it may have done its work.
func isOrphaned(nearest []Process) bool {
	for _, l := range nearest {
		switch l.Role {
		case Tmux:
			return l.Ended
		case Shell, Terminal, SSH:
			if l.Ended {
				return true
			}
		}
	}
	return false
}

// Sentence says it in one English sentence without a full stop.
func (w Explanation) Sentence() string {
	by := ""
	switch {
	case w.Script != nil:
		by = "Started by " + w.Script.Name
	case w.Shell != nil:
		by = "Started in " + w.Shell.Title
	case w.Session != nil:
		by = "Started in " + w.Session.Title
	}
	switch {
	case w.Orphaned && by == "":
		return "The leader of its session has ended: it was left behind by its terminal"
	case w.Orphaned && w.Script == nil:
		return by + ", which has closed: it was left behind"
	case w.Orphaned:
		return by + ", whose terminal has closed: it was left behind"
	case by == "":
		return w.managedSentence()
	}
	if w.Script != nil && w.Shell != nil {
		by += " in " + w.Shell.Title
	}
	if w.Session != nil && (w.Script != nil || w.Shell != nil) {
		by += ", in " + w.Session.Title
	}
	if w.Session == nil && w.Manager != nil && w.Manager.Role != System {
		by += ", under " + w.Manager.Title
	}
	return by
}

// managedSentence is the sentence for what no person started by hand. That systemd is
// the parent does not say that it started it: orphans become its children too.
func (w Explanation) managedSentence() string {
	service := strings.HasSuffix(w.Unit, ".service")
	switch {
	case w.Container != "":
		return "It runs in the container " + w.Container
	case service:
		return "Started by systemd as " + w.Unit
	case w.Manager == nil && len(w.Chain) > 1:
		return "Started by " + w.Chain[len(w.Chain)-2].Name
	case w.Manager == nil:
		return "What started it is not known"
	case w.Manager.Role == System && w.Manager.PID == w.Chain[max(0, len(w.Chain)-2)].PID:
		return "A child of " + w.Manager.Title + ": a service, or what started it has ended"
	case w.Manager.Role == System:
		return "Started by " + w.Chain[len(w.Chain)-2].Name
	}
	return "Started by " + w.Manager.Title
}

// displayText makes a name or command of another process safe to display on one
// line; "?" if nothing is left.
func displayText(s string, limit int) string { return cmp.Or(monitor.CleanMasked(s, limit), "?") }

func firstRunes(s string, n int) string {
	r := []rune(s)
	return string(r[:min(len(r), n)])
}

func newProcess(p monitor.Parent) Process {
	l := Process{PID: p.PID, Name: displayText(p.Name, 40)}
	l.Title = l.Name
	words := programNames(p)
	for _, word := range words[:min(len(words), 2)] {
		if known, ok := knownPrograms[word]; ok {
			l.Role, l.Title = known.role, cmp.Or(known.title, word)
			break
		}
	}
	script := ""
	if l.Role == Shell {
		script = shellScript(p.Command)
	}
	switch {
	case script != "":
		l.Role, l.Name, l.Title = Script, script, script
	case l.Role == System && p.PID != 1 && slices.Contains(p.Command, "--user"):
		l.Title = UserSystemd
	case l.Role == "" && len(p.Command) > 0 && strings.Contains(monitor.Bound(p.Command[0]), "/.vscode-server/"):
		l.Role, l.Title = IDE, "VS Code"
	case l.Role == "" && slices.Contains(p.Command, "com.intellij.idea.Main"):
		l.Role, l.Title = IDE, JetBrainsIDE // of before 2022, a Java program
	case l.Role == "":
		if name := toolScript(p.Command); name != "" {
			l.Role, l.Name, l.Title, l.runsScript = Script, name, name, true
		}
	}
	if l.Role == "" && p.PID == 1 {
		l.Role = System // whatever it is called: orphans become its children
	}
	return l
}

// programNames are the names under which programs knows p: what it calls itself, and
// the file that it was started as.
func programNames(p monitor.Parent) []string {
	words := []string{programName(p.Name)}
	if len(p.Command) > 0 {
		words = append(words, programName(p.Command[0]))
	}
	return words
}

// programName is the name of a program: no folder, no dash of a login shell, no
// title after a colon ("sshd: ann@pts/0", "tmux: server"), no ".exe".
func programName(s string) string {
	s, _, _ = strings.Cut(monitor.Bound(s), ":")
	s, _, _ = strings.Cut(filepath.Base(strings.TrimSpace(s)), " ")
	s = strings.TrimSuffix(s, ".exe")
	return strings.ToLower(strings.TrimPrefix(s, "-"))
}

// isShellCommand reports -c, alone or with others (-lc), after which a command follows.
func isShellCommand(arg string) bool {
	return len(arg) > 1 && len(arg) < 6 && arg[0] == '-' && arg[1] != '-' && strings.HasSuffix(arg, "c")
}

// shellScript is what the command line of a shell has it run: such a shell is
// nobody's terminal. It is "" for one that somebody types into. Terminals of editors
// give theirs a file to read first: bash --init-file shellIntegration-bash.sh.
func shellScript(command []string) string {
	for i := 1; i < len(command); i++ {
		arg := monitor.Bound(command[i])
		switch {
		case isShellCommand(arg) && i+1 < len(command):
			return displayText(command[i+1], 60)
		case slices.Contains(shellFlags.withValue, arg), arg == "--init-command": // fish(1)
			i++
		case strings.EqualFold(arg, "-noexit"): // PowerShell's, which stays after what follows
			return ""
		case arg != "" && !strings.HasPrefix(arg, "-"):
			return displayText(filepath.Base(arg), 60)
		}
	}
	return ""
}

// scriptTools are the tools that run a project's scripts, and how many words after
// them name what is run.
var scriptTools = map[string]int{
	"npm": 2, "npx": 1, "yarn": 2, "yarnpkg": 2, "pnpm": 2, "pnpx": 1, "bun": 2, "bunx": 1, "deno": 2, "make": 1, "gmake": 1, "just": 1,
	"task": 1, "cargo": 2, "go": 2, "air": 0, "nodemon": 1, "turbo": 2, "nx": 2, "lerna": 2, "poetry": 3, "pipenv": 2, "uv": 2, "hatch": 2,
	"tox": 1, "mvn": 1, "gradle": 1, "rake": 1, "bundle": 2, "foreman": 1, "overmind": 1, "honcho": 1, "composer": 2, "mix": 1, "dotnet": 2,
	"watchexec": 1, "concurrently": 1, "bazel": 2,
}

// toolScript names the script that a command runs: "npm run dev" of
// ["node", "/usr/bin/npm", "run", "dev"], and of npm's own title, which is one
// argument; "" where it is none.
func toolScript(command []string) string {
	var words []string
	for _, arg := range monitor.MaskCommand(truncateArgs(command, 8)) {
		words = append(words, strings.Fields(arg)...)
	}
	for i, word := range words[:min(len(words), 2)] {
		tool := strings.TrimSuffix(strings.TrimSuffix(programName(word), ".js"), "-cli")
		more, ok := scriptTools[tool]
		if !ok || i == 1 && !isInterpreter(words[0]) {
			continue
		}
		rest := words[i+1:]
		return monitor.Clean(strings.Join(append([]string{tool}, rest[:min(len(rest), more)]...), " "), 60)
	}
	return ""
}

func isInterpreter(word string) bool {
	word = programName(word)
	return word == "node" || word == "nodejs" || word == "ruby" || strings.HasPrefix(word, "python")
}

func truncateArgs(command []string, n int) []string {
	out := make([]string, min(len(command), n))
	for i := range out {
		out[i] = monitor.Bound(command[i])
	}
	return out
}
