package app

import (
	"os"

	"github.com/spf13/cobra"

	"porthole/app/cli"
	"porthole/app/ipc"
	"porthole/app/window"
)

// newWindow returns the hidden command with which the agent starts the window
// process.
func newWindow() *cobra.Command {
	o := window.Options{Version: Version}
	c := &cobra.Command{
		Use:    "window",
		Hidden: true,
		Args:   cli.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			dir, err := ipc.OpenRuntimeDir()
			if err != nil {
				return err
			}
			if status := window.Run(c.Context(), dir, o, os.Stderr); status != 0 {
				return exitError{status: status}
			}
			return nil
		},
	}
	c.Flags().StringVar(&o.Theme, "theme", "", "light or dark (default: the system's theme)")
	c.Flags().StringVar(&o.Language, "language", "", "a language code such as en (default: the system's language)")
	return c
}
