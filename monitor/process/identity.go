package process

import (
	"strings"

	ps "github.com/shirou/gopsutil/v3/process"

	"porthole/monitor"
)

// Identity returns the PID, start and program file of pid. It reads no files of
// the process's folders, which may be on a disk that does not answer. Its errors
// are those of Info.
func Identity(pid int) (monitor.Owner, error) {
	start, startedAt, err := startOf(pid)
	if err != nil {
		return monitor.Owner{}, err
	}
	o := monitor.Owner{PID: pid, Start: start, StartedAt: startedAt}
	o.Program, _ = (&ps.Process{Pid: int32(pid)}).Exe() // empty if it may not be read
	o.Program, o.Deleted = strings.CutSuffix(o.Program, deleted)
	return o, nil
}
