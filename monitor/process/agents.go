package process

import (
	"os"
	"strconv"
	"sync"
	"time"

	ps "github.com/shirou/gopsutil/v3/process"

	"porthole/monitor"
	"porthole/monitor/codingagent"
)

// agentsTime is how long a list of the running coding agents is used: reading all
// processes takes some milliseconds, and a window asks about many listeners at a time.
const agentsTime = 3 * time.Second

// runningAgent is a process that is a coding agent.
type runningAgent struct {
	title string
	pid   int
	start uint64
}

var agents struct {
	sync.Mutex
	at      time.Time
	running []runningAgent
}

// IsOwn reports whether o is a process of this user.
func IsOwn(o monitor.Owner) bool { return o.UserID != "" && o.UserID == strconv.Itoa(os.Getuid()) }

// olderAgent returns the PID of a running coding agent that may have started o: one of
// the kind in o.Agent that is not younger than o; 0 if there is none.
func olderAgent(o monitor.Owner) int {
	for _, a := range runningAgents() {
		if a.title == o.Agent && a.start <= o.Start && IsAlive(a.pid, a.start) {
			return a.pid
		}
	}
	return 0
}

// runningAgents returns the coding agents that run, as far as their command lines can be
// read. It is safe for concurrent use.
func runningAgents() []runningAgent {
	agents.Lock()
	defer agents.Unlock()
	if now := time.Now(); agents.at.IsZero() || now.Sub(agents.at) > agentsTime {
		agents.at, agents.running = now, readWithin("coding agents", findAgents)
	}
	return agents.running
}

func findAgents() (found []runningAgent) {
	pids, err := ps.Pids()
	if err != nil {
		return nil
	}
	for _, pid := range pids {
		p := &ps.Process{Pid: pid}
		name, _ := p.Name() // "" if it has exited
		command, _ := p.CmdlineSlice()
		if title := codingagent.Title(name, command); title != "" {
			start, _, err := startOf(int(pid))
			if err == nil {
				found = append(found, runningAgent{title, int(pid), start})
			}
		}
	}
	return found
}
