// Package app is the program: it assembles the command line and starts the
// agent, the window process or a command.
package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"porthole/app/agent"
	"porthole/app/cli"
	"porthole/app/doctor"
	"porthole/app/window"
)

// Version is set by the build: -ldflags "-X porthole/app.Version=…".
var Version = "0.1.0-dev"

// exitError is an error with an exit status of its own. If err is nil, the
// reason has been printed already.
type exitError struct {
	status int
	err    error
}

func (e exitError) Error() string { return fmt.Sprint(e.err) }
func (e exitError) Unwrap() error { return e.err }

// Main runs the program with args, without the program's name, and returns its
// exit status: 0 on success, 1 on failure, 2 for invalid input, 3 if there is no
// desktop session.
func Main(args []string) int {
	cobra.MousetrapHelpText = "" // otherwise Cobra refuses to run when started from the Windows Explorer
	ctx, stop := signalContext()
	defer stop()
	root := Command()
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	status := cli.Status(err)
	var e exitError
	if errors.As(err, &e) {
		status = e.status
	}
	if err != nil && !cli.IsPrinted(err) && (e.status == 0 || e.err != nil) {
		fmt.Fprintf(os.Stderr, "%s: %s\n", cmd.CommandPath(), strings.ReplaceAll(err.Error(), "\n", " "))
	}
	return status
}

// signalContext returns a context that the first SIGINT, SIGTERM or SIGHUP cancels.
// The second one kills the process: ending may take long, or forever if a disk does
// not answer.
func signalContext() (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop) // back to the default of the signals
	return ctx, stop
}

// Command returns the whole command line, also for generating man pages and
// completions. Use Main to run it.
func Command() *cobra.Command {
	var opts agent.Options
	root := &cobra.Command{
		Use:           "porthole",
		Short:         "Show which processes listen on this machine's ports, and notify when a watched port changes",
		Version:       Version,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cli.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			opts.ShowWindow = c.Flags().Changed("hidden") && !opts.Hidden
			return start(c.Context(), opts)
		},
	}
	root.Flags().BoolVar(&opts.Hidden, "hidden", false, "start in the tray without opening the window; --hidden=false opens it even if start_hidden is set")
	root.Flags().StringVar(&opts.Page, "page", "", "open the window on this `PAGE`")
	_ = root.Flags().MarkHidden("page") // exists; used when Porthole restarts itself
	root.SetVersionTemplate("porthole {{.Version}}\n")
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		var invalid *pflag.InvalidValueError
		if errors.As(err, &invalid) { // its text ends with an error of package time or strconv
			_, usage := pflag.UnquoteUsage(invalid.GetFlag())
			return cli.UsageError{Reason: fmt.Sprintf("invalid value %q for --%s: %s; see %s --help", invalid.GetValue(), invalid.GetFlag().Name, usage, c.CommandPath())}
		}
		return cli.UsageError{Reason: err.Error()}
	})
	root.AddCommand(cli.Commands(doctor.Options{Version: Version, HasWindow: window.Built})...)
	root.AddCommand(newShow(), newQuit(), newWindow(), newTryPage(), newMenu())
	cli.AddHost(root)
	return root
}
