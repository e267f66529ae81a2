//go:build !cgo

// Package window is the window process. This build has none: it was made
// without C, which OpenGL needs.
package window

import (
	"context"
	"fmt"
	"io"

	"porthole/app/agent"
	"porthole/app/ipc"
)

// Built says whether this build has a window.
const Built = false

// Run says that there is no window.
func Run(_ context.Context, _ ipc.RuntimeDir, _ Options, stderr io.Writer) int {
	_, _ = fmt.Fprintln(stderr, "porthole window: this build has no window; watching, tray, notifications and the command line work") // nobody else listens
	return agent.ExitNoWindow
}
