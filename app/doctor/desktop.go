package doctor

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"

	"porthole/app/desktop"
)

// sessionBus checks the session bus and the services that are reached through it.
func sessionBus(ctx context.Context, s desktop.Session) []Finding {
	f := Finding{Subject: "Session bus", Status: OK, Message: "responds"}
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		f.Message = "not needed on this system"
		return []Finding{f}
	}
	err := s.CheckBus()
	if err == nil {
		limited, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		err = desktop.PingBus(limited, s.BusAddress())
	}
	if err != nil {
		f.Status, f.Message = Error, err.Error()
		f.Fix = "run Porthole in a desktop session; on a machine without one: dbus-run-session porthole --hidden"
		return []Finding{f, {Subject: "Notifications", Status: Error, Message: needsBus}, {Subject: "Tray", Status: Warning, Message: needsBus}}
	}
	return []Finding{f, notifications(ctx, s), tray(ctx, s)}
}

// needsBus is the message of checks that need the session bus.
const needsBus = "unknown without a session bus"

func notifications(ctx context.Context, s desktop.Session) Finding {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	f := Finding{Subject: "Notifications", Status: OK}
	n, err := desktop.QueryNotifications(ctx, s.BusAddress())
	switch {
	case errors.Is(err, desktop.ErrNoNotifications):
		f.Status, f.Message, f.Fix = Error, "no notification daemon is running", "install one, for example dunst (sudo apt install dunst)"
	case err != nil:
		f.Status, f.Message, f.Fix = Error, "the notification daemon does not respond correctly: "+err.Error(), "stop it; the desktop starts it again when needed"
	case !n.Actions:
		f.Status, f.Message = Warning, fmt.Sprintf("%s %s, without buttons and clicks", n.Name, n.Version)
		f.Fix = "optional: use a notification daemon with actions (dunst, GNOME, KDE)"
	default:
		f.Message = fmt.Sprintf("%s %s, with buttons", n.Name, n.Version)
	}
	return f
}

func tray(ctx context.Context, s desktop.Session) Finding {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	f := Finding{Subject: "Tray", Status: OK, Message: "a panel shows tray icons"}
	has, err := desktop.QueryTrayHost(ctx, s.BusAddress())
	if has && err == nil {
		return f
	}
	f.Status, f.Message = Warning, "no panel shows tray icons (StatusNotifierItem); Porthole opens its window instead"
	f.Fix = "use a panel with a system tray: KDE, Xfce, LXQt, MATE, waybar"
	if fix := trayFixes[s.Environment()]; fix != "" {
		f.Fix = fix
	}
	return f
}

// trayFixes says how to get tray icons on the desktop that is there.
var trayFixes = map[desktop.Environment]string{
	desktop.GNOME:    "install the GNOME extension \"AppIndicator and KStatusNotifierItem Support\" and log in again",
	desktop.Budgie:   "add the applet \"System Tray\" to the panel in Budgie Desktop Settings",
	desktop.Cinnamon: "install the package xapp-sn-watcher (sudo apt install xapp-sn-watcher) and log in again",
	desktop.KDE:      "add the widget \"System Tray\" to the panel",
	desktop.Xfce:     "add \"Status Tray Plugin\" to the panel",
	desktop.LXQt:     "add the plugin \"Status Notifier\" to the panel",
	desktop.MATE:     "add \"Notification Area\" to the panel",
	desktop.LXDE:     "LXDE's panel does not support such icons; use another panel, such as xfce4-panel or lxqt-panel",
	desktop.I3:       "i3bar does not support such icons; use another panel, such as xfce4-panel, or snixembed",
	desktop.Wlroots:  "use a bar with a tray: swaybar, or waybar with the module \"tray\"",
}

func display(s desktop.Session) Finding {
	f := Finding{Subject: "Display", Status: OK, Message: "built into the system"}
	switch {
	case s["WAYLAND_DISPLAY"] != "":
		f.Message = "Wayland, " + s["WAYLAND_DISPLAY"]
		if s["DISPLAY"] != "" {
			f.Message += ", and X11, " + s["DISPLAY"]
		}
	case s["DISPLAY"] != "":
		f.Message = "X11, " + s["DISPLAY"]
	}
	if name := s["XDG_CURRENT_DESKTOP"]; name != "" {
		f.Message += " (" + name + ")"
	}
	err := s.CheckDisplay()
	if err == nil && !s.HasWayland() {
		err = desktop.CheckX11()
	}
	if err != nil {
		f.Status, f.Message, f.Fix = Error, err.Error(), "run Porthole in a desktop session; the command line works without a display"
	}
	return f
}

// driverPatterns are the paths of the OpenGL drivers of Mesa and NVIDIA.
var driverPatterns = []string{"/usr/lib/*/dri/*_dri.so", "/usr/lib/dri/*_dri.so", "/usr/lib64/dri/*_dri.so", "/usr/lib/*/libgallium*.so", "/usr/lib64/libgallium*.so", "/usr/lib/*/libEGL_nvidia.so*", "/usr/lib64/libEGL_nvidia.so*"}

// graphics checks the files of OpenGL. Whether they work is known only when a
// window opens.
func graphics(hasWindow bool) Finding {
	f := Finding{Subject: "OpenGL", Status: OK, Message: "drivers are installed (whether they work is known when the window opens)"}
	switch {
	case !hasWindow:
		f.Status, f.Message, f.Fix = Warning, "this build has no window (CGO_ENABLED=0); monitoring, tray, notifications and the command line work", "build Porthole with \"make build\""
	case runtime.GOOS != "linux":
		f.Message = "built into the system"
	case !anyFile(driverPatterns):
		f.Status, f.Message, f.Fix = Warning, "no driver was found; the window may not open", "sudo apt install libgl1-mesa-dri libegl1 libgles2"
	}
	return f
}

// anyFile reports whether a file matches one of the patterns.
func anyFile(patterns []string) bool {
	for _, pattern := range patterns {
		if found, err := filepath.Glob(pattern); err == nil && len(found) > 0 {
			return true
		}
	}
	return false
}
