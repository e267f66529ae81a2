package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"porthole/app/paths"
	"porthole/app/startagain"
	"porthole/monitor"
	"porthole/monitor/restart"
)

// newRunAgain returns the hidden command that runs in a new window of a terminal and
// starts there what Porthole starts again.
func newRunAgain() *cobra.Command {
	return &cobra.Command{
		Use:    startagain.Command + " SOCKET",
		Hidden: true,
		Args:   Args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			paths.NameProcess()
			return runAgain(args[0], os.Stdin, os.Stdout)
		},
	}
}

// runAgain receives a command through the socket at path and runs it in this terminal. The
// terminal stays open until the user has read how it ended.
func runAgain(path string, in *os.File, out io.Writer) error {
	received, err := restart.Receive(path)
	if err != nil {
		_, _ = fmt.Fprintf(out, "Porthole can't run the command here: %v\n", err) // the terminal may have closed
		awaitEnter(in, out)
		return err
	}
	_, _ = fmt.Fprintf(out, "Porthole runs again: %s\nin %s\n\n", received.Text(), monitor.Clean(received.Folder, 200))
	started := false
	how, err := runHere(received.Cmd(), func(pid int) {
		started = true
		_ = received.Started(pid, nil) // the command runs without Porthole, too
	})
	if !started {
		_ = received.Started(0, err)                    // shown here as well
		return fmt.Errorf("start the command: %w", err) // Porthole starts it elsewhere; this terminal closes
	}
	received.Ended(how)
	_, _ = fmt.Fprintf(out, "\nThe command has ended: %s.\n", how)
	awaitEnter(in, out)
	return nil
}

// runHere runs c in this terminal until it ends, and returns how: "exit status 1". started
// is called with its PID. The keys Ctrl+C and Ctrl+\ end c and not this process. The error
// is one if c can't be started, or if it failed.
func runHere(c *exec.Cmd, started func(pid int)) (how string, _ error) {
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGHUP)
	defer close(signals)
	defer signal.Stop(signals)
	restore := saveTerminal(os.Stdin)
	defer restore()
	if err := c.Start(); err != nil {
		return "", err
	}
	go passOn(signals, c.Process) // ends with this function
	started(c.Process.Pid)
	err := c.Wait()
	if c.ProcessState == nil {
		return "it can't be observed", err
	}
	return c.ProcessState.String(), err
}

// passOn sends the signals to p that it does not get from the terminal itself.
func passOn(signals <-chan os.Signal, p *os.Process) {
	for s := range signals {
		if s != os.Interrupt && s != syscall.SIGQUIT {
			_ = p.Signal(s) // it may have ended
		}
	}
}

// awaitEnter waits until the user presses Enter or the terminal closes.
func awaitEnter(in io.Reader, out io.Writer) {
	_, _ = fmt.Fprint(out, "Press Enter to close.") // see runAgain
	_, _ = bufio.NewReader(in).ReadString('\n')     // the end of the input ends the wait, too
}

// restartHere runs recipe in this terminal and returns its exit status as an error.
func restartHere(recipe *restart.Recipe) error {
	_, err := runHere(recipe.Cmd(), func(int) {})
	exit, failed := errors.AsType[*exec.ExitError](err)
	if !failed {
		return err
	}
	if status := exit.ExitCode(); status >= 0 {
		return ExitStatus(status)
	}
	return err // a signal
}
