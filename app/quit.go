package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"porthole/app/cli"
	"porthole/app/ipc"
	"porthole/monitor"
	"porthole/monitor/stop"
)

// Limits of quitting.
const (
	startTimeout = 2 * time.Second  // for an agent that holds its lock and does not listen: it starts or exits
	exitTimeout  = 20 * time.Second // between the answer or SIGTERM and the exit; an agent takes at most 9 s on a machine that is not busy
)

// newQuit returns the command "quit", which asks the running agent to exit, and
// ends one that does not respond.
func newQuit() *cobra.Command {
	return &cobra.Command{
		Use:   "quit",
		Short: "Quit the running Porthole, even if it does not respond",
		Args:  cli.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			dir, err := ipc.OpenRuntimeDir()
			if err != nil {
				return err
			}
			return quit(c.Context(), dir, exitTimeout, c.OutOrStdout())
		},
	}
}

// quit asks the agent to exit and waits until it has. If the agent does not answer,
// or does not exit within limit, it ends the agent's process and reports that on
// out.
func quit(ctx context.Context, dir ipc.RuntimeDir, limit time.Duration, out io.Writer) error {
	agent, unknown := dir.Agent()
	var err error
	for deadline := time.Now().Add(startTimeout); ; time.Sleep(50 * time.Millisecond) {
		_, err = ipc.Request(dir, ipc.Message{Kind: ipc.Quit})
		if unknown != nil || !errors.Is(err, ipc.ErrNotRunning) || ctx.Err() != nil || time.Now().After(deadline) {
			break
		}
	}
	if unknown != nil {
		if errors.Is(err, ipc.ErrNoResponse) {
			//lint:ignore ST1005 Porthole is a name
			return fmt.Errorf("Porthole is running but does not respond, and %w: end its process by hand", unknown)
		}
		return err
	}
	process, openErr := stop.Open(agent)
	if errors.Is(openErr, os.ErrProcessDone) {
		return nil
	}
	if openErr != nil {
		return errors.Join(err, openErr)
	}
	defer process.Close()
	if err == nil {
		if waitFor(ctx, process, limit) {
			return nil
		}
		fmt.Fprintf(out, "Porthole (process %d) answered but did not exit within %v.\n", agent.PID, limit)
	} else {
		fmt.Fprintf(out, "Porthole (process %d) does not respond.\n", agent.PID)
	}
	return end(ctx, process, agent, limit, out)
}

// end ends the agent's process with SIGTERM, and with SIGKILL if it keeps running.
func end(ctx context.Context, process *stop.Process, agent monitor.Owner, limit time.Duration, out io.Writer) error {
	for _, step := range []struct {
		name string
		send func() error
	}{
		{"SIGTERM", func() error { return process.Terminate(nil) }},
		{"SIGKILL", process.Kill},
	} {
		err := step.send()
		if errors.Is(err, stop.ErrKillOnly) {
			continue
		}
		if err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("end Porthole (process %d): %w", agent.PID, err)
		}
		if waitFor(ctx, process, limit) {
			fmt.Fprintf(out, "Ended process %d with %s.\n", agent.PID, step.name)
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	//lint:ignore ST1005 Porthole is a name
	return fmt.Errorf("Porthole (process %d) is still running after SIGKILL: it waits for the system, for example for a disk", agent.PID)
}

// waitFor waits at most limit for the exit of process and reports whether it
// has exited.
func waitFor(ctx context.Context, process *stop.Process, limit time.Duration) bool {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return process.Wait(limited) == nil
}
