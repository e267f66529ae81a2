//go:build linux

package desktop

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Options configure the desktop that Start starts. The zero value is a bare X
// server without a bus; DefaultOptions is a complete desktop.
type Options struct {
	Dir           string    // holds home, runtime folder and logs; default: a temporary folder that Stop removes
	Size          string    // size of the screen, WIDTHxHEIGHTxDEPTH; default: 1280x800x24
	Panel         bool      // xfce4-panel with a task list and a tray; needs Bus
	Notifications bool      // dunst; needs Bus
	WindowManager bool      // openbox
	Bus           bool      // a session bus
	Wayland       bool      // weston, in a window of the desktop: see Desktop.Wayland
	Log           io.Writer // reports each part's start, its duration, and unexpected ends; default: none
}

// DefaultOptions returns the options of a complete desktop in a temporary folder.
func DefaultOptions() Options {
	return Options{Panel: true, Notifications: true, WindowManager: true, Bus: true}
}

// Missing returns the tools that a desktop with these options needs and that
// this machine lacks, each with its Debian package.
func (o Options) Missing() []string {
	need := [][2]string{
		{"Xvfb", "xvfb"}, {"xsetroot", "x11-xserver-utils"}, {"xdotool", "xdotool"}, {"wmctrl", "wmctrl"},
	}
	if o.Bus {
		need = append(need, [2]string{"dbus-daemon", "dbus"})
	}
	if o.WindowManager {
		need = append(need, [2]string{"openbox", "openbox"})
	}
	if o.Notifications {
		need = append(need, [2]string{"dunst", "dunst"})
	}
	if o.Panel {
		need = append(need, [2]string{"xfce4-panel", "xfce4-panel"})
	}
	if o.Wayland {
		need = append(need, [2]string{"weston", "weston"})
	}
	var missing []string
	for _, n := range need {
		if _, err := exec.LookPath(n[0]); err != nil {
			missing = append(missing, fmt.Sprintf("%s (package %s)", n[0], n[1]))
		}
	}
	if _, err := os.Stat(filepath.Join(stockServices, xfconf)); o.Panel && err != nil {
		missing = append(missing, "xfconfd (package xfconf)")
	}
	return missing
}

// TB is the part of testing.TB that Require uses. With it, programs that are not
// tests do not link package testing.
type TB interface {
	Helper()
	Skipf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Require skips the test if tools for a desktop with these options are missing.
// With PORTHOLE_E2E=required in the environment it fails instead.
func (o Options) Require(t TB) {
	t.Helper()
	missing := o.Missing()
	if len(missing) == 0 {
		return
	}
	how := t.Skipf
	if os.Getenv("PORTHOLE_E2E") == "required" {
		how = t.Fatalf
	}
	how("no desktop to test on; these tools are missing: %s", strings.Join(missing, ", "))
}
