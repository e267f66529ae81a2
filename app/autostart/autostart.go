// Package autostart starts Porthole when the user logs in: with an XDG autostart
// file on Linux and the BSDs, a LaunchAgent on macOS, a value of the Run key on
// Windows. All of them start it with --hidden.
package autostart

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// Entry is the autostart entry of a program. Its methods read and write a small
// file or the registry. They may be called from any goroutine, but not
// concurrently.
type Entry struct {
	location string // path of the file, or name of the registry value
	program  string // the program to start
}

// Current returns the entry of the running program, whether it exists or not.
func Current() (Entry, error) {
	program, err := os.Executable()
	if err != nil {
		return Entry{}, fmt.Errorf("find the path of this program: %w", err)
	}
	// Linux appends " (deleted)" after an upgrade has replaced the file.
	return Entry{location: location(), program: strings.TrimSuffix(program, " (deleted)")}, nil
}

// Enabled reports whether the session starts the program: the entry exists, is
// not disabled, and its program exists.
func (e Entry) Enabled() (bool, error) {
	program, on, err := e.read()
	return on && isExecutable(program), err
}

// Set creates or removes the entry.
func (e Entry) Set(on bool) error {
	if !on {
		return e.remove()
	}
	return e.write()
}

// Repair makes the entry start this program if the program in it no longer
// exists, for example because it was moved. It reports whether it changed the
// entry.
func (e Entry) Repair() (bool, error) {
	program, on, err := e.read()
	if err != nil || !on || isExecutable(program) {
		return false, err
	}
	return true, e.write()
}

// isExecutable reports whether program, a path or a name in $PATH, can be
// started.
func isExecutable(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}
