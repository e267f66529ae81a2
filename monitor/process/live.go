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
		live.LeaderEnded, live.Preload = leaderEnded(o.PID), preload(o.PID)
		program, _ := (&ps.Process{Pid: int32(o.PID)}).Exe() // unknown where refused
		_, live.Deleted = withoutDeleted(program)
	}
	if !Lives(o.PID, o.Start) { // what was read may be another's
		live.LeaderEnded, live.Preload, live.Deleted = false, "", false
	}
	return live
}
