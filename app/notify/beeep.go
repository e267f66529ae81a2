package notify

import (
	"context"
	"fmt"
	"strings"

	"github.com/gen2brain/beeep"
)

// Portable shows notifications through beeep on systems without a session bus.
// It supports no actions and no withdrawal.
type Portable struct {
	show, alert func(title, body string, icon any) error // alert plays a sound
	busy        chan struct{}                            // holds a token while show runs
}

// NewPortable returns a Notifier that uses beeep.
func NewPortable() *Portable {
	beeep.AppName = "Porthole"
	return &Portable{show: beeep.Notify, alert: beeep.Alert, busy: make(chan struct{}, 1)}
}

// Notify shows n. beeep has no timeout: a call that is still running when ctx ends
// continues in the background. At most one call runs at a time, so later
// notifications fail until it returns.
func (p *Portable) Notify(ctx context.Context, n Notification) error {
	if n.Correction {
		return nil // beeep cannot replace notifications
	}
	select {
	case p.busy <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("notify through beeep: the previous notification is still pending: %w", ctx.Err())
	}
	show := p.show
	if n.Sound {
		show = p.alert
	}
	done := make(chan error, 1)
	go func() {
		defer func() { <-p.busy }()
		done <- show(escapeScript(n.Title), escapeScript(n.Body), "")
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

// Withdraw implements Notifier. It does nothing: beeep cannot remove notifications.
func (*Portable) Withdraw(context.Context, string) error { return nil }

// Close implements Notifier.
func (*Portable) Close() {}

// scriptEscaper replaces what beeep's helper programs would interpret: PowerShell
// expands $(…) and backticks, and ]]> ends the CDATA section of a Windows toast.
var scriptEscaper = strings.NewReplacer("$", "＄", "`", "'", "]]>", "]] >")

// escapeScript returns text that no helper program interprets as code or, if it
// starts with a dash, as an option.
func escapeScript(text string) string {
	text = scriptEscaper.Replace(text)
	if rest, dash := strings.CutPrefix(text, "-"); dash {
		return "‐" + rest // U+2010 hyphen, which looks the same
	}
	return text
}
