// Package e2e tests the built program on a real desktop: X server, session bus,
// window manager, panel, notification daemon, mouse and keyboard.
package e2e

import (
	"flag"
	"os"
	"testing"

	"porthole/monitor/process/child"
)

// TestMain runs the tests. The test program has two other roles: it is the server
// process that tests start (see serve), and the process in which a single test runs
// (see runner).
func TestMain(m *testing.M) {
	child.Play(map[string]func(){serverRole: serve})
	flag.Parse()
	switch os.Getenv(stageVariable) {
	case stageInit:
		status, err := runInit()
		exitOn(err)
		os.Exit(status)
	case stageProbe:
		exitOn(setUpNamespaces())
	case stageTest:
		os.Exit(m.Run())
	default:
		os.Exit(runTests(m))
	}
}
