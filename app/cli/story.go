package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"porthole/app/link"
	"porthole/monitor"
	"porthole/monitor/peers"
	"porthole/monitor/peers/source"
	"porthole/monitor/process"
	"porthole/monitor/story"
)

// portStory is one listener with all that can be told of it.
type portStory struct {
	*monitor.Listener
	why   story.Why // only where an owner can be seen
	odd   []story.Oddity
	used  story.Use    // by the principal owner; zero where that is not known
	state *peers.State // nil where connections cannot be read
}

// stories looks at the machine for what a snapshot does not tell. states is who is
// connected, firstSeen what the running Porthole knows of the same port.
func stories(states map[string]peers.State, listeners, firstSeen []*monitor.Listener) []portStory {
	out := make([]portStory, len(listeners))
	for i, l := range listeners {
		l = withParents(l, firstSeen)
		out[i].Listener = l
		var live story.Live
		o, seen := l.Principal()
		if seen {
			live = process.Live(o)
			out[i].used = live.Used
		}
		if st, ok := states[l.ID]; ok {
			out[i].state = &st
			live.Stuck, live.Queue, live.Limit = st.Stuck(), st.Queue, st.Limit
		}
		if seen {
			out[i].why = story.WhyRuns(o, l.Origin, live)
		}
		out[i].odd = story.Odd(l, o, out[i].why, live)
	}
	return out
}

// connected returns who is connected to listeners; nothing where that cannot be
// read here, which is no reason not to tell the rest.
func connected(ctx context.Context, s *source.Source, listeners []*monitor.Listener) map[string]peers.State {
	if s == nil {
		return nil
	}
	states, err := s.Read(ctx, listeners)
	if err != nil {
		return nil
	}
	return states
}

// recall asks the running Porthole what it knows of a port. It saw the owners
// when they were new, with parents that may have ended since. Nothing comes where
// none runs, or an old one that does not know the question.
func recall(port uint16) []*monitor.Listener {
	place, err := link.FindPlace()
	if err != nil {
		return nil
	}
	answer, err := link.Ask(place, link.Message{Kind: link.Recall, Port: port})
	if err != nil {
		return nil
	}
	return answer.Rows
}

// withParents returns l with the parents of its owners as they were when they
// were first seen.
func withParents(l *monitor.Listener, firstSeen []*monitor.Listener) *monitor.Listener {
	known := *l
	known.Owners = append([]monitor.Owner{}, l.Owners...)
	for i := range known.Owners {
		o := &known.Owners[i]
		for _, before := range firstSeen {
			for _, b := range before.Owners {
				if b.Same(*o) && len(b.Parents) > 0 {
					o.Parents = b.Parents
				}
			}
		}
	}
	return &known
}

// chainWords is the chain of parents with each one's role on one line, the oldest first.
func chainWords(why story.Why) string {
	var chain []string
	for _, p := range why.Chain {
		more := strconv.Itoa(p.PID)
		if role := p.Role.Words(); role != "" && !strings.Contains(strings.ToLower(p.Title), strings.ToLower(role)) {
			more += ", " + role
		}
		if p.Ended {
			more += ", ended"
		}
		chain = append(chain, fmt.Sprintf("%s (%s)", p.Title, more))
	}
	return strings.Join(chain, " › ")
}

// useWords says what a process uses: "12 threads, 48 MB of memory, 3.2 s of CPU time".
func useWords(u story.Use) string {
	var parts []string
	switch {
	case u.Threads == 1:
		parts = append(parts, "1 thread")
	case u.Threads > 1:
		parts = append(parts, fmt.Sprintf("%d threads", u.Threads))
	}
	if u.Memory > 0 {
		parts = append(parts, fmt.Sprintf("%.1f MB of memory", float64(u.Memory)/1e6))
	}
	if u.CPU > 0 {
		parts = append(parts, u.CPU.Round(10*time.Millisecond).String()+" of CPU time")
	}
	return strings.Join(parts, ", ")
}

// serviceWords says what is served, and how sure that is.
func serviceWords(l *monitor.Listener) string {
	if l.Service == "" {
		return ""
	}
	by := map[monitor.ServiceBy]string{monitor.ByProgram: "by its program", monitor.ByCommand: "by its command", monitor.ByPort: "only usual for this port"}[l.ServiceBy]
	if by == "" {
		return l.Service
	}
	return l.Service + " (" + by + ")"
}

// clientWords says who is connected: "curl (48990), 2 of firefox (22310), 10.0.0.7".
func clientWords(st *peers.State) string {
	if st == nil {
		return ""
	}
	if len(st.Peers) == 0 {
		return "nobody"
	}
	const most = 8 // clients
	var names []string
	counts := map[string]int{}
	for _, p := range st.Peers {
		name := clientName(p)
		if counts[name]++; counts[name] == 1 {
			names = append(names, name)
		}
	}
	var words []string
	for _, name := range names[:min(len(names), most)] {
		if n := counts[name]; n > 1 {
			name = fmt.Sprintf("%d of %s", n, name)
		}
		words = append(words, name)
	}
	if more := len(names) - most; more > 0 {
		words = append(words, fmt.Sprintf("%d more", more))
	}
	return strings.Join(words, ", ")
}

// clientName is who is at the other end of a connection.
func clientName(p peers.Peer) string {
	switch {
	case p.Client.PID != 0:
		return fmt.Sprintf("%s (%d)", dash(monitor.Clean(p.Client.Name, 60)), p.Client.PID)
	case p.User != "":
		return monitor.Clean(p.User, 40) + "'s process (hidden)"
	}
	return p.Remote.Addr().String()
}
