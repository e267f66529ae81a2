package monitor

import (
	"slices"
	"time"
)

// startups decides how often to poll after programs have started, so that a server is
// seen soon after it listens: at most 2 % of its age late. Most programs never listen,
// so a budget limits the polls. It belongs to the Monitor's goroutine.
type startups struct {
	running func(pid int) bool
	recent  []startup // oldest first
	credit  float64   // polls that may be made now
	updated time.Time // when credit was computed
}

// startup is a program that has started.
type startup struct {
	pid   int
	at    time.Time
	until time.Time // when it is of no interest any more; zero while it runs
}

const (
	startupShare    = 50                    // the polling interval is this fraction of the program's age
	startupInterval = 10 * time.Millisecond // the shortest interval
	maxStartups     = 32                    // programs
	startupPolls    = 300                   // budget: one program needs 85 polls in its first second and 210 until 12 s, when the interval is the usual one
	startupRate     = 24.0                  // budget: polls a second in the long run, each 0.13 ms
	youngAge        = time.Second           // most servers listen within this time
	youngPolls      = 120                   // the part of the budget that only programs below youngAge may use
)

func newStartups(running func(int) bool) *startups {
	return &startups{running: running, credit: startupPolls}
}

// add adds a program that has started.
func (s *startups) add(pid int, now time.Time) {
	s.recent = slices.DeleteFunc(s.recent, func(p startup) bool { return p.pid == pid }) // it has executed another one
	if len(s.recent) == maxStartups {
		s.recent = slices.Delete(s.recent, 0, 1)
	}
	s.recent = append(s.recent, startup{pid: pid, at: now})
}

// interval returns the time until the next poll: longest, or less if a program has started
// recently. A program that has ended is of interest for as long again as it has run: it
// may have left a server in the background. The shortest ones, which are most, are of none.
func (s *startups) interval(now time.Time, longest time.Duration) time.Duration {
	for len(s.recent) > 0 {
		p := &s.recent[len(s.recent)-1]
		if p.until.IsZero() && !s.running(p.pid) {
			p.until = now
			if now.Sub(p.at) > 2*startupInterval {
				p.until = now.Add(now.Sub(p.at))
			}
		}
		wait := max(now.Sub(p.at)/startupShare, startupInterval)
		if wait >= longest {
			s.recent = s.recent[:0] // all others are older
			break
		}
		if p.until.IsZero() || now.Before(p.until) {
			reserve := 0.0
			if now.Sub(p.at) > youngAge {
				reserve = youngPolls
			}
			return min(max(wait, s.untilCredit(now, reserve)), longest)
		}
		s.recent = s.recent[:len(s.recent)-1]
	}
	return longest
}

// untilCredit returns the time until there is credit for a poll that leaves reserve.
func (s *startups) untilCredit(now time.Time, reserve float64) time.Duration {
	s.earn(now)
	missing := max(reserve+1-s.credit, 0)
	return time.Duration(missing / startupRate * float64(time.Second))
}

// earn adds the credit of the time that has passed.
func (s *startups) earn(now time.Time) {
	if !s.updated.IsZero() {
		s.credit = min(s.credit+max(now.Sub(s.updated), 0).Seconds()*startupRate, startupPolls)
	}
	s.updated = now
}

// spend takes the credit for one poll or wake-up. It is below zero until a poll that was
// granted before there was credit is due.
func (s *startups) spend(now time.Time) {
	s.earn(now)
	s.credit--
}

// waits reports whether the next start should wake the monitor: there is credit for it
// and a poll, and no poll is due soon anyway.
func (s *startups) waits(now time.Time) bool {
	s.earn(now)
	return len(s.recent) == 0 && s.credit >= 2
}

// readStarts reads which programs have started, before a poll.
func (m *Monitor) readStarts(now time.Time) {
	if m.startups == nil {
		return
	}
	m.started = m.opts.Programs.Started(m.started[:0])
	for _, pid := range m.started {
		m.startups.add(pid, now)
	}
}

// awaitStart makes the next start of a program end Wait, if that is of use.
func (m *Monitor) awaitStart(now time.Time) {
	if m.starts == nil || m.awaited || !m.startups.waits(now) {
		return
	}
	if err := m.starts.WaitFor(m.opts.Programs.Descriptor()); err != nil {
		m.log.Warn("can't wait for programs that start; new ports may be seen one polling interval later", "error", err)
		m.starts = nil
		return
	}
	m.awaited = true
}

// programStarted handles the start of a program and returns when to poll.
func (m *Monitor) programStarted(now time.Time) time.Time {
	m.awaited = false
	m.startups.spend(now)
	m.readStarts(now)
	return now.Add(m.currentInterval(now))
}
