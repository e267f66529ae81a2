//go:build unix && !darwin

package desktop

import (
	"errors"
	"fmt"
	"os"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"

	"porthole/monitor/terminal"
)

// Windows gives access to the windows of other programs, where the desktop allows that: on X11.
// It is safe for concurrent use.
type Windows struct{ Session Session }

// Accessible reports whether the session is one in which windows can be found and raised. On
// Wayland the windows on its X server (Xwayland) are not those of most terminals.
func (w Windows) Accessible() bool {
	return w.Session["DISPLAY"] != "" && w.Session["WAYLAND_DISPLAY"] == ""
}

// maxWindows limits the windows that are asked about.
const maxWindows = 500

// List implements terminal.Windows with the windows that the window manager knows
// (Extended Window Manager Hints 1.5, _NET_CLIENT_LIST_STACKING or _NET_CLIENT_LIST).
func (w Windows) List() ([]terminal.Window, error) {
	if !w.Accessible() {
		return nil, terminal.ErrNoAccess
	}
	x, err := xgb.NewConn()
	if err != nil {
		return nil, fmt.Errorf("connect to the X server to list the windows: %w", err)
	}
	defer x.Close()
	root := xproto.Setup(x).DefaultScreen(x).Root
	ids, err := clientList(x, root)
	if err != nil {
		return nil, fmt.Errorf("list the windows of the X server: %w", err)
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("list the windows of this machine: %w", err)
	}
	var list []terminal.Window
	for _, id := range ids[:min(len(ids), maxWindows)] {
		pid, _ := cardinals(x, id, "_NET_WM_PID") // a window that has closed has none
		machine, _ := property(x, id, "WM_CLIENT_MACHINE")
		if len(pid) == 0 || pid[0] == 0 || len(machine) > 0 && string(machine) != host {
			continue
		}
		title, _ := property(x, id, "_NET_WM_NAME")
		if len(title) == 0 {
			title, _ = property(x, id, "WM_NAME")
		}
		list = append(list, terminal.Window{ID: uint32(id), PID: int(pid[0]), Title: string(title)})
	}
	return list, nil
}

// Raise implements terminal.Windows.
func (w Windows) Raise(id uint32) error { return RaiseX11(id, "") }

// clientList returns the windows that the window manager has, from the bottom to the top if it
// reports that.
func clientList(x *xgb.Conn, root xproto.Window) (ids []xproto.Window, _ error) {
	for _, name := range []string{"_NET_CLIENT_LIST_STACKING", "_NET_CLIENT_LIST"} {
		values, err := cardinals(x, root, name)
		if err != nil {
			return nil, err
		}
		for _, id := range values {
			ids = append(ids, xproto.Window(id))
		}
		if len(ids) > 0 {
			return ids, nil
		}
	}
	return nil, errors.New("the window manager reports no windows")
}

// cardinals returns a property of 32-bit numbers; none if it is not set.
func cardinals(x *xgb.Conn, id xproto.Window, name string) (values []uint32, _ error) {
	b, err := property(x, id, name)
	for ; len(b) >= 4; b = b[4:] {
		values = append(values, xgb.Get32(b))
	}
	return values, err
}

// property returns at most 4 KB of a property of a window; none if it is not set.
func property(x *xgb.Conn, id xproto.Window, name string) ([]byte, error) {
	return longProperty(x, id, name, 4<<10)
}

// longProperty is property with another limit in bytes.
func longProperty(x *xgb.Conn, id xproto.Window, name string, limit uint32) ([]byte, error) {
	atom, err := xproto.InternAtom(x, true, uint16(len(name)), name).Reply()
	if err != nil || atom.Atom == xproto.AtomNone {
		return nil, err
	}
	p, err := xproto.GetProperty(x, false, id, atom.Atom, xproto.GetPropertyTypeAny, 0, limit/4).Reply() // in words of four bytes
	if err != nil {
		return nil, fmt.Errorf("read the property %s: %w", name, err)
	}
	return p.Value, nil
}
