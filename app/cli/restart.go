package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"porthole/app/paths"
	"porthole/monitor"
	"porthole/monitor/owner"
	"porthole/monitor/restart"
	"porthole/monitor/stop"
)

// restartTime is how long restart waits for the new process to listen.
const restartTime = 15 * time.Second

// logLines is how many lines of the log are printed if the new process fails.
const logLines = 8

func newRestart() *cobra.Command {
	o := stopOptions{Options: standardOptions()}
	c := &cobra.Command{
		Use:   "restart PORT | ADDRESS:PORT | URL",
		Short: "Stop the process that listens on a port, and run the same command again",
		Long: `Stop the process that listens on a port, and run the same command in the same folder
with the same environment, which is read before the process ends. This works for your
own processes. The new process runs detached, with its output in a log.

It first shows what it will stop and run, and asks. A service is not restarted in this
way: the output names the command of its manager. The exit status is 1 if the new
process does not listen on the port within ` + restartTime.String() + `.`,
		Args: func(c *cobra.Command, args []string) error { return Args(cobra.ExactArgs(1))(c, joinLine(args)) },
		RunE: func(c *cobra.Command, args []string) error {
			o.Stdin = terminalInput()
			return runRestart(c.Context(), joinLine(args)[0], o)
		},
	}
	c.Flags().BoolVar(&o.Force, "force", false, fmt.Sprintf("force quit (SIGKILL) the process if it is still running after %v", stop.GracePeriod))
	c.Flags().BoolVar(&o.Yes, "yes", false, "skip the confirmation prompt")
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
	Log       string   `json:"log"`
	Listening bool     `json:"listening"`
}

// runRestart stops the principal owner of a port with its workers and starts it again.
func runRestart(ctx context.Context, arg string, o stopOptions) error {
	wanted, err := parseTarget(arg)
	if err != nil {
		return err
	}
	recipe, before, err := findRecipe(ctx, wanted, o)
	if err != nil {
		return err
	}
	one := o
	one.Yes, one.Stdin = false, nil
	plan := newStopPlan()
	go plan.run(ctx, arg, one) // ends with the plan
	if err := plan.wait(ctx); err != nil {
		return err
	}
	if !plan.holds(before) {
		return plan.refuse(fmt.Errorf("nothing was stopped: %s no longer listens on %s", processText(before), wanted))
	}
	log := paths.Output(wanted.Port, time.Now())
	progress := o.Stdout
	if o.JSON {
		progress = o.Stderr
	}
	_, _ = fmt.Fprintf(progress, "%s  then runs again, with its environment of %d variables:\n    %s\n  in %s, with its output in %s\n",
		plan.text(), recipe.Variables(), recipe.Text(), monitor.Clean(recipe.Folder, 200), log) // the question follows
	ask := &stopping{stopOptions: o}
	if err := ask.confirm(ctx, "Stop it and start it again?"); err != nil {
		_ = plan.refuse(err) // its error is the same
		return err
	}
	output, err := plan.confirm()
	_, _ = fmt.Fprintln(progress, output) // the error reports the rest
	if err != nil {
		return fmt.Errorf("not started again: %w", err)
	}
	return startAgain(ctx, wanted, recipe, before, log, o)
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

// startAgain runs recipe and waits until it listens.
func startAgain(ctx context.Context, wanted target, recipe *restart.Recipe, before monitor.Owner, log string, o stopOptions) error {
	ended := make(chan error, 1)
	pid, err := recipe.Start(log, func(err error) { ended <- err })
	if err != nil {
		return fmt.Errorf("%s was stopped, but can't be started again: %w", processText(before), err)
	}
	limited, cancel := context.WithTimeout(ctx, restartTime)
	defer cancel()
	opened := make(chan error, 1)
	go func() { // ends with limited
		opened <- runWait(limited, []string{wanted.String()}, waitOptions{Options: Options{All: true, Stdout: o.Stderr, Stderr: o.Stderr}, Timeout: restartTime})
	}()
	listening := false
	select {
	case err = <-opened:
		listening = err == nil
	case why := <-ended:
		err = errors.New("it ended at once")
		if why != nil {
			err = fmt.Errorf("it ended at once: %s", monitor.Clean(why.Error(), 100))
		}
		cancel()
		<-opened
	}
	if o.JSON {
		out := restartJSON{wanted.Port, before.PID, pid, monitor.RedactCommand(recipe.Command), recipe.Folder, log, listening}
		if err := writeLine(o.Stdout, out); err != nil {
			return err
		}
	}
	if !listening {
		return fmt.Errorf("started as PID %d, but: %w; the end of %s: %s", pid, err, log, strings.Join(restart.Tail(log, logLines), " | "))
	}
	if !o.JSON {
		_, err = fmt.Fprintf(o.Stdout, "Started as PID %d, listening on %s again. Its output is in %s.\n", pid, wanted, log)
		return err
	}
	return nil
}
