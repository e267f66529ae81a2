package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"porthole/monitor"
	"porthole/monitor/container"
	"porthole/monitor/owner"
	"porthole/monitor/procevents"
	"porthole/monitor/service"
	"porthole/monitor/socketunit"
	"porthole/monitor/tunnel"
)

func newEvents() *cobra.Command {
	o := standardOptions()
	c := &cobra.Command{
		Use:   "events [PORT | RANGE]...",
		Short: "Print an event whenever a port opens, closes or changes, until interrupted",
		RunE:  func(c *cobra.Command, args []string) error { return runEvents(c.Context(), args, o) },
	}
	o.addJSON(c, "print JSON Lines, one object per event")
	o.addUnmasked(c)
	o.addAll(c)
	o.addUDP(c)
	return c
}

// runEvents prints one line when it starts watching and one for each event,
// until ctx ends.
func runEvents(ctx context.Context, args []string, o Options) error {
	q, err := newQuery(args, o)
	if err != nil {
		return err
	}
	ready := false
	return q.follow(ctx, func(u monitor.Update) (done bool, _ error) {
		if !ready {
			ready = true
			// A port that opens before the first update is printed as an event and not counted as open before.
			if err := q.printReady(o.Stdout, u); err != nil {
				return true, err
			}
		}
		for _, e := range u.Events {
			if err := q.printEvent(o.Stdout, e); err != nil {
				return true, err
			}
		}
		return false, nil
	})
}

// follow runs a monitor and calls handle with every update, until handle returns
// done or an error, or ctx ends.
func (q query) follow(ctx context.Context, handle func(monitor.Update) (done bool, _ error)) error {
	containers, tunnels := container.New(), tunnel.New()
	programs := procevents.Open()
	defer programs.Close()
	m, table, err := q.open(owner.New(), func(l *monitor.Listener) {
		socketunit.Describe(l)
		service.Describe(l)
		containers.Describe(l)
		tunnels.Describe(l)
	}, programs)
	if err != nil {
		return err
	}
	defer table.Close()
	ctx, cancel := context.WithCancel(ctx)
	updates := m.Subscribe()
	var work sync.WaitGroup
	work.Go(func() { tunnels.Run(ctx, m.Redescribe) })
	work.Go(func() { tunnels.Await(ctx); m.Run(ctx) })
	work.Go(func() { containers.Run(ctx, m.Redescribe) })
	defer func() { cancel(); work.Wait() }()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-updates.C:
		}
		u, ok := updates.Take()
		if !ok || !u.Ready {
			continue
		}
		if done, err := handle(u); done || err != nil {
			return err
		}
	}
}

// clockFormat is the time of day of an event, in milliseconds.
const clockFormat = "15:04:05.000"

// printReady prints how many ports were open before the events of u.
func (q query) printReady(w io.Writer, u monitor.Update) error {
	n := len(u.Snapshot.Listeners)
	for _, e := range u.Events {
		switch e.Kind {
		case monitor.Opened, monitor.Discovered:
			n--
		case monitor.Closed, monitor.Unlisted:
			n++
		}
	}
	if q.JSON {
		return writeLine(w, readyJSON{At: u.Snapshot.TakenAt.UTC(), Kind: "ready", Listeners: n})
	}
	_, err := fmt.Fprintf(w, "%s  watching, %d listening now\n", u.Snapshot.TakenAt.Local().Format(clockFormat), n)
	return err
}

func (q query) printEvent(w io.Writer, e monitor.Event) error {
	if q.JSON {
		return writeLine(w, q.eventJSON(e))
	}
	process, pid := ownerText(e.Listener)
	_, err := fmt.Fprintf(w, "%s  %-16s %5s  %s (%s)  %s%s\n", e.At.Local().Format(clockFormat), kindText(e.Kind),
		portText(e.Listener), process, pid, addressText(e.Listener), beforeText(e))
	return err
}

// kindText returns the name of an event kind for people: "owner changed".
func kindText(k monitor.Kind) string { return strings.ReplaceAll(string(k), "_", " ") }

// beforeText returns what an event changed: "  (was postgres, 7)", or how the owner of a
// closed listener ended: "  (exited with status 1)".
func beforeText(e monitor.Event) string {
	if e.Kind == monitor.Closed && e.Exit.Known() {
		return "  (" + e.Exit.Sentence().String() + ")"
	}
	if e.Before == nil {
		return ""
	}
	switch e.Kind {
	case monitor.OwnerChanged:
		process, pid := ownerText(e.Before)
		return fmt.Sprintf("  (was %s, %s)", process, pid)
	case monitor.ExposureChanged:
		return fmt.Sprintf("  (was %s, now %s)", e.Before.Exposure, e.Listener.Exposure)
	}
	return ""
}
