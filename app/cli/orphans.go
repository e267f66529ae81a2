package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"porthole/app/ipc"
	"porthole/monitor"
	"porthole/monitor/ancestry"
	"porthole/monitor/orphan"
	"porthole/monitor/owner"
	"porthole/monitor/process"
	"porthole/monitor/stop"
)

func newOrphans() *cobra.Command {
	o := standardOptions()
	c := &cobra.Command{
		Use:   "orphans",
		Short: "List orphaned servers, whose terminal, login or coding agent has ended",
		Long: `List orphaned servers, each with the evidence and how sure it is:

  confirmed  the terminal, shell, login or coding agent that started it has ended
  likely     it was a job of a shell that has ended, or its environment names a coding
             agent, and none that is older runs
  possible   the process that started it has exited; it may be meant to run on

What systemd, a supervisor, cron or a container engine runs is never listed. A running
Porthole knows the parents that a process had when it opened its port; without one,
fewer are confirmed. To stop them: porthole stop --orphans.`,
		Args: Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error { return runOrphans(c.Context(), o) },
	}
	o.addJSON(c, "print one JSON object")
	o.addUnmasked(c)
	return c
}

// orphanedProcess is an orphaned process with its listeners.
type orphanedProcess struct {
	orphan.Finding
	owner     monitor.Owner
	why       ancestry.Explanation
	listeners []*monitor.Listener
}

// orphansJSON is the output of orphans --json.
type orphansJSON struct {
	TakenAt time.Time    `json:"taken_at"`
	Orphans []orphanJSON `json:"orphans"`
}

type orphanJSON struct {
	Ports     []uint16         `json:"ports"`
	Certainty orphan.Certainty `json:"certainty"` // confirmed, likely or possible
	Evidence  string           `json:"evidence"`  // in English
	StartedBy string           `json:"started_by,omitempty"`
	Owner     ownerJSON        `json:"owner"`
}

func runOrphans(ctx context.Context, o Options) error {
	q, found, err := findOrphans(ctx, o, time.Now())
	if err != nil {
		return err
	}
	if o.JSON {
		out := orphansJSON{TakenAt: time.Now().UTC(), Orphans: []orphanJSON{}}
		for _, f := range found {
			out.Orphans = append(out.Orphans, orphanJSON{f.ports(), f.Certainty, f.Evidence.String(), f.why.StartedBy(), q.ownerJSON(f.owner)})
		}
		return writeLine(o.Stdout, out)
	}
	if len(found) == 0 {
		_, err := fmt.Fprintln(o.Stdout, "No server is orphaned.")
		return err
	}
	t := table{rows: [][]string{{"PORT", "PROCESS", "PID", "STARTED BY", "PROJECT", "AGE", "SURE", "EVIDENCE"}}, color: func(row, _ int) string {
		if row == 0 {
			return "1" // bold
		}
		return ""
	}}
	for _, f := range found {
		t.rows = append(t.rows, []string{f.portsText(), dash(monitor.Clean(f.owner.Name, 32)), strconv.Itoa(f.owner.PID), dash(f.why.StartedBy()),
			dash(monitor.Clean(f.owner.Project, 32)), ageText(f.owner, time.Now()), f.Certainty.Label(), f.Evidence.String()})
	}
	width, styled := terminalStyle(o.Stdout)
	return t.print(o.Stdout, width, styled)
}

// ageText returns how long o has been running, "-" if that is unknown.
func ageText(o monitor.Owner, now time.Time) string {
	if o.StartedAt.IsZero() {
		return "-"
	}
	age := now.Sub(o.StartedAt)
	switch {
	case age >= 48*time.Hour:
		return fmt.Sprintf("%dd", age/(24*time.Hour))
	case age >= time.Hour:
		return fmt.Sprintf("%dh", age/time.Hour)
	case age >= time.Minute:
		return fmt.Sprintf("%dm", age/time.Minute)
	}
	return fmt.Sprintf("%ds", max(age, 0)/time.Second)
}

func (f orphanedProcess) ports() (ports []uint16) {
	for _, l := range f.listeners {
		if !slices.Contains(ports, l.Port) {
			ports = append(ports, l.Port)
		}
	}
	return ports
}

func (f orphanedProcess) portsText() string {
	var texts []string
	for _, port := range f.ports() {
		texts = append(texts, strconv.Itoa(int(port)))
	}
	return strings.Join(texts, ",")
}

// findOrphans returns the orphaned processes, the surest first.
func findOrphans(ctx context.Context, o Options, now time.Time) (query, []orphanedProcess, error) {
	o.All = true // regardless of the addresses
	q, err := newQuery(nil, o)
	if err != nil {
		return q, nil, err
	}
	s, err := q.scan(ctx, owner.New())
	if err != nil {
		return q, nil, err
	}
	var found []orphanedProcess
	agent := openAgentMemory()
	for _, l := range s.Listeners {
		owner, known := l.Principal()
		if !known || stop.Protection(owner) != "" {
			continue
		}
		if i := slices.IndexFunc(found, func(f orphanedProcess) bool { return f.owner.Same(owner) }); i >= 0 {
			found[i].listeners = append(found[i].listeners, l)
			continue
		}
		l = withFirstParents(l, agent.listeners(l.Port))
		owner = l.Owners[0]
		state := process.State(owner)
		why := ancestry.Explain(owner, l.CgroupInfo, state)
		if finding, ok := orphan.Judge(l, owner, why, state, now); ok {
			found = append(found, orphanedProcess{finding, owner, why, []*monitor.Listener{l}})
		}
	}
	slices.SortStableFunc(found, func(a, b orphanedProcess) int {
		return slices.Index(orphan.Certainties, a.Certainty) - slices.Index(orphan.Certainties, b.Certainty)
	})
	return q, found, nil
}

// agentMemory asks the running Porthole for the listeners as it first saw them. Without
// one, or after it did not answer once, it knows nothing.
type agentMemory struct{ dir *ipc.RuntimeDir }

func openAgentMemory() *agentMemory {
	dir, err := ipc.OpenRuntimeDir()
	if err != nil {
		return &agentMemory{}
	}
	return &agentMemory{&dir}
}

func (m *agentMemory) listeners(port uint16) []*monitor.Listener {
	if m.dir == nil {
		return nil
	}
	answer, err := ipc.Request(*m.dir, ipc.Message{Kind: ipc.Lookup, Port: port})
	if err != nil {
		m.dir = nil
		return nil
	}
	return answer.Listeners
}

// stopOrphans stops the servers that are orphaned at least as surely as least. It names all of
// them and asks once. Each is stopped as by "stop PORT --pid", and only if it is still the
// process that was judged.
func stopOrphans(ctx context.Context, least orphan.Certainty, o stopOptions) error {
	if !slices.Contains(orphan.Certainties, least) {
		return UsageError{fmt.Sprintf("--orphans=%s: expected confirmed, likely or possible", monitor.Clean(string(least), 40))}
	}
	_, all, err := findOrphans(ctx, o.Options, time.Now())
	if err != nil {
		return err
	}
	found := slices.DeleteFunc(slices.Clone(all), func(f orphanedProcess) bool { return !f.Certainty.AtLeast(least) })
	if len(found) == 0 {
		if n := len(all); n > 0 {
			_, err = fmt.Fprintf(o.Stdout, "No server is surely orphaned; %d may be: porthole orphans\n", n)
			return err
		}
		_, err = fmt.Fprintln(o.Stdout, "No server is orphaned.")
		return err
	}
	return stopEach(ctx, found, o)
}

// stopEach plans the stop of each process, shows all plans, asks once, and carries them
// out one after the other.
func stopEach(ctx context.Context, found []orphanedProcess, o stopOptions) error {
	plans, names := planEach(ctx, found, o)
	if len(plans) == 0 {
		return errors.New("nothing was stopped")
	}
	ask := &stopping{stopOptions: o}
	if err := ask.confirm(ctx, "Stop "+strings.Join(names, ", ")+"?"); err != nil {
		for _, p := range plans {
			_ = p.refuse(err) // its error is the same
		}
		return err
	}
	var failed []error
	for _, p := range plans {
		output, err := p.confirm()
		_, _ = fmt.Fprintln(o.Stdout, output) // the error reports the rest
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// planEach returns the plans to stop each process, and the processes in words, and prints
// the plans. What can't be stopped is left out, with a line on stderr.
func planEach(ctx context.Context, found []orphanedProcess, o stopOptions) (plans []*stopPlan, names []string) {
	for _, f := range found {
		one := o
		one.All, one.Yes = true, false
		one.PIDs = f.pids()
		p := newStopPlan()
		go p.run(ctx, strconv.Itoa(int(f.listeners[0].Port)), one) // ends with the plan
		err := p.wait(ctx)
		if err == nil && !p.holds(f.owner) {
			err = p.refuse(fmt.Errorf("%s has ended", processText(f.owner)))
		}
		if err != nil {
			_, _ = fmt.Fprintf(o.Stderr, "porthole: %s is left out: %v\n", processText(f.owner), err) // the others can be stopped
			continue
		}
		plans = append(plans, p)
		names = append(names, processText(f.owner)+" on "+f.portsText())
		_, _ = fmt.Fprintf(o.Stdout, "%s  %s: %s\n", p.text(), f.Certainty.Label(), f.Evidence) // the question follows
	}
	return plans, names
}

// pids returns the owners of the first listener.
func (f orphanedProcess) pids() (pids []int) {
	for _, o := range f.listeners[0].Owners {
		pids = append(pids, o.PID)
	}
	return pids
}
