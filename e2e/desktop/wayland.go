//go:build linux

package desktop

import (
	"context"
	"net"
	"path/filepath"
)

const (
	partWayland   = "weston"
	waylandSocket = "wayland-e2e"

	// WaylandTitle is the title of the window that shows the Wayland desktop.
	WaylandTitle = "Weston Compositor - screen0"
)

// startWayland starts a Wayland compositor in a window of the X server, whose
// screen and keyboard it uses. Without any screen it would have no keyboard. Its
// renderer, pixman, needs no OpenGL.
func (d *Desktop) startWayland(ctx context.Context) error {
	p, err := d.start(partWayland, nil, "weston", "--backend=x11-backend.so", "--use-pixman", "--no-config",
		"--socket="+waylandSocket, "--width=1200", "--height=700", "--idle-time=0")
	if err != nil {
		return err
	}
	return d.await(ctx, p, "to accept connections", func(ctx context.Context) bool {
		var dialer net.Dialer
		c, err := dialer.DialContext(ctx, "unix", filepath.Join(d.dir, "runtime", waylandSocket))
		if err != nil {
			return false
		}
		c.Close()
		return true
	})
}

// Wayland returns the environment variables that a program needs in addition to Env
// to run on the Wayland desktop only: see Options.Wayland.
func (d *Desktop) Wayland() []string {
	return []string{"WAYLAND_DISPLAY=" + waylandSocket, "DISPLAY=", "XDG_SESSION_TYPE=wayland"}
}

// StopWayland ends the Wayland compositor under its clients.
func (d *Desktop) StopWayland() { d.stop(partWayland) }
