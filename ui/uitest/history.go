package uitest

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"porthole/monitor"
	"porthole/monitor/history"
)

// FakeHistory is an in-memory history of events, in the order in which they were stored. Like the real one it answers
// asynchronously: when the test calls Answer.
type FakeHistory struct {
	Past      []history.Event  // all events, in the order in which they were stored
	Err       error            // the error of all answers
	Asked     []string         // the calls of Events
	Waiting   []func()         // pending answers
	Newest    map[string]int   // number of the last request of each kind, which cancels earlier ones
	Forgotten []history.Forget // arguments of Forget
	Exported  []history.Query  // queries of Export
}

// Answer delivers all pending answers, including those to requests made by the callbacks.
func (r *FakeHistory) Answer() {
	for len(r.Waiting) > 0 {
		next := r.Waiting[0]
		r.Waiting = r.Waiting[1:]
		next()
	}
}

func (r *FakeHistory) later(kind string, do func()) {
	if r.Newest == nil {
		r.Newest = map[string]int{}
	}
	r.Newest[kind]++
	this := r.Newest[kind]
	r.Waiting = append(r.Waiting, func() {
		if kind == "" || this == r.Newest[kind] {
			do()
		}
	})
}

func (r *FakeHistory) list(q history.Query) []history.Event {
	limit := q.Limit
	if limit == 0 {
		limit = history.DefaultLimit
	}
	var out []history.Event
	words, without := q.Words()
	events := r.Past
	for i := 1; i < len(events); i++ { // events are large, so the usual function would take seconds to copy them
		if a, b := &events[i-1], &events[i]; a.At.After(b.At) || a.At.Equal(b.At) && a.ID > b.ID {
			events = slices.SortedFunc(slices.Values(events), func(a, b history.Event) int { return a.Position().Compare(b.Position()) })
			break
		}
	}
	if !q.Before.IsZero() {
		n, _ := slices.BinarySearchFunc(events, q.Before, func(e history.Event, at history.Position) int { return e.Position().Compare(at) })
		events = events[:n]
	}
	for _, e := range slices.Backward(events) {
		has := func(w string) bool {
			if _, err := strconv.Atoi(w); err == nil { // numbers search ports only: no other text in these tests has digits
				return strings.HasPrefix(strconv.Itoa(int(e.Port)), w)
			}
			return strings.Contains(strings.ToLower(fmt.Sprint(e.Owner.Name, " ", e.Owner.Project, " ", e.Owner.User, " ", e.Owner.Command)), w)
		}
		lacks := slices.ContainsFunc(without, has) || slices.ContainsFunc(words, func(w string) bool { return !has(w) })
		if !q.Until.IsZero() && !e.At.Before(q.Until) || e.At.Before(q.Since) ||
			q.Ports != nil && !q.Ports.Contains(e.Port) || lacks || !q.UDP && e.Protocol == monitor.UDP {
			continue
		}
		if out = append(out, e); len(out) == limit {
			break
		}
	}
	return out
}

// Events returns the newest events that match q.
func (r *FakeHistory) Events(q history.Query, done func([]history.Event, error)) {
	r.Asked = append(r.Asked, fmt.Sprintf("events before %d", q.Before.ID))
	r.later("events", func() { done(r.list(q), r.Err) })
}

// Lookup returns the newest events that match q. It is never cancelled.
func (r *FakeHistory) Lookup(q history.Query, done func([]history.Event, error)) {
	r.later("", func() { done(r.list(q), r.Err) })
}

// ListenerEvents returns the events of one listener, oldest first.
func (r *FakeHistory) ListenerEvents(listener string, done func([]history.Event, error)) {
	r.later("listener", func() {
		var out []history.Event
		for _, e := range r.Past {
			if e.Listener == listener {
				out = append(out, e)
			}
		}
		done(out, r.Err)
	})
}

// LastOwner returns the last tenure of any of the ports of protocol.
func (r *FakeHistory) LastOwner(protocol monitor.Protocol, ports monitor.Ports, done func(history.Tenure, bool, error)) {
	r.later("", func() {
		for _, e := range slices.Backward(r.Past) {
			if ports.Contains(e.Port) && e.Protocol == protocol && !e.Kind.AboutUse() {
				done(e.Tenure(), true, r.Err)
				return
			}
		}
		done(history.Tenure{}, false, r.Err)
	})
}

// Hours returns the number of matching events in each hour, oldest first.
func (r *FakeHistory) Hours(q history.Query, done func([]history.HourCount, error)) {
	r.later("hours", func() {
		var out []history.HourCount
		q.Limit = len(r.Past)
		for _, e := range slices.Backward(r.list(q)) {
			start := e.At.UTC().Truncate(time.Hour)
			if n := len(out); n > 0 && out[n-1].Start.Equal(start) {
				out[n-1].Count++
			} else {
				out = append(out, history.HourCount{Start: start, Count: 1})
			}
		}
		done(out, r.Err)
	})
}

// Forget deletes events and records f.
func (r *FakeHistory) Forget(f history.Forget, done func(error)) {
	r.Forgotten = append(r.Forgotten, f)
	r.Past = slices.DeleteFunc(r.Past, func(e history.Event) bool {
		return f.Everything || e.Port == f.Port || f.Project != "" && e.Owner.Project == f.Project
	})
	r.later("", func() { done(r.Err) })
}

// Export records q and answers without writing the file.
func (r *FakeHistory) Export(_, _ string, q history.Query, done func(error)) {
	r.Exported = append(r.Exported, q)
	r.later("", func() { done(r.Err) })
}

// Start is the initial time of a Desk's clock.
var Start = time.Date(2026, 11, 24, 15, 53, 0, 0, time.UTC)

// Event returns an event that happened ago before Start.
func Event(id int64, ago time.Duration, kind monitor.Kind, port uint16, name, project string) history.Event {
	return history.Event{
		ID: id, At: Start.Add(-ago), Kind: kind, Protocol: monitor.TCP, Port: port, Exposure: monitor.ExposureLoopback,
		Addresses: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, Listener: fmt.Sprintf("tcp-%d-%d", port, id), Boot: "b",
		Owner: history.Owner{PID: 4000 + int(port%1000), Name: name, User: "ada", Project: project,
			Command: []string{name, "--port", fmt.Sprint(port)}},
		OpenedAt: Start.Add(-ago),
	}
}

// ManyEvents returns n events of many kinds, two minutes apart, oldest first.
func ManyEvents(n int) []history.Event {
	names := []string{"node", "python3", "postgres", "java", "vite"}
	projects := []string{"acme-web", "", "shop-db", "admin-ui", "acme-web"}
	kinds := []monitor.Kind{monitor.Opened, monitor.Closed, monitor.Opened, monitor.OwnerChanged, monitor.ExposureChanged, monitor.Discovered}
	events := make([]history.Event, n)
	for i := range events {
		e := Event(int64(i+1), time.Duration(n-i)*2*time.Minute, kinds[i%len(kinds)], uint16(3000+i%5000), names[i%5], projects[i%5])
		e.Duration = time.Duration(i%9000) * time.Second
		e.OpenedAt = e.At.Add(-e.Duration)
		if e.Kind == monitor.OwnerChanged {
			before := e.Owner
			before.Name = "bash"
			e.OwnerBefore = &before
		}
		events[i] = e
	}
	return events
}
