package agent

import (
	"context"
	"sync"
	"time"

	"porthole/app/paths"
	"porthole/monitor"
	"porthole/monitor/history/store"
)

// openings are the opening times, by listener ID, of listeners that were open before this agent
// started. Earlier agents recorded them since the machine started. It is safe for concurrent use.
type openings struct {
	mu sync.Mutex
	at map[string]time.Time
}

// openingsTimeout limits the query of the history.
const openingsTimeout = 2 * time.Second

// read reads the opening times from the history file at path. boot is the boot ID.
func (o *openings) read(ctx context.Context, path, boot string) error {
	ctx, cancel := context.WithTimeout(ctx, openingsTimeout)
	defer cancel()
	at, err := store.OpenReader(path).Openings(ctx, boot)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.at = at
	return err
}

// describe sets the opening time of l if only an earlier agent saw it open.
func (o *openings) describe(l *monitor.Listener) {
	if !l.Since.IsZero() {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	l.Since = o.at[l.ID]
}

// readOpenings reads the opening times and shows them.
func (a *Agent) readOpenings(ctx context.Context) {
	boot := store.BootID()
	if boot == "" {
		return // listener IDs of other boots are meaningless
	}
	if err := a.openings.read(ctx, paths.History(), boot); err != nil {
		a.log.Warn("can't read when open ports opened", "error", err)
		return
	}
	a.monitor.Redescribe()
}
