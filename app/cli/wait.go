package cli

import (
	"context"
	"fmt"
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
		Use:   "wait PORT",
		Short: "Wait until a port is open (exit status 1 on timeout)",
		Args:  Args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			return runWait(c.Context(), args[0], closed, timeout, o)
		},
	}
	c.Flags().BoolVar(&closed, "closed", false, "wait until nothing listens; a port that still can't be bound is reported on stderr")
	c.Flags().DurationVar(&timeout, "timeout", 30*time.Second, "wait at most this `DURATION`, such as 90s or 5m")
	o.addAll(c)
	o.addUDP(c)
	return c
}

// warnIfTaken prints on stderr why a server can't bind the port although nothing
// listens on it.
func (q query) warnIfTaken(ctx context.Context) {
	port, _ := q.ports.Single()
	if blocking := inuse.Ask(ctx, port).Blocking(); len(blocking) > 0 && !q.UDP {
		_, _ = fmt.Fprintf(q.Stderr, "porthole: nothing listens on %d, but it is not free. %s\n", port, reasonsText(blocking)) // the exit status stays 0
	}
}

// runWait returns nil as soon as the port is open or, with closed, closed. It
// returns an error after timeout or when ctx ends.
func runWait(ctx context.Context, port string, closed bool, timeout time.Duration, o Options) error {
	if _, err := ParsePort(port); err != nil {
		return err
	}
	if timeout <= 0 {
		return UsageError{fmt.Sprintf("%v: the timeout must be positive", timeout)}
	}
	q, err := newQuery([]string{port}, o)
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	done := false
	if err := q.follow(limited, func(u monitor.Update) (bool, error) {
		done = (len(u.Snapshot.Listeners) == 0) == closed
		return done, nil
	}); err != nil {
		return err
	}
	if done && closed {
		q.warnIfTaken(ctx)
	}
	if done {
		return nil
	}
	what := "open"
	if closed {
		what = "close"
	}
	if ctx.Err() != nil {
		return fmt.Errorf("interrupted: %s did not %s", q.ports, what)
	}
	return fmt.Errorf("timeout: %s did not %s within %v", q.ports, what, timeout)
}
