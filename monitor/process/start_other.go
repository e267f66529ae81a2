//go:build !linux && !windows

package process

import (
	"fmt"
	"time"

	ps "github.com/shirou/gopsutil/v3/process"
)

// startOf returns the start of pid in milliseconds since 1970, which is the best
// identity that gopsutil has, and as a time.
func startOf(pid int) (uint64, time.Time, error) {
	p := &ps.Process{Pid: int32(pid)}
	ms, err := p.CreateTime()
	if err != nil {
		return 0, time.Time{}, fmt.Errorf("read process %d: %w", pid, err)
	}
	return uint64(ms), time.UnixMilli(ms).UTC(), nil
}
