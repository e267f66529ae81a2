package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"strings"
	"time"

	"github.com/gen2brain/beeep"

	"porthole/monitor"
)

// This file is beeep in a process of its own, for desktops with a session bus.
// In the agent it must not be called there: it takes the bus connection that it
// shares with the tray, whose registration its signals end, and it knows no
// deadline. What it can beyond Bus is to ask without hints, actions and pictures,
// notify-send, and kdialog, which needs no service.

// fallback shows notes by one Notifier, and by another where that fails.
type fallback struct {
	Notifier
	second Notifier
	log    *slog.Logger
}

// WithFallback returns a Notifier that shows by first and, where that fails, by
// other. Where first did not answer in time, other is not asked: it would wait
// for the same service.
func WithFallback(first, other Notifier, log *slog.Logger) Notifier {
	return fallback{first, other, log}
}

func (e fallback) Notify(ctx context.Context, n Notification) error {
	err := e.Notifier.Notify(ctx, n)
	if err == nil || ctx.Err() != nil {
		return err
	}
	if second := e.second.Notify(ctx, n); second != nil {
		return fmt.Errorf("%w; by beeep: %w", err, second)
	}
	e.log.Info("a notification was shown by beeep", "problem", err)
	return nil
}

// Subprocess shows notifications through beeep in a process of its own, which is
// killed where it is not done in time.
type Subprocess struct {
	command func(context.Context) (*exec.Cmd, error)
}

// NewSubprocess returns a Notifier that hands each note to the process that command
// makes, which is to call ShowOne.
func NewSubprocess(command func(context.Context) (*exec.Cmd, error)) Subprocess {
	return Subprocess{command}
}

// subprocessInput is what such a process reads.
type subprocessInput struct{ Title, Body string }

// Notify shows n and waits for the process.
func (a Subprocess) Notify(ctx context.Context, n Notification) error {
	cmd, err := a.command(ctx)
	if err != nil {
		return fmt.Errorf("find the program: %w", err)
	}
	text, err := json.Marshal(subprocessInput{n.Title, n.Body})
	if err != nil {
		return fmt.Errorf("write a notification: %w", err)
	}
	var said bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(text), &said
	cmd.WaitDelay = time.Second // for a child of its own that outlives it
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%w: %s", err, monitor.Clean(strings.TrimSpace(said.String()), 200))
	}
	return nil
}

// Withdraw does nothing: what beeep has shown stays.
func (Subprocess) Withdraw(context.Context, string) error { return nil }

// Close does nothing.
func (Subprocess) Close() {}

// ShowOne shows the note that r brings. It is the whole work of the process that
// Apart starts.
func ShowOne(r io.Reader) error {
	var n subprocessInput
	if err := json.NewDecoder(r).Decode(&n); err != nil {
		return fmt.Errorf("read a notification: %w", err)
	}
	beeep.AppName = "Porthole"
	if err := beeep.Notify(escapeScript(n.Title), escapeScript(n.Body), ""); err != nil {
		return fmt.Errorf("notify through beeep: %w", err)
	}
	return nil
}
