package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"porthole/app/startagain"
	"porthole/monitor"
	"porthole/monitor/owner"
	"porthole/monitor/restart"
	"porthole/monitor/stop"
)

// restartOptions are the flags of the command restart.
type restartOptions struct {
	stopOptions
	Here     bool // run the command in this terminal
	Terminal bool // run it in a new window of a terminal
}

func newRestart() *cobra.Command {
	o := restartOptions{stopOptions: stopOptions{Options: standardOptions()}}
	c := &cobra.Command{
		Use:   "restart PORT | ADDRESS:PORT | URL",
		Short: "Stop the process that listens on a port, and run the same command again",
		Long: `Stop the process that listens on a port, and run the same command in the same folder
with the same environment, which is read before the process ends. This works for your
own processes. The new process runs detached, with its output in a log; with --here
in this terminal, where restart then lasts as long as the process; with --terminal in
a new window of tmux, if it was started there, or of the terminal of the settings or of
the desktop.

It first shows what it will stop and run, and asks. A service is not restarted in this
way: the output names the command of its manager. The exit status is 1 if the new
process does not listen on the port within ` + restartTime.String() + `; with --here it is that of the
process.`,
		Args: func(c *cobra.Command, args []string) error { return Args(cobra.ExactArgs(1))(c, joinLine(args)) },
		RunE: func(c *cobra.Command, args []string) error {
			if o.Here && (o.Terminal || o.JSON) {
				return UsageError{"--here can't be used with --terminal or --json"}
			}
			o.Stdin = terminalInput()
			return runRestart(c.Context(), joinLine(args)[0], o)
		},
	}
	c.Flags().BoolVar(&o.Force, "force", false, fmt.Sprintf("force quit (SIGKILL) the process if it is still running after %v", stop.GracePeriod))
	c.Flags().BoolVar(&o.Yes, "yes", false, "skip the confirmation prompt")
	c.Flags().BoolVar(&o.Here, "here", false, "run the command in this terminal, until it ends")
	c.Flags().BoolVar(&o.Terminal, "terminal", false, "run the command in a new window of a terminal")
	o.addJSON(c, "print one JSON object at the end")
	o.addAll(c)
	return c
}

// restartJSON is the output of restart --json.
type restartJSON struct {
	Port      uint16   `json:"port"`
	Stopped   int      `json:"stopped_pid"`
	Started   int      `json:"started_pid"`
	Command   []string `json:"command"` // only what is known to be harmless
	Folder    string   `json:"folder"`
	Log       string   `json:"log,omitempty"`      // gets the output; none in a terminal
	Terminal  string   `json:"terminal,omitempty"` // the name of the terminal, or tmux
	Listening bool     `json:"listening"`
}

// runRestart stops the principal owner of a port with its workers and starts it again.
func runRestart(ctx context.Context, arg string, o restartOptions) error {
	wanted, err := parseTarget(arg)
	if err != nil {
		return err
	}
	recipe, before, err := findRecipe(ctx, wanted, o.stopOptions)
	if err != nil {
		return err
	}
	place, err := o.place(ctx, before)
	if err != nil {
		return err
	}
	one := o.stopOptions
	one.Yes, one.Stdin = false, nil
	plan := newStopPlan()
	go plan.run(ctx, arg, one) // ends with the plan
	if err := plan.wait(ctx); err != nil {
		return err
	}
	if !plan.holds(before) {
		return plan.refuse(fmt.Errorf("nothing was stopped: %s no longer listens on %s", processText(before), wanted))
	}
	r := &restarting{o, wanted, recipe, before, place, startagain.Log(wanted.Port)}
	progress := o.Stdout
	if o.JSON {
		progress = o.Stderr
	}
	_, _ = fmt.Fprintf(progress, "%s  then runs again, with its environment of %d variables:\n    %s\n  in %s, %s\n",
		plan.text(), recipe.Variables(), recipe.Text(), monitor.Clean(recipe.Folder, 200), r.placeText()) // the question follows
	ask := &stopping{stopOptions: o.stopOptions}
	if err := ask.confirm(ctx, "Stop it and start it again?"); err != nil {
		_ = plan.refuse(err) // its error is the same
		return err
	}
	output, err := plan.confirm()
	_, _ = fmt.Fprintln(progress, output) // the error reports the rest
	if err != nil {
		return fmt.Errorf("not started again: %w", err)
	}
	if o.Here {
		return restartHere(recipe)
	}
	return r.start(ctx)
}

// findRecipe returns what starts the principal owner of a port again, and that owner.
func findRecipe(ctx context.Context, wanted target, o stopOptions) (*restart.Recipe, monitor.Owner, error) {
	q, err := newQuery(nil, o.Options)
	if err != nil {
		return nil, monitor.Owner{}, err
	}
	q.All = true
	s, err := q.scan(ctx, owner.New())
	if err != nil {
		return nil, monitor.Owner{}, err
	}
	listeners, others := wanted.stoppable(s, o.All)
	if len(listeners) == 0 {
		return nil, monitor.Owner{}, nothingToStop(ctx, wanted, others)
	}
	if len(listeners) > 1 {
		return nil, monitor.Owner{}, UsageError{fmt.Sprintf("several servers listen on %s: %s; name one as ADDRESS:PORT", wanted, serversText(listeners))}
	}
	l := listeners[0]
	before, known := l.Principal()
	if !known {
		return nil, before, unknownOwnerError(listeners, wanted.Port)
	}
	if m, ok := stop.ManagerOf(ctx, before, l); ok {
		return nil, before, fmt.Errorf("%s is run by %s; restart it there%s", processText(before), managerText(m), restartAdvice(m))
	}
	recipe, err := restart.Read(before)
	if err != nil {
		return nil, before, fmt.Errorf("can't start %s again: it %w; nothing was stopped", processText(before), err)
	}
	return recipe, before, nil
}

// serversText returns the owners and addresses of listeners.
func serversText(listeners []*monitor.Listener) string {
	var texts []string
	for _, l := range listeners {
		process, _ := ownerText(l)
		texts = append(texts, process+" on "+endpointText(l))
	}
	return strings.Join(texts, ", ")
}

// restartAdvice returns the command that restarts what m runs, "" if it is not known.
func restartAdvice(m stop.Manager) string {
	if len(m.Args) == 0 || !strings.Contains(m.Command, " stop ") {
		return ""
	}
	return ": " + strings.Replace(m.Command, " stop ", " restart ", 1)
}
