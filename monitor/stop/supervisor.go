package stop

import (
	"cmp"
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"porthole/monitor"
	"porthole/monitor/ancestry"
	"porthole/monitor/container"
	"porthole/monitor/process"
)

// containerPolicy returns whether the engine of c starts it again when its process
// ends.
func containerPolicy(ctx context.Context, c monitor.Container) (Restarts, string) {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	switch policy := container.RestartPolicy(ctx, c); policy {
	case "":
		return MayRestart, ""
	case "no", "on-failure":
		return WontRestart, "restart policy " + policy
	default: // always, unless-stopped
		return WillRestart, "restart policy " + monitor.Clean(policy, 40)
	}
}

// supervisorOf returns the supervisor among the parents of o, nearest first: a
// process that starts its children again when they end. Its command names o's
// service if the environment of o or the supervisor's folder contains the name. The
// search ends at a shell or a terminal, because a person started o in it.
func supervisorOf(o monitor.Owner) (Manager, bool) {
	for i, p := range o.Parents {
		child := o.PID
		if i > 0 {
			child = o.Parents[i-1].PID
		}
		switch program := supervisorProgram(p); program {
		case "pm2":
			set := process.Variables(o.PID, "name", "pm_id")
			m := Manager{Kind: Supervisor, ID: processID("pm2", p.PID), Restarts: WillRestart}
			if id := cmp.Or(set["name"], set["pm_id"]); id != "" {
				m = newManager(Supervisor, "pm2 as "+id, "pm2", "stop", cmp.Or(set["pm_id"], id))
				m.Restarts = WillRestart
			}
			return m, true
		case "supervisord":
			set := process.Variables(child, "SUPERVISOR_PROCESS_NAME", "SUPERVISOR_GROUP_NAME", "SUPERVISOR_SERVER_URL")
			m := Manager{Kind: Supervisor, ID: processID("supervisord", p.PID)}
			if name := set["SUPERVISOR_PROCESS_NAME"]; name != "" {
				if group := set["SUPERVISOR_GROUP_NAME"]; group != "" && group != name {
					name = group + ":" + name
				}
				args := []string{"supervisorctl"}
				if url := set["SUPERVISOR_SERVER_URL"]; url != "" {
					args = append(args, "-s", url)
				}
				m = newManager(Supervisor, "supervisord as "+name, append(args, "stop", name)...)
			}
			return m, true
		case "runsv", "s6-supervise", "supervise":
			folder, err := os.Readlink("/proc/" + strconv.Itoa(p.PID) + "/cwd")
			m := Manager{Kind: Supervisor, ID: processID(program, p.PID), Restarts: WillRestart}
			if err == nil {
				command := map[string][]string{"runsv": {"sv", "stop"}, "s6-supervise": {"s6-svc", "-d"}, "supervise": {"svc", "-d"}}[program]
				m = newManager(Supervisor, program+" as "+filepath.Base(folder), append(command, folder)...)
				m.Restarts = WillRestart
			}
			return m, true
		case "circusd", "monit", "god":
			return Manager{Kind: Supervisor, ID: processID(program, p.PID)}, true
		}
		why := ancestry.Explain(monitor.Owner{Parents: []monitor.Parent{p}}, monitor.CgroupInfo{}, monitor.ProcessState{})
		if why.Shell != nil || why.Session != nil {
			break
		}
	}
	return Manager{}, false
}

// supervisorProgram returns which of the known supervisors p is; "" for other programs.
func supervisorProgram(p monitor.Parent) string {
	words := []string{p.Name}
	for _, arg := range p.Command[:min(len(p.Command), 2)] { // python3 /usr/bin/supervisord
		words = append(words, filepath.Base(monitor.Bound(arg)))
	}
	title := ""
	if len(p.Command) > 0 {
		title = monitor.Bound(p.Command[0])
	}
	if strings.HasPrefix(title, "PM2 ") && strings.Contains(title, "God Daemon") { // pm2's process title
		return "pm2"
	}
	for _, known := range []string{"supervisord", "runsv", "s6-supervise", "supervise", "circusd", "monit", "god"} {
		if slices.Contains(words, known) {
			return known
		}
	}
	return ""
}

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
	m := Manager{Kind: Loop, ID: processID(name, parent.PID), Command: shellCommand("kill", strconv.Itoa(parent.PID))}
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
// first process. The name of a script is that of its file.
func Starter(o monitor.Owner) (monitor.Owner, bool) {
	chain := ancestry.Explain(o, monitor.CgroupInfo{}, monitor.ProcessState{}).Chain
	if len(chain) < 2 || chain[len(chain)-2].PID <= 1 {
		return monitor.Owner{}, false
	}
	p := chain[len(chain)-2]
	return monitor.Owner{PID: p.PID, Name: p.Title}, true
}
