package app

import (
	"github.com/spf13/cobra"

	"porthole/app/cli"
	"porthole/app/ipc"
)

// newQuit returns the command "quit", which asks the running agent to exit.
func newQuit() *cobra.Command {
	return &cobra.Command{
		Use:   "quit",
		Short: "Quit the running Porthole",
		Args:  cli.Args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			dir, err := ipc.OpenRuntimeDir()
			if err != nil {
				return err
			}
			_, err = ipc.Request(dir, ipc.Message{Kind: ipc.Quit})
			return err
		},
	}
}
