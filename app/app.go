// Package app is the running program: it reads the command line and starts
// what was asked for.
package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"porthole/app/agent"
	"porthole/app/cli"
	"porthole/app/doctor"
	"porthole/app/ipc"
	"porthole/app/window"
	"porthole/monitor"
)

// Version is set by the build: -ldflags "-X porthole/app.Version=…".
var Version = "0.1.0-dev"

// exitError is an error that asks for an exit status of its own. Without err, all
// was said already.
type exitError struct {
	status int
	err    error
}

func (e exitError) Error() string { return fmt.Sprint(e.err) }
func (e exitError) Unwrap() error { return e.err }

// Main runs the program with args (without the program's name) and returns its
// exit status: 0; 1 where what was asked for did not succeed; 2 for bad input;
// 3 where there is no desktop to show itself on.
func Main(args []string) int {
	cobra.MousetrapHelpText = "" // else Cobra ends what was started from the Explorer on Windows
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	root := rootCommand()
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	var e exitError
	if errors.As(err, &e) && e.err == nil {
		return e.status // all was said
	}
	fmt.Fprintf(os.Stderr, "%s: %s\n", cmd.CommandPath(), strings.ReplaceAll(err.Error(), "\n", " "))
	if errors.As(err, &e) {
		return e.status
	}
	return cli.Status(err)
}

// Command returns the command line as it is, for man pages and completions. To
// run it is Main's.
func Command() *cobra.Command { return rootCommand() }

func rootCommand() *cobra.Command {
	var opts agent.Options
	root := &cobra.Command{
		Use:           "porthole",
		Short:         "Shows what listens on this machine's loopback, and tells when a watched port changes",
		Version:       Version,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			opts.ShowWindow = c.Flags().Changed("hidden") && !opts.Hidden
			return start(c.Context(), opts)
		},
	}
	root.Flags().BoolVar(&opts.Hidden, "hidden", false, "start with the tray icon alone, without the window; --hidden=false: with it, whatever the settings say")
	root.Flags().StringVar(&opts.Page, "page", "", "the page of the window to begin with")
	_ = root.Flags().MarkHidden("page") // it is there; for a Porthole that starts anew
	root.SetVersionTemplate("porthole {{.Version}}\n")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return cli.UsageError{Reason: err.Error()} })
	root.AddCommand(listCommand(), eventsCommand(), waitCommand(), whoCommand(), explainCommand(), stopCommand(), historyCommand(), forgetCommand(), doctorCommand(), showCommand(), quitCommand(), windowCommand())
	return root
}

func noArguments(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return cli.UsageError{Reason: fmt.Sprintf("%q is no command; porthole --help lists them", args[0])}
	}
	return nil
}

func listCommand() *cobra.Command {
	o := cli.Options{Stdout: os.Stdout, Stderr: os.Stderr}
	c := &cobra.Command{
		Use:   "list [PORT or RANGE ...]",
		Short: "Prints what listens on loopback now",
		RunE:  func(c *cobra.Command, args []string) error { return cli.List(c.Context(), args, o) },
	}
	outputFlags(c, &o)
	c.Flags().BoolVarP(&o.Verbose, "verbose", "v", false, "say on stderr where the answer comes from")
	return c
}

func eventsCommand() *cobra.Command {
	o := cli.Options{Stdout: os.Stdout, Stderr: os.Stderr}
	c := &cobra.Command{
		Use:   "events [PORT or RANGE ...]",
		Short: "Prints every change as it happens, a line each, until it is interrupted",
		RunE:  func(c *cobra.Command, args []string) error { return cli.Events(c.Context(), args, o) },
	}
	outputFlags(c, &o)
	return c
}

func waitCommand() *cobra.Command {
	o := cli.Options{Stdout: os.Stdout, Stderr: os.Stderr}
	var closed bool
	var timeout time.Duration
	c := &cobra.Command{
		Use:   "wait PORT",
		Short: "Returns when the port is open; exit status 1 where it is not in time",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return cli.UsageError{Reason: "wait takes one port"}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			return cli.Wait(c.Context(), args[0], closed, timeout, o)
		},
	}
	c.Flags().BoolVar(&closed, "closed", false, "wait until nothing listens there any more")
	c.Flags().DurationVar(&timeout, "timeout", 30*time.Second, "how long to wait")
	whereFlags(c, &o)
	return c
}

func whoCommand() *cobra.Command {
	o := cli.Options{Stdout: os.Stdout, Stderr: os.Stderr}
	c := &cobra.Command{
		Use:   "who PORT",
		Short: "Tells the whole story of a port: who has it, and why that runs; exit status 1 where nobody has",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return cli.UsageError{Reason: "who takes one port"}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			err := cli.Who(c.Context(), args[0], o)
			if errors.Is(err, cli.ErrFree) {
				return exitError{status: 1}
			}
			return err
		},
	}
	c.Flags().BoolVar(&o.JSON, "json", false, "print one JSON object")
	c.Flags().BoolVar(&o.Unmasked, "unmasked", false, "print command lines with their passwords and tokens")
	c.Flags().BoolVar(&o.UDP, "udp", false, "UDP too: sockets that are bound and not connected")
	return c
}

func explainCommand() *cobra.Command {
	o := cli.Options{Stdout: os.Stdout, Stderr: os.Stderr}
	c := &cobra.Command{
		Use:   "explain ADDRESS:PORT",
		Short: "Tells what an address and a port mean, who has them now and who can reach that; one of both, localhost or a URL will do",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return cli.UsageError{Reason: "explain takes one address with a port, or one of both"}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return cli.Explain(c.Context(), args[0], o) },
	}
	c.Flags().BoolVar(&o.JSON, "json", false, "print one JSON object")
	c.Flags().BoolVar(&o.UDP, "udp", false, "UDP too: sockets that are bound and not connected")
	return c
}

func stopCommand() *cobra.Command {
	o := cli.StopOptions{Options: cli.Options{Stdout: os.Stdout, Stderr: os.Stderr}}
	c := &cobra.Command{
		Use:   "stop PORT",
		Short: "Ends the processes that hold a port, after a question; exit status 1 where they did not end",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return cli.UsageError{Reason: "stop takes one port"}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if info, err := os.Stdin.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
				o.Stdin = os.Stdin
			}
			return cli.Stop(c.Context(), args[0], o)
		},
	}
	c.Flags().BoolVar(&o.Force, "force", false, "end by force (SIGKILL) what has not ended after 10 s")
	c.Flags().BoolVar(&o.Yes, "yes", false, "without a question")
	c.Flags().BoolVar(&o.Children, "children", false, "ask the processes below them to end too")
	c.Flags().BoolVar(&o.UDP, "udp", false, "UDP too: sockets that are bound and not connected")
	return c
}

func historyCommand() *cobra.Command {
	o := cli.HistoryOptions{Options: cli.Options{Stdout: os.Stdout, Stderr: os.Stderr}}
	c := &cobra.Command{
		Use:   "history [PORT or RANGE ...]",
		Short: "Prints what is remembered: what opened, closed and changed hands; of the last day where no port is named",
		RunE:  func(c *cobra.Command, args []string) error { return cli.History(c.Context(), args, o) },
	}
	c.Flags().StringVar(&o.Since, "since", "", "how far back: 90m, 24h, 7d, or a date like 2026-11-24")
	c.Flags().IntVar(&o.Limit, "limit", 0, "at most so many, the newest")
	c.Flags().StringVar(&o.Match, "match", "", "words that must all be in the process, project, user, service or command, or be a PID or the beginning of an address; -word must not")
	c.Flags().BoolVar(&o.JSON, "json", false, "print JSON Lines")
	c.Flags().BoolVar(&o.CSV, "csv", false, "print CSV (RFC 4180)")
	whereFlags(c, &o.Options)
	return c
}

func forgetCommand() *cobra.Command {
	o := cli.ForgetOptions{Stdout: os.Stdout, Stderr: os.Stderr}
	c := &cobra.Command{
		Use:   "forget PORT",
		Short: "Erases what is remembered of a port, of a project, or everything",
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				return cli.UsageError{Reason: "forget takes one port"}
			}
			if len(args) == 1 {
				o.Port = args[0]
			}
			if info, err := os.Stdin.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
				o.Stdin = os.Stdin
			}
			return cli.Forget(c.Context(), o)
		},
	}
	c.Flags().StringVar(&o.Project, "project", "", "what is remembered of this project")
	c.Flags().BoolVar(&o.Everything, "everything", false, "all that is remembered")
	c.Flags().BoolVar(&o.Yes, "yes", false, "without a question")
	return c
}

func doctorCommand() *cobra.Command {
	o := cli.DoctorOptions{Options: doctor.Options{Version: Version, HasWindow: window.Built}, Stdout: os.Stdout}
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Tells what works here and what does not, with the fix; exit status 1 where something needed does not",
		Args:  noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			err := cli.Doctor(c.Context(), o)
			if errors.Is(err, cli.ErrUnhealthy) {
				return exitError{status: 1}
			}
			return err
		},
	}
	c.Flags().BoolVar(&o.JSON, "json", false, "print one JSON object")
	return c
}

func showCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show PORT",
		Short: "Shows the window at a port, and starts Porthole where it does not run",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return cli.UsageError{Reason: "show takes one port"}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			ports, err := monitor.ParsePorts(args[0])
			if err != nil {
				return cli.UsageError{Reason: err.Error()}
			}
			port, single := ports.Single()
			if !single {
				return cli.UsageError{Reason: fmt.Sprintf("%q: show takes one port", monitor.Clean(args[0], 40))}
			}
			return start(c.Context(), agent.Options{Port: port})
		},
	}
}

func quitCommand() *cobra.Command {
	return &cobra.Command{
		Use: "quit", Short: "Ends the Porthole that runs", Args: noArguments,
		RunE: func(*cobra.Command, []string) error { return quit() },
	}
}

// windowCommand is how the agent starts the window process.
func windowCommand() *cobra.Command {
	o := window.Options{Version: Version}
	c := &cobra.Command{
		Use: "window", Hidden: true, Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			place, err := ipc.OpenRuntimeDir()
			if err != nil {
				return err
			}
			if status := window.Run(c.Context(), place, o, os.Stderr); status != 0 {
				return exitError{status: status}
			}
			return nil
		},
	}
	c.Flags().StringVar(&o.Theme, "theme", "", "light or dark; as the system is where it is not said")
	c.Flags().StringVar(&o.Language, "language", "", "like en; as the system is where it is not said")
	return c
}

func outputFlags(c *cobra.Command, o *cli.Options) {
	c.Flags().BoolVar(&o.JSON, "json", false, "print JSON: one object for list, JSON Lines for events")
	c.Flags().BoolVar(&o.Unmasked, "unmasked", false, "print command lines with their passwords and tokens")
	whereFlags(c, o)
}

func whereFlags(c *cobra.Command, o *cli.Options) {
	c.Flags().BoolVar(&o.All, "all", false, "every address, not only what loopback reaches")
	c.Flags().BoolVar(&o.UDP, "udp", false, "UDP too: sockets that are bound and not connected")
}
