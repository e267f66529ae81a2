package notify

import (
	"context"
	"fmt"
	"strings"

	"github.com/gen2brain/beeep"
)

// Portable shows notifications through beeep: on every system, without clicks.
type Portable struct {
	show func(title, body string, icon any) error
	busy chan struct{} // holds a token while beeep is called
}

// NewPortable returns a Notifier for desktops without a session bus.
func NewPortable() *Portable {
	beeep.AppName = "Porthole"
	return &Portable{show: beeep.Notify, busy: make(chan struct{}, 1)}
}

// Notify shows n. beeep has no deadline of its own: a call that is still
// waiting when ctx ends is left behind and ends with the service's answer. Until
// then nothing is shown, and there is one such call, however many come.
func (p *Portable) Notify(ctx context.Context, n Notification) error {
	select {
	case p.busy <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("notify through beeep: the one before is not shown yet: %w", ctx.Err())
	}
	done := make(chan error, 1)
	go func() {
		defer func() { <-p.busy }()
		done <- p.show(escapeScript(n.Title), escapeScript(n.Body), "")
	}()
	select {
	case err := <-done:
		if err != nil {
			return fmt.Errorf("notify through beeep: %w", err)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("notify through beeep: %w", ctx.Err())
	}
}

// Withdraw does nothing: what beeep has shown stays.
func (*Portable) Withdraw(context.Context, string) error { return nil }

// Close does nothing.
func (*Portable) Close() {}

// scriptEscaper takes out what the fall-backs would read as code: PowerShell expands
// $(…) and backticks, and ]]> ends the XML of a Windows toast.
var scriptEscaper = strings.NewReplacer("$", "＄", "`", "'", "]]>", "]] >")

// escapeScript is text that no fall-back reads as code or, by a dash at its beginning,
// as an option.
func escapeScript(text string) string {
	text = scriptEscaper.Replace(text)
	if rest, dash := strings.CutPrefix(text, "-"); dash {
		return "‐" + rest // a hyphen that looks the same
	}
	return text
}
