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
	"porthole/monitor/reply"
	"porthole/monitor/warning"
)

// This file collects and formats what "who" shows about a listener.

// listenerDetails is a listener with everything that can be found out about it.
type listenerDetails struct {
	*monitor.Listener
	why         ancestry.Explanation // zero if neither the owner nor its unit is known
	warnings    []warning.Warning
	resources   monitor.Resources  // resources of the principal owner; zero if unknown
	connections *connection.State  // nil if they cannot be read
	reply       *reply.Reply       // nil if it was not asked
	totals      *connection.Totals // nil if the running Porthole does not count them
}

// gatherDetails reads the state of the owners of listeners. states are their
// connections by listener ID, answer is what the running Porthole knows of the same port.
func (q query) gatherDetails(states map[string]connection.State, listeners []*monitor.Listener, answer ipc.Message) []listenerDetails {
	out := make([]listenerDetails, len(listeners))
	for i, l := range listeners {
		l = withFirstParents(l, answer.Listeners)
		out[i].Listener = l
		if t, ok := answer.Totals[l.ID]; ok {
			out[i].totals = &t
		}
		var state monitor.ProcessState
		o, known := l.Principal()
		if known {
			state = process.State(o)
			out[i].resources = state.Resources
		}
		if st, ok := states[l.ID]; ok {
			out[i].connections = &st
			state.QueueFull, state.QueueLength, state.QueueLimit = st.QueueFull(), st.QueueLength, st.QueueLimit
		}
		if known || l.Unit != "" { // show the same about another user's service as root sees
			out[i].why = ancestry.Explain(o, l.CgroupInfo, state)
		}
		state.Firewall = q.firewall[l.ID]
		out[i].warnings = warning.Check(l, o, out[i].why, state)
		if q.ambiguous[l.ID] {
			out[i].warnings = append(out[i].warnings, warning.Warning{Kind: warning.AmbiguousName})
		}
	}
	return out
}

// readConnections returns the connections of listeners by listener ID, nil if
// they cannot be read; then the other details are shown without them.
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

// askAgent asks the running Porthole what it knows of a port. It may have seen the
// owners earlier, with parents that have exited since, and counted their connections.
// The answer is empty if Porthole is not running or does not know the request.
func askAgent(port uint16) ipc.Message {
	answer, err := requestAgent(ipc.Message{Kind: ipc.Lookup, Port: port})
	if err != nil {
		return ipc.Message{}
	}
	return answer
}

// withFirstParents returns l with the parents that its owners had when they were
// first seen.
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

// chainText returns the chain of parents with their roles on one line, oldest
// first: "systemd (1, first process) › zsh (812, shell) › node (47733)".
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
		chain = append(chain, fmt.Sprintf("%s (%s)", p.FullTitle(), more))
	}
	return strings.Join(chain, " › ")
}

// resourcesText returns "12 threads, 48 MB of memory, 3.2 s of CPU time", without
// what is unknown.
func resourcesText(r monitor.Resources) string {
	var parts []string
	switch {
	case r.Threads == 1:
		parts = append(parts, "1 thread")
	case r.Threads > 1:
		parts = append(parts, fmt.Sprintf("%d threads", r.Threads))
	}
	if r.Memory > 0 {
		parts = append(parts, fmt.Sprintf("%.1f MB of memory", float64(r.Memory)/1e6))
	}
	if r.CPU > 0 {
		parts = append(parts, r.CPU.Round(10*time.Millisecond).String()+" of CPU time")
	}
	return strings.Join(parts, ", ")
}

// serviceText returns the service and how it was recognized.
func serviceText(l *monitor.Listener) string {
	if l.Service == "" {
		return ""
	}
	by := map[monitor.ServiceBy]string{
		monitor.ByProgram: "from the program",
		monitor.ByCommand: "from the command",
		monitor.ByUnit:    "from the systemd unit",
		monitor.ByPort:    "guess from the port",
	}[l.ServiceBy]
	if by == "" {
		return l.Service
	}
	return l.Service + " (" + by + ")"
}

// clientsText returns the connected clients: "curl (48990), 2 × firefox (22310),
// 10.0.0.7". It returns "" if they cannot be read and "none" if there are none.
func clientsText(st *connection.State) string {
	if st == nil {
		return ""
	}
	if len(st.Conns) == 0 {
		return "none"
	}
	const maxClients = 8
	var names []string
	counts := map[string]int{}
	for _, c := range st.Conns {
		name := clientText(c)
		if counts[name]++; counts[name] == 1 {
			names = append(names, name)
		}
	}
	var texts []string
	for _, name := range names[:min(len(names), maxClients)] {
		if n := counts[name]; n > 1 {
			name = fmt.Sprintf("%d × %s", n, name)
		}
		texts = append(texts, name)
	}
	if more := len(names) - maxClients; more > 0 {
		texts = append(texts, fmt.Sprintf("%d more", more))
	}
	return strings.Join(texts, ", ")
}

// totalsText returns what the running Porthole counted: "1204 since it opened, 38 in the
// last minute; 12.0 MB received, 1.2 GB sent". It returns "" for nil.
func totalsText(t *connection.Totals, now time.Time) string {
	if t == nil {
		return ""
	}
	number := func(n uint64, atLeast bool) string {
		if atLeast {
			return fmt.Sprintf("at least %d", n)
		}
		return strconv.FormatUint(n, 10)
	}
	since := "since it opened"
	if !t.SinceOpened {
		since = "since " + timeText(t.Since, now) + ", when Porthole began to count"
	}
	return fmt.Sprintf("%s %s, %s in the last minute; %s received, %s sent", number(t.Connections, t.AtLeast), since,
		number(t.LastMinute.Connections, t.LastMinute.AtLeast), sizeText(t.Received), sizeText(t.Sent))
}

// visitorsText returns the clients of the last hour: "2 × psql (PID 812, user ann),
// 192.168.1.20". It returns "" if none are known.
func visitorsText(t *connection.Totals) string {
	if t == nil {
		return ""
	}
	var texts []string
	for _, v := range t.Clients[:min(len(t.Clients), 8)] {
		text := v.Client().Clean(60).String()
		if v.Connections > 1 {
			text = fmt.Sprintf("%d × %s", v.Connections, text)
		}
		texts = append(texts, text)
	}
	if more := len(t.Clients) - len(texts); more > 0 {
		texts = append(texts, fmt.Sprintf("%d more", more))
	}
	return strings.Join(texts, ", ")
}

// sizeText formats bytes: "812 bytes", "12.0 MB".
func sizeText(n uint64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d bytes", n)
	case n < 1e6:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	case n < 1e9:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.1f GB", float64(n)/1e9)
}

// clientText returns the other end of a connection.
func clientText(c connection.Conn) string {
	switch {
	case c.Client.PID != 0:
		return fmt.Sprintf("%s (%d)", dash(monitor.Clean(c.Client.Name, 60)), c.Client.PID)
	case c.User != "":
		return "unknown (user " + monitor.Clean(c.User, 40) + ")"
	}
	return c.Remote.Addr().String()
}

// containerText returns what is known of the container of l: "web (image
// acme/web:1), 0123456789ab, at 172.17.0.2:80".
func containerText(l *monitor.Listener) string {
	c := l.Container
	if c == nil {
		return monitor.Clean(l.ContainerID, 64)
	}
	var parts []string
	if c.Name != "" {
		parts = append(parts, strings.TrimPrefix(c.Description(), "container "))
	}
	if c.ID != "" {
		parts = append(parts, c.ID[:min(len(c.ID), 12)])
	}
	if c.Address != "" {
		parts = append(parts, "at "+c.Address)
	}
	return strings.Join(parts, ", ")
}
