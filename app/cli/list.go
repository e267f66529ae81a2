package cli

import (
	"context"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"porthole/monitor"
	"porthole/monitor/container"
	"porthole/monitor/inuse"
	"porthole/monitor/owner"
	"porthole/monitor/service"
	"porthole/monitor/socketunit"
	"porthole/monitor/tunnel"
)

func newList() *cobra.Command {
	o := standardOptions()
	c := &cobra.Command{
		Use:   "list [PORT | RANGE | ADDRESS:PORT | URL | WORD]...",
		Short: "List listening ports and the processes that own them, all or those that match",
		RunE:  func(c *cobra.Command, args []string) error { return runList(c.Context(), args, o) },
	}
	o.addJSON(c, "print one JSON object")
	o.addUnmasked(c)
	c.Flags().BoolVar(&o.All, "all", false, "include addresses that cannot be reached through loopback, and what you have hidden")
	c.Flags().BoolVar(&o.Hidden, "hidden", false, "list only what you have hidden")
	c.Flags().StringVar(&o.By, "by", "", "group the listeners by `WHAT`: project")
	o.addUDP(c)
	c.Flags().BoolVarP(&o.Verbose, "verbose", "v", false, "also print the framework of each listener, what the firewall does and what health checks found, and the data source on stderr")
	return c
}

// byProject groups a list by project and checkout.
const byProject = "project"

// runList prints the current listeners that args select, or all.
func runList(ctx context.Context, args []string, o Options) error {
	if o.By != "" && o.By != byProject {
		return UsageError{fmt.Sprintf("--by %s: listeners can be grouped by project only", monitor.Clean(o.By, 40))}
	}
	selected, err := parseSelection(joinLine(args))
	if err != nil {
		return err
	}
	q, err := newSelectionQuery(selected, o)
	if err != nil {
		return err
	}
	s, err := q.scan(ctx, owner.New())
	if err != nil {
		return err
	}
	q.ambiguous = findAmbiguous(s.Listeners)
	s.Listeners = selected.narrow(s.Listeners)
	if !q.selected.words.Empty() { // preparing the texts to search costs more than all else
		s.Listeners = slices.DeleteFunc(slices.Clone(s.Listeners), func(l *monitor.Listener) bool { return !q.selected.words.Matches(l) })
	}
	hidden := q.countConcealed(s.Listeners)
	s.Listeners = slices.DeleteFunc(slices.Clone(s.Listeners), q.conceals)
	if o.JSON || o.Verbose {
		q.firewall = askFirewall(ctx, s.Listeners)
		q.checks = q.askChecks()
	}
	switch {
	case o.JSON && o.By == byProject:
		return writeLine(o.Stdout, q.projectsJSON(s, hidden))
	case o.JSON:
		out := q.snapshotJSON(s)
		out.Hidden = hidden
		if port, single := q.ports.Single(); single && len(s.Listeners) == 0 {
			out.InUse = q.usesJSON(inuse.Ask(ctx, port).Uses)
		}
		return writeLine(o.Stdout, out)
	}
	q.noteMissing(s.Listeners)
	q.noteHidden(hidden)
	q.noteAmbiguous(s.Listeners)
	return q.printTable(ctx, o.Stdout, s)
}

// noteAmbiguous prints on stderr for which ports of listeners "localhost" is ambiguous.
func (q query) noteAmbiguous(listeners []*monitor.Listener) {
	var ports []string
	for _, l := range listeners {
		if port := strconv.Itoa(int(l.Port)); q.ambiguous[l.ID] && !slices.Contains(ports, port) {
			ports = append(ports, port)
		}
	}
	if len(ports) > 0 {
		_, _ = fmt.Fprintf(q.Stderr, "porthole: \"localhost\" is ambiguous on %s: 127.0.0.1 and [::1] belong to different processes\n", strings.Join(ports, ", ")) // stdout has the answer
	}
}

// gcPercent is GOGC for commands that poll once: they need a few megabytes, and
// with the default value garbage collection takes 6 % of the time of "who".
const gcPercent = 400

// scan polls once and returns the listeners with the owners that finder finds.
func (q query) scan(ctx context.Context, finder monitor.Finder) (monitor.Snapshot, error) {
	debug.SetGCPercent(gcPercent)
	containers, tunnels := container.New(), tunnel.New()
	var work sync.WaitGroup
	defer work.Wait()
	work.Go(func() { tunnels.Scan(ctx) })
	m, table, err := q.open(finder, func(l *monitor.Listener) {
		socketunit.Describe(l)
		service.Describe(l)
		if q.keep(l) { // do not ask container engines about listeners that are not shown
			containers.Resolve(ctx, l)
		}
		tunnels.Await(ctx)
		tunnels.Describe(l)
	}, nil)
	if err != nil {
		return monitor.Snapshot{}, err
	}
	defer table.Close()
	return m.Scan(ctx)
}

// exposureColumn is the index of the column EXPOSURE.
const exposureColumn = 5

// exposureText returns the exposure of l and, if it comes from a tunnel, the program.
func exposureText(l *monitor.Listener) string {
	if t, ok := l.PublicTunnel(); ok {
		return string(l.Exposure) + " (" + t.Through + ")"
	}
	if len(l.Tunnels) > 0 && !l.OnNetwork() {
		return string(l.Exposure) + " (" + l.Tunnels[0].Through + ")"
	}
	return string(l.Exposure)
}

// printTable prints the listeners of s as a table, watched ports marked with *.
func (q query) printTable(ctx context.Context, w io.Writer, s monitor.Snapshot) error {
	if len(s.Listeners) == 0 {
		_, err := fmt.Fprintln(w, q.emptyText(ctx))
		return err
	}
	heads := map[int]string{}
	if q.By == byProject {
		s.Listeners, heads = groupByProject(s.Listeners)
	}
	header := []string{"PORT", "ADDRESS", "PROCESS", "PID", "USER", "EXPOSURE", "PROJECT", "SERVICE"}
	if q.Verbose {
		header = append(header, "FRAMEWORK", "FIREWALL")
	}
	checked := q.Verbose && len(q.checks) > 0
	if checked {
		header = append(header, "HEALTH")
	}
	labelled := slices.ContainsFunc(s.Listeners, func(l *monitor.Listener) bool { return l.Label != "" })
	if labelled {
		header = append(header, "LABEL")
	}
	t := table{rows: [][]string{header}, heads: heads, color: func(row, column int) string {
		switch {
		case row == 0:
			return "1" // bold
		case column == exposureColumn && s.Listeners[row-1].Exposure == monitor.ExposurePublic:
			return "31" // red
		case column == exposureColumn && s.Listeners[row-1].Exposure.IsExposed():
			return "33" // yellow
		}
		return ""
	}}
	for _, l := range s.Listeners {
		star := ""
		if q.rules.Matches(l) || q.watched[l.ID] {
			star = "*"
		}
		process, pid := ownerText(l)
		row := []string{portText(l) + star, addressText(l), process, pid, dash(monitor.Clean(l.User, 32)), exposureText(l),
			dash(monitor.Clean(l.Project, 32)), dash(l.Service)}
		if q.Verbose {
			row = append(row, dash(l.Framework), dash(string(q.firewall[l.ID].State)))
		}
		if checked {
			row = append(row, dash(q.healthState(l)))
		}
		if labelled {
			row = append(row, dash(l.Label))
		}
		t.rows = append(t.rows, row)
	}
	width, styled := terminalStyle(w)
	return t.print(w, width, styled)
}

// emptyText returns the answer if there are no listeners.
func (q query) emptyText(ctx context.Context) string {
	where := " on loopback"
	if q.All {
		where = ""
	}
	port, single := q.ports.Single()
	switch {
	case !q.selected.words.Empty():
		return "Nothing that matches listens" + where + "."
	case single && len(q.selected.targets) == 1:
		return q.selected.targets[0].vacancyText(ctx, where)
	case single:
		return vacancyText(ctx, inuse.Ask(ctx, port), where)
	case len(q.selected.targets) > 0:
		where = ""
	}
	if q.ports != nil {
		return "Nothing listens" + where + " in " + q.ports.String() + "."
	}
	return "Nothing listens" + where + "."
}
