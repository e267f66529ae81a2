// Package cli implements the commands that need neither a display nor a running
// Porthole: they read the machine and the stored history themselves. Their text
// is always English, regardless of the desktop's language, because scripts and
// people on other machines read it.
//
// Each file holds one command: the cobra constructor and the function that runs
// it. The other files hold what several commands share.
package cli

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"porthole/app/doctor"
	"porthole/app/settings"
	"porthole/monitor"
	"porthole/monitor/enrich"
	"porthole/monitor/health"
	"porthole/monitor/label"
	"porthole/monitor/procevents"
	"porthole/monitor/socket"
	"porthole/monitor/sockevents"
	"porthole/monitor/watch"
)

// Commands returns all commands of the package. d is what the doctor command
// reports about this build.
func Commands(d doctor.Options) []*cobra.Command {
	return []*cobra.Command{newList(), newEvents(), newWait(), newWho(), newExplain(), newFree(), newHoldPorts(), newWatch(), newPause(), newResume(), newStop(), newOrphans(), newRestart(), newRunAgain(), newTerminal(), newHistory(), newForget(), newTap(d.Version), newCapture(d.Version), newTraffic(d.Version), newMCP(d.Version), newDoctor(d)}
}

// UsageError is invalid input: one sentence for the user, exit status 2.
type UsageError struct{ Reason string }

func (e UsageError) Error() string { return e.Reason }

// ExitStatus is the error that a program run by a command ended with a status other than
// 0. It has printed the reason itself.
type ExitStatus int

func (e ExitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// Args returns check with its errors turned into UsageErrors that name the help.
func Args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		err := check(c, args)
		switch {
		case err == nil:
			return nil
		case c.HasParent(): // Cobra's words, "accepts 1 arg(s), received 0", do not name the argument
			return UsageError{fmt.Sprintf("wrong number of arguments; usage: %s; see %s --help", c.UseLine(), c.CommandPath())}
		}
		return UsageError{fmt.Sprintf("%v; see %s --help", err, c.CommandPath())}
	}
}

// ParsePort parses a single port. The error is a UsageError.
func ParsePort(text string) (uint16, error) {
	ports, err := monitor.ParsePorts(text)
	if err != nil {
		return 0, UsageError{err.Error()}
	}
	port, single := ports.Single()
	if !single {
		return 0, UsageError{fmt.Sprintf("%q: expected a single port", monitor.Clean(text, 40))}
	}
	return port, nil
}

// Status returns the exit status for the error of a command.
func Status(err error) int {
	var usage UsageError
	var status ExitStatus
	switch {
	case err == nil:
		return 0
	case errors.As(err, &status):
		return int(status)
	case errors.As(err, &usage):
		return 2
	}
	return 1
}

// IsPrinted reports whether the command has printed the reason for err already.
func IsPrinted(err error) bool {
	_, ended := errors.AsType[ExitStatus](err)
	return ended || errors.Is(err, ErrFree) || errors.Is(err, ErrUnhealthy)
}

// Options are the flags that several commands share, and their output.
type Options struct {
	JSON     bool
	Unmasked bool   // do not mask passwords and tokens
	All      bool   // include addresses that cannot be reached through loopback
	Hidden   bool   // only what the user has hidden
	By       string // how a list is grouped: "" or byProject
	UDP      bool   // include bound, unconnected UDP sockets
	Connect  bool   // connect to the target
	Verbose  bool   // print the data source on stderr
	Stdout   io.Writer
	Stderr   io.Writer
}

// standardOptions returns Options that write to the standard streams.
func standardOptions() Options { return Options{Stdout: os.Stdout, Stderr: os.Stderr} }

func (o *Options) addJSON(c *cobra.Command, help string) {
	c.Flags().BoolVar(&o.JSON, "json", false, help)
}

func (o *Options) addUnmasked(c *cobra.Command) {
	c.Flags().BoolVar(&o.Unmasked, "unmasked", false, "do not mask passwords and tokens in command lines")
}

func (o *Options) addAll(c *cobra.Command) {
	c.Flags().BoolVar(&o.All, "all", false, "include addresses that cannot be reached through loopback")
}

func (o *Options) addUDP(c *cobra.Command) {
	c.Flags().BoolVar(&o.UDP, "udp", false, "include UDP sockets")
}

func (o *Options) addConnect(c *cobra.Command, help string) {
	c.Flags().BoolVar(&o.Connect, "connect", false, help)
}

// query selects what a command shows. It includes the user's settings.
type query struct {
	Options
	selected selection
	ports    monitor.Ports // those of selected; all if nil
	rules    watch.Rules
	checks   []health.Check // of the running Porthole, as far as they were asked for
	// ambiguous has the IDs of the listeners for which "localhost" is ambiguous.
	ambiguous map[string]bool
	labels    label.Rules                 // labels and hiding rules
	interval  time.Duration               // polling interval; 0: the monitor's default
	watched   map[string]bool             // listeners of another machine that are watched there, by ID
	firewall  map[string]monitor.Firewall // answers about listeners, by ID; nil if nobody asked
}

// newQuery parses the ports in args and loads the settings. If the settings file
// has an error, it prints that on stderr and uses the defaults.
func newQuery(args []string, o Options) (query, error) {
	var s selection
	if len(args) > 0 {
		ports, err := monitor.ParsePorts(args...)
		if err != nil {
			return query{}, UsageError{err.Error()}
		}
		s.ports = ports
	}
	return newSelectionQuery(s, o)
}

// newSelectionQuery is newQuery for a selection.
func newSelectionQuery(selected selection, o Options) (query, error) {
	q := query{Options: o, selected: selected}
	var err error
	if q.ports, err = selected.allPorts(); err != nil {
		return q, err
	}
	s, err := settings.Open(settings.Path()).Load()
	if err != nil {
		_, _ = fmt.Fprintf(o.Stderr, "porthole: %v; using the default settings\n", err) // stderr is the only place for it
	}
	q.rules, q.labels, q.interval = s.Watches, s.Labels, s.PollingInterval
	return q, nil
}

// keep reports whether l is to be shown.
func (q query) keep(l *monitor.Listener) bool { return q.selected.keep(l, q.All) }

// open returns a monitor that uses finder, describe and, unless it is nil, programs. The
// caller closes the table.
func (q query) open(finder monitor.Finder, describe func(*monitor.Listener), programs monitor.ProcessSource) (*monitor.Monitor, socket.Table, error) {
	log := slog.New(slog.NewTextHandler(q.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	table, err := socket.Open(log)
	if err != nil {
		return nil, nil, fmt.Errorf("open the table of listening sockets: %w", err)
	}
	if q.Verbose {
		_, _ = fmt.Fprintf(q.Stderr, "sockets: %s\n", table.Source()) // only additional information
		found, _ := sockevents.Probe()
		_, _ = fmt.Fprintf(q.Stderr, "messages about ended connections: %s\n", found)
		q.printPrograms()
	}
	describeAll := func(l *monitor.Listener) { describe(l); q.labels.Describe(l) }
	m := monitor.New(table, finder, monitor.Options{Interval: q.interval, UDP: q.UDP, Ports: q.ports, Keep: q.keep, Enrich: enrich.New(), Describe: describeAll, Programs: programs, Logger: log})
	return m, table, nil
}

// printPrograms prints whether the kernel reports programs that start and crash.
func (q query) printPrograms() {
	programs := procevents.Open()
	_, _ = fmt.Fprintf(q.Stderr, "processes: %s\n", procevents.Describe(programs)) // only additional information
	_ = programs.Close()                                                           // nothing was written to it
}
