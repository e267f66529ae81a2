//go:build unix && !darwin

package desktop

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
)

// xgb logs to standard error that there is no .Xauthority, which is no problem of the user.
func init() { xgb.Logger.SetOutput(io.Discard) }

// xTimeout limits how long an X server may take to accept a connection.
const xTimeout = 2 * time.Second

// CheckX11 returns an error if the X server in the environment (DISPLAY, XAUTHORITY) does not
// accept this process as a client: its socket accepts connections of everyone. It returns nil
// if DISPLAY is not set.
func CheckX11() error {
	name := os.Getenv("DISPLAY")
	if name == "" {
		return nil
	}
	result := make(chan error, 1)
	go func() { // ends with the process at the latest
		x, err := xgb.NewConnDisplay(name)
		if err == nil {
			x.Close()
		}
		result <- err
	}()
	select {
	case err := <-result:
		if err != nil {
			return fmt.Errorf("the X server %s refuses the connection: %w", name, err)
		}
		return nil
	case <-time.After(xTimeout):
		return fmt.Errorf("the X server %s does not respond", name)
	}
}

// startupTime returns the X11 timestamp in milliseconds at the end of a startup id, such as
// "host-123_TIME4567" (Startup Notification Protocol); 0 (CurrentTime) if there is none.
func startupTime(token string) uint32 {
	i := strings.LastIndex(token, "_TIME")
	if i < 0 {
		return 0
	}
	at, err := strconv.ParseUint(token[i+len("_TIME"):], 10, 32)
	if err != nil {
		return 0
	}
	return uint32(at)
}

// pagerSource is the source indication of a request on the user's behalf
// (Extended Window Manager Hints 1.5, _NET_ACTIVE_WINDOW). KWin's focus stealing
// prevention refuses requests of applications, which is what GLFW sends.
const pagerSource = 2

// allWorkspaces is the number of the workspace of a window that is on all (Extended Window
// Manager Hints 1.5, _NET_WM_DESKTOP).
const allWorkspaces = 0xffffffff

// RaiseX11 asks the window manager of the X server in the environment (DISPLAY, XAUTHORITY)
// to activate a window, because the user has asked for it, and to show its workspace. token is the startup id of that
// action; "" if unknown. It is safe for concurrent use.
func RaiseX11(window uint32, token string) error {
	x, err := xgb.NewConn()
	if err != nil {
		return fmt.Errorf("connect to the X server to raise the window: %w", err)
	}
	defer x.Close()
	id, root, at := xproto.Window(window), xproto.Setup(x).DefaultScreen(x).Root, startupTime(token)
	// Openbox ignores requests to activate windows of other workspaces.
	if to, hidden := hiddenWorkspace(x, root, id); hidden {
		if err := sendRequest(x, root, root, "_NET_CURRENT_DESKTOP", to, at); err != nil {
			return fmt.Errorf("show the workspace of the window: %w", err)
		}
	}
	if err := sendRequest(x, root, id, "_NET_ACTIVE_WINDOW", pagerSource, at); err != nil {
		return fmt.Errorf("raise the window: %w", err)
	}
	return nil
}

// hiddenWorkspace returns the workspace of a window if it is known and not the visible one.
func hiddenWorkspace(x *xgb.Conn, root, id xproto.Window) (number uint32, hidden bool) {
	visible, _ := cardinals(x, root, "_NET_CURRENT_DESKTOP") // not every window manager has workspaces
	of, _ := cardinals(x, id, "_NET_WM_DESKTOP")
	if len(visible) == 0 || len(of) == 0 || of[0] == allWorkspaces {
		return 0, false
	}
	return of[0], of[0] != visible[0]
}

// sendRequest sends a client message with two numbers about a window to the window manager.
func sendRequest(x *xgb.Conn, root, about xproto.Window, name string, first, second uint32) error {
	atom, err := xproto.InternAtom(x, false, uint16(len(name)), name).Reply()
	if err != nil {
		return fmt.Errorf("get the atom %s: %w", name, err)
	}
	request := xproto.ClientMessageEvent{
		Format: 32, Window: about, Type: atom.Atom,
		Data: xproto.ClientMessageDataUnionData32New([]uint32{first, second, 0, 0, 0}),
	}
	const mask = xproto.EventMaskSubstructureRedirect | xproto.EventMaskSubstructureNotify // as the specification says
	if err := xproto.SendEventChecked(x, false, root, mask, string(request.Bytes())).Check(); err != nil {
		return fmt.Errorf("send %s: %w", name, err)
	}
	return nil
}
