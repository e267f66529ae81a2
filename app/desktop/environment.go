package desktop

import (
	"slices"
	"strings"
)

// Environment is a desktop environment whose panel needs advice of its own.
type Environment string

// Environments. Other is any other one, or an unknown one.
const (
	GNOME    Environment = "GNOME"
	Budgie   Environment = "Budgie"
	Cinnamon Environment = "Cinnamon"
	KDE      Environment = "KDE"
	Xfce     Environment = "Xfce"
	LXQt     Environment = "LXQt"
	MATE     Environment = "MATE"
	LXDE     Environment = "LXDE"
	I3       Environment = "i3"
	Wlroots  Environment = "wlroots" // sway and other compositors without a panel of their own
	Other    Environment = ""
)

// environments maps the names in XDG_CURRENT_DESKTOP, in lower case, to environments.
var environments = map[string]Environment{
	"gnome": GNOME, "ubuntu": GNOME, "budgie": Budgie, "x-cinnamon": Cinnamon, "cinnamon": Cinnamon, "kde": KDE, "xfce": Xfce, "lxqt": LXQt,
	"mate": MATE, "lxde": LXDE, "i3": I3, "sway": Wlroots, "wayfire": Wlroots, "hyprland": Wlroots, "river": Wlroots, "labwc": Wlroots, "wlroots": Wlroots,
	"unity": Other, "gnome-flashback": Other, "pantheon": Other,
}

// Environment returns the desktop environment of the session. XDG_CURRENT_DESKTOP lists names,
// the most specific first (Desktop Entry Specification, OnlyShowIn): Budgie's is "Budgie:GNOME", Ubuntu's
// "ubuntu:GNOME".
func (s Session) Environment() Environment {
	names := strings.Split(strings.ToLower(s["XDG_CURRENT_DESKTOP"]), ":")
	i := slices.IndexFunc(names, func(name string) bool { _, known := environments[name]; return known })
	if i < 0 {
		return Other
	}
	return environments[names[i]]
}
