package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// ticksPerSecond is USER_HZ, 100 on every architecture that Go runs on.
const ticksPerSecond = 100

var errExited = errors.New("the process has exited")

// startOf returns the start of pid in ticks since boot, which identifies the
// process, and as a time. gopsutil's CreateTime does not identify a process: it has
// a resolution of seconds and drifts with the clock.
func startOf(pid int) (uint64, time.Time, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, time.Time{}, fmt.Errorf("read process %d: %w", pid, err)
	}
	ticks, err := parseStart(stat)
	if err != nil {
		return 0, time.Time{}, fmt.Errorf("read process %d: %w", pid, err)
	}
	return ticks, bootTime().Add(time.Duration(ticks) * time.Second / ticksPerSecond), nil
}

// parseStart parses field 22 of /proc/PID/stat (proc_pid_stat(5)). The name in
// field 2 may contain spaces, newlines and ")", so the fields are counted from the
// last ")". A zombie, whose parent has not waited for it, has exited, which is an
// error too.
func parseStart(stat []byte) (uint64, error) {
	i := bytes.LastIndexByte(stat, ')')
	fields := bytes.Fields(stat[i+1:])
	if i < 0 || len(fields) < 20 {
		return 0, fmt.Errorf("stat has %d fields after the name, want at least 20", len(fields))
	}
	// The main thread may be a zombie while others live: field 20 counts them.
	state, threads := string(fields[0]), string(fields[17])
	if (state == "Z" || state == "X") && (threads == "0" || threads == "1") {
		return 0, errExited
	}
	ticks, err := strconv.ParseUint(string(fields[19]), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("start time: %w", err)
	}
	return ticks, nil
}

// bootTime is the time of tick 0, by the clock at the first call: later steps of
// the clock do not change the start of any process.
var bootTime = sync.OnceValue(func() time.Time {
	var up unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &up); err != nil {
		return time.Time{} // not on any kernel since 2.6.39
	}
	return time.Now().Add(-time.Duration(up.Nano())).UTC().Round(10 * time.Millisecond)
})
