package owner

import (
	"bytes"
	"os"
	"time"
)

// startMark is a moment, and the number that the last process or thread got which had
// started by then: the fifth field of /proc/loadavg (proc_loadavg(5)).
type startMark struct {
	last string // "" where it cannot be read
	at   time.Time
}

// noStartTTL is how long no start stands for no new holder: a process can pass a
// socket to another one that has been there before.
const noStartTTL = time.Minute

func currentMark() startMark {
	m := startMark{at: time.Now()}
	b, _ := os.ReadFile("/proc/loadavg") // not to know is no error
	if fields := bytes.Fields(b); len(fields) == 5 {
		m.last = string(fields[4])
	}
	return m
}

// noStartUntil reports whether nothing has started between m and now, for a while.
func (m startMark) noStartUntil(now startMark) bool {
	return now.last != "" && now.last == m.last && now.at.Before(m.at.Add(noStartTTL))
}
