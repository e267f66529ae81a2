package cli

import (
	"context"
	"fmt"
	"io"
	"runtime/debug"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"porthole/monitor"
	"porthole/monitor/container"
	"porthole/monitor/owner"
	"porthole/monitor/service"
)

// List prints what listens now on the ports that args name, or on all.
func List(ctx context.Context, args []string, o Options) error {
	q, err := newQuery(args, o)
	if err != nil {
		return err
	}
	s, err := q.poll(ctx, owner.New())
	if err != nil {
		return err
	}
	if o.JSON {
		return writeLine(o.Stdout, q.snapshotJSON(s))
	}
	return q.printTable(ctx, o.Stdout, s)
}

// gcPercent is GOGC for a command that looks once: it needs a few megabytes, and
// to collect what it leaves of them takes 6 % of the time of who.
const gcPercent = 400

// poll returns what listens now, and who has it by finder.
func (q query) poll(ctx context.Context, finder monitor.Finder) (monitor.Snapshot, error) {
	debug.SetGCPercent(gcPercent)
	names := container.New()
	m, table, err := q.open(finder, func(l *monitor.Listener) {
		service.Describe(l)
		if q.keep(l) { // else no engine need be asked
			names.Resolve(ctx, l)
		}
	})
	if err != nil {
		return monitor.Snapshot{}, err
	}
	defer table.Close()
	return m.Scan(ctx)
}

// printTable writes the table for people.
func (q query) printTable(ctx context.Context, w io.Writer, s monitor.Snapshot) error {
	if len(s.Listeners) == 0 {
		_, err := fmt.Fprintln(w, q.emptyText(ctx))
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "PORT\tADDRESS\tPROCESS\tPID\tUSER\tREACH\tPROJECT\tSERVICE") // Flush tells
	for _, l := range s.Listeners {
		star := ""
		if q.rules.Matches(l) {
			star = "*"
		}
		process, pid := ownerText(l)
		_, _ = fmt.Fprintf(t, "%s%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", portText(l), star, addressText(l), process, pid,
			monitor.Clean(l.User, 32), exposureText(l.Exposure), dash(monitor.Clean(l.Project, 32)), dash(l.Service))
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	return nil
}

func (q query) emptyText(ctx context.Context) string {
	if port, single := q.ports.Single(); single {
		return strconv.Itoa(int(port)) + " is free on loopback." + lastOwnerText(ctx, port, time.Now())
	}
	if q.ports != nil {
		return "Nothing listens on loopback at " + q.ports.String() + "."
	}
	return "Nothing listens on loopback."
}

// portText is "5432", and "5353/udp" where it is not TCP.
func portText(l *monitor.Listener) string {
	port := strconv.Itoa(int(l.Port))
	if l.Protocol == monitor.UDP {
		port += "/udp"
	}
	return port
}

func ownerText(l *monitor.Listener) (process, pid string) {
	o, ok := l.Principal()
	if !ok {
		return ownerUnknownText(l), "-"
	}
	pid = strconv.Itoa(o.PID)
	if more := len(l.Owners) - 1; more > 0 {
		pid += fmt.Sprintf(" +%d", more)
	}
	return dash(monitor.Clean(o.Name, 32)), pid
}

// ownerUnknownText names an owner that cannot be seen by the most that is known.
func ownerUnknownText(l *monitor.Listener) string {
	switch {
	case l.Inferred != nil && l.Inferred.Name != "":
		return fmt.Sprintf("%s (inferred, PID %d)", monitor.Clean(l.Inferred.Name, 32), l.Inferred.PID)
	case l.Container != nil:
		return l.Container.Description() + " (hidden)"
	case l.ContainerID != "":
		return fmt.Sprintf("container %.12s (hidden)", l.ContainerID)
	case strings.HasSuffix(l.Unit, ".service"):
		return monitor.Clean(l.Unit, 40) + " (hidden)"
	case l.User != "":
		return monitor.Clean(l.User, 32) + "'s process (hidden)"
	}
	return "hidden"
}

func addressText(l *monitor.Listener) string {
	words := make([]string, len(l.Addresses))
	for i, a := range l.Addresses {
		words[i] = a.String()
	}
	return strings.Join(words, ", ")
}

func exposureText(r monitor.Exposure) string {
	if r == monitor.ExposureLoopback {
		return "this machine"
	}
	return "the network"
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
