package child

import (
	"time"

	"golang.org/x/sys/unix"
)

// Monotonic returns the time on the clock that all processes share and that cannot be
// set.
func Monotonic() time.Duration {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		Fail(err)
	}
	return time.Duration(now.Nano())
}
