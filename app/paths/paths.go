// Package paths holds Porthole's application id and the folders in which it
// keeps its files. All functions read the environment at every call, create
// nothing and are safe for concurrent use.
package paths

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/adrg/xdg"
)

// AppID is the application id in reverse-DNS form. It is the base name of the
// desktop file (packaging/io.github.porthole.porthole.desktop) and of the icon,
// the id of the window and the name of the autostart entry. Notifications carry
// it in the desktop-entry hint.
const AppID = "io.github.porthole.porthole"

// folder is the name of Porthole's folder below each of the system's base
// folders.
const folder = "porthole"

// Config returns the folder of the settings: $XDG_CONFIG_HOME/porthole on
// Linux, the platform's equivalent elsewhere.
func Config() string { return filepath.Join(xdg.ConfigHome, folder) }

// State returns the folder of the history, the log and the window state:
// $XDG_STATE_HOME/porthole on Linux, the platform's equivalent elsewhere.
func State() string { return filepath.Join(xdg.StateHome, folder) }

// History returns the path of the history database.
func History() string { return filepath.Join(State(), "history.db") }

// Log returns the path of the log file.
func Log() string { return filepath.Join(State(), "porthole.log") }

// outputs returns the folder of the logs of Output.
func outputs() string { return filepath.Join(State(), "output") }

// IsOutput reports whether path is that of a log of Output.
func IsOutput(path string) bool {
	return filepath.Dir(path) == outputs() && filepath.Ext(path) == ".log"
}

// Output returns the path of a new log for the output of a program that is started again
// to listen on port.
func Output(port uint16, now time.Time) string {
	return filepath.Join(outputs(), fmt.Sprintf("%d-%s.log", port, now.Format("20060102-150405")))
}

// AgentLock returns the path of the lock that the agent holds. It is beside the
// history, which has a single writer, and is found without the variables of a
// desktop session.
func AgentLock() string { return filepath.Join(State(), "agent.lock") }

// Runtime returns the folder of the agent's socket:
// $XDG_RUNTIME_DIR/porthole, or, if that variable is not set, a folder of this
// user: below the temporary folder on Unix, in %LocalAppData% on Windows. It
// returns "" if the system names no such folder.
func Runtime() string {
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		return filepath.Join(dir, folder)
	}
	return userRuntime()
}

// CheckWritable creates a file with content in dir and removes it: only that
// detects a full or read-only disk. The error is a path error of the package os,
// possibly joined with another.
func CheckWritable(dir string, content []byte) error {
	probe, err := os.CreateTemp(dir, ".porthole-*")
	if err != nil {
		return fmt.Errorf("create a file in %s: %w", dir, err)
	}
	_, err = probe.Write(content)
	return errors.Join(err, probe.Close(), os.Remove(probe.Name()))
}
