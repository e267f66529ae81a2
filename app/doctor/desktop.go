package doctor

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"

	"porthole/app/desktop"
)

// sessionBus tells of the bus and of what is asked through it.
func sessionBus(ctx context.Context, s desktop.Session) []Finding {
	f := Finding{Subject: "Session bus", Status: OK, Message: "it answers"}
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		f.Message = "not needed on this system"
		return []Finding{f}
	}
	err := s.CheckBus()
	if err == nil {
		asking, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		err = desktop.PingBus(asking, s.BusAddress())
	}
	if err != nil {
		f.Status, f.Message = Error, err.Error()
		f.Fix = "run Porthole from the desktop; on a machine without one: dbus-run-session porthole --hidden"
		unknown := "cannot be asked without a session bus"
		return []Finding{f, {Subject: "Notifications", Status: Error, Message: unknown}, {Subject: "Tray", Status: Warning, Message: unknown}}
	}
	return []Finding{f, notifications(ctx, s), tray(ctx, s)}
}

func notifications(ctx context.Context, s desktop.Session) Finding {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	f := Finding{Subject: "Notifications", Status: OK}
	n, err := desktop.QueryNotifications(ctx, s.BusAddress())
	switch {
	case errors.Is(err, desktop.ErrNoNotifications):
		f.Status, f.Message, f.Fix = Error, "no notification service runs here", "install one, such as dunst (sudo apt install dunst)"
	case err != nil:
		f.Status, f.Message, f.Fix = Error, "the notification service does not answer as it should: "+err.Error(), "end it; the desktop starts it anew"
	case !n.Actions:
		f.Status, f.Message = Warning, fmt.Sprintf("%s %s, which shows no buttons and takes no clicks", n.Name, n.Version)
		f.Fix = "nothing, if you like it so; a service with actions (dunst, GNOME's, KDE's) can be clicked"
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
	f.Status, f.Message = Warning, "no panel shows tray icons (StatusNotifierItem); the window opens instead"
	f.Fix = "use a panel with a tray: KDE's, Xfce's, LXQt's, MATE's, waybar"
	if strings.Contains(strings.ToUpper(s["XDG_CURRENT_DESKTOP"]), "GNOME") {
		f.Fix = "install the GNOME extension \"AppIndicator and KStatusNotifierItem Support\", and log in anew"
	}
	return f
}

func display(s desktop.Session) Finding {
	f := Finding{Subject: "Display", Status: OK, Message: "the system's own"}
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
	if err := s.CheckDisplay(); err != nil {
		f.Status, f.Message, f.Fix = Error, err.Error(), "run Porthole from the desktop; the command line needs no display"
	}
	return f
}

// driverPatterns are where Mesa and NVIDIA put what draws.
var driverPatterns = []string{"/usr/lib/*/dri/*_dri.so", "/usr/lib/dri/*_dri.so", "/usr/lib64/dri/*_dri.so", "/usr/lib/*/libgallium*.so", "/usr/lib64/libgallium*.so", "/usr/lib/*/libEGL_nvidia.so*", "/usr/lib64/libEGL_nvidia.so*"}

// graphics tells of OpenGL as far as files tell: only a window could say more.
func graphics(window bool) Finding {
	f := Finding{Subject: "OpenGL", Status: OK, Message: "drivers are installed; only opening the window tells whether they work"}
	switch {
	case !window:
		f.Status, f.Message, f.Fix = Warning, "this build has no window (CGO_ENABLED=0); watching, tray, notifications and the command line work", "build it with \"make build\""
	case runtime.GOOS != "linux":
		f.Message = "the system's own"
	case !anyFile(driverPatterns):
		f.Status, f.Message, f.Fix = Warning, "no driver was found, so the window may not open", "sudo apt install libgl1-mesa-dri libegl1 libgles2"
	}
	return f
}

func anyFile(patterns []string) bool {
	for _, pattern := range patterns {
		if found, err := filepath.Glob(pattern); err == nil && len(found) > 0 {
			return true
		}
	}
	return false
}
