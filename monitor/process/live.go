package process

import (
	ps "github.com/shirou/gopsutil/v3/process"

	"porthole/monitor"
)

// State returns the current state of o and its parents, without the accept queue.
// Fields that may not be read are empty. State is safe for concurrent use.
func State(o monitor.Owner) monitor.ProcessState {
	state := monitor.ProcessState{EndedParents: make(map[int]bool)}
	for _, p := range o.Parents {
		if !IsAlive(p.PID, p.Start) {
			state.EndedParents[p.PID] = true
		}
	}
	if o.PID != 0 {
		p := &ps.Process{Pid: int32(o.PID)}
		program, _ := p.Exe() // empty if denied
		_, state.ProgramDeleted = trimDeleted(program, p.Pid, "exe")
		folder, _ := p.Cwd() // empty if denied
		_, state.FolderDeleted = trimDeleted(folder, p.Pid, "cwd")
		state.SessionLeaderEnded, state.ShellEnded, state.Resources = readStat(o.PID)
		state.TerminalClosed, state.LoginEnded = terminalClosed(o.PID), loginEnded(logins, o.Unit)
		state.Preload, state.RunsAsRoot = preload(o.PID), runsAsRoot(p)
		state.Suspended, state.Paused = IsSuspended(o.PID), IsFrozen(o.PID)
		if o.Agent != "" {
			state.AgentRunning = olderAgent(o)
		}
	}
	if !IsAlive(o.PID, o.Start) { // what was read may belong to another process
		state = monitor.ProcessState{EndedParents: state.EndedParents, Ended: true}
	}
	return state
}

// runsAsRoot reports whether the effective user of p is root. For a setuid program
// it differs from the real user, who started it.
func runsAsRoot(p *ps.Process) bool {
	uids, err := p.Uids() // real, effective and others
	return err == nil && len(uids) > 1 && uids[1] == 0
}
