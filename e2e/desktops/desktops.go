//go:build linux

package main

import "fmt"

// environment describes a desktop.
type environment struct {
	name    string // of its records, and in DESKTOP
	title   string // in the table
	layer   string // see layers
	current string // XDG_CURRENT_DESKTOP
	display display
	env     []string
	logind  bool              // it needs logind, which is then a fake
	files   map[string]string // its configuration, relative to the home
	parts   []part            // started in this order
	panel   string            // the part that shows the icon; "" if that cannot be restarted alone
	// packages are named with their versions.
	packages   []string
	workspaces string // the command that shows workspace %d, counted from 1; "": the request of X11
	noTray     bool   // it shows no icons of StatusNotifierItem
	noteButton int    // the mouse button that shows the port in a notification; 0: the left one
	leftMenu   bool   // a left click opens the menu, as this desktop does for all icons
	// noTooltip says why it shows none.
	noTooltip string
	theme     map[string]string // commands for "dark" and "light"; nil: the setting of GTK
	// dpi is the command that sets the resolution %.0f of texts on an X server; "": the resource of X.
	dpi      string
	manager  manager           // for the logout; without one the session ends with its display
	notTried map[string]string // reasons by check
}

// part is a program of a desktop.
type part struct{ name, command string }

// themes returns the command that makes the desktop dark or light.
func (d environment) themes(mode string) string {
	if d.theme != nil {
		return d.theme[mode]
	}
	return fmt.Sprintf("gsettings set org.gnome.desktop.interface color-scheme prefer-%s", mode)
}

// desktops are tried in this order.
var desktops = []environment{
	{
		name: "i3", title: "i3, i3bar, dunst", layer: "i3", current: "i3", display: xvfb{},
		files:    map[string]string{".config/i3/config": "# i3 config file (v4)\nfont pango:DejaVu Sans 10\nbar {\n\tposition bottom\n\tstatus_command sleep infinity\n}\nfocus_on_window_activation focus\n"},
		parts:    []part{{"wm", "i3"}},
		packages: []string{"i3-wm", "dunst"}, noTray: true, noteButton: 2, workspaces: "i3-msg workspace number %d",
	},
	{
		name: "xfce", title: "Xfce", layer: "xfce", current: "XFCE", display: xvfb{},
		parts: []part{{"wm", "xfwm4 --compositor=off"}, {"settings", "xfsettingsd --no-daemon"}, {"panel", "xfce4-panel --disable-wm-check"}, {"desktop", "xfdesktop"}},
		panel: "panel", packages: []string{"xfce4-panel", "xfwm4", "xfce4-notifyd", "xfce4-session"},
		manager: manager{"xfce4-session", "xfce4-panel", "xfce4-session-logout --logout --fast"},
	},
	{
		name: "mate", title: "MATE", layer: "mate", current: "MATE", display: xvfb{},
		parts: []part{{"settings", "mate-settings-daemon --no-daemon"}, {"wm", "marco"}, {"panel", "mate-panel"}},
		panel: "panel", packages: []string{"mate-panel", "marco", "mate-notification-daemon", "mate-session-manager"},
		manager: manager{"mate-session", "mate-panel", "mate-session-save --force-logout"},
		dpi:     "gsettings set org.mate.font-rendering dpi %.1f", // its settings daemon owns the resource
	},
	{
		name: "lxqt", title: "LXQt", layer: "lxqt", current: "LXQt", display: xvfb{}, env: []string{"QT_QPA_PLATFORMTHEME=lxqt"},
		files: map[string]string{".config/lxqt/panel.conf": lxqtPanel},
		parts: []part{{"wm", "openbox"}, {"panel", "lxqt-panel"}, {"notify", "lxqt-notificationd"}},
		panel: "panel", packages: []string{"lxqt-panel", "openbox", "lxqt-notificationd", "lxqt-session"},
		manager: manager{"lxqt-session -w openbox", "lxqt-panel", "gdbus call --session --dest org.lxqt.session --object-path /LXQtSession --method org.lxqt.session.logout"},
	},
	{
		name: "lxde", title: "LXDE", layer: "lxde", current: "LXDE", display: xvfb{},
		parts:    []part{{"wm", "openbox"}, {"panel", "lxpanel --profile LXDE"}, {"notify", "/usr/lib/notification-daemon/notification-daemon"}},
		packages: []string{"lxpanel", "openbox", "notification-daemon"}, noTray: true,
	},
	{
		name: "plasma-x11", title: "KDE Plasma, X11", layer: "plasma", current: "KDE", display: xvfb{},
		env:   []string{"KDE_FULL_SESSION=true", "KDE_SESSION_VERSION=5", "XDG_MENU_PREFIX=plasma-", "QT_QPA_PLATFORMTHEME=kde"},
		parts: []part{{"wm", "kwin_x11"}, {"kded", "kded5"}, {"panel", "plasmashell"}},
		panel: "panel", packages: []string{"plasma-workspace", "kwin-x11"},
		theme:   map[string]string{"dark": "plasma-apply-colorscheme BreezeDark", "light": "plasma-apply-colorscheme BreezeLight"},
		manager: manager{"startplasma-x11", "plasmashell", "qdbus org.kde.ksmserver /KSMServer logout 0 0 0"},
	},
	{
		name: "sway", title: "sway, swaybar, mako", layer: "sway", current: "sway", display: wlroots{"sway", withoutGL},
		files:    map[string]string{".config/sway/config": swayConfig("bar {\n\tposition bottom\n\tstatus_command while echo sway; do sleep 60; done\n}\n")},
		packages: []string{"sway", "mako-notifier"}, noTooltip: "swaybar draws no tooltips",
		notTried: map[string]string{
			"live":  "swaybar draws no menus; the one that Porthole opens does not change while it is open",
			"panel": "swaybar is started by sway",
		},
	},
	{
		name: "waybar", title: "sway, waybar, swaync", layer: "sway", current: "sway", display: wlroots{"sway", withoutGL},
		files: map[string]string{".config/sway/config": swayConfig(""), ".config/waybar/config": `{"position": "bottom", "modules-left": ["sway/workspaces"], "modules-right": ["tray"], "tray": {"icon-size": 20, "spacing": 8}}`},
		parts: []part{{"panel", "waybar"}, {"notify", "swaync"}},
		panel: "panel", packages: []string{"sway", "waybar", "sway-notification-center"},
	},
	{
		name: "plasma-wayland", title: "KDE Plasma, Wayland", layer: "plasma", current: "KDE", display: kwin{},
		files: map[string]string{".local/share/applications/desktops.desktop": kwinPermission},
		env:   []string{"KDE_FULL_SESSION=true", "KDE_SESSION_VERSION=5", "XDG_MENU_PREFIX=plasma-", "QT_QPA_PLATFORMTHEME=kde"},
		parts: []part{{"kded", "kded5"}, {"panel", "plasmashell"}},
		panel: "panel", packages: []string{"plasma-workspace", "kwin-wayland"},
		theme: map[string]string{"dark": "plasma-apply-colorscheme BreezeDark", "light": "plasma-apply-colorscheme BreezeLight"},
	},
	{
		name: "wayfire", title: "wayfire, waybar, mako", layer: "sway", current: "wayfire", display: wayfireDisplay{},
		files: map[string]string{
			".config/wayfire.ini":   fmt.Sprintf("[core]\nplugins = alpha animate command decoration foreign-toplevel move place resize vswitch window-rules wm-actions\nclose_top_view = <alt> KEY_F4\n[output:HEADLESS-1]\nmode = %dx%d\n", screenSize.X, screenSize.Y),
			".config/waybar/config": `{"position": "bottom", "modules-right": ["tray"], "tray": {"icon-size": 20, "spacing": 8}}`,
		},
		parts: []part{{"panel", "waybar"}, {"notify", "mako"}},
		panel: "panel", packages: []string{"wayfire", "waybar", "mako-notifier"},
		notTried: map[string]string{"close": "wayfire does not report where windows are"},
	},
	{
		name: "gnome", title: "GNOME with AppIndicator", layer: "gnome", current: "GNOME", logind: true, display: gnomeShell{"['ubuntu-appindicators@ubuntu.com']"},
		packages: []string{"gnome-shell", "gnome-shell-extension-appindicator"}, leftMenu: true, noTooltip: "the extension draws no tooltips",
	},
	{
		name: "gnome-plain", title: "GNOME without it", layer: "gnome", current: "GNOME", logind: true, display: gnomeShell{"[]"},
		packages: []string{"gnome-shell"}, noTray: true,
	},
	{
		name: "cinnamon", title: "Cinnamon with xapp-sn-watcher", layer: "cinnamon", current: "X-Cinnamon", display: xvfb{}, logind: true,
		parts:    []part{{"watcher", "/usr/libexec/xapps/sn-watcher/xapp-sn-watcher"}, {"settings", "csd-xsettings"}, {"shell", "cinnamon"}},
		packages: []string{"cinnamon", "xapp-sn-watcher", "cinnamon-session"},
		manager:  manager{"cinnamon-session --session cinnamon", "cinnamon", "cinnamon-session-quit --logout --no-prompt"},
	},
	{
		name: "cinnamon-plain", title: "Cinnamon without it", layer: "cinnamon", current: "X-Cinnamon", display: xvfb{}, logind: true,
		parts:    []part{{"settings", "csd-xsettings"}, {"shell", "cinnamon"}},
		packages: []string{"cinnamon"}, noTray: true,
	},
	{
		name: "budgie", title: "Budgie, panel as installed", layer: "budgie", current: "Budgie:GNOME", display: xvfb{}, logind: true,
		parts:    []part{{"wm", "budgie-wm"}, {"daemon", "budgie-daemon"}, {"panel", "budgie-panel"}},
		packages: []string{"budgie-core", "gnome-session-bin"}, noTray: true,
		manager: manager{"gnome-session --builtin --session=org.buddiesofbudgie.BudgieDesktop", "budgie-panel", "gnome-session-quit --logout --no-prompt"},
	},
}

// swayConfig is the configuration of sway on a screen without a monitor.
func swayConfig(bar string) string {
	return fmt.Sprintf("output HEADLESS-1 mode %dx%d\noutput * bg #304050 solid_color\nseat * hide_cursor 0\nfocus_on_window_activation focus\n%s", screenSize.X, screenSize.Y, bar)
}

const lxqtPanel = `panels=panel1
[panel1]
alignment=0
plugins=mainmenu, taskbar, statusnotifier, worldclock
position=Bottom
panelSize=32
width=100
width-percent=true
iconSize=22
[mainmenu]
alignment=Left
type=mainmenu
[taskbar]
alignment=Left
type=taskbar
[statusnotifier]
alignment=Right
type=statusnotifier
[worldclock]
alignment=Right
type=worldclock
`
