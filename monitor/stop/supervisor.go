package stop

import (
	"cmp"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"porthole/monitor"
	"porthole/monitor/ancestry"
	"porthole/monitor/process"
)

// supervisorOf returns the supervisor among the parents of o, nearest first: a
// process that starts its children again when they end, or ends others with them. The
// search ends at a shell or a terminal, because a person started o in it.
func supervisorOf(o monitor.Owner) (Manager, bool) {
	child := o.PID // of p
	for _, p := range o.Parents {
		switch program := supervisorProgram(p); {
		case program == "pm2":
			return pm2Manager(o, p), true
		case program == "supervisord":
			return supervisordManager(child, p), true
		case folderCommands[program] != nil:
			return folderManager(program, p), true
		case program == "circusd", program == "monit", program == "god":
			return Manager{Kind: Supervisor, ID: processID(program, p.PID)}, true
		case slices.Contains(groupPrograms, program):
			return processManager(Group, program, p, WontRestart), true
		case program != "":
			return processManager(Watcher, program, p, MayRestart), true
		}
		why := ancestry.Explain(monitor.Owner{Parents: []monitor.Parent{p}}, monitor.CgroupInfo{}, monitor.ProcessState{})
		if why.Shell != nil || why.Session != nil {
			break
		}
		child = p.PID
	}
	return Manager{}, false
}

// pm2Manager returns pm2, which gives its number and name of o to o in the environment.
func pm2Manager(o monitor.Owner, p monitor.Parent) Manager {
	set := process.Variables(o.PID, "name", "pm_id")
	id := cmp.Or(set["name"], set["pm_id"])
	if id == "" {
		return Manager{Kind: Supervisor, ID: processID("pm2", p.PID), Restarts: WillRestart}
	}
	m := newManager(Supervisor, "pm2 as "+id, "pm2", "stop", cmp.Or(set["pm_id"], id))
	m.Restarts = WillRestart
	return m
}

// supervisordManager returns supervisord, which gives the name of a program to its child
// in the environment (supervisord.org/subprocess.html). The command reads the
// configuration file that supervisord was started with, which may have a password.
func supervisordManager(child int, p monitor.Parent) Manager {
	set := process.Variables(child, "SUPERVISOR_PROCESS_NAME", "SUPERVISOR_GROUP_NAME", "SUPERVISOR_SERVER_URL")
	name := set["SUPERVISOR_PROCESS_NAME"]
	if name == "" {
		return Manager{Kind: Supervisor, ID: processID("supervisord", p.PID)}
	}
	if group := set["SUPERVISOR_GROUP_NAME"]; group != "" && group != name {
		name = group + ":" + name
	}
	args := []string{"supervisorctl"}
	if file := supervisordConfig(p); file != "" {
		args = append(args, "-c", file)
	}
	if url := set["SUPERVISOR_SERVER_URL"]; url != "" {
		args = append(args, "-s", url)
	}
	return newManager(Supervisor, "supervisord as "+name, append(args, "stop", name)...)
}

// supervisordConfig returns the absolute path of the configuration file in the command
// line of supervisord; "" if there is none or if it cannot be read.
func supervisordConfig(p monitor.Parent) string {
	file := ""
	for i, arg := range p.Command {
		if value, ok := strings.CutPrefix(arg, "--configuration="); ok {
			file = value
		} else if (arg == "-c" || arg == "--configuration") && i+1 < len(p.Command) {
			file = p.Command[i+1]
		}
	}
	if file == "" {
		return ""
	}
	if !filepath.IsAbs(file) {
		folder, err := os.Readlink("/proc/" + strconv.Itoa(p.PID) + "/cwd")
		if err != nil {
			return ""
		}
		file = filepath.Join(folder, file)
	}
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	_ = f.Close() // nothing was written to it
	return file
}

// folderCommands maps supervisors of one service, which run in the folder of that
// service, to the command that stops it: sv(8), s6-svc, svc(8).
var folderCommands = map[string][]string{"runsv": {"sv", "stop"}, "s6-supervise": {"s6-svc", "-d"}, "supervise": {"svc", "-d"}}

func folderManager(program string, p monitor.Parent) Manager {
	folder, err := os.Readlink("/proc/" + strconv.Itoa(p.PID) + "/cwd")
	if err != nil {
		return Manager{Kind: Supervisor, ID: processID(program, p.PID), Restarts: WillRestart}
	}
	m := newManager(Supervisor, program+" as "+filepath.Base(folder), append(slices.Clone(folderCommands[program]), folder)...)
	m.Restarts = WillRestart
	return m
}

// processManager returns a manager that is stopped by a signal.
func processManager(kind ManagerKind, name string, p monitor.Parent, restarts Restarts) Manager {
	return Manager{
		Kind: kind, ID: processID(name, p.PID), Command: shellCommand("kill", strconv.Itoa(p.PID)), Restarts: restarts,
		Process: monitor.Owner{PID: p.PID, Start: p.Start, Name: p.Name, Command: p.Command},
	}
}

// Programs that supervise others, besides those in folderCommands.
var (
	supervisorPrograms = []string{"supervisord", "circusd", "monit", "god"}
	// groupPrograms run the processes of a Procfile, and stop all when one exits.
	groupPrograms = []string{"foreman", "honcho", "goreman", "hivemind"}
	// watcherPrograms start a program again when a file changes.
	watcherPrograms = []string{"nodemon", "watchexec", "entr", "air", "cargo-watch", "reflex", "ts-node-dev", "watchmedo"}
)

// supervisorProgram returns which of the known supervisors p is; "" for other programs.
func supervisorProgram(p monitor.Parent) string {
	name, _, _ := strings.Cut(p.Name, ":") // "foreman: master"
	words := []string{name}
	for _, arg := range p.Command[:min(len(p.Command), 2)] { // python3 /usr/bin/supervisord
		words = append(words, strings.TrimSuffix(filepath.Base(monitor.Bound(arg)), ".js"))
	}
	title := ""
	if len(p.Command) > 0 {
		title = monitor.Bound(p.Command[0])
	}
	if pm2Title.MatchString(title) {
		return "pm2"
	}
	for _, known := range slices.Concat(slices.Collect(maps.Keys(folderCommands)), supervisorPrograms, groupPrograms, watcherPrograms) {
		if slices.Contains(words, known) {
			return known
		}
	}
	if filepath.Base(title) == "node" && len(p.Command) > 1 && strings.HasPrefix(p.Command[1], "--watch") {
		return "node --watch"
	}
	return ""
}

// pm2Title finds pm2's process title, "PM2 v5.4.2: God Daemon (/home/dana/.pm2)". The
// system cuts a title to the length of the command line that it replaces.
var pm2Title = regexp.MustCompile(`^PM2 v\d+\.\d+\.\d+:`)

// loopKeyword finds a loop of a shell: while, until or for, where a command begins.
var loopKeyword = regexp.MustCompile(`(^|[\n;&|({]|\bdo\b|\bthen\b)\s*(while|until|for)\s`)

// maxScript is how much of a script is read.
const maxScript = 64 << 10

// loopOf returns the script that started o, if it has a loop: it may start o again.
// A loop that was typed into an interactive shell cannot be seen.
func loopOf(o monitor.Owner) (Manager, bool) {
	if len(o.Parents) == 0 || o.Parents[0].PID != o.ParentPID {
		return Manager{}, false
	}
	parent := o.Parents[0]
	chain := ancestry.Explain(o, monitor.CgroupInfo{}, monitor.ProcessState{}).Chain
	starter := chain[len(chain)-2] // there is a parent
	if starter.Role != ancestry.Script || !process.IsAlive(parent.PID, parent.Start) {
		return Manager{}, false
	}
	name := starter.Name
	text := ""
	if i := slices.Index(parent.Command, "-c"); i > 0 && i+1 < len(parent.Command) {
		text, name = parent.Command[i+1], filepath.Base(parent.Command[0])
	} else if file := ancestry.ScriptFile(parent.Command); file != "" {
		text = readScript(parent.PID, file)
	}
	if !loopKeyword.MatchString(text) {
		return Manager{}, false
	}
	m := processManager(Loop, name, parent, MayRestart)
	if endless.MatchString(text) {
		m.Restarts = WillRestart
	}
	return m, true
}

// endless finds the usual loops without an end.
var endless = regexp.MustCompile(`\bwhile\s+(:|true|\[\s*1\s*\]|\(\(\s*1\s*\)\))\s*(;|\n)`)

// readScript returns the beginning of a script that the process pid runs; "" if it
// cannot be read, or if it is not a regular file.
func readScript(pid int, file string) string {
	if !filepath.IsAbs(file) {
		folder, err := os.Readlink("/proc/" + strconv.Itoa(pid) + "/cwd")
		if err != nil {
			return ""
		}
		file = filepath.Join(folder, file)
	}
	f, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe must not block
	if err != nil {
		return ""
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	text, _ := io.ReadAll(io.LimitReader(f, maxScript)) // what was read may have the loop
	return string(text)
}

// Starter returns the process that started o, by PID and name, unless that is the
// first process. The name of a script is that of its file, that of a shell which runs the
// text after -c is its program.
func Starter(o monitor.Owner) (monitor.Owner, bool) {
	chain := ancestry.Explain(o, monitor.CgroupInfo{}, monitor.ProcessState{}).Chain
	if len(chain) < 2 || chain[len(chain)-2].PID <= 1 {
		return monitor.Owner{}, false
	}
	p := chain[len(chain)-2]
	if command := o.Parents[0].Command; p.Role == ancestry.Script && runsText(command, p.Title) {
		return monitor.Owner{PID: p.PID, Name: filepath.Base(monitor.Bound(command[0]))}, true
	}
	return monitor.Owner{PID: p.PID, Name: p.Title}, true
}

// runsText reports whether command is a shell with the text that is shown as title after
// -c, alone or combined with other flags (-lc).
func runsText(command []string, title string) bool {
	for i := 1; i+1 < len(command); i++ {
		flag := monitor.Bound(command[i])
		if strings.HasPrefix(flag, "-") && strings.HasSuffix(flag, "c") && monitor.CleanMasked(command[i+1], 60) == title {
			return true
		}
	}
	return false
}
