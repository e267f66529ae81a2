package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"porthole/monitor"
	"porthole/monitor/inuse"
)

func newWait() *cobra.Command {
	o := standardOptions()
	var closed bool
	var timeout time.Duration
	c := &cobra.Command{
		Use:   "wait PORT | ADDRESS:PORT | URL...",
		Short: "Wait until ports are open, at an address if one is given (exit status 1 on timeout)",
		Args:  Args(cobra.MinimumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			return runWait(c.Context(), args, closed, timeout, o)
		},
	}
	c.Flags().BoolVar(&closed, "closed", false, "wait until nothing listens on any of them; a port that still can't be bound is reported on stderr")
	c.Flags().DurationVar(&timeout, "timeout", 30*time.Second, "wait at most this `DURATION`, such as 90s or 5m")
	o.addAll(c)
	o.addUDP(c)
	return c
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

// runWait returns nil as soon as all targets in args are open or, with closed, closed.
// It returns an error after timeout or when ctx ends.
func runWait(ctx context.Context, args []string, closed bool, timeout time.Duration, o Options) error {
	targets, err := parseTargets(joinLine(args))
	if err != nil {
		return err
	}
	if timeout <= 0 {
		return UsageError{fmt.Sprintf("%v: the timeout must be positive", timeout)}
	}
	q, err := newSelectionQuery(selection{targets: targets}, o)
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	waiting := targets
	if err := q.follow(limited, func(u monitor.Update) (bool, error) {
		waiting = slices.DeleteFunc(slices.Clone(targets), func(t target) bool {
			return slices.ContainsFunc(u.Snapshot.Listeners, t.matches) != closed
		})
		return len(waiting) == 0, nil
	}); err != nil {
		return err
	}
	if len(waiting) == 0 {
		if closed {
			q.warnIfTaken(ctx, targets)
		}
		return nil
	}
	what := "open"
	if closed {
		what = "close"
	}
	var names []string
	for _, t := range waiting {
		names = append(names, t.String())
	}
	if ctx.Err() != nil {
		return fmt.Errorf("interrupted: %s did not %s", strings.Join(names, ", "), what)
	}
	if !closed {
		q.warnIfTaken(ctx, waiting)
	}
	return fmt.Errorf("timeout: %s did not %s within %v", strings.Join(names, ", "), what, timeout)
}
