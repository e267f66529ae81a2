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

	"github.com/spf13/cobra"

	"porthole/app/ipc"
	"porthole/monitor"
	"porthole/monitor/ancestry"
	"porthole/monitor/connection"
	"porthole/monitor/connection/source"
	"porthole/monitor/inuse"
	"porthole/monitor/owner"
	"porthole/monitor/reply"
	"porthole/monitor/warning"
)

// ErrFree means that nothing listens on the port. That has been printed.
var ErrFree = errors.New("nothing listens on the port")

func newWho() *cobra.Command {
	o := standardOptions()
	c := &cobra.Command{
		Use:   "who PORT | ADDRESS:PORT | URL | NAME...",
		Short: "Show which process owns a port and how it was started (exit status 1 if nothing listens)",
		Args:  Args(cobra.MinimumNArgs(1)),
		RunE:  func(c *cobra.Command, args []string) error { return runWhoAll(c.Context(), args, o) },
	}
	o.addJSON(c, "print one JSON object for each port")
	o.addUnmasked(c)
	o.addUDP(c)
	o.addConnect(c, "ask the port with one HTTP request, which the server may log, and show what answers")
	return c
}

// runWhoAll prints everything about each of the targets in args. It returns ErrFree if
// nothing listens on one of them.
func runWhoAll(ctx context.Context, args []string, o Options) error {
	args = joinLine(args)
	if err := checkTargets(args); err != nil {
		return err
	}
	var free error
	for i, arg := range args {
		if i > 0 && !o.JSON {
			_, _ = fmt.Fprintln(o.Stdout) // the answer that follows reports errors
		}
		err := runWho(ctx, arg, o)
		if err != nil && !errors.Is(err, ErrFree) {
			return err
		}
		free = errors.Join(free, err)
	}
	return free
}

// whoJSON is the output of who --json.
type whoJSON struct {
	Port      uint16            `json:"port"`
	Listeners []whoListenerJSON `json:"listeners"`
	InUse     []useJSON         `json:"in_use,omitempty"` // what else uses the port if nothing listens

	TestConnection *testConnectionJSON `json:"test_connection,omitempty"` // absent without --connect
}

type whoListenerJSON struct {
	listenerJSON
	Why         *whyJSON         `json:"why,omitempty"` // absent if the owner is unknown
	Resources   *resourcesJSON   `json:"resources,omitempty"`
	Warnings    []warningJSON    `json:"warnings,omitempty"`
	Connections []connectionJSON `json:"connections,omitzero"` // absent if they cannot be read
	AcceptQueue *acceptQueueJSON `json:"accept_queue,omitempty"`
	Reply       *reply.Reply     `json:"reply,omitempty"` // absent without --connect, and for UDP

	// ConnectionTotals are counted by the running Porthole; absent if it does not count
	// this listener.
	ConnectionTotals *connection.Totals `json:"connection_totals,omitempty"`
}

// whyJSON is the chain of parents, with one English sentence about it.
type whyJSON struct {
	Sentence string `json:"sentence"`
	ancestry.Explanation
}

// resourcesJSON is the resource usage of the principal owner.
type resourcesJSON struct {
	Threads int     `json:"threads,omitempty"`
	Memory  uint64  `json:"memory_bytes,omitempty"` // resident set size
	CPU     float64 `json:"cpu_seconds,omitempty"`  // of all cores, since the process started
}

// connectionJSON is an established connection.
type connectionJSON struct {
	Local    netip.AddrPort `json:"local"` // the listener's end
	Remote   netip.AddrPort `json:"remote"`
	Client   *clientJSON    `json:"client,omitempty"`         // absent if it is on another machine or unknown
	Received *uint64        `json:"received_bytes,omitempty"` // by the listener; absent if the system does not count bytes
	Sent     *uint64        `json:"sent_bytes,omitempty"`
}

// clientJSON is the local process at the other end of a connection.
type clientJSON struct {
	PID  int    `json:"pid,omitempty"`
	Name string `json:"name,omitempty"`
	User string `json:"user,omitempty"`
}

type warningJSON struct {
	warning.Warning
	Text string `json:"text"` // in English, with advice
}

// acceptQueueJSON is the number of connections that wait to be accepted, and its
// limit.
type acceptQueueJSON struct {
	Waiting uint32 `json:"waiting"`
	Limit   uint32 `json:"limit"`
}

// runWho prints everything about a port, with the most important answer in the
// first line. If nothing listens, it prints what else keeps the port from being bound
// and the last owner, if recorded, and returns ErrFree.
func runWho(ctx context.Context, arg string, o Options) error {
	wanted, err := findTarget(ctx, arg, o)
	if err != nil {
		return err
	}
	port := wanted.Port
	o.All = true // a single port: show it regardless of its address
	q, err := newSelectionQuery(selection{targets: []target{wanted}}, o)
	if err != nil {
		return err
	}
	firstSeen := make(chan ipc.Message, 1)
	go func() { firstSeen <- askAgent(port) }() // ends within the timeout of ipc.Request; the scan takes about as long
	finder := owner.New()
	clients, err := source.Open()
	if err == nil { // otherwise show the other details without connections
		defer clients.Close()
		finder = clients.WithClients(finder, port)
	}
	s, err := q.scan(ctx, finder)
	if err != nil {
		return err
	}
	q.ambiguous = findAmbiguous(s.Listeners)
	s.Listeners = q.selected.narrow(s.Listeners)
	q.firewall = askFirewall(ctx, s.Listeners)
	known := <-firstSeen
	if known.Status != nil {
		q.checks = known.Status.Checks
	}
	details := q.gatherDetails(readConnections(ctx, clients, s.Listeners), s.Listeners, known)
	var tried *testConnectionJSON
	if o.Connect {
		tried = connect(ctx, wanted.Target, details)
	}
	if o.JSON {
		out := q.whoJSON(port, details)
		out.TestConnection = tried
		if len(details) == 0 {
			out.InUse = q.usesJSON(inuse.Ask(ctx, port).Uses)
		}
		err = writeLine(o.Stdout, out)
	} else {
		err = q.printDetails(ctx, o.Stdout, wanted, details)
		if tried != nil && tried.reply == nil {
			_, _ = fmt.Fprintln(o.Stdout, tried.text(len(details) > 0)) // printDetails reports errors of writing
		}
	}
	if err == nil && len(details) == 0 {
		return ErrFree
	}
	return err
}

func (q query) whoJSON(port uint16, details []listenerDetails) whoJSON {
	out := whoJSON{Port: port, Listeners: []whoListenerJSON{}}
	for _, l := range details {
		one := whoListenerJSON{listenerJSON: q.listenerJSON(l.Listener)}
		if len(l.Owners) > 0 {
			one.Why = &whyJSON{l.why.Sentence().String(), l.why}
		}
		for _, w := range l.warnings {
			one.Warnings = append(one.Warnings, warningJSON{w, w.Sentence(l.why).String()})
		}
		if r := l.resources; r != (monitor.Resources{}) {
			one.Resources = &resourcesJSON{r.Threads, r.Memory, r.CPU.Seconds()}
		}
		one.Reply = l.reply
		if l.connections != nil {
			one.Connections = connectionsJSON(l.connections)
			if l.connections.QueueKnown {
				one.AcceptQueue = &acceptQueueJSON{l.connections.QueueLength, l.connections.QueueLimit}
			}
		}
		one.ConnectionTotals = l.totals
		out.Listeners = append(out.Listeners, one)
	}
	return out
}

// connectionsJSON returns the connections of st, never nil.
func connectionsJSON(st *connection.State) []connectionJSON {
	out := []connectionJSON{}
	for _, c := range st.Conns {
		one := connectionJSON{Local: c.Local, Remote: c.Remote}
		if client := (clientJSON{c.Client.PID, c.Client.Name, c.User}); client != (clientJSON{}) {
			one.Client = &client
		}
		if st.BytesKnown {
			one.Received, one.Sent = &c.Received, &c.Sent
		}
		out = append(out, one)
	}
	return out
}

// printDetails prints the details for people: a summary, the warnings, and one
// line for each known fact.
func (q query) printDetails(ctx context.Context, w io.Writer, t target, details []listenerDetails) error {
	now := time.Now()
	if len(details) == 0 {
		_, err := fmt.Fprintln(w, t.vacancyText(ctx, ""))
		return err
	}
	for i, l := range details {
		if i > 0 {
			_, _ = fmt.Fprintln(w) // Flush in printFields returns errors
		}
		_, _ = fmt.Fprintln(w, summary(l.Listener, now))
		for _, warning := range l.warnings {
			_, _ = fmt.Fprintln(w, "! "+warning.Sentence(l.why).String())
		}
		if err := errors.Join(q.printFields(w, l, now), printReply(w, l.reply)); err != nil {
			return fmt.Errorf("write the details of %s: %w", t, err)
		}
	}
	return nil
}

// summary returns the first line: "62893 is used by node (47733), Vite of
// acme-web, running for 12m3s."
func summary(l *monitor.Listener, now time.Time) string {
	o, ok := l.Principal()
	if why := ancestry.Explain(o, l.CgroupInfo, monitor.ProcessState{}); why.SocketService() != "" {
		return portText(l) + " is open for " + why.Sentence().String() + "."
	}
	if !ok {
		text := portText(l) + " is in use, owner unknown"
		if hint := ownerHint(l); hint != "" {
			text += " (" + hint + ")"
		}
		return text + "."
	}
	used := fmt.Sprintf("%s is used by %s", portText(l), processText(o))
	if c := l.Container; c != nil && c.Published {
		return used + " for " + ancestry.TheContainer(*c) + "."
	}
	parts := []string{used}
	service, project := l.Service, monitor.Clean(l.Project, 60)
	if l.ServiceBy == monitor.ByPort {
		service = "" // only a guess from the port number
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

// boundText returns the addresses of sockets with their exposure, each once: with
// SO_REUSEPORT each worker of a server has a socket of its own.
func boundText(sockets []monitor.HeldSocket) string {
	var texts []string
	count := make(map[string]int)
	for _, s := range sockets {
		text := s.Endpoint() + " (" + string(s.Exposure())
		if count[text]++; count[text] == 1 {
			texts = append(texts, text)
		}
	}
	for i, text := range texts {
		if n := count[text]; n > 1 {
			text += fmt.Sprintf(", %d sockets", n)
		}
		texts[i] = text + ")"
	}
	return strings.Join(texts, ", ")
}

// unitSentence names the service that systemd started, for a listener whose
// owner is unknown; "" if the service is unknown too.
func unitSentence(l listenerDetails) string {
	if l.why.Service()+l.why.SocketService() == "" {
		return ""
	}
	return l.why.Sentence().String()
}

// printFields prints the lines below the summary, without unknown values.
func (q query) printFields(w io.Writer, l listenerDetails, now time.Time) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(label, value string) {
		if value != "" {
			_, _ = fmt.Fprintf(t, "  %s\t%s\n", label, value) // Flush returns errors
		}
	}
	line("label", l.Label)
	line("note", l.Note)
	line("hidden", q.hiddenText(l.Listener))
	line("health", q.healthText(l.Listener, now))
	line("address", boundText(l.Sockets))
	for _, tunnel := range l.Tunnels {
		line("tunnel", tunnel.Sentence().String())
	}
	line("firewall", q.firewall[l.ID].Sentence().String())
	line("user", monitor.Clean(l.User, 60))
	line("user name", unknownText(l.UserUnknown))
	line("container", containerText(l.Listener))
	if l.Container != nil {
		line("container name", unknownText(l.Container.NameUnknown))
	}
	o, ok := l.Principal()
	if !ok {
		line("owner unknown", l.OwnerUnknown)
		line("service", serviceText(l.Listener))
		line("framework", l.Framework)
		line("unit", monitor.Clean(l.Unit, 200))
		line("why", unitSentence(l))
		line("connections", clientsText(l.connections))
		line("counted", totalsText(l.totals, now))
		line("last hour", visitorsText(l.totals))
		return t.Flush()
	}
	line("service", serviceText(l.Listener))
	line("framework", l.Framework)
	line("why", l.why.Sentence().String())
	line("chain", chainText(l.why))
	line("connections", clientsText(l.connections))
	line("counted", totalsText(l.totals, now))
	line("last hour", visitorsText(l.totals))
	line("command", monitor.Clean(monitor.ShellCommand(q.maskedCommand(o.Command)), 4000))
	program := monitor.Clean(o.Program, 400)
	if o.Deleted {
		program += " (deleted or replaced since it started)"
	}
	line("program", withInside(program, o))
	folder := monitor.Clean(o.Folder, 400)
	folder += gitText(l.Listener)
	line("folder", withInside(folder, o))
	line("output", withInside(monitor.Clean(o.Output, 400), o))
	line("project", unknownText(o.ProjectUnknown))
	if !o.StartedAt.IsZero() {
		line("started", timeText(o.StartedAt, now))
	}
	line("resources", resourcesText(l.resources))
	return t.Flush()
}
