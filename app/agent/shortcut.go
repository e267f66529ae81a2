package agent

import (
	"context"

	"fyne.io/fyne/v2/lang"

	"porthole/app/desktop"
)

// shortcut is the shortcut for the window that works everywhere. The fields are owned by the
// goroutine of loop, except for wanted.
type shortcut struct {
	wanted chan bool // of one value, the latest
	advice string    // how the user gets a shortcut if the desktop offers none to programs; "" if it does, or before it was asked
}

// askShortcut makes keepShortcut ask for what the settings say.
func (a *Agent) askShortcut() {
	for {
		select {
		case a.shortcut.wanted <- a.settings.Shortcut:
			return
		default:
		}
		select {
		case <-a.shortcut.wanted: // an earlier one
		default:
			return // without a channel: in tests
		}
	}
}

// keepShortcut holds the shortcut while it is wanted, until ctx ends. It asks the desktop for
// nothing before the setting is on or a window is open, which shows whether it is offered.
func (a *Agent) keepShortcut(ctx context.Context, session desktop.Session) {
	address := session.BusAddress()
	if address == "" {
		return
	}
	asked, offered := false, false
	for {
		wanted := false
		select {
		case <-ctx.Done():
			return
		case wanted = <-a.shortcut.wanted:
		}
		if !asked {
			asked, offered = true, a.offersShortcuts(ctx, address, session.Environment())
		}
		if wanted && offered {
			a.holdShortcut(ctx, address)
		}
	}
}

// offersShortcuts reports whether the desktop offers shortcuts to programs, and shows advice if
// not.
func (a *Agent) offersShortcuts(ctx context.Context, address string, on desktop.Environment) bool {
	offered, err := desktop.HasShortcuts(ctx, address)
	if err != nil {
		a.log.Info("can't ask whether the desktop offers shortcuts", "error", err)
	}
	a.do(func() {
		if !offered {
			a.shortcut.advice = shortcutAdvice(on)
		}
		a.sendStatus()
	})
	return offered
}

// holdShortcut holds the shortcut until it is no longer wanted, ctx ends, or the desktop does not
// grant it.
func (a *Agent) holdShortcut(ctx context.Context, address string) {
	held, release := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		ended <- desktop.Shortcut(held, address, lang.L("Open Porthole"), func(token string) {
			a.do(func() { a.window.activate(0, token) })
		})
	}()
	defer release()
	report := func(problem string) {
		a.do(func() {
			if a.problems.set("shortcut", problem) {
				a.sendStatus()
			}
		})
	}
	report("")
	for {
		select {
		case wanted := <-a.shortcut.wanted:
			if wanted {
				continue // a window was opened
			}
			release()
			<-ended
			report("")
			return
		case err := <-ended:
			if err != nil {
				a.log.Warn("no shortcut for the window", "error", err)
				report(lang.L("The desktop did not grant the shortcut for the window. To ask again, turn it off and on in the settings."))
			}
			return
		}
	}
}

// shortcutAdvice says how to get a shortcut on a desktop that offers none to programs.
func shortcutAdvice(on desktop.Environment) string {
	where := lang.L("in the keyboard settings of the desktop")
	switch on {
	case desktop.GNOME, desktop.Budgie:
		where = lang.L("Settings, Keyboard, Custom Shortcuts")
	case desktop.Cinnamon:
		where = lang.L("System Settings, Keyboard, Shortcuts, Custom Shortcuts")
	case desktop.Xfce:
		where = lang.L("Settings, Keyboard, Application Shortcuts")
	case desktop.MATE:
		where = lang.L("Control Center, Keyboard Shortcuts")
	case desktop.LXQt:
		where = lang.L("LXQt Configuration, Shortcut Keys")
	case desktop.I3, desktop.Wlroots:
		where = lang.L("in its configuration file, such as “bindsym $mod+p exec porthole”")
	}
	return lang.L("This desktop offers no shortcuts to programs. Add one for the command “porthole” yourself: {{.Where}}", map[string]any{"Where": where})
}
