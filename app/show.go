package app

import (
	"github.com/spf13/cobra"

	"porthole/app/agent"
	"porthole/app/cli"
)

// newShow returns the command "show", which opens the window at a port.
func newShow() *cobra.Command {
	return &cobra.Command{
		Use:   "show PORT",
		Short: "Open the window at a port, starting Porthole if it is not running",
		Args:  cli.Args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			port, err := cli.ParsePort(args[0])
			if err != nil {
				return err
			}
			return start(c.Context(), agent.Options{Port: port})
		},
	}
}
