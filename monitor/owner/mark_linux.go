package owner

import (
	"bytes"
	"os"
	"time"
)

// mark is a moment, and the number that the last process or thread got which had
// started by then: the fifth field of /proc/loadavg (proc_loadavg(5)).
type mark struct {
	last string // "" where it cannot be read
	at   time.Time
}

// quietFor is how long no start stands for no new holder: a process can pass a
// socket to another one that has been there before.
const quietFor = time.Minute

func markNow() mark {
	m := mark{at: time.Now()}
	b, _ := os.ReadFile("/proc/loadavg") // not to know is no error
	if fields := bytes.Fields(b); len(fields) == 5 {
		m.last = string(fields[4])
	}
	return m
}

// quiet reports whether nothing has started between m and now, for a while.
func (m mark) quiet(now mark) bool {
	return now.last != "" && now.last == m.last && now.at.Before(m.at.Add(quietFor))
}
