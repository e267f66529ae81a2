package agent

import (
	"context"
	"runtime/debug"
	"time"
)

// When the agent gives back memory.
const (
	startupTime     = 5 * time.Second  // after that, memory that only starting needed is free
	releaseInterval = 15 * time.Second // between two releases of file pages
)

// keepMemoryLow gives back the memory that only starting needed, and then the pages of the
// program's file that rare work has read, until ctx ends. Releasing and reading again what is
// needed takes less than a millisecond of CPU time.
func (a *Agent) keepMemoryLow(ctx context.Context) {
	timer := time.NewTimer(startupTime)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return
	case <-timer.C:
	}
	debug.FreeOSMemory()
	pages, err := findFilePages()
	if err != nil {
		a.log.Warn("can't release memory that only starting needed", "error", err)
		return
	}
	releaseRegularly(ctx, pages.release, func(err error) {
		a.log.Warn("can't release memory that is rarely needed", "error", err)
	})
}

// releaseRegularly calls release now and then every releaseInterval until ctx ends or release fails.
func releaseRegularly(ctx context.Context, release func() error, failed func(error)) {
	ticker := time.NewTicker(releaseInterval)
	defer ticker.Stop()
	for {
		if err := release(); err != nil {
			failed(err)
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
