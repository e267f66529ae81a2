package history

import (
	"slices"
	"time"

	"porthole/monitor/history"
)

// This file loads events as far as the user scrolls, and new ones.

// query returns the query for the events to show.
func (p *Page) query() history.Query {
	q := p.filter.Query()
	if q.Until = p.until; !p.until.IsZero() {
		q.Since = p.until.Add(-time.Hour)
	}
	return q
}

// load loads events. A new request supersedes an unanswered one.
func (p *Page) load(q history.Query, answer func([]*history.Event)) {
	if p.history == nil {
		return
	}
	p.request++
	request := p.request
	p.waiting = true
	p.history.Events(q, func(events []history.Event, err error) {
		if request != p.request {
			return
		}
		p.waiting, p.answered = false, true
		if err != nil {
			p.failed = p.now()
			p.showState()
			return
		}
		p.failed = time.Time{}
		out := make([]*history.Event, len(events))
		for i := range events {
			out[i] = &events[i]
		}
		answer(out)
	})
}

// reload loads the newest matching events and scrolls to the top.
func (p *Page) reload() {
	q := p.query()
	q.Limit = pageOfEvents
	p.load(q, p.replace)
	p.loadHours()
}

func (p *Page) replace(events []*history.Event) {
	p.events, p.complete = events, len(events) < pageOfEvents
	p.newCount, p.gap = 0, false
	p.arrange()
	p.list.ScrollToOffset(0)
	p.showState()
}

// seen is called for each line that becomes visible.
func (p *Page) seen(i int) {
	if i+loadAhead >= len(p.rows) {
		p.loadOlder()
	}
	if i == 0 && p.newCount > 0 && !p.gap && p.list.GetScrollOffset() < eventHeight {
		p.newCount = 0
		p.showState()
	}
}

func (p *Page) loadOlder() {
	if p.waiting || p.complete || len(p.events) == 0 || !p.failed.IsZero() {
		return
	}
	q := p.query()
	q.Before, q.Limit = p.events[len(p.events)-1].Position(), pageOfEvents
	p.load(q, func(events []*history.Event) {
		p.complete = len(events) < pageOfEvents
		p.events = append(p.events, events...)
		p.rows = appendRows(p.rows, events, p.now().Location())
		p.list.Refresh()
		p.showState()
	})
}

// loadNewest loads the newest events, of which some may be missing in the list.
func (p *Page) loadNewest() {
	if !p.until.IsZero() { // new events are later than the selected hour
		p.loadHours()
		return
	}
	q := p.query()
	q.Limit = pageOfEvents
	p.load(q, p.merge)
}

// merge adds the events that are missing in the list to it, mostly at the top. The visible lines stay
// where they are, unless the list is scrolled to the top.
func (p *Page) merge(events []*history.Event) {
	missing := p.missing(events)
	if p.tries--; len(missing) == 0 && p.tries > 0 {
		p.due = p.now().Add(lateTime)
	}
	if len(missing) == 0 {
		return
	}
	p.loadHours()
	atTop := p.list.GetScrollOffset() < eventHeight
	switch gap := len(missing) == len(events) && len(p.events) > 0; {
	case gap && atTop:
		p.replace(events)
	case gap: // there are more between these and the ones shown
		p.newCount, p.gap = len(events), true
	case atTop:
		p.insert(missing)
	default:
		i := p.firstVisible()
		first := p.rows[i].event
		p.newCount += p.insert(missing)
		now := slices.IndexFunc(p.rows, func(r historyRow) bool { return r.event == first })
		p.list.ScrollToOffset(p.list.GetScrollOffset() + float32(now-i)*eventHeight)
	}
	p.showState()
}

// missing returns those of the newest events, newest first, that are not in the list.
func (p *Page) missing(events []*history.Event) []*history.Event {
	have := make(map[int64]bool, len(p.events))
	for _, e := range p.events {
		have[e.ID] = true
	}
	return slices.DeleteFunc(events, func(e *history.Event) bool { return have[e.ID] })
}

// insert puts events where they belong by their time. It returns how many of them are newer than the
// ones that were in the list.
func (p *Page) insert(events []*history.Event) (newer int) {
	if len(p.events) > 0 {
		newest := p.events[0].Position()
		for newer < len(events) && events[newer].Position().Compare(newest) > 0 {
			newer++
		}
	}
	p.events = append(p.events, events...)
	slices.SortFunc(p.events, func(a, b *history.Event) int { return b.Position().Compare(a.Position()) })
	p.arrange()
	return newer
}

// firstVisible returns the index of the first line with an event at or below the upper edge of the list.
func (p *Page) firstVisible() int {
	i := min(int(p.list.GetScrollOffset()/eventHeight), len(p.rows)-1)
	if p.rows[i].event == nil { // a heading always has an event below it
		i++
	}
	return i
}

func (p *Page) loadHours() {
	if p.history == nil {
		return
	}
	from := firstHour(p.now())
	q := p.filter.Query()
	q.Since, q.Until = from, from.Add(chartHours*time.Hour)
	filtered := !p.filter.Empty()
	p.history.Hours(q, func(hours []history.HourCount, err error) {
		if err != nil { // the counts shown may be of another filter
			from, hours, p.retryHours = time.Time{}, nil, p.now().Add(retryDelay)
		}
		p.chart.set(from, hours, filtered, p.now().Location())
		p.showState()
	})
}
