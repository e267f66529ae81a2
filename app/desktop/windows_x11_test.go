//go:build unix && !darwin

package desktop

import (
	"errors"
	"os"
	"slices"
	"testing"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"

	"porthole/monitor/terminal"
)

// The windows are those that the window manager knows, in its order; windows of programs on other
// machines are left out, because their PIDs mean other processes here.
func TestWindows(t *testing.T) {
	startX(t)
	x, err := xgb.NewConn()
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	root := xproto.Setup(x).DefaultScreen(x).Root
	set := func(window xproto.Window, name string, format byte, value ...byte) {
		t.Helper()
		atom, err := xproto.InternAtom(x, false, uint16(len(name)), name).Reply()
		if err == nil {
			err = xproto.ChangePropertyChecked(x, xproto.PropModeReplace, window, atom.Atom, xproto.AtomString, format, uint32(len(value)/int(format/8)), value).Check()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	number := func(n uint32) []byte {
		b := make([]byte, 4)
		xgb.Put32(b, n)
		return b
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	var ids []uint32
	var list []byte
	for i, machine := range []string{host, "other.example", host, ""} {
		id, err := xproto.NewWindowId(x)
		if err != nil {
			t.Fatal(err)
		}
		if err := xproto.CreateWindowChecked(x, 0, id, root, 0, 0, 10, 10, 0, xproto.WindowClassInputOutput, 0, 0, nil).Check(); err != nil {
			t.Fatal(err)
		}
		set(id, "_NET_WM_NAME", 8, []byte{'a' + byte(i)}...)
		if machine != "" {
			set(id, "WM_CLIENT_MACHINE", 8, []byte(machine)...)
			set(id, "_NET_WM_PID", 32, number(100+uint32(i))...)
		}
		ids, list = append(ids, uint32(id)), append(list, number(uint32(id))...)
	}
	list = append(list, number(0x7fffff)...) // a window that has closed
	windows := Windows{Session{"DISPLAY": os.Getenv("DISPLAY")}}
	if got, err := windows.List(); err == nil {
		t.Errorf("without a window manager: got %v, want an error", got)
	}
	set(root, "_NET_CLIENT_LIST", 32, list...)
	got, err := windows.List()
	want := []terminal.Window{{ID: ids[0], PID: 100, Title: "a"}, {ID: ids[2], PID: 102, Title: "c"}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
	set(root, "_NET_CLIENT_LIST_STACKING", 32, slices.Concat(number(ids[2]), number(ids[0]))...)
	slices.Reverse(want)
	if got, err := windows.List(); err != nil || !slices.Equal(got, want) {
		t.Errorf("stacked: got %v, %v; want %v", got, err, want)
	}
	for _, s := range []Session{{}, {"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"}} {
		if got, err := (Windows{s}).List(); !errors.Is(err, terminal.ErrNoAccess) {
			t.Errorf("%v: got %v, %v; want ErrNoAccess", s, got, err)
		}
	}
}
