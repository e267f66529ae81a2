package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"porthole/app/ipc"
)

func newPause() *cobra.Command {
	o := standardOptions()
	c := &cobra.Command{
		Use:   "pause [DURATION]",
		Short: "Pause the notifications of the running Porthole, for a duration such as 30m or until \"porthole resume\"",
		Args:  Args(cobra.MaximumNArgs(1)),
		RunE:  func(_ *cobra.Command, args []string) error { return runPause(args, o) },
	}
	o.addJSON(c, "print one JSON object")
	return c
}

func newResume() *cobra.Command {
	o := standardOptions()
	c := &cobra.Command{
		Use:   "resume",
		Short: "End the pause of notifications",
		Args:  Args(cobra.NoArgs),
		RunE:  func(*cobra.Command, []string) error { return requestPause(ipc.Message{Kind: ipc.Resume}, o) },
	}
	o.addJSON(c, "print one JSON object")
	return c
}

// pauseJSON is the output of pause --json and resume --json.
type pauseJSON struct {
	Paused bool      `json:"paused"`
	Until  time.Time `json:"until,omitzero"` // absent: until resumed
}

// runPause pauses notifications for the duration in args, or until they are resumed.
func runPause(args []string, o Options) error {
	m := ipc.Message{Kind: ipc.Pause}
	if len(args) > 0 {
		d, err := time.ParseDuration(args[0])
		if err != nil || d < time.Second {
			return UsageError{fmt.Sprintf("%q: expected a duration of at least 1s, such as 30m or 2h", args[0])}
		}
		m.Seconds = int(d / time.Second)
	}
	return requestPause(m, o)
}

// requestPause sends m to the running Porthole and prints whether it is paused. Without
// a running Porthole there are no notifications, and it returns an error.
func requestPause(m ipc.Message, o Options) error {
	dir, err := ipc.OpenRuntimeDir()
	if err != nil {
		return err
	}
	answer, err := ipc.Request(dir, m)
	switch {
	case err != nil:
		return err
	case answer.Kind == ipc.Refused:
		return errors.New(answer.Problem)
	case answer.Status == nil:
		return errors.New("the running Porthole did not report its state")
	}
	return printPause(*answer.Status, o)
}

func printPause(s ipc.Status, o Options) error {
	if o.JSON {
		return writeLine(o.Stdout, pauseJSON{s.Paused, s.PausedUntil.UTC()})
	}
	text := "Notifications are on."
	switch {
	case s.Paused && s.PausedUntil.IsZero():
		text = "Notifications are paused until \"porthole resume\"."
	case s.Paused:
		text = "Notifications are paused until " + timeText(s.PausedUntil, time.Now()) + "."
	}
	_, err := fmt.Fprintln(o.Stdout, text)
	return err
}
