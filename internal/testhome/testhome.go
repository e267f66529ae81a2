// Package testhome gives tests their own settings, state and runtime directory, so that
// they neither see nor touch those of the user. Only tests import it.
package testhome

import (
	"fmt"
	"os"
	"testing"

	"github.com/adrg/xdg"
)

// Environment variables of the XDG Base Directory Specification.
const (
	Config  = "XDG_CONFIG_HOME"
	State   = "XDG_STATE_HOME"
	Runtime = "XDG_RUNTIME_DIR"
)

// Main runs the tests of a package with an empty home and returns the exit status.
func Main(m *testing.M) int {
	home, err := short()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(home)
	for _, name := range []string{Config, State, Runtime} {
		if err := os.Setenv(name, home); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	xdg.Reload()
	return m.Run()
}

// New returns an empty home that the test and its children use until the test ends.
func New(t testing.TB) string {
	t.Helper()
	home := Short(t)
	Use(t, home, Config, State, Runtime)
	return home
}

// Use sets variables to a folder until the test ends.
func Use(t testing.TB, folder string, variables ...string) {
	t.Helper()
	t.Cleanup(xdg.Reload) // after the environment is restored
	for _, name := range variables {
		t.Setenv(name, folder)
	}
	xdg.Reload()
}

// Short returns a temporary folder with a short path: that of a Unix socket has at most
// 107 bytes (unix(7)).
func Short(t testing.TB) string {
	t.Helper()
	dir, err := short()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func short() (string, error) { return os.MkdirTemp("", "ph") }
