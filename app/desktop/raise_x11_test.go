//go:build unix && !darwin

package desktop

import (
	"bufio"
	"encoding/binary"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
)

// KWin ignores requests to raise a window that do not come from a pager. Openbox ignores all if
// the window is on another workspace.
func TestRaiseX11(t *testing.T) {
	startX(t)
	x, err := xgb.NewConn()
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	root := xproto.Setup(x).DefaultScreen(x).Root // this test is the window manager
	if err := xproto.ChangeWindowAttributesChecked(x, root, xproto.CwEventMask, []uint32{xproto.EventMaskSubstructureRedirect}).Check(); err != nil {
		t.Fatal(err)
	}
	timeout := time.AfterFunc(20*time.Second, x.Close)
	defer timeout.Stop()
	const window, all = 0x1234, 0xffffffff
	activate := request{"_NET_ACTIVE_WINDOW", window, [2]uint32{2, 4567}}
	for _, c := range []struct {
		name       string
		workspaces map[xproto.Window]uint32 // of the window, and the visible one in the root's entry
		want       []request
	}{
		{"no workspaces", nil, []request{activate}},
		{"visible", map[xproto.Window]uint32{root: 1, window: 1}, []request{activate}},
		{"on all workspaces", map[xproto.Window]uint32{root: 1, window: all}, []request{activate}},
		{"another workspace", map[xproto.Window]uint32{root: 1, window: 3}, []request{{"_NET_CURRENT_DESKTOP", root, [2]uint32{3, 4567}}, activate}},
	} {
		t.Run(c.name, func(t *testing.T) {
			id := xproto.Window(window)
			if c.workspaces != nil {
				id = createWindow(t, x, root)
				setCardinal(t, x, root, "_NET_CURRENT_DESKTOP", c.workspaces[root])
				setCardinal(t, x, id, "_NET_WM_DESKTOP", c.workspaces[window])
			}
			if err := RaiseX11(uint32(id), "porthole-7_TIME4567"); err != nil {
				t.Fatal(err)
			}
			for _, want := range c.want {
				if want.window == window {
					want.window = id
				}
				if got := nextRequest(t, x); got != want {
					t.Errorf("got %+v, want %+v", got, want)
				}
			}
		})
	}
	if err := CheckX11(); err != nil {
		t.Errorf("CheckX11: %v", err)
	}
	t.Setenv("DISPLAY", ":9999")
	if err := CheckX11(); err == nil {
		t.Error("CheckX11 without an X server: got no error")
	}
	if err := RaiseX11(0x1234, ""); err == nil {
		t.Error("without an X server: got no error")
	}
}

// request is a client message for the window manager with its first two numbers.
type request struct {
	name   string
	window xproto.Window
	data   [2]uint32
}

// nextRequest waits for the next client message.
func nextRequest(t *testing.T, x *xgb.Conn) request {
	t.Helper()
	event, err := x.WaitForEvent()
	m, ok := event.(xproto.ClientMessageEvent)
	if !ok {
		t.Fatalf("got event %v, error %v; want a client message", event, err)
	}
	name, nameErr := xproto.GetAtomName(x, m.Type).Reply()
	if nameErr != nil {
		t.Fatal(nameErr)
	}
	return request{name.Name, m.Window, [2]uint32(m.Data.Data32)}
}

func createWindow(t *testing.T, x *xgb.Conn, root xproto.Window) xproto.Window {
	t.Helper()
	id, err := xproto.NewWindowId(x)
	if err != nil {
		t.Fatal(err)
	}
	if err := xproto.CreateWindowChecked(x, xproto.WindowClassCopyFromParent, id, root, 0, 0, 10, 10, 0, xproto.WindowClassInputOutput, 0, 0, nil).Check(); err != nil {
		t.Fatal(err)
	}
	return id
}

func setCardinal(t *testing.T, x *xgb.Conn, w xproto.Window, name string, value uint32) {
	t.Helper()
	atom, err := xproto.InternAtom(x, false, uint16(len(name)), name).Reply()
	if err != nil {
		t.Fatal(err)
	}
	data := binary.LittleEndian.AppendUint32(nil, value)
	if err := xproto.ChangePropertyChecked(x, xproto.PropModeReplace, w, atom.Atom, xproto.AtomCardinal, 32, 1, data).Check(); err != nil {
		t.Fatal(err)
	}
}

// The socket of an X server accepts everyone; the server itself wants the cookie.
func TestXServerThatRefuses(t *testing.T) {
	dir := t.TempDir()
	startX(t, "-auth", writeCookie(t, dir+"/server", 1))
	for _, c := range []struct {
		cookie byte
		ok     bool
	}{{1, true}, {2, false}} {
		t.Setenv("XAUTHORITY", writeCookie(t, dir+"/client", c.cookie))
		if err := CheckX11(); (err == nil) != c.ok {
			t.Errorf("cookie %d: got error %v, want none: %v", c.cookie, err, c.ok)
		}
		if err := Current().CheckDisplay(); err != nil {
			t.Errorf("CheckDisplay connects to the socket only: got error %v", err)
		}
	}
}

// writeCookie writes a file in the format of Xau(3) with a cookie of 16 bytes c for every display.
func writeCookie(t *testing.T, path string, c byte) string {
	t.Helper()
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	field := func(s string) string { return string([]byte{byte(len(s) >> 8), byte(len(s))}) + s }
	const familyLocal = "\x01\x00"
	entry := familyLocal + field(host) + field("") + field("MIT-MAGIC-COOKIE-1") + field(strings.Repeat(string(rune(c)), 16))
	if err := os.WriteFile(path, []byte(entry), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// startX starts an X server until the test ends and sets DISPLAY to it. It skips the test
// if Xvfb is not installed.
func startX(t *testing.T, args ...string) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c := exec.Command("Xvfb", append([]string{"-displayfd", "3", "-screen", "0", "320x200x24", "-nolisten", "tcp", "-noreset"}, args...)...)
	c.ExtraFiles = []*os.File{w}
	err = c.Start()
	_ = w.Close()
	if err != nil {
		t.Skipf("needs Xvfb: %v", err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	number, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Skipf("Xvfb did not start: %v", err)
	}
	t.Setenv("DISPLAY", ":"+strings.TrimSpace(number))
	t.Setenv("XAUTHORITY", "")
}

func TestStartupTime(t *testing.T) {
	for token, want := range map[string]uint32{
		"host/porthole/7-1-host_TIME4567": 4567, "x_TIME1_TIME2": 2, "": 0, "xdg-token": 0, "x_TIME": 0, "x_TIME-3": 0, "x_TIME99999999999": 0,
	} {
		if got := startupTime(token); got != want {
			t.Errorf("%q: got %d, want %d", token, got, want)
		}
	}
}
