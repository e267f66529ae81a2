//go:build !cgo

// Package window implements the window process. This build does not include it,
// because OpenGL needs cgo.
package window

import (
	"context"
	"fmt"
	"io"

	"porthole/app/agent"
	"porthole/app/ipc"
)

// Built reports whether this build includes the window.
const Built = false

// Run writes to stderr that this build has no window and returns agent.ExitNoWindow.
func Run(_ context.Context, _ ipc.RuntimeDir, _ Options, stderr io.Writer) int {
	_, _ = fmt.Fprintln(stderr, "porthole window: this build has no window; monitoring, tray, notifications and the command line work") // there is no other place to report it
	return agent.ExitNoWindow
}

// RunMenu is like Run for the tray's menu.
func RunMenu(ctx context.Context, _ MenuOptions, _ io.Reader, _, stderr io.Writer) int {
	return Run(ctx, ipc.RuntimeDir{}, Options{}, stderr)
}
