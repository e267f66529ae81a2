package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"porthole/app/desktop"
	"porthole/monitor"
	"porthole/monitor/owner"
	"porthole/monitor/process"
	"porthole/monitor/terminal"
)

func newTerminal() *cobra.Command {
	o := standardOptions()
	return &cobra.Command{
		Use:   "terminal PORT | ADDRESS:PORT | URL",
		Short: "Go to the terminal or editor in which a port's process was started",
		Long: `Go to the terminal or editor in which a port's process was started: select its
pane in tmux, and raise the window. Windows can be raised on X11 only. The exit
status is 1 if nothing listens on the port or if there is no terminal.`,
		Args: Args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			return runTerminal(c.Context(), args[0], desktop.Windows{Session: desktop.Current()}, o)
		},
	}
}

// runTerminal goes to the terminal of the first owner of a port that has one.
func runTerminal(ctx context.Context, arg string, windows terminal.Windows, o Options) error {
	wanted, err := parseTarget(arg)
	if err != nil {
		return err
	}
	o.All = true // a single port: use it regardless of its address
	q, err := newSelectionQuery(selection{targets: []target{wanted}}, o)
	if err != nil {
		return err
	}
	s, err := q.scan(ctx, owner.New())
	if err != nil {
		return err
	}
	var last error
	known := askAgent(wanted.Port)
	for _, l := range q.selected.narrow(s.Listeners) {
		for _, p := range withFirstParents(l, known.Listeners).Owners {
			result, err := terminal.Go(ctx, p, process.State(p), windows)
			if err == nil {
				_, err = fmt.Fprintf(o.Stdout, "%s.\n", result.Sentence())
				return err
			}
			last = fmt.Errorf("%s (%d): %w", monitor.Clean(p.Name, 60), p.PID, err)
		}
		if len(l.Owners) == 0 {
			last = errors.New(l.OwnerUnknown)
		}
	}
	if last == nil {
		_, _ = fmt.Fprintln(o.Stdout, wanted.vacancyText(ctx, ""))
		return ErrFree
	}
	return fmt.Errorf("can't go to the terminal of %s: %w", wanted, last)
}
