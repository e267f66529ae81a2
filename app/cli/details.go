package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"porthole/app/ipc"
	"porthole/monitor"
	"porthole/monitor/ancestry"
	"porthole/monitor/connection"
	"porthole/monitor/connection/source"
	"porthole/monitor/process"
	"porthole/monitor/warning"
)

// listenerDetails is one listener with all that can be told of it.
type listenerDetails struct {
	*monitor.Listener
	why       ancestry.Explanation // only where an owner can be seen
	warnings  []warning.Warning
	resources monitor.Resources // by the principal owner; zero where that is not known
	state     *connection.State // nil where connections cannot be read
}

// gatherDetails looks at the machine for what a snapshot does not tell. states is who is
// connected, firstSeen what the running Porthole knows of the same port.
func gatherDetails(states map[string]connection.State, listeners, firstSeen []*monitor.Listener) []listenerDetails {
	out := make([]listenerDetails, len(listeners))
	for i, l := range listeners {
		l = withFirstParents(l, firstSeen)
		out[i].Listener = l
		var live monitor.ProcessState
		o, seen := l.Principal()
		if seen {
			live = process.State(o)
			out[i].resources = live.Resources
		}
		if st, ok := states[l.ID]; ok {
			out[i].state = &st
			live.QueueFull, live.QueueLength, live.QueueLimit = st.QueueFull(), st.QueueLength, st.QueueLimit
		}
		if seen {
			out[i].why = ancestry.Explain(o, l.CgroupInfo, live)
		}
		out[i].warnings = warning.Check(l, o, out[i].why, live)
	}
	return out
}

// readConnections returns who is connected to listeners; nothing where that cannot be
// read here, which is no reason not to tell the rest.
func readConnections(ctx context.Context, s *source.Source, listeners []*monitor.Listener) map[string]connection.State {
	if s == nil {
		return nil
	}
	states, err := s.Read(ctx, listeners)
	if err != nil {
		return nil
	}
	return states
}

// askAgent asks the running Porthole what it knows of a port. It saw the owners
// when they were new, with parents that may have ended since. Nothing comes where
// none runs, or an old one that does not know the question.
func askAgent(port uint16) []*monitor.Listener {
	place, err := ipc.OpenRuntimeDir()
	if err != nil {
		return nil
	}
	answer, err := ipc.Request(place, ipc.Message{Kind: ipc.Lookup, Port: port})
	if err != nil {
		return nil
	}
	return answer.Listeners
}

// withFirstParents returns l with the parents of its owners as they were when they
// were first seen.
func withFirstParents(l *monitor.Listener, firstSeen []*monitor.Listener) *monitor.Listener {
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

// chainText is the chain of parents with each one's role on one line, the oldest first.
func chainText(why ancestry.Explanation) string {
	var chain []string
	for _, p := range why.Chain {
		more := strconv.Itoa(p.PID)
		if role := p.Role.Label(); role != "" && !strings.Contains(strings.ToLower(p.Title), strings.ToLower(role)) {
			more += ", " + role
		}
		if p.Ended {
			more += ", ended"
		}
		chain = append(chain, fmt.Sprintf("%s (%s)", p.Title, more))
	}
	return strings.Join(chain, " › ")
}

// resourcesText says what a process uses: "12 threads, 48 MB of memory, 3.2 s of CPU time".
func resourcesText(u monitor.Resources) string {
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

// serviceText says what is served, and how sure that is.
func serviceText(l *monitor.Listener) string {
	if l.Service == "" {
		return ""
	}
	by := map[monitor.ServiceBy]string{monitor.ByProgram: "by its program", monitor.ByCommand: "by its command", monitor.ByPort: "only usual for this port"}[l.ServiceBy]
	if by == "" {
		return l.Service
	}
	return l.Service + " (" + by + ")"
}

// clientsText says who is connected: "curl (48990), 2 of firefox (22310), 10.0.0.7".
func clientsText(st *connection.State) string {
	if st == nil {
		return ""
	}
	if len(st.Conns) == 0 {
		return "nobody"
	}
	const most = 8 // clients
	var names []string
	counts := map[string]int{}
	for _, p := range st.Conns {
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
func clientName(p connection.Conn) string {
	switch {
	case p.Client.PID != 0:
		return fmt.Sprintf("%s (%d)", dash(monitor.Clean(p.Client.Name, 60)), p.Client.PID)
	case p.User != "":
		return monitor.Clean(p.User, 40) + "'s process (hidden)"
	}
	return p.Remote.Addr().String()
}
