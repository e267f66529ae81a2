package process

import (
	"fmt"

	ps "github.com/shirou/gopsutil/v3/process"

	"porthole/monitor"
)

// Descendants returns the processes below o that run now, at any distance, parents
// before their children. One whose parent has ended is not among them: the system
// gives it another parent. It reads all processes of the machine and may be called
// from any goroutine.
func Descendants(o monitor.Owner) ([]monitor.Owner, error) {
	pids, err := ps.Pids()
	if err != nil {
		return nil, fmt.Errorf("list the processes: %w", err)
	}
	children := make(map[int][]int)
	for _, pid := range pids {
		if parent, err := (&ps.Process{Pid: pid}).Ppid(); err == nil { // it has ended, else
			children[int(parent)] = append(children[int(parent)], int(pid))
		}
	}
	found := []monitor.Owner{o}
	for i := 0; i < len(found); i++ { // it grows
		for _, pid := range children[found[i].PID] {
			// The number may have gone to another process since: its parent is asked
			// again. A process is never older than its parent.
			if child, err := Info(pid); err == nil && child.ParentPID == found[i].PID && child.Start >= found[i].Start {
				found = append(found, child)
			}
		}
	}
	return found[1:], nil
}
