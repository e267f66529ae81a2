package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"text/tabwriter"
	"time"

	"porthole/monitor"
	"porthole/monitor/ancestry"
	"porthole/monitor/connection"
	"porthole/monitor/connection/source"
	"porthole/monitor/owner"
	"porthole/monitor/warning"
)

// ErrFree says that nothing listens at the port that was asked for. That was
// printed already.
var ErrFree = errors.New("nothing listens there")

// whoJSON is the answer of who --json: fields are added, never renamed.
type whoJSON struct {
	Port      uint16            `json:"port"`
	Listeners []whoListenerJSON `json:"listeners"`
}

type whoListenerJSON struct {
	listenerJSON
	Why         *whyJSON         `json:"why,omitempty"` // absent where the owner is hidden
	Resources   *resourcesJSON   `json:"uses,omitempty"`
	Warnings    []warningJSON    `json:"odd,omitempty"`
	Connections *int             `json:"connections,omitempty"` // absent where they cannot be read
	Peers       []connectionJSON `json:"peers,omitempty"`
	AcceptQueue *acceptQueueJSON `json:"accept_queue,omitempty"`
}

// whyJSON is the chain of parents, and what it says in one English sentence.
type whyJSON struct {
	Sentence string `json:"sentence"`
	ancestry.Explanation
}

// resourcesJSON is what the principal owner uses.
type resourcesJSON struct {
	Threads int     `json:"threads,omitempty"`
	Memory  uint64  `json:"memory,omitempty"`      // bytes, shared ones too (RSS)
	CPU     float64 `json:"cpu_seconds,omitempty"` // of all cores, since it started
}

// connectionJSON is one established connection.
type connectionJSON struct {
	Local    netip.AddrPort `json:"local"` // the listener's end
	Remote   netip.AddrPort `json:"remote"`
	PID      int            `json:"pid,omitempty"` // of the client, where it is on this machine and can be seen
	Name     string         `json:"name,omitempty"`
	User     string         `json:"user,omitempty"`
	Received *uint64        `json:"received,omitempty"` // bytes by the listener; absent where the system does not count them
	Sent     *uint64        `json:"sent,omitempty"`
}

type warningJSON struct {
	warning.Warning
	Text string `json:"text"` // in English, with what to do
}

// acceptQueueJSON is the connections that wait to be accepted, and their limit.
type acceptQueueJSON struct {
	Waiting uint32 `json:"waiting"`
	Limit   uint32 `json:"limit"`
}

// Who prints the whole story of one port, the answer in its first line. The error
// is ErrNothing where nothing listens there; then who had it last is printed,
// where that is remembered.
func Who(ctx context.Context, port string, o Options) error {
	o.All = true // whoever asks for one port wants whoever has it
	q, err := newQuery([]string{port}, o)
	if err != nil {
		return err
	}
	number, single := q.ports.Single()
	if !single {
		return UsageError{fmt.Sprintf("%q: who takes one port", monitor.Clean(port, 40))}
	}
	firstSeen := make(chan []*monitor.Listener, 1)
	go func() { firstSeen <- askAgent(number) }() // ends within link.Ask's deadline; the look takes as long
	finder := owner.New()
	clients, err := source.Open()
	if err == nil { // else the rest is told without them
		defer clients.Close()
		finder = clients.WithClients(finder, number)
	}
	s, err := q.poll(ctx, finder)
	if err != nil {
		return err
	}
	told := gatherDetails(readConnections(ctx, clients, s.Listeners), s.Listeners, <-firstSeen)
	if o.JSON {
		err = writeLine(o.Stdout, q.whoJSON(number, told))
	} else {
		err = q.printDetails(ctx, o.Stdout, number, told)
	}
	if err == nil && len(told) == 0 {
		return ErrFree
	}
	return err
}

func (q query) whoJSON(port uint16, told []listenerDetails) whoJSON {
	out := whoJSON{Port: port, Listeners: []whoListenerJSON{}}
	for _, l := range told {
		one := whoListenerJSON{listenerJSON: q.listenerJSON(l.Listener)}
		if len(l.Owners) > 0 {
			one.Why = &whyJSON{l.why.Sentence(), l.why}
		}
		for _, odd := range l.warnings {
			one.Warnings = append(one.Warnings, warningJSON{odd, odd.Sentence(l.why)})
		}
		if u := l.resources; u != (monitor.Resources{}) {
			one.Resources = &resourcesJSON{u.Threads, u.Memory, u.CPU.Seconds()}
		}
		if l.state != nil {
			one.Peers = connectionsJSON(l.state)
			n := len(l.state.Conns)
			one.Connections = &n
			if l.state.QueueKnown {
				one.AcceptQueue = &acceptQueueJSON{l.state.QueueLength, l.state.QueueLimit}
			}
		}
		out.Listeners = append(out.Listeners, one)
	}
	return out
}

func connectionsJSON(st *connection.State) []connectionJSON {
	var out []connectionJSON
	for _, p := range st.Conns {
		one := connectionJSON{Local: p.Local, Remote: p.Remote, PID: p.Client.PID, Name: p.Client.Name, User: p.User}
		if st.BytesKnown {
			one.Received, one.Sent = &p.Received, &p.Sent
		}
		out = append(out, one)
	}
	return out
}

// printDetails writes the story for people.
func (q query) printDetails(ctx context.Context, w io.Writer, port uint16, told []listenerDetails) error {
	now := time.Now()
	if len(told) == 0 {
		_, err := fmt.Fprintf(w, "%d is free.%s\n", port, lastOwnerText(ctx, port, now))
		return err
	}
	for i, l := range told {
		if i > 0 {
			_, _ = fmt.Fprintln(w) // Flush below tells
		}
		_, _ = fmt.Fprintln(w, summary(l.Listener, now))
		for _, odd := range l.warnings {
			_, _ = fmt.Fprintln(w, "! "+odd.Sentence(l.why))
		}
		if err := q.printFields(w, l, now); err != nil {
			return fmt.Errorf("write who has %d: %w", port, err)
		}
	}
	return nil
}

// summary is the first line: "62893 is held by node (47733), Vite of acme-web, for 12m".
func summary(l *monitor.Listener, now time.Time) string {
	o, ok := l.Principal()
	if !ok {
		return portText(l) + " is held by " + ownerUnknownText(l) + "."
	}
	held := fmt.Sprintf("%s is held by %s (%d)", portText(l), dash(monitor.Clean(o.Name, 60)), o.PID)
	if c := l.Container; c != nil && c.Published {
		return held + " for the " + c.Description() + "."
	}
	parts := []string{held}
	service, project := l.Service, monitor.Clean(l.Project, 60)
	if l.ServiceBy == monitor.ByPort {
		service = "" // a guess from the number is no answer
	}
	switch {
	case service != "" && project != "":
		parts = append(parts, service+" of "+project)
	case service+project != "":
		parts = append(parts, service+project)
	}
	if more := len(l.Owners) - 1; more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", more))
	}
	if !o.StartedAt.IsZero() {
		parts = append(parts, "running for "+now.Sub(o.StartedAt).Truncate(time.Second).String())
	}
	return strings.Join(parts, ", ") + "."
}

// printFields are the lines below the answer; what is not known has none.
func (q query) printFields(w io.Writer, l listenerDetails, now time.Time) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(label, value string) {
		if value != "" {
			_, _ = fmt.Fprintf(t, "  %s\t%s\n", label, value) // Flush tells
		}
	}
	var addresses []string
	for _, s := range l.Sockets {
		addresses = append(addresses, fmt.Sprintf("%s (%s)", s.Address, exposureText(monitor.ExposureOf(s.Address))))
	}
	line("listens on", strings.Join(addresses, ", "))
	line("user", monitor.Clean(l.User, 60))
	line("container", containerText(l.Listener))
	o, ok := l.Principal()
	if !ok {
		line("hidden", l.OwnerUnknown)
		line("unit", monitor.Clean(l.Unit, 200))
		line("connected", clientsText(l.state))
		return t.Flush()
	}
	line("service", serviceText(l.Listener))
	line("why", l.why.Sentence())
	line("chain", chainText(l.why))
	line("connected", clientsText(l.state))
	line("command", monitor.Clean(strings.Join(q.maskedCommand(o.Command), " "), 4000))
	program := monitor.Clean(o.Program, 400)
	if o.Deleted {
		program += " (deleted or replaced since it started)"
	}
	line("program", program)
	folder := monitor.Clean(o.Folder, 400)
	if o.Branch != "" {
		folder += " (git: " + monitor.Clean(o.Branch, 80) + ")"
	}
	line("folder", folder)
	if !o.StartedAt.IsZero() {
		line("started", timeText(o.StartedAt, now))
	}
	line("uses", resourcesText(l.resources))
	return t.Flush()
}

// containerText is what is known of the container behind l: "web (image acme/web:1), 0123456789ab, at 172.17.0.2:80".
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
		parts = append(parts, monitor.Container{ID: c.ID}.Description()[len("container "):])
	}
	if c.Address != "" {
		parts = append(parts, "at "+c.Address)
	}
	return strings.Join(parts, ", ")
}
