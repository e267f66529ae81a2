//go:build cgo

package window

import (
	"time"

	"fyne.io/fyne/v2/driver"
	"github.com/go-gl/glfw/v3.4/glfw"

	"porthole/app/agent"
	"porthole/app/desktop"
	"porthole/app/ipc"
)

// raise brings the window to the front and shows m.Port and m.Page. On Wayland a window can
// raise itself only with an activation token, which the desktop gives for a click;
// otherwise the window closes and the agent opens a new one.
func (p *program) raise(m ipc.Message) {
	if p.wayland && !p.activate(m.Token) {
		p.status = agent.ExitRestart
		p.close()
		return
	}
	p.window.Raise(m.Port)
	p.window.ShowPage(m.Page)
	p.raiseX11(m.Token)
	if p.wayland {
		time.AfterFunc(activationTime, func() { p.do(p.restartIfBehind) })
	}
}

// activationTime is how long a compositor may take to raise the window. If it only marks the
// window as urgent, as sway does for one on another workspace, or if it refuses the token, the
// window closes and opens again.
const activationTime = 400 * time.Millisecond

// restartIfBehind closes the window, so that the agent opens a new one, unless it has the focus.
func (p *program) restartIfBehind() {
	if !p.focused && p.connected && !p.stateSent {
		p.status = agent.ExitRestart
		p.close()
	}
}

// onWayland reports whether the windows are on Wayland. WAYLAND_DISPLAY does not tell: on
// desktops that draw no window frames, Fyne (2.8.1) uses the X server. A window must have been created, and it is
// called early: any call of GLFW panics with an error that an earlier one has left, such as the end of the display.
func onWayland() bool { return glfw.GetPlatform() == glfw.PlatformWayland }

// activate raises the window on Wayland with an activation token and reports whether that
// was possible.
func (p *program) activate(token string) (done bool) {
	if token == "" {
		return false
	}
	p.runNative(func(context any) {
		if w, ok := context.(driver.WaylandWindowContext); ok && w.WaylandSurface != 0 {
			done = activateSurface(w.WaylandSurface, token)
		}
	})
	return done
}

// raiseX11 raises the window on X11 again as the user's wish, because window managers may
// refuse GLFW's request. It does not wait for the X server.
func (p *program) raiseX11(token string) {
	p.runNative(func(context any) {
		w, ok := context.(driver.X11WindowContext)
		if !ok || w.WindowHandle == 0 {
			return
		}
		p.work.Go(func() {
			if err := desktop.RaiseX11(uint32(w.WindowHandle), token); err != nil {
				p.log.Warn("can't raise the window", "error", err)
			}
		})
	})
}

// runNative calls do with the native context of the window; see driver.NativeWindow.
func (p *program) runNative(do func(context any)) {
	if native, ok := p.window.Fyne().(driver.NativeWindow); ok {
		native.RunNative(do)
	}
}
