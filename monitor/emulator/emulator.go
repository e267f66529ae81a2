// Package emulator finds the user's terminal emulator and opens a window of it in which a
// command runs.
package emulator

import (
	"cmp"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"porthole/monitor"
	"porthole/monitor/launch"
)

// Emulator is a terminal emulator that is installed.
type Emulator struct {
	Title string   // "Konsole"; the name of the program if there is no other
	args  []string // the program with the arguments that precede the command
}

// known is a terminal emulator that this package can start.
type known struct {
	program  string
	title    string   // "" for the name of the program
	flags    []string // precede the command, whose words are separate arguments
	desktops []string // whose own terminal it is, as in XDG_CURRENT_DESKTOP
}

// alternatives choose the user's terminal emulator themselves: xdg-terminal-exec by the
// user's settings (Default Terminal Execution Specification), x-terminal-emulator by the
// machine's (Debian Policy 11.8.3, which requires -e).
var alternatives = []known{
	{program: "xdg-terminal-exec"},
	{program: "x-terminal-emulator", flags: []string{"-e"}},
}

// emulators are the others, by their man pages. Those that belong to no desktop come last,
// except xterm, which may be installed only as a dependency.
var emulators = []known{
	{"ptyxis", "Ptyxis", []string{"--new-window", "--"}, []string{"GNOME"}},
	{"kgx", "GNOME Console", []string{"--"}, []string{"GNOME"}},
	{"gnome-terminal", "GNOME Terminal", []string{"--"}, []string{"GNOME", "Unity", "X-Cinnamon", "Budgie"}},
	{"konsole", "Konsole", []string{"-e"}, []string{"KDE"}},
	{"xfce4-terminal", "Xfce Terminal", []string{"-x"}, []string{"XFCE"}},
	{"mate-terminal", "MATE Terminal", []string{"-x"}, []string{"MATE"}},
	{"lxterminal", "LXTerminal", []string{"-e"}, []string{"LXDE"}},
	{"qterminal", "QTerminal", []string{"-e"}, []string{"LXQt"}},
	{"cosmic-term", "COSMIC Terminal", []string{"-e"}, []string{"COSMIC"}},
	{"foot", "", nil, []string{"sway", "river", "labwc"}},
	{"kitty", "", nil, []string{"Hyprland"}},
	{"alacritty", "Alacritty", []string{"-e"}, []string{"niri"}},
	{"ghostty", "Ghostty", []string{"-e"}, nil},
	{"wezterm", "WezTerm", []string{"start", "--"}, nil},
	{"tilix", "Tilix", []string{"-e"}, nil},
	{"terminator", "Terminator", []string{"-x"}, nil},
	{"urxvt", "", []string{"-e"}, nil},
	{"st", "", []string{"-e"}, nil},
	{"xterm", "", []string{"-e"}, nil},
}

// Variables look up environment variables: os.LookupEnv.
type Variables func(name string) (string, bool)

// HasScreen reports whether windows can be opened: there is an X or a Wayland display.
func HasScreen(variables Variables) bool {
	for _, name := range []string{"WAYLAND_DISPLAY", "DISPLAY"} {
		if v, _ := variables(name); v != "" {
			return true
		}
	}
	return false
}

// Find returns the terminal emulator to use, and false if none is installed or there is
// no screen. before is the title of the one that is preferred, such as that in which a
// process was started before; "" for none. Then come what the user and the machine have
// configured, the terminal of the desktop, and any other.
func Find(before string, variables Variables) (Emulator, bool) {
	if !HasScreen(variables) {
		return Emulator{}, false
	}
	desktops, _ := variables("XDG_CURRENT_DESKTOP")
	order := slices.DeleteFunc(slices.Clone(emulators), func(k known) bool { return before == "" || k.name() != before })
	order = append(order, alternatives...)
	order = append(order, ofDesktop(strings.Split(desktops, ":"))...)
	order = append(order, emulators...)
	for _, k := range order {
		if path, err := exec.LookPath(k.program); err == nil {
			return Emulator{k.titleAt(path), append([]string{path}, k.flags...)}, true
		}
	}
	return Emulator{}, false
}

// ofDesktop returns the terminal emulators of these desktops.
func ofDesktop(desktops []string) (own []known) {
	for _, d := range desktops {
		for _, k := range emulators {
			if slices.ContainsFunc(k.desktops, func(name string) bool { return strings.EqualFold(name, d) }) {
				own = append(own, k)
			}
		}
	}
	return own
}

func (k known) name() string { return cmp.Or(k.title, k.program) }

// titleAt returns the title of the program at path. An alternative of Debian is a link to
// the program: /usr/bin/x-terminal-emulator, /etc/alternatives/x-terminal-emulator,
// /usr/bin/gnome-terminal.wrapper.
func (k known) titleAt(path string) string {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return k.name()
	}
	program := strings.TrimSuffix(filepath.Base(target), ".wrapper")
	if program == "lxterm" || program == "uxterm" { // scripts that start it in a language (lxterm(1))
		program = "xterm"
	}
	for _, other := range emulators {
		if other.program == program {
			return other.name()
		}
	}
	if k.title == "" && program != filepath.Base(path) {
		return program
	}
	return k.name()
}

// Command returns the terminal emulator that a command names, with the flags after which
// it takes the command to run: "kitty -e". Words are separated by spaces; there are no
// quotes. The error says why there is none.
func Command(text string) (Emulator, error) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return Emulator{}, fmt.Errorf("%q names no program", text)
	}
	path, err := exec.LookPath(words[0])
	if err != nil {
		return Emulator{}, fmt.Errorf("find the terminal: %w", err)
	}
	return Emulator{known{program: words[0]}.nameOf(path), append([]string{path}, words[1:]...)}, nil
}

// nameOf returns the title of a program that the user has named.
func (k known) nameOf(path string) string { return monitor.Clean(k.titleAt(path), 60) }

// Open opens a window that runs command, with the environment env. The channel gets one
// value when the program of the terminal has ended, which may be long before the window
// closes: nil if it succeeded. The window outlives this process.
func (e Emulator) Open(command, env []string) (<-chan error, error) {
	c := exec.CommandContext(context.Background(), e.args[0], append(slices.Clone(e.args[1:]), command...)...)
	c.Env, c.Dir = env, string(filepath.Separator)
	launch.Detach(c)
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", e.Title, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }() // until it or this process ends
	return ended, nil
}
