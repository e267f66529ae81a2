package app

import (
	"os"

	"github.com/spf13/cobra"

	"porthole/app/cli"
	"porthole/app/window"
)

// newMenu returns the hidden command with which the agent shows the tray's menu for panels
// that show none.
func newMenu() *cobra.Command {
	o := window.MenuOptions{Version: Version}
	c := &cobra.Command{
		Use:    "menu",
		Hidden: true,
		Args:   cli.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			if status := window.RunMenu(c.Context(), o, os.Stdin, os.Stdout, os.Stderr); status != 0 {
				return exitError{status: status}
			}
			return nil
		},
	}
	c.Flags().StringVar(&o.Theme, "theme", "", "light or dark (default: the system's theme)")
	c.Flags().StringVar(&o.Language, "language", "", "a language code such as en (default: the system's language)")
	c.Flags().IntVar(&o.X, "x", 0, "where the menu appears on the screen, in pixels")
	c.Flags().IntVar(&o.Y, "y", 0, "where the menu appears on the screen, in pixels")
	return c
}
