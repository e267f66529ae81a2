package process

import (
	ps "github.com/shirou/gopsutil/v3/process"

	"porthole/monitor"
	"porthole/monitor/story"
)

// Live looks at o, as it was when it was first seen, and returns what is so now;
// its accept queue is not looked at. What may not be read is empty. It may be
// called from any goroutine.
func Live(o monitor.Owner) story.Live {
	live := story.Live{Ended: make(map[int]bool)}
	for _, p := range o.Parents {
		if !Lives(p.PID, p.Start) {
			live.Ended[p.PID] = true
		}
	}
	if o.PID != 0 {
		p := &ps.Process{Pid: int32(o.PID)}
		program, _ := p.Exe() // unknown where refused
		_, live.Deleted = withoutDeleted(program)
		folder, _ := p.Cwd() // the same
		_, live.FolderGone = withoutDeleted(folder)
		live.LeaderEnded, live.Used = look(o.PID)
		live.Preload, live.Root = preload(o.PID), root(p)
	}
	if !Lives(o.PID, o.Start) { // what was read may be another's
		live = story.Live{Ended: live.Ended, Gone: true}
	}
	return live
}

// root reports whether p acts as root: its user is who started it, which for a
// setuid program is somebody else.
func root(p *ps.Process) bool {
	uids, err := p.Uids() // the real one, the effective one and others
	return err == nil && len(uids) > 1 && uids[1] == 0
}
