//go:build !linux

package process

import (
	"errors"
	"time"

	ps "github.com/shirou/gopsutil/v3/process"

	"porthole/monitor"
)

// readStat tells what pid uses; that it was left behind is not to be found out here.
func readStat(pid int) (left bool, used monitor.Resources) {
	p := &ps.Process{Pid: int32(pid)}
	if threads, err := p.NumThreads(); err == nil {
		used.Threads = int(threads)
	}
	if memory, err := p.MemoryInfo(); err == nil && memory != nil {
		used.Memory = memory.RSS
	}
	if times, err := p.Times(); err == nil && times != nil {
		used.CPU = time.Duration((times.User + times.System) * float64(time.Second))
	}
	return false, used
}

// environment is read on Linux alone.
func environment(int) ([]byte, error) { return nil, errors.ErrUnsupported }

// preload is Linux's.
func preload(int) string { return "" }
