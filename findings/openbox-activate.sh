#!/bin/sh
# Does Openbox activate a window of another workspace when a pager asks for it?
#
# Packages: openbox 3.6.1, Debian's xvfb; github.com/jezek/xgb v1.1.1.
# Expected: _NET_ACTIVE_WINDOW with the source indication 2 (pager) stands for "a direct
#   user action" (Extended Window Manager Hints 1.5), so Openbox shows the window, as
#   Xfwm, Marco, Mutter, KWin and i3 do.
# Behaviour: nothing happens until the workspace of the window is shown: for a client
#   message, client_activate() does not allow other desktops (openbox/client.c). wmctrl -a
#   and xdotool windowactivate send _NET_CURRENT_DESKTOP before it.
# Output seen:
#   on another workspace: not active
#   with its workspace shown first: active
# Exits with 1 if that changes.
set -eu
dir=$(mktemp -d)
server= manager=
trap '[ -z "$manager" ] || kill "$manager"; [ -z "$server" ] || kill "$server"; rm -rf "$dir"' EXIT
cd "$dir"

cat >go.mod <<'EOF'
module finding
go 1.26
require github.com/jezek/xgb v1.1.1
EOF
cat >main.go <<'EOF'
package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
)

var (
	x    *xgb.Conn
	root xproto.Window
)

func atom(name string) xproto.Atom {
	reply, err := xproto.InternAtom(x, false, uint16(len(name)), name).Reply()
	if err != nil {
		panic(err)
	}
	return reply.Atom
}

func cardinal(w xproto.Window, name string) int {
	reply, err := xproto.GetProperty(x, false, w, atom(name), xproto.GetPropertyTypeAny, 0, 1).Reply()
	if err != nil || len(reply.Value) < 4 {
		return -1
	}
	return int(binary.LittleEndian.Uint32(reply.Value))
}

func request(w xproto.Window, name string, first, second uint32) {
	m := xproto.ClientMessageEvent{Format: 32, Window: w, Type: atom(name), Data: xproto.ClientMessageDataUnionData32New([]uint32{first, second, 0, 0, 0})}
	xproto.SendEvent(x, false, root, xproto.EventMaskSubstructureRedirect|xproto.EventMaskSubstructureNotify, string(m.Bytes()))
}

// within reports whether ok returns true within three seconds.
func within(ok func() bool) bool {
	for end := time.Now().Add(3 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

func must(what string, ok func() bool) {
	if !within(ok) {
		panic("not within three seconds: " + what)
	}
}

func main() {
	xgb.Logger.SetOutput(io.Discard)
	var err error
	if x, err = xgb.NewConn(); err != nil {
		panic(err)
	}
	root = xproto.Setup(x).DefaultScreen(x).Root
	must("Openbox runs", func() bool { return cardinal(root, "_NET_SUPPORTING_WM_CHECK") > 0 })
	w, err := xproto.NewWindowId(x)
	if err != nil {
		panic(err)
	}
	xproto.CreateWindow(x, xproto.WindowClassCopyFromParent, w, root, 0, 0, 100, 100, 0, xproto.WindowClassInputOutput, 0, 0, nil)
	xproto.MapWindow(x, w)
	active := func() bool { return cardinal(root, "_NET_ACTIVE_WINDOW") == int(w) }
	const pager = 2
	must("the window is active", func() bool { request(w, "_NET_ACTIVE_WINDOW", pager, 0); return active() })
	request(root, "_NET_CURRENT_DESKTOP", 1, 0)
	must("the other workspace is shown", func() bool { return cardinal(root, "_NET_CURRENT_DESKTOP") == 1 && !active() })

	words := map[bool]string{true: "active", false: "not active"}
	request(w, "_NET_ACTIVE_WINDOW", pager, 0)
	other := within(active)
	fmt.Println("on another workspace:", words[other])
	request(root, "_NET_CURRENT_DESKTOP", 0, 0)
	request(w, "_NET_ACTIVE_WINDOW", pager, 0)
	shown := within(active)
	fmt.Println("with its workspace shown first:", words[shown])
	if other || !shown {
		fmt.Println("this has changed")
		os.Exit(1)
	}
}
EOF
go mod tidy >tidy.log 2>&1 || { cat tidy.log >&2; exit 1; }
CGO_ENABLED=0 go build -o finding .
mkfifo display
Xvfb -displayfd 3 -nolisten tcp 3>display 2>xvfb.log &
server=$!
read -r number <display
export DISPLAY=":$number" XDG_CONFIG_HOME="$dir"
openbox >openbox.log 2>&1 &
manager=$!
./finding
