// Package autostart starts Porthole with the user's session: an XDG autostart
// file, a LaunchAgent on macOS, a value of the Run key on Windows. Whatever
// starts it starts it with --hidden.
package autostart

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// Entry is what starts a program with the session. Its methods touch a small
// file or the registry; they may be called from any goroutine, one at a time.
type Entry struct {
	location string // the file, or the value in the registry
	program  string // what it is to start
}

// Current returns the entry of the running program, whether it is there or not.
func Current() (Entry, error) {
	program, err := os.Executable()
	if err != nil {
		return Entry{}, fmt.Errorf("find the own program: %w", err)
	}
	// So Linux calls a file that was replaced since, by an upgrade.
	return Entry{location: location(), program: strings.TrimSuffix(program, " (deleted)")}, nil
}

// Enabled reports whether the session starts the program: the entry is there,
// nobody switched it off, and what it starts exists.
func (e Entry) Enabled() (bool, error) {
	program, on, err := e.read()
	return on && isExecutable(program), err
}

// Set makes or removes the entry.
func (e Entry) Set(on bool) error {
	if !on {
		return e.remove()
	}
	return e.write()
}

// Repair lets an entry whose program is not there any more start this one
// instead: the program was moved. It reports whether it changed the entry.
func (e Entry) Repair() (bool, error) {
	program, on, err := e.read()
	if err != nil || !on || isExecutable(program) {
		return false, err
	}
	return true, e.write()
}

// isExecutable reports whether a session could start program, a path or the name of
// one in $PATH.
func isExecutable(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}
