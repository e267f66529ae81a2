#!/bin/sh
# Does a GLFW 3.4 program get each press of a key that is pressed twice within a millisecond?
#
# Packages: github.com/go-gl/glfw/v3.4 v0.1.0-pre.1.0.20260707082822-2a407d02d01a (GLFW 3.4,
#   as Fyne 2.8.1 uses it), Debian's xvfb, xdotool; a C compiler and the X11 headers.
# Expected: the X server sends a KeyPress event for every press, so the key callback and
#   the character callback both come once for each.
# Behaviour: the character callback comes for each press, the key callback only for those
#   whose server time, in milliseconds, is later than that of the key's press before: GLFW
#   takes the same time for an input method's copy of the same event (x11_window.c,
#   keyPressTimes). A key without a character, such as Tab or Down, is lost completely.
#   Programs that send keys (xdotool, remote desktops, macros) must wait a millisecond
#   between two presses of one key; a busy server handles several requests in one.
# Output seen (the number of key callbacks varies, 200 never came):
#   200 presses of "a": 200 characters, 41 key presses
# Exits with 1 if that changes.
set -eu
dir=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$dir"' EXIT
cd "$dir"

cat >go.mod <<'EOF'
module finding
go 1.26
require github.com/go-gl/glfw/v3.4/glfw v0.1.0-pre.1.0.20260707082822-2a407d02d01a
EOF
cat >main.go <<'EOF'
package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"time"

	"github.com/go-gl/glfw/v3.4/glfw"
)

const taps = 200

func main() {
	runtime.LockOSThread()
	if err := glfw.Init(); err != nil {
		panic(err)
	}
	defer glfw.Terminate()
	glfw.WindowHint(glfw.ClientAPI, glfw.NoAPI)
	w, err := glfw.CreateWindow(200, 100, "finding", nil, nil)
	if err != nil {
		panic(err)
	}
	keys, characters := 0, 0
	w.SetKeyCallback(func(_ *glfw.Window, _ glfw.Key, _ int, a glfw.Action, _ glfw.ModifierKey) {
		if a == glfw.Press {
			keys++
		}
	})
	w.SetCharCallback(func(*glfw.Window, rune) { characters++ })
	w.Focus()
	for end := time.Now().Add(5 * time.Second); w.GetAttrib(glfw.Focused) == 0 && time.Now().Before(end); {
		glfw.WaitEventsTimeout(0.1)
	}
	args := []string{"key", "--delay", "0"}
	for range taps {
		args = append(args, "a")
	}
	done := make(chan error, 1)
	go func() { done <- exec.Command("xdotool", args...).Run() }()
	for end := time.Now().Add(20 * time.Second); characters < taps && time.Now().Before(end); {
		glfw.WaitEventsTimeout(0.1)
	}
	if err := <-done; err != nil {
		panic(err)
	}
	fmt.Printf("%d presses of \"a\": %d characters, %d key presses\n", taps, characters, keys)
	if characters != taps || keys >= taps {
		fmt.Println("this has changed")
		os.Exit(1)
	}
}
EOF
go mod tidy >tidy.log 2>&1 || { cat tidy.log; exit 1; }
go build -o finding .
Xvfb -displayfd 3 -screen 0 640x480x24 -nolisten tcp 3>display 2>/dev/null &
server=$!
until [ -s display ]; do sleep 0.1; done
DISPLAY=:$(cat display) ./finding
