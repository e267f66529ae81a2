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

	// WaylandTitle is the title of the window that the Wayland desktop is.
	WaylandTitle = "Weston Compositor - screen0"
)

// startWayland starts a Wayland compositor in a window of the X server: what is
// pictured and typed there is on Wayland. Without a screen at all it
// would have no keys. What draws, pixman, needs no OpenGL.
func (d *Desktop) startWayland(ctx context.Context) error {
	p, err := d.start(partWayland, nil, "weston", "--backend=x11-backend.so", "--use-pixman", "--no-config",
		"--socket="+waylandSocket, "--width=1200", "--height=700", "--idle-time=0")
	if err != nil {
		return err
	}
	return d.await(ctx, p, "to take connections", func(ctx context.Context) bool {
		var dialer net.Dialer
		c, err := dialer.DialContext(ctx, "unix", filepath.Join(d.dir, "runtime", waylandSocket))
		if err != nil {
			return false
		}
		c.Close()
		return true
	})
}

// Wayland returns what the environment of a program is to say beside Env that
// runs on the Wayland desktop alone: see Options.Wayland.
func (d *Desktop) Wayland() []string {
	return []string{"WAYLAND_DISPLAY=" + waylandSocket, "DISPLAY=", "XDG_SESSION_TYPE=wayland"}
}

// StopWayland ends the Wayland compositor under its clients.
func (d *Desktop) StopWayland() { d.stop(partWayland) }
