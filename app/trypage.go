package app

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"porthole/app/cli"
	"porthole/app/paths"
	"porthole/app/trypage"
)

// newTryPage returns the hidden command with which the window starts the page for new
// users.
func newTryPage() *cobra.Command {
	var port uint16
	var duration time.Duration
	c := &cobra.Command{
		Use:    "try-page",
		Hidden: true,
		Args:   cli.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			paths.NameProcess()
			err := trypage.Serve(c.Context(), c.InOrStdin(), c.OutOrStdout(), port, duration)
			if errors.Is(err, trypage.ErrInUse) {
				return exitError{status: trypage.ExitInUse, err: err}
			}
			return err
		},
	}
	c.Flags().Uint16Var(&port, "port", 0, "the port to listen on")
	c.Flags().DurationVar(&duration, "for", trypage.Duration, "how long")
	return c
}
