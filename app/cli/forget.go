package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"porthole/app/paths"
	"porthole/monitor"
	"porthole/monitor/history"
	"porthole/monitor/history/store"
)

// errForgetCanceled means that the user answered no.
var errForgetCanceled = errors.New("canceled; nothing was deleted")

// forgetOptions are the arguments of the forget command: exactly one of Port,
// Project and Everything.
type forgetOptions struct {
	Port       string
	Project    string
	Everything bool
	Yes        bool      // skip the confirmation prompt
	Stdin      io.Reader // to read the answer from; nil without a terminal
	Stdout     io.Writer
	Stderr     io.Writer
}

func newForget() *cobra.Command {
	o := forgetOptions{Stdout: os.Stdout, Stderr: os.Stderr}
	c := &cobra.Command{
		Use:   "forget [PORT]",
		Short: "Delete the history of a port, of a project, or all of it",
		Args:  Args(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 {
				o.Port = args[0]
			}
			o.Stdin = terminalInput()
			return runForget(c.Context(), o)
		},
	}
	c.Flags().StringVar(&o.Project, "project", "", "delete the history of the project `NAME`")
	c.Flags().BoolVar(&o.Everything, "everything", false, "delete the whole history")
	c.Flags().BoolVar(&o.Yes, "yes", false, "skip the confirmation prompt")
	return c
}

// runForget deletes events from the history, also while Porthole is running.
func runForget(ctx context.Context, o forgetOptions) error {
	f, what, err := o.selection()
	if err != nil {
		return err
	}
	if !o.Yes {
		yes, err := confirm(ctx, o.Stdin, o.Stderr, fmt.Sprintf("Permanently delete %s?", what))
		if err != nil {
			return err
		}
		if !yes {
			return errForgetCanceled
		}
	}
	path := paths.History()
	n, err := store.Forget(ctx, path, f)
	if err != nil {
		return err
	}
	damaged := store.Damaged(path)
	events := "events"
	if n == 1 {
		events = "event"
	}
	_, err = fmt.Fprintf(o.Stdout, "Deleted %d %s.\n", n, events)
	for _, name := range damaged {
		_, _ = fmt.Fprintf(o.Stderr, "porthole: the damaged file %s may still contain such events; delete it, or run porthole forget --everything\n", name) // only additional information
	}
	return err
}

// selection returns what to delete, and its name for people.
func (o forgetOptions) selection() (f history.Forget, what string, _ error) {
	f = history.Forget{Project: o.Project, Everything: o.Everything}
	given := 0
	if o.Port != "" {
		port, err := ParsePort(o.Port)
		if err != nil {
			return f, "", err
		}
		f.Port, what = port, fmt.Sprintf("the history of port %d", port)
		given++
	}
	if o.Project != "" {
		what = fmt.Sprintf("the history of the project %q", monitor.Clean(o.Project, 60))
		given++
	}
	if o.Everything {
		what = "the whole history"
		given++
	}
	if given != 1 {
		return f, "", UsageError{"expected one of PORT, --project NAME and --everything"}
	}
	return f, what, nil
}
