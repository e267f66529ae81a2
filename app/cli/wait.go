package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"porthole/monitor"
	"porthole/monitor/health"
	"porthole/monitor/inuse"
)

// waitOptions are the flags of the command wait.
type waitOptions struct {
	Options
	Closed  bool          // wait until nothing listens
	Any     bool          // one of them is enough
	HTTP    string        // the path to ask for; "" does not
	Timeout time.Duration // at most so long
}

func newWait() *cobra.Command {
	o := waitOptions{Options: standardOptions()}
	c := &cobra.Command{
		Use:   "wait PORT | ADDRESS:PORT | URL | NAME...",
		Short: "Wait until ports are open, at an address if one is given (exit status 1 on timeout)",
		Long: `Wait until all ports are open, at an address if one is given. NAME is the name of a
service, a project, a label, a process or a container, on whatever port it listens. If
several servers have the name, wait lists them and exits with status 2.

With --http it then asks each server until it answers with a status below 500, for the
path / or the given one: --http=/health. Only addresses of this machine are asked.`,
		Args: Args(cobra.MinimumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error { return runWait(c.Context(), args, o) },
	}
	c.Flags().BoolVar(&o.Closed, "closed", false, "wait until nothing listens on any of them; a port that still can't be bound is reported on stderr")
	c.Flags().BoolVar(&o.Any, "any", false, "return as soon as one of them is ready, and print which")
	c.Flags().StringVar(&o.HTTP, "http", "", "wait until they answer HTTP requests for this `PATH` with a status below 500")
	c.Flags().Lookup("http").NoOptDefVal = health.DefaultPath
	c.Flags().DurationVar(&o.Timeout, "timeout", 30*time.Second, "wait at most this `DURATION`, such as 90s or 5m")
	o.addAll(c)
	o.addUDP(c)
	return c
}

// waitTarget is what wait waits for: a target, or a name.
type waitTarget struct {
	target
	name    string
	problem string // why it is not ready although it is open; "" if it was not asked
}

func (t *waitTarget) String() string {
	if t.name != "" {
		return t.name
	}
	return t.target.String()
}

// find returns the listener among all that t selects; nil if there is none.
func (t *waitTarget) find(all []*monitor.Listener) *monitor.Listener {
	found := slices.Clone(all)
	if t.name == "" {
		found = slices.DeleteFunc(found, func(l *monitor.Listener) bool { return !t.target.matches(l) })
	} else {
		found = named(found, t.name)
	}
	if len(found) == 0 {
		return nil
	}
	return found[0]
}

// parseWaitTargets parses the arguments of wait. The error is a UsageError.
func parseWaitTargets(args []string) (targets []*waitTarget, _ error) {
	for _, arg := range joinLine(args) {
		t, err := parseTarget(arg)
		if err == nil {
			targets = append(targets, &waitTarget{target: t})
			continue
		}
		if !isName(arg) {
			return nil, err
		}
		targets = append(targets, &waitTarget{name: arg})
	}
	return targets, nil
}

// warnIfTaken prints on stderr why a server can't bind ports although nothing listens
// on them.
func (q query) warnIfTaken(ctx context.Context, targets []target) {
	if q.UDP {
		return
	}
	for _, t := range targets {
		blocking := inuse.Ask(ctx, t.Port).Blocking()
		if t.hasAddress() {
			blocking = slices.DeleteFunc(slices.Clone(blocking), func(u inuse.Use) bool {
				return !slices.ContainsFunc(t.addresses(), u.Blocks)
			})
		}
		if len(blocking) > 0 {
			_, _ = fmt.Fprintf(q.Stderr, "porthole: nothing listens on %s, but it is not free. %s\n", t, reasonsText(blocking)) // the exit status stays 0
		}
	}
}

// runWait returns nil as soon as all targets in args, or one of them with Any, are open
// and answer, or are closed. It returns an error after the timeout or when ctx ends.
func runWait(ctx context.Context, args []string, o waitOptions) error {
	w, err := newWaiting(args, o)
	if err != nil {
		return err
	}
	if err := findNamed(ctx, w.query, w.targets); err != nil && ctx.Err() == nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	if err := w.run(limited); err != nil {
		return err
	}
	if ready := w.ready(); len(ready) > 0 {
		if o.Closed {
			w.query.warnIfTaken(ctx, targetsOf(ready))
		}
		if o.Any {
			_, err = fmt.Fprintln(o.Stdout, waitText(ready))
		}
		return err
	}
	what := "open"
	if o.Closed {
		what = "close"
	}
	if ctx.Err() != nil {
		return fmt.Errorf("interrupted: %s did not %s", waitText(w.pending), what)
	}
	if !o.Closed {
		w.query.warnIfTaken(ctx, targetsOf(w.pending))
	}
	if text := w.problemsText(); text != "" {
		return fmt.Errorf("timeout after %v: %s", o.Timeout, text)
	}
	return fmt.Errorf("timeout: %s did not %s within %v", waitText(w.pending), what, o.Timeout)
}

// waiting is one run of wait.
type waiting struct {
	waitOptions
	query    query
	targets  []*waitTarget
	pending  []*waitTarget // those that are not ready
	snapshot monitor.Snapshot
}

func newWaiting(args []string, o waitOptions) (*waiting, error) {
	targets, err := parseWaitTargets(args)
	switch {
	case err != nil:
		return nil, err
	case o.Timeout <= 0:
		return nil, UsageError{fmt.Sprintf("%v: the timeout must be positive", o.Timeout)}
	case o.HTTP != "" && (o.Closed || o.UDP):
		return nil, UsageError{"--http waits for an answer; leave out --closed and --udp"}
	}
	if o.HTTP != "" {
		if err := monitor.CheckHealthPath(o.HTTP); err != nil {
			return nil, UsageError{fmt.Sprintf("--http=%s: %v", monitor.Clean(o.HTTP, 60), err)}
		}
	}
	var selected selection
	if byPort := targetsOf(targets); len(byPort) == len(targets) {
		selected.targets = byPort // otherwise any port may be the one
	}
	q, err := newSelectionQuery(selected, o.Options)
	return &waiting{waitOptions: o, query: q, targets: targets, pending: targets}, err
}

// targetsOf returns those that are no names.
func targetsOf(all []*waitTarget) (targets []target) {
	for _, t := range all {
		if t.name == "" {
			targets = append(targets, t.target)
		}
	}
	return targets
}

// httpInterval is the time between two questions to a server that does not answer well.
const httpInterval = 250 * time.Millisecond

// run returns when enough targets are ready, or ctx has ended.
func (w *waiting) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	snapshots, failed := make(chan monitor.Snapshot, 1), make(chan error, 1)
	go func() { // ends with ctx
		failed <- w.query.follow(ctx, func(u monitor.Update) (bool, error) {
			select {
			case <-snapshots: // the last one was not read
			default:
			}
			snapshots <- u.Snapshot
			return false, nil
		})
	}()
	defer func() { cancel(); <-failed }()
	var again <-chan time.Time
	for seen := false; ; {
		select {
		case w.snapshot = <-snapshots:
			seen = true
		case <-again:
		case err := <-failed:
			failed <- err // for the end
			return err
		}
		if !seen {
			continue
		}
		if err := checkNames(w.snapshot.Listeners, w.targets); err != nil {
			return err
		}
		if w.check(ctx); len(w.pending) == 0 || w.Any && len(w.pending) < len(w.targets) {
			return nil
		}
		if again = nil; w.HTTP != "" {
			again = time.After(httpInterval)
		}
	}
}

// check finds out which targets are not ready.
func (w *waiting) check(ctx context.Context) {
	w.pending = slices.DeleteFunc(slices.Clone(w.targets), func(t *waitTarget) bool {
		l := t.find(w.snapshot.Listeners)
		if w.HTTP == "" || l == nil {
			t.problem = ""
			return (l != nil) != w.Closed
		}
		r := health.Question{Listener: l, Address: t.Address, Path: w.HTTP, Connected: announceOwn}.Ask(ctx)
		if ctx.Err() != nil {
			return false // the last answer counts
		}
		t.problem = r.String()
		return r.Healthy()
	})
}

// ready returns the targets that are ready, none if more had to be.
func (w *waiting) ready() (ready []*waitTarget) {
	if len(w.pending) > 0 && !w.Any {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(w.targets), func(t *waitTarget) bool { return slices.Contains(w.pending, t) })
}

// problemsText says which open servers did not answer well; "" if there are none.
func (w *waiting) problemsText() string {
	var texts []string
	for _, t := range w.pending {
		if t.problem != "" {
			texts = append(texts, fmt.Sprintf("%s is open, but does not answer with a status below 500 (%s)", t, t.problem))
		}
	}
	return strings.Join(texts, "; ")
}

// waitText returns the targets, separated by commas.
func waitText(targets []*waitTarget) string {
	var names []string
	for _, t := range targets {
		names = append(names, monitor.Clean(t.String(), 60))
	}
	return strings.Join(names, ", ")
}
