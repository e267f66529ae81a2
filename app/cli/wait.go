package cli

import (
	"context"
	"fmt"
	"time"

	"porthole/monitor"
)

// Wait returns when something listens on the port, or, with closed, when
// nothing does any more. The error says that it did not happen within timeout,
// or that ctx ended first.
func Wait(ctx context.Context, port string, closed bool, timeout time.Duration, o Options) error {
	q, err := newQuery([]string{port}, o)
	if err != nil {
		return err
	}
	if _, single := q.ports.Single(); !single {
		return UsageError{fmt.Sprintf("%q: wait takes one port", monitor.Clean(port, 40))}
	}
	if timeout <= 0 {
		return UsageError{fmt.Sprintf("%v: a timeout is longer than nothing", timeout)}
	}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	happened := false
	if err := q.follow(limited, func(u monitor.Update) (bool, error) {
		happened = (len(u.Snapshot.Listeners) == 0) == closed
		return happened, nil
	}); err != nil || happened {
		return err
	}
	if ctx.Err() != nil {
		return fmt.Errorf("interrupted before %s did", q.ports)
	}
	what := "open"
	if closed {
		what = "close"
	}
	return fmt.Errorf("%s did not %s within %v", q.ports, what, timeout)
}
