package owner

import (
	"bytes"
	"os"
	"time"
)

// startMark is a moment, and the PID of the process or thread that was started
// last: the fifth field of /proc/loadavg (proc_loadavg(5)).
type startMark struct {
	last string // "" if it cannot be read
	at   time.Time
}

// noStartTTL limits how long a search is skipped because no process has started:
// even then, a process can pass a socket to another existing one.
const noStartTTL = time.Minute

func currentMark() startMark {
	m := startMark{at: time.Now()}
	b, _ := os.ReadFile("/proc/loadavg") // the mark is optional
	if fields := bytes.Fields(b); len(fields) == 5 {
		m.last = string(fields[4])
	}
	return m
}

// noStartUntil reports whether no process has started between m and now, and less
// than noStartTTL has passed.
func (m startMark) noStartUntil(now startMark) bool {
	return now.last != "" && now.last == m.last && now.at.Before(m.at.Add(noStartTTL))
}
