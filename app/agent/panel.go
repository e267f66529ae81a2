package agent

import (
	"context"

	"porthole/app/desktop"
)

// watchPanel keeps the style of the panel up to date until ctx or the bus ends.
func (a *Agent) watchPanel(ctx context.Context, session desktop.Session) {
	address := session.BusAddress()
	if address == "" {
		return
	}
	err := desktop.WatchStyle(ctx, address, func(prefers desktop.Style) {
		a.do(func() {
			a.panel = session.Panel(prefers)
			a.showTray()
		})
	})
	if err != nil {
		a.log.Info("can't determine the style of the panel", "error", err)
	}
}

// ink returns the colour of the tray icon as in tray.Icon: that of the settings, or the one that
// is readable on the panel.
func (a *Agent) ink() string {
	switch a.settings.TrayIcon {
	case "":
		return map[desktop.Style]string{desktop.Dark: "light", desktop.Light: "dark"}[a.panel]
	case "outlined":
		return ""
	}
	return a.settings.TrayIcon
}
