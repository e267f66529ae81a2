package cli

import (
	"context"
	"fmt"
	"io"
	"sync"

	"porthole/monitor"
	"porthole/monitor/container"
	"porthole/monitor/owner"
	"porthole/monitor/service"
)

// Events prints every change as it happens, a line each, until ctx ends.
func Events(ctx context.Context, args []string, o Options) error {
	q, err := ask(args, o)
	if err != nil {
		return err
	}
	ready := false
	return q.follow(ctx, func(u monitor.Update) (done bool, _ error) {
		if !ready {
			ready = true
			// What opened before the first update was taken is told as a change, not counted twice.
			if err := q.ready(o.Stdout, u); err != nil {
				return true, err
			}
		}
		for _, c := range u.Changes {
			if err := q.tell(o.Stdout, c); err != nil {
				return true, err
			}
		}
		return false, nil
	})
}

// follow watches and calls take with every update, until that is done or ctx ends.
func (q question) follow(ctx context.Context, take func(monitor.Update) (done bool, _ error)) error {
	names := container.New()
	m, table, err := q.open(owner.New(), func(l *monitor.Listener) {
		service.Describe(l)
		names.Describe(l)
	})
	if err != nil {
		return err
	}
	defer table.Close()
	ctx, cancel := context.WithCancel(ctx)
	changes := m.Subscribe()
	var work sync.WaitGroup
	work.Go(func() { m.Run(ctx) })
	work.Go(func() { names.Run(ctx, m.Redescribe) })
	defer func() { cancel(); work.Wait() }()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changes.C:
		}
		u, ok := changes.Take()
		if !ok || !u.Ready {
			continue
		}
		if done, err := take(u); done || err != nil {
			return err
		}
	}
}

func (q question) ready(w io.Writer, u monitor.Update) error {
	n := len(u.Snapshot.Listeners)
	for _, c := range u.Changes {
		switch c.Kind {
		case monitor.Opened, monitor.Found:
			n--
		case monitor.Closed, monitor.Dropped:
			n++
		}
	}
	if q.JSON {
		return writeLine(w, readyJSON{At: u.Snapshot.TakenAt.UTC(), Kind: "ready", Listeners: n})
	}
	_, err := fmt.Fprintf(w, "%s  watching; listening now: %d\n", u.Snapshot.TakenAt.Local().Format("15:04:05.000"), n)
	return err
}

func (q question) tell(w io.Writer, c monitor.Change) error {
	if q.JSON {
		return writeLine(w, q.change(c))
	}
	process, pid := ownerWords(c.Listener)
	_, err := fmt.Fprintf(w, "%s  %-8s %5s  %s (%s)  %s%s\n", c.At.Local().Format("15:04:05.000"), kindWords(c.Kind),
		portWords(c.Listener), process, pid, addressWords(c.Listener), beforeWords(c))
	return err
}

func kindWords(k monitor.Kind) string {
	switch k {
	case monitor.OwnerChanged:
		return "owner"
	case monitor.ReachChanged:
		return "reach"
	default:
		return string(k)
	}
}

func beforeWords(c monitor.Change) string {
	if c.Before == nil {
		return ""
	}
	switch c.Kind {
	case monitor.OwnerChanged:
		process, pid := ownerWords(c.Before)
		return fmt.Sprintf("  (was %s, %s)", process, pid)
	case monitor.ReachChanged:
		return fmt.Sprintf("  (was %s, now %s)", reachWords(c.Before.Reach), reachWords(c.Listener.Reach))
	}
	return ""
}
