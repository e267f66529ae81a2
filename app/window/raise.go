//go:build cgo

package window

import (
	"time"

	"fyne.io/fyne/v2/driver"
	"github.com/go-gl/glfw/v3.4/glfw"

	"porthole/app/desktop"
	"porthole/app/ipc"
)

// raise brings the window to the front and shows m.Port and m.Page.
func (p *program) raise(m ipc.Message) {
	p.window.Raise(m.Port)
	p.window.ShowPage(m.Page)
	if p.wayland {
		waylandRaiser{focused: p.hasFocus, activate: p.activate, mapAgain: p.mapAgain, do: p.do}.raise(m.Token)
		return
	}
	p.raiseX11(m.Token)
}

// waylandRaiser brings a window to the front on Wayland, where a window can raise itself only
// with an activation token, which the desktop gives for a click. Compositors do
// show new windows in front and on the visible workspace, so without a token the window is
// unmapped and mapped again, which makes it a new window for the compositor.
type waylandRaiser struct {
	focused  func() bool             // the window has the focus
	activate func(token string) bool // it reports whether the request could be sent
	mapAgain func()
	do       func(func()) // runs a function on Fyne's goroutine
}

// activationTime is how long a compositor may take to give the focus to a window for a token. It may
// refuse the token, or only mark the window as urgent, as sway does by default.
const activationTime = 250 * time.Millisecond

// raise must be called on Fyne's goroutine. It does not wait.
func (r waylandRaiser) raise(token string) {
	switch {
	case r.focused():
	case !r.activate(token):
		r.mapAgain()
	default:
		time.AfterFunc(activationTime, func() {
			r.do(func() {
				if !r.focused() {
					r.mapAgain()
				}
			})
		})
	}
}

// hasFocus reports whether the window has the keyboard focus.
func (p *program) hasFocus() (focused bool) {
	p.withNative(func(w *glfw.Window) { focused = w.GetAttrib(glfw.Focused) == glfw.True })
	return focused
}

// mapAgain unmaps and maps the window, which keeps its content.
func (p *program) mapAgain() {
	if p.loopEnded || p.stateSent {
		return
	}
	p.window.Fyne().Hide()
	p.window.Fyne().Show()
	p.sharpener.forget(p.window.Fyne()) // it has left its screen
	p.sharpenSoon()
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
