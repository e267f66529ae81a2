//go:build !linux

package process

import (
	"errors"
	"time"

	ps "github.com/shirou/gopsutil/v3/process"

	"porthole/monitor"
)

// readStat returns the resources that pid uses. This system does not report whether its
// terminal or shell is gone.
func readStat(pid int) (sessionLeaderEnded, shellEnded bool, used monitor.Resources) {
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
	return false, false, used
}

// logins is not used: this system has no systemd-logind.
const logins = ""

func loginEnded(string, string) bool { return false }

func terminalClosed(int) bool { return false }

// environment returns an error: environments are read on Linux only.
func environment(int) ([]byte, error) { return nil, errors.ErrUnsupported }

// preload returns "": only Linux has LD_PRELOAD.
func preload(int) string { return "" }
