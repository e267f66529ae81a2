// Package desktop connects Porthole to the desktop session: its display, bus,
// notification daemon, tray host, browser, and end.
package desktop

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Session holds those environment variables that select a desktop session. It is
// immutable.
type Session map[string]string

var sessionVariables = []string{"DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "DBUS_SESSION_BUS_ADDRESS", "XDG_SESSION_ID", "XDG_RUNTIME_DIR", "XDG_CURRENT_DESKTOP", "XDG_SESSION_TYPE"}

// Current returns the session of this process.
func Current() Session {
	s := Session{}
	for _, name := range sessionVariables {
		if v := os.Getenv(name); v != "" {
			s[name] = v
		}
	}
	return s
}

// Sanitized returns s without variables that do not belong to a session. Sessions
// received from other processes must be sanitized before use.
func (s Session) Sanitized() Session {
	t := Session{}
	for _, name := range sessionVariables {
		if v := s[name]; v != "" && !strings.ContainsRune(v, 0) {
			t[name] = v
		}
	}
	return t
}

// SameDisplay reports whether s and t have the same display.
func (s Session) SameDisplay(t Session) bool {
	return s["DISPLAY"] == t["DISPLAY"] && s["WAYLAND_DISPLAY"] == t["WAYLAND_DISPLAY"]
}

// WithDisplay returns s with the display of t.
func (s Session) WithDisplay(t Session) Session {
	with := maps.Clone(s)
	for _, name := range []string{"DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY"} {
		delete(with, name)
		if v := t[name]; v != "" {
			with[name] = v
		}
	}
	return with
}

// Environ returns the environment of this process with its session replaced by s.
// If s has no bus, the bus address is set to a path that does not exist, because
// desktop libraries would otherwise start a bus that outlives all their users.
func (s Session) Environ() []string {
	var env []string
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if !slices.Contains(sessionVariables, name) {
			env = append(env, kv)
		}
	}
	for _, name := range sessionVariables {
		if v := s[name]; v != "" {
			env = append(env, name+"="+v)
		}
	}
	if s["DBUS_SESSION_BUS_ADDRESS"] == "" {
		address := s.BusAddress()
		if address == "" {
			address = "unix:path=/nonexistent/no-session-bus"
		}
		env = append(env, "DBUS_SESSION_BUS_ADDRESS="+address)
	}
	return env
}

// BusAddress returns the address of the session bus: that of the environment, or
// else the socket in XDG_RUNTIME_DIR if it exists, or else "". godbus is not used
// for this because it would start a dbus-launch that outlives the program.
func (s Session) BusAddress() string {
	if a := s["DBUS_SESSION_BUS_ADDRESS"]; a != "" {
		return a
	}
	path := filepath.Join(s["XDG_RUNTIME_DIR"], "bus")
	if info, err := os.Stat(path); err == nil && s["XDG_RUNTIME_DIR"] != "" && info.Mode()&os.ModeSocket != 0 {
		return "unix:path=" + path
	}
	return ""
}

var (
	errNoDisplay = errors.New("no display was found (neither DISPLAY nor WAYLAND_DISPLAY is set)")
	errNoBus     = errors.New("no session bus was found")
)

// CheckDisplay returns an error if the session has no display or the display does
// not accept connections. Displays on other machines are not checked.
func (s Session) CheckDisplay() error {
	if builtinDisplay {
		return nil
	}
	if s.HasWayland() {
		return nil
	}
	display := s["DISPLAY"]
	switch {
	case display == "" && s["WAYLAND_DISPLAY"] != "":
		return fmt.Errorf("the Wayland display %s does not respond", s["WAYLAND_DISPLAY"])
	case display == "":
		return errNoDisplay
	}
	host, number, ok := strings.Cut(display, ":")
	number, _, _ = strings.Cut(number, ".")
	if !ok || number == "" {
		return fmt.Errorf("the value %q of DISPLAY is not a display", display)
	}
	switch {
	case host != "" && host != "unix":
		return nil // on another machine: the window process reports errors
	case reachable("unix", "/tmp/.X11-unix/X"+number), reachable("unix", "@/tmp/.X11-unix/X"+number):
		return nil
	}
	return fmt.Errorf("the display %s does not respond", display)
}

// HasWayland reports whether the session has a Wayland display that accepts connections.
func (s Session) HasWayland() bool {
	path := s["WAYLAND_DISPLAY"]
	if path == "" {
		return false
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(s["XDG_RUNTIME_DIR"], path)
	}
	return reachable("unix", path)
}

// CheckBus returns an error if the session has no bus or the bus does not accept
// connections. Buses that are not Unix sockets are not checked.
func (s Session) CheckBus() error {
	if builtinDisplay {
		return nil
	}
	address := s.BusAddress()
	if address == "" {
		return errNoBus
	}
	for one := range strings.SplitSeq(address, ";") {
		path, ok := strings.CutPrefix(one, "unix:path=")
		abstract, isAbstract := strings.CutPrefix(one, "unix:abstract=")
		switch {
		case ok:
			path, _, _ = strings.Cut(path, ",")
			if reachable("unix", path) {
				return nil
			}
		case isAbstract:
			abstract, _, _ = strings.Cut(abstract, ",")
			if reachable("unix", "@"+abstract) {
				return nil
			}
		default:
			return nil // for example tcp: errors are reported on use
		}
	}
	return fmt.Errorf("the session bus at %s does not respond", address)
}

func reachable(network, address string) bool {
	c, err := net.DialTimeout(network, address, time.Second)
	if err != nil {
		return false
	}
	_ = c.Close() // nothing was sent
	return true
}
