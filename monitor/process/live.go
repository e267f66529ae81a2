package process

import (
	ps "github.com/shirou/gopsutil/v3/process"

	"porthole/monitor"
)

// State looks at o, as it was when it was first seen, and returns what is so now;
// its accept queue is not looked at. What may not be read is empty. It may be
// called from any goroutine.
func State(o monitor.Owner) monitor.ProcessState {
	live := monitor.ProcessState{EndedParents: make(map[int]bool)}
	for _, p := range o.Parents {
		if !IsAlive(p.PID, p.Start) {
			live.EndedParents[p.PID] = true
		}
	}
	if o.PID != 0 {
		p := &ps.Process{Pid: int32(o.PID)}
		program, _ := p.Exe() // unknown where refused
		_, live.ProgramDeleted = trimDeleted(program)
		folder, _ := p.Cwd() // the same
		_, live.FolderDeleted = trimDeleted(folder)
		live.SessionLeaderEnded, live.Resources = readStat(o.PID)
		live.Preload, live.RunsAsRoot = preload(o.PID), runsAsRoot(p)
	}
	if !IsAlive(o.PID, o.Start) { // what was read may be another's
		live = monitor.ProcessState{EndedParents: live.EndedParents, Ended: true}
	}
	return live
}

// runsAsRoot reports whether p acts as root: its user is who started it, which for a
// setuid program is somebody else.
func runsAsRoot(p *ps.Process) bool {
	uids, err := p.Uids() // the real one, the effective one and others
	return err == nil && len(uids) > 1 && uids[1] == 0
}
