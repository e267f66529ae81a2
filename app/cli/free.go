package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"porthole/app/paths"
	"porthole/monitor"
	"porthole/monitor/freeports"
	"porthole/monitor/history/store"
	"porthole/monitor/inuse"
	"porthole/monitor/process"
	"porthole/monitor/socket"
	"porthole/monitor/watch"
)

// defaultFreeFrom is where the search for a free port begins without an argument.
const defaultFreeFrom = 3000

// Limits of the flags of free.
const (
	maxFreePorts   = 100
	maxReserveTime = time.Hour
)

// runReserveTime is how long free --run holds the ports unless --reserve says.
const runReserveTime = time.Minute

// freeOptions are the flags of the command free.
type freeOptions struct {
	Options
	Count     int           // how many ports
	Ephemeral bool          // also ports of the ephemeral range
	Reserve   time.Duration // how long to hold the ports; 0 does not
	Command   []string      // to run with the ports in its environment; nil for none
}

func newFree() *cobra.Command {
	o := freeOptions{Options: standardOptions()}
	run := false
	c := &cobra.Command{
		Use:   "free [FROM | RANGE] [--run -- COMMAND...]",
		Short: fmt.Sprintf("Print a TCP port that a server can bind, from FROM (default %d) on", defaultFreeFrom),
		Long: fmt.Sprintf(`Print TCP ports that a server can bind now at all IPv4 and all IPv6 addresses, from FROM
(default %d) on or in RANGE. If the port that was asked for is taken, stderr says why.

Left out are the ephemeral port range, unless FROM lies in it or --ephemeral is given, and
ports that a watch covers and another project had last. A port with a watch of its own is
left out as well if nothing is recorded about it.

--reserve holds the ports for a server that starts soon: another "porthole free" does not
print them, and the system gives them to no connection. The server must set SO_REUSEADDR,
as nearly all do. --run holds them for a minute, unless --reserve says otherwise, sets PORT
(and PORT2, PORT3 with -n), and runs COMMAND.`, defaultFreeFrom),
		Args: func(c *cobra.Command, args []string) error {
			before, command := args, []string(nil)
			if dash := c.ArgsLenAtDash(); dash >= 0 {
				before, command = args[:dash], args[dash:]
			}
			switch {
			case run && len(command) == 0:
				return UsageError{"--run needs a command after --, as in porthole free --run -- npm run dev"}
			case !run && len(command) > 0:
				return UsageError{"a command after -- needs --run"}
			case run && o.JSON:
				return UsageError{"--run prints no port; leave out --json"}
			}
			o.Command = command
			return Args(cobra.MaximumNArgs(1))(c, before)
		},
		RunE: func(c *cobra.Command, args []string) error {
			if run && !c.Flags().Changed("reserve") {
				o.Reserve = runReserveTime
			}
			return runFree(c.Context(), args[:len(args)-len(o.Command)], o)
		},
	}
	c.Flags().IntVarP(&o.Count, "number", "n", 1, "how many ports, one on each line")
	c.Flags().BoolVar(&o.Ephemeral, "ephemeral", false, "also ports of the ephemeral range, from which connections get theirs")
	c.Flags().DurationVar(&o.Reserve, "reserve", 0, "hold the ports for this `DURATION`, such as 60s, or until a server listens")
	c.Flags().BoolVar(&run, "run", false, "run the command after -- with the port in the variable PORT")
	o.addJSON(c, "print one JSON object")
	return c
}

// freeJSON is the output of free --json.
type freeJSON struct {
	Port     uint16     `json:"port"`                    // the first one
	Ports    []uint16   `json:"ports"`                   // all
	Taken    *takenJSON `json:"taken,omitempty"`         // the port that was asked for, if it is not among them
	Reserved *time.Time `json:"reserved_until,omitzero"` // absent without --reserve
}

// takenJSON is a port that is not free, with the reason.
type takenJSON struct {
	Port   uint16 `json:"port"`
	Reason string `json:"reason"`
}

// runFree prints free ports, or runs a command with them.
func runFree(ctx context.Context, args []string, o freeOptions) error {
	wanted, err := parseFreeRange(args)
	if err != nil {
		return err
	}
	switch {
	case o.Count < 1 || o.Count > maxFreePorts:
		return UsageError{fmt.Sprintf("-n %d: expected a number from 1 to %d", o.Count, maxFreePorts)}
	case o.Reserve < 0 || o.Reserve > maxReserveTime:
		return UsageError{fmt.Sprintf("--reserve %v: expected a duration up to 1h", o.Reserve)}
	}
	f, err := newFreeSearch(ctx, wanted, o)
	if err != nil {
		return err
	}
	found, err := f.find(ctx)
	if err != nil {
		return err
	}
	asked := wanted[0].First
	out := freeJSON{Port: found[0], Ports: found}
	if len(args) > 0 && found[0] != asked {
		out.Taken = &takenJSON{asked, f.reason(ctx, asked)}
	}
	if o.Reserve > 0 {
		until := time.Now().Add(o.Reserve).UTC()
		out.Reserved = &until
	}
	if o.JSON {
		return writeLine(o.Stdout, out)
	}
	if out.Taken != nil {
		_, _ = fmt.Fprintf(o.Stderr, "porthole: not %d: %s.\n", asked, out.Taken.Reason) // stdout has the answer
	}
	if o.Command != nil {
		return runWithPorts(ctx, o.Command, found)
	}
	for _, port := range found {
		if _, err := fmt.Fprintln(o.Stdout, port); err != nil {
			return err
		}
	}
	return nil
}

// parseFreeRange returns the ports to search: those from a single port on, a range, or the
// default. The error is a UsageError.
func parseFreeRange(args []string) (monitor.Ports, error) {
	if len(args) == 0 {
		return monitor.Ports{{First: defaultFreeFrom, Last: 65535}}, nil
	}
	ports, err := monitor.ParsePorts(args[0])
	if err != nil {
		return nil, UsageError{err.Error()}
	}
	if port, single := ports.Single(); single {
		return monitor.Ports{{First: port, Last: 65535}}, nil
	}
	return ports, nil
}

// freeSearch is one search for free ports.
type freeSearch struct {
	freeports.Search
	ephemeral monitor.Ports // to leave out
	rules     watch.Rules
	project   string // of the current folder
	reserve   time.Duration
	// forCommand means that the ports are for a command that replaces this process.
	forCommand bool
}

func newFreeSearch(ctx context.Context, wanted monitor.Ports, o freeOptions) (*freeSearch, error) {
	q, err := newQuery(nil, o.Options)
	if err != nil {
		return nil, err
	}
	f := &freeSearch{Search: freeports.Search{Ports: wanted, Count: o.Count}, rules: q.rules, reserve: o.Reserve, forCommand: o.Command != nil}
	if ephemeral, _ := socket.EphemeralPorts(); !o.Ephemeral && !ephemeral.Contains(wanted[0].First) {
		f.ephemeral = ephemeral
	}
	f.Ports = wanted.Without(f.ephemeral)
	if folder, err := os.Getwd(); err == nil { // without a folder it is nobody's project
		f.project = process.Locate(folder).Project
	}
	f.LeaveOut = func(port uint16) bool {
		watched, _ := f.watchedByAnother(ctx, port)
		return watched
	}
	return f, nil
}

// find returns the free ports and holds them, if that was asked for.
func (f *freeSearch) find(ctx context.Context) (found []uint16, err error) {
	if f.reserve == 0 {
		found, err = f.Find(ctx)
	} else {
		found, err = f.hold(ctx)
		found, err = f.unsupportedIsFine(ctx, found, err)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("find a free port: %w", err)
	case len(found) < f.Count && len(found) > 0:
		return nil, fmt.Errorf("only %d of %d ports are free in %s", len(found), f.Count, f.Ports)
	case len(found) == 0 && len(f.Ports) == 0:
		return nil, errors.New("no port to search outside the ephemeral range; to include it: --ephemeral")
	case len(found) == 0:
		return nil, fmt.Errorf("no port is free in %s", f.Ports)
	}
	return found, nil
}

// watchedByAnother reports whether a watch covers port, and another project had the port
// last. last is that project. If it is unknown, only a watch of this single port counts:
// one of a range claims no port.
func (f *freeSearch) watchedByAnother(ctx context.Context, port uint16) (watched bool, last string) {
	if !f.rules.WatchesPort(port) {
		return false, ""
	}
	tenure, ok, err := store.OpenReader(paths.History()).LastOwner(ctx, monitor.TCP, monitor.Ports{{First: port, Last: port}})
	if err == nil && ok && tenure.Owner.Project != "" {
		return tenure.Owner.Project != f.project, tenure.Owner.Project
	}
	return f.rules.HasSimple(port), ""
}

// reason says in one clause why port was not among the answers.
func (f *freeSearch) reason(ctx context.Context, port uint16) string {
	switch err := freeports.Check(port); {
	case errors.Is(err, freeports.ErrTaken):
		if blocking := inuse.Ask(ctx, port).Blocking(); len(blocking) > 0 {
			return strings.TrimSuffix(reasonsText(blocking), ".")
		}
		return freeports.ErrTaken.Error()
	case errors.Is(err, freeports.ErrNotAllowed):
		return freeports.ErrNotAllowed.Error()
	case err != nil:
		return monitor.Clean(err.Error(), 200)
	}
	if watched, last := f.watchedByAnother(ctx, port); watched {
		return "a watch covers it" + orElse(", and it was last used by the project ", monitor.Clean(last, 60))
	}
	if f.ephemeral.Contains(port) {
		return "it is in the ephemeral port range"
	}
	return "it was taken a moment ago"
}

// portVariables returns the environment with PORT, and PORT2, PORT3 for more ports.
func portVariables(environment []string, ports []uint16) []string {
	environment = slices.Clone(environment)
	for i, port := range ports {
		name := "PORT"
		if i > 0 {
			name = fmt.Sprintf("PORT%d", i+1)
		}
		environment = slices.DeleteFunc(environment, func(v string) bool { return strings.HasPrefix(v, name+"=") })
		environment = append(environment, fmt.Sprintf("%s=%d", name, port))
	}
	return environment
}
