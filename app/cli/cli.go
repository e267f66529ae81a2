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

	"porthole/app/settings"
	"porthole/monitor"
	"porthole/monitor/owner"
	"porthole/monitor/service"
	"porthole/monitor/socket"
	"porthole/monitor/watch"
)

// UsageError is bad input: one sentence for the user, exit status 2.
type UsageError struct{ Reason string }

func (e UsageError) Error() string { return e.Reason }

// question is what a command was asked: which ports, in which form.
type question struct {
	ports    monitor.Ports // all where nil
	json     bool
	unmasked bool
	rules    watch.Rules
}

func (q question) keep(l *monitor.Listener) bool {
	return l.Loopback() && (q.ports == nil || q.ports.Contains(l.Port))
}

// ask reads the arguments of list and events. A settings file that cannot be
// used is said on stderr, and the defaults hold.
func ask(args []string, json, unmasked bool, stderr io.Writer) (question, error) {
	q := question{json: json, unmasked: unmasked}
	if len(args) > 0 {
		ports, err := monitor.ParsePorts(args...)
		if err != nil {
			return q, UsageError{err.Error()}
		}
		q.ports = ports
	}
	s, err := settings.Open(settings.Path()).Load()
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "porthole: %v; the defaults hold\n", err) // nowhere else to say it
	}
	q.rules = s.Watches
	return q, nil
}

// open puts a monitor together for one command. The caller closes the table.
func (q question) open(log *slog.Logger) (*monitor.Monitor, socket.Table, error) {
	table, err := socket.Open(log)
	if err != nil {
		return nil, nil, fmt.Errorf("open the table of listening sockets: %w", err)
	}
	m := monitor.New(table, owner.New(), monitor.Options{Keep: q.keep, Describe: service.Describe, Logger: log})
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
