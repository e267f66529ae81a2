package monitor

import (
	"context"
	"time"
)

// This file adds what a disk or a name service has to answer for: names of users,
// projects, branches. Nothing here waits for an answer while the Monitor runs.

// enrichWait is how long a new listener whose owner is known is held back for such
// answers, so that one that is answered at once is published once. A scan, which is
// published once only, waits for scanWait.
const (
	enrichWait = 50 * time.Millisecond
	scanWait   = time.Second
)

// enrich adds what is known now to the owners and the socket of s.
func (m *Monitor) enrich(s *socketState) (progress Progress) {
	if m.opts.Enrich == nil {
		return Complete
	}
	progress = m.opts.Enrich.Socket(&s.socket)
	for i := range s.owners {
		progress = max(progress, m.opts.Enrich.Owner(&s.owners[i]))
	}
	if s.unknown.Inferred != nil {
		inferred := *s.unknown.Inferred // the entry's is not modified
		s.unknown.Inferred = &inferred
		progress = max(progress, m.opts.Enrich.Owner(&inferred))
	}
	return progress
}

// progress returns how much is known about an entry.
func (m *Monitor) progress(e *entry) Progress {
	s := socketState{socket: e.socket, unknown: e.unknown}
	for _, h := range e.holders {
		s.owners = append(s.owners, h.Owner)
	}
	return m.enrich(&s)
}

// onAnswer lets the Enricher wake the Monitor, until the returned function is called.
func (m *Monitor) onAnswer() (stop func()) {
	if m.opts.Enrich == nil {
		return func() {}
	}
	return m.opts.Enrich.OnAnswer(func() {
		m.answered.Store(true)
		m.table.Wake()
	})
}

// applyAnswers rebuilds the listeners that waited for answers.
func (m *Monitor) applyAnswers() {
	if m.answered.Swap(false) {
		for p := range m.unanswered {
			m.dirty[p] = true
		}
	}
}

// refreshAnswers has the answers about an owner renewed if they are old.
func (m *Monitor) refreshAnswers(o Owner, p endpoint) {
	if m.opts.Enrich != nil && m.opts.Enrich.Owner(&o) != Complete {
		m.unanswered[p] = true
	}
}

// awaitAnswers waits until everything is answered, for at most scanWait.
func (m *Monitor) awaitAnswers(ctx context.Context) {
	defer m.onAnswer()()
	defer context.AfterFunc(ctx, m.table.Wake)()
	for end := m.now().Add(scanWait); !m.isComplete() && ctx.Err() == nil && m.now().Before(end); {
		m.table.Wait(time.Until(end), nil)
	}
}

// isComplete reports whether the Enricher has answered everything about all entries.
func (m *Monitor) isComplete() bool {
	complete := true
	for _, e := range m.entries { // all of them, so that their answers are looked up at the same time
		complete = m.progress(e) == Complete && complete
	}
	return complete
}
