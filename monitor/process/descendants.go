package process

import (
	"fmt"

	ps "github.com/shirou/gopsutil/v3/process"

	"porthole/monitor"
)

// Descendants returns the running descendants of o, parents before their children.
// A process whose parent has exited is not included: the system gives it another
// parent. Descendants reads all processes of the machine. It is safe for concurrent
// use.
func Descendants(o monitor.Owner) ([]monitor.Owner, error) {
	pids, err := ps.Pids()
	if err != nil {
		return nil, fmt.Errorf("list the processes: %w", err)
	}
	children := make(map[int][]int)
	for _, pid := range pids {
		if parent, err := (&ps.Process{Pid: pid}).Ppid(); err == nil { // otherwise it has exited
			children[int(parent)] = append(children[int(parent)], int(pid))
		}
	}
	found := []monitor.Owner{o}
	for i := 0; i < len(found); i++ { // the slice grows
		for _, pid := range children[found[i].PID] {
			// The PID may belong to another process by now, so its parent is read again. A
			// process is never older than its parent.
			if child, err := Info(pid); err == nil && child.ParentPID == found[i].PID && child.Start >= found[i].Start {
				found = append(found, child)
			}
		}
	}
	return found[1:], nil
}
