package cli

import (
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/natefinch/atomic"

	"porthole/app/paths"
	"porthole/monitor/stop"
)

// waitedFor remembers the processes that were still running after the grace period of a
// stop, so that a later stop with --force need not wait for them again. It is kept in a
// small file of the state folder; without it, --force waits.
type waitedFor struct {
	log       *slog.Logger
	Processes []waitedForProcess `json:"processes"`
}

type waitedForProcess struct {
	PID   int       `json:"pid"`
	Start uint64    `json:"start"`
	At    time.Time `json:"at"`
}

// waitedForAge is how long a process is remembered.
const waitedForAge = 10 * time.Minute

func waitedForFile() string { return filepath.Join(paths.State(), "stop.json") }

func readWaitedFor(log *slog.Logger) waitedFor {
	w := waitedFor{log: log}
	text, err := os.ReadFile(waitedForFile())
	if err == nil {
		err = json.Unmarshal(text, &w)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		log.Debug("can't read the processes that were waited for", "error", err)
	}
	w.Processes = slices.DeleteFunc(w.Processes, func(p waitedForProcess) bool { return time.Since(p.At).Abs() > waitedForAge })
	return w
}

// hasAll reports whether all processes were waited for.
func (w waitedFor) hasAll(processes []*stop.Process) bool {
	return !slices.ContainsFunc(processes, func(p *stop.Process) bool {
		o := p.Owner()
		return !slices.ContainsFunc(w.Processes, func(k waitedForProcess) bool { return k.PID == o.PID && k.Start == o.Start })
	})
}

// add remembers processes that were waited for.
func (w waitedFor) add(processes []*stop.Process) {
	if len(processes) == 0 || w.hasAll(processes) {
		return
	}
	for _, p := range processes {
		w.Processes = append(w.Processes, waitedForProcess{p.Owner().PID, p.Owner().Start, time.Now()})
	}
	text, err := json.Marshal(w)
	if err == nil {
		err = os.MkdirAll(paths.State(), 0o700)
	}
	if err == nil {
		err = atomic.WriteFile(waitedForFile(), strings.NewReader(string(text)))
	}
	if err != nil {
		w.log.Debug("can't remember the processes that were waited for", "error", err)
	}
}
