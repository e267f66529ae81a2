// Package cli is the command line without a window: what listens, and what
// changes. Its commands look for themselves and need no running Porthole and
// no display. They speak English whatever the desktop speaks: scripts and
// people on other machines read them.
package cli

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"porthole/app/settings"
	"porthole/monitor"
	"porthole/monitor/socket"
	"porthole/monitor/watch"
)

// UsageError is bad input: one sentence for the user, exit status 2.
type UsageError struct{ Reason string }

func (e UsageError) Error() string { return e.Reason }

// Options are the flags that commands share, and where they write.
type Options struct {
	JSON     bool
	Unmasked bool // show passwords and tokens
	All      bool // every address, not only what loopback reaches
	UDP      bool // UDP too: the sockets that are bound and not connected
	Verbose  bool // say on stderr where the answer comes from
	Stdout   io.Writer
	Stderr   io.Writer
}

// query is what a command was asked: which ports, in which form.
type query struct {
	Options
	ports    monitor.Ports // all where nil
	rules    watch.Rules
	interval time.Duration // between two looks; the monitor's own where 0
}

func (q query) keep(l *monitor.Listener) bool {
	return q.All || l.AcceptsLoopback()
}

// newQuery reads the arguments of a command. A settings file that cannot be used is
// said on stderr, and the defaults hold.
func newQuery(args []string, o Options) (query, error) {
	q := query{Options: o}
	if len(args) > 0 {
		ports, err := monitor.ParsePorts(args...)
		if err != nil {
			return q, UsageError{err.Error()}
		}
		q.ports = ports
	}
	s, err := settings.Open(settings.Path()).Load()
	if err != nil {
		_, _ = fmt.Fprintf(o.Stderr, "porthole: %v; the defaults hold\n", err) // nowhere else to say it
	}
	q.rules, q.interval = s.Watches, s.PollingInterval
	return q, nil
}

// open puts a monitor together for one command, which finds owners and describes
// listeners by those. The caller closes the table.
func (q query) open(finder monitor.Finder, describe func(*monitor.Listener)) (*monitor.Monitor, socket.Table, error) {
	log := slog.New(slog.NewTextHandler(q.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	table, err := socket.Open(log)
	if err != nil {
		return nil, nil, fmt.Errorf("open the table of listening sockets: %w", err)
	}
	if q.Verbose {
		_, _ = fmt.Fprintf(q.Stderr, "sockets: %s\n", table.Source()) // a word beside the answer
	}
	m := monitor.New(table, finder, monitor.Options{Interval: q.interval, UDP: q.UDP, Ports: q.ports, Keep: q.keep, Describe: describe, Logger: log})
	return m, table, nil
}

// isUsage reports whether err is bad input.
func isUsage(err error) bool {
	var u UsageError
	return errors.As(err, &u)
}

// Status returns the exit status for the error of a command.
func Status(err error) int {
	switch {
	case err == nil:
		return 0
	case isUsage(err):
		return 2
	default:
		return 1
	}
}
