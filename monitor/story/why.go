// Package story tells of one process and its port what people ask: why it
// runs. It is pure: what it needs of the machine is handed in as data, so the
// window, which looks at nothing itself, and the command line tell the same.
package story

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

// Words says the role in English, for people; "" where nothing is known of it.
func (r Role) Words() string {
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

// Link is one process of the chain, fit to be shown.
type Link struct {
	PID   int    `json:"pid"`
	Name  string `json:"name"`           // clean, masked: "zsh", "npm run dev"
	Role  Role   `json:"role,omitempty"` // "" where nothing is known of it
	Title string `json:"-"`              // what people call it: "GNOME Terminal"; Name where it has no other
	Ended bool   `json:"ended,omitempty"`

	tool bool // a script that a tool runs: npm, make
}

// Why is the answer to "why is it running?".
type Why struct {
	Chain []Link `json:"chain"` // the oldest first, the process itself last
	// What started it, each nil where there is none: the nearest of its role.
	Script, Shell, Home, Manager *Link `json:"-"`
	// LeftBehind says that the shell or the terminal from which it was started
	// has ended, while it runs on.
	LeftBehind bool   `json:"left_behind,omitempty"`
	Unit       string `json:"unit,omitempty"`
	Container  string `json:"container,omitempty"` // its name, or the first 12 characters of its id
}

// WhyRuns reads the chain of o's parents, as it was when o was first seen.
// origin tells where the socket was made, as far as that is known, and live which
// of the parents no longer run.
func WhyRuns(o monitor.Owner, origin monitor.Origin, live Live) Why {
	w := Why{Unit: monitor.Clean(origin.Unit, 60), Container: strings.TrimSpace(firstRunes(monitor.Clean(origin.Container, 64), 12))}
	if c := origin.Behind; c != nil && !c.Published {
		w.Container = cmp.Or(monitor.Clean(c.Name, 60), w.Container, firstRunes(monitor.Clean(c.ID, 64), 12))
	}
	for _, p := range o.Parents {
		l := linkOf(p)
		l.Ended = live.Ended[p.PID]
		w.Chain = append(w.Chain, l)
	}
	w.LeftBehind = leftBehind(w.Chain) || live.LeaderEnded
	slices.Reverse(w.Chain)
	w.Chain = append(w.Chain, Link{PID: o.PID, Name: shown(o.Name, 40), Title: shown(o.Name, 40)})
	for i := len(w.Chain) - 2; i >= 0; i-- { // the nearest first
		w.take(&w.Chain[i])
	}
	return w
}

func (w *Why) take(l *Link) {
	var place **Link
	switch l.Role {
	case Script:
		if w.Shell != nil || w.Home != nil {
			return // it started the shell, not the process
		}
		place = &w.Script
	case Shell:
		place = &w.Shell
	case Terminal, SSH, Tmux, IDE:
		place = &w.Home
	case System, Cron, Supervisor, Container:
		place = &w.Manager
	default:
		return
	}
	if *place == nil || l.tool && !(*place).tool { // npm run dev says more than the sh -c that it runs
		*place = l
	}
}

// leftBehind reports whether what held the terminal is gone. nearest is the
// chain, the nearest parent first. Beyond tmux nothing counts: it is meant to
// outlive its terminal. A script that ended tells nothing: it may have done its work.
func leftBehind(nearest []Link) bool {
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
func (w Why) Sentence() string {
	by := ""
	switch {
	case w.Script != nil:
		by = "Started by " + w.Script.Name
	case w.Shell != nil:
		by = "Started in " + w.Shell.Title
	case w.Home != nil:
		by = "Started in " + w.Home.Title
	}
	switch {
	case w.LeftBehind && by == "":
		return "The leader of its session has ended: it was left behind by its terminal"
	case w.LeftBehind && w.Script == nil:
		return by + ", which has closed: it was left behind"
	case w.LeftBehind:
		return by + ", whose terminal has closed: it was left behind"
	case by == "":
		return w.managed()
	}
	if w.Script != nil && w.Shell != nil {
		by += " in " + w.Shell.Title
	}
	if w.Home != nil && (w.Script != nil || w.Shell != nil) {
		by += ", in " + w.Home.Title
	}
	if w.Home == nil && w.Manager != nil && w.Manager.Role != System {
		by += ", under " + w.Manager.Title
	}
	return by
}

// managed is the sentence for what no person started by hand. That systemd is
// the parent does not say that it started it: orphans become its children too.
func (w Why) managed() string {
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

// shown makes a name or a command that a process chose fit for one line.
func shown(s string, limit int) string {
	if s = monitor.Clean(monitor.MaskText(clip(s)), limit); s == "" {
		return "?"
	}
	return s
}

// clip bounds what is looked at of a text: it may have two megabytes.
func clip(s string) string { return s[:min(len(s), 1<<10)] }

func firstRunes(s string, n int) string {
	r := []rune(s)
	return string(r[:min(len(r), n)])
}

func linkOf(p monitor.Parent) Link {
	l := Link{PID: p.PID, Name: shown(p.Name, 40)}
	l.Title = l.Name
	words := wordsOf(p)
	for _, word := range words[:min(len(words), 2)] {
		if known, ok := programs[word]; ok {
			l.Role, l.Title = known.role, cmp.Or(known.title, word)
			break
		}
	}
	script := ""
	if l.Role == Shell {
		script = shellRuns(p.Command)
	}
	switch {
	case script != "":
		l.Role, l.Name, l.Title = Script, script, script
	case l.Role == System && p.PID != 1 && slices.Contains(p.Command, "--user"):
		l.Title = UserSystemd
	case l.Role == "" && len(p.Command) > 0 && strings.Contains(clip(p.Command[0]), "/.vscode-server/"):
		l.Role, l.Title = IDE, "VS Code"
	case l.Role == "" && slices.Contains(p.Command, "com.intellij.idea.Main"):
		l.Role, l.Title = IDE, JetBrainsIDE // of before 2022, a Java program
	case l.Role == "":
		if name := runner(p.Command); name != "" {
			l.Role, l.Name, l.Title, l.tool = Script, name, name, true
		}
	}
	if l.Role == "" && p.PID == 1 {
		l.Role = System // whatever it is called: orphans become its children
	}
	return l
}

// wordsOf are the names under which programs knows p: what it calls itself, and
// the file that it was started as.
func wordsOf(p monitor.Parent) []string {
	words := []string{programWord(p.Name)}
	if len(p.Command) > 0 {
		words = append(words, programWord(p.Command[0]))
	}
	return words
}

// programWord is the name of a program: no folder, no dash of a login shell, no
// title after a colon ("sshd: ann@pts/0", "tmux: server"), no ".exe".
func programWord(s string) string {
	s, _, _ = strings.Cut(clip(s), ":")
	s, _, _ = strings.Cut(filepath.Base(strings.TrimSpace(s)), " ")
	s = strings.TrimSuffix(s, ".exe")
	return strings.ToLower(strings.TrimPrefix(s, "-"))
}

// isShellCommand reports -c, alone or with others (-lc), after which a command follows.
func isShellCommand(arg string) bool {
	return len(arg) > 1 && len(arg) < 6 && arg[0] == '-' && arg[1] != '-' && strings.HasSuffix(arg, "c")
}

// shellRuns is what the command line of a shell has it run: such a shell is
// nobody's terminal. It is "" for one that somebody types into. Terminals of editors
// give theirs a file to read first: bash --init-file shellIntegration-bash.sh.
func shellRuns(command []string) string {
	for i := 1; i < len(command); i++ {
		arg := clip(command[i])
		switch {
		case isShellCommand(arg) && i+1 < len(command):
			return shown(command[i+1], 60)
		case slices.Contains(shellFlags.value, arg), arg == "--init-command": // fish(1)
			i++
		case strings.EqualFold(arg, "-noexit"): // PowerShell's, which stays after what follows
			return ""
		case arg != "" && !strings.HasPrefix(arg, "-"):
			return shown(filepath.Base(arg), 60)
		}
	}
	return ""
}

// runners are the tools that run a project's scripts, and how many words after
// them name what is run.
var runners = map[string]int{
	"npm": 2, "npx": 1, "yarn": 2, "yarnpkg": 2, "pnpm": 2, "pnpx": 1, "bun": 2, "bunx": 1, "deno": 2, "make": 1, "gmake": 1, "just": 1,
	"task": 1, "cargo": 2, "go": 2, "air": 0, "nodemon": 1, "turbo": 2, "nx": 2, "lerna": 2, "poetry": 3, "pipenv": 2, "uv": 2, "hatch": 2,
	"tox": 1, "mvn": 1, "gradle": 1, "rake": 1, "bundle": 2, "foreman": 1, "overmind": 1, "honcho": 1, "composer": 2, "mix": 1, "dotnet": 2,
	"watchexec": 1, "concurrently": 1, "bazel": 2,
}

// runner names the script that a command runs: "npm run dev" of
// ["node", "/usr/bin/npm", "run", "dev"], and of npm's own title, which is one
// argument; "" where it is none.
func runner(command []string) string {
	var words []string
	for _, arg := range monitor.MaskCommand(clipped(command, 8)) {
		words = append(words, strings.Fields(arg)...)
	}
	for i, word := range words[:min(len(words), 2)] {
		tool := strings.TrimSuffix(strings.TrimSuffix(programWord(word), ".js"), "-cli")
		more, ok := runners[tool]
		if !ok || i == 1 && !interpreter(words[0]) {
			continue
		}
		rest := words[i+1:]
		return monitor.Clean(strings.Join(append([]string{tool}, rest[:min(len(rest), more)]...), " "), 60)
	}
	return ""
}

func interpreter(word string) bool {
	word = programWord(word)
	return word == "node" || word == "nodejs" || word == "ruby" || strings.HasPrefix(word, "python")
}

func clipped(command []string, n int) []string {
	out := make([]string, min(len(command), n))
	for i := range out {
		out[i] = clip(command[i])
	}
	return out
}
