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
	q, err := newQuery(args, o)
	if err != nil {
		return err
	}
	ready := false
	return q.follow(ctx, func(u monitor.Update) (done bool, _ error) {
		if !ready {
			ready = true
			// What opened before the first update was taken is told as a change, not counted twice.
			if err := q.printReady(o.Stdout, u); err != nil {
				return true, err
			}
		}
		for _, c := range u.Events {
			if err := q.printEvent(o.Stdout, c); err != nil {
				return true, err
			}
		}
		return false, nil
	})
}

// follow watches and calls take with every update, until that is done or ctx ends.
func (q query) follow(ctx context.Context, take func(monitor.Update) (done bool, _ error)) error {
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

func (q query) printReady(w io.Writer, u monitor.Update) error {
	n := len(u.Snapshot.Listeners)
	for _, c := range u.Events {
		switch c.Kind {
		case monitor.Opened, monitor.Discovered:
			n--
		case monitor.Closed, monitor.Unlisted:
			n++
		}
	}
	if q.JSON {
		return writeLine(w, readyJSON{At: u.Snapshot.TakenAt.UTC(), Kind: "ready", Listeners: n})
	}
	_, err := fmt.Fprintf(w, "%s  watching; listening now: %d\n", u.Snapshot.TakenAt.Local().Format("15:04:05.000"), n)
	return err
}

func (q query) printEvent(w io.Writer, c monitor.Event) error {
	if q.JSON {
		return writeLine(w, q.eventJSON(c))
	}
	process, pid := ownerText(c.Listener)
	_, err := fmt.Fprintf(w, "%s  %-8s %5s  %s (%s)  %s%s\n", c.At.Local().Format("15:04:05.000"), kindText(c.Kind),
		portText(c.Listener), process, pid, addressText(c.Listener), beforeText(c))
	return err
}

func kindText(k monitor.Kind) string {
	switch k {
	case monitor.OwnerChanged:
		return "owner"
	case monitor.ExposureChanged:
		return "reach"
	default:
		return string(k)
	}
}

func beforeText(c monitor.Event) string {
	if c.Before == nil {
		return ""
	}
	switch c.Kind {
	case monitor.OwnerChanged:
		process, pid := ownerText(c.Before)
		return fmt.Sprintf("  (was %s, %s)", process, pid)
	case monitor.ExposureChanged:
		return fmt.Sprintf("  (was %s, now %s)", exposureText(c.Before.Exposure), exposureText(c.Listener.Exposure))
	}
	return ""
}
