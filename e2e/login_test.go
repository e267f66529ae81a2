package e2e

import (
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"porthole/e2e/desktop"
)

// atLogin is where the switch of start at login is on the Settings page.
var atLogin = image.Rect(898, 320, 940, 345)

func TestStartAtLogin(t *testing.T) {
	d := boot(t, desktop.DefaultOptions())
	folder := t.TempDir()
	bin := filepath.Join(folder, "a folder", "porthole")
	d.install(bin)
	agent := d.run(bin, nil)
	d.item(agent)
	window := d.window("Porthole")
	d.steady(window)
	d.do("go to Settings", window.Key("ctrl+4"))
	d.steady(window)
	d.switched(window, false)
	middle := atLogin.Min.Add(atLogin.Size().Div(2))
	d.do("click the switch", window.Click(middle.X, middle.Y))
	d.switched(window, true)
	d.shot("start-at-login")
	entry := filepath.Join(filepath.Dir(filepath.Dir(d.settings())), "autostart", "io.github.porthole.porthole.desktop")
	if exec := execOf(t, entry); exec != fmt.Sprintf("%q --hidden", bin) {
		t.Errorf("the session starts %s", exec)
	}

	// Someone else switches it off, as the settings of a desktop do, and on.
	text, err := os.ReadFile(entry)
	d.do("read the entry", err)
	d.do("switch it off", os.WriteFile(entry, append(text, "Hidden=true\n"...), 0o644))
	d.switched(window, false)
	d.do("switch it on", os.WriteFile(entry, text, 0o644))
	d.switched(window, true)
	d.do("remove it", os.Remove(entry))
	d.switched(window, false)
	d.do("click the switch", window.Click(middle.X, middle.Y))
	d.switched(window, true)
	d.do("click the switch again", window.Click(middle.X, middle.Y))
	d.switched(window, false)
	if _, err := os.Stat(entry); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the entry is there: %v", err)
	}
	d.do("click the switch", window.Click(middle.X, middle.Y))
	d.switched(window, true)
	d.wantStatus(d.start("quit"), 0)
	d.wantStatus(agent, 0)

	// The program moves, and is started once by hand.
	moved := filepath.Join(folder, "elsewhere", "porthole")
	d.do("move the program", errors.Join(os.Mkdir(filepath.Dir(moved), 0o755), os.Rename(bin, moved)))
	agent = d.run(moved, nil, "--hidden")
	d.item(agent)
	if exec := execOf(t, entry); exec != fmt.Sprintf("%q --hidden", moved) {
		t.Errorf("after a move the session starts %s", exec)
	}
	d.wantStatus(d.start("quit"), 0)
	d.wantStatus(agent, 0)

	// The session starts it.
	agent = d.run("sh", nil, "-c", "exec "+execOf(t, entry))
	d.item(agent)
	d.wantStatus(d.run(moved, nil, "--hidden"), 0) // it has decided by then whether to show a window
	if pid := windowPID(agent); pid != 0 {
		t.Errorf("the session's start has opened a window, process %d", pid)
	}
}

// execOf is what an autostart file starts.
func execOf(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if exec, ok := strings.CutPrefix(line, "Exec="); ok {
			return strings.TrimSpace(exec)
		}
	}
	t.Fatalf("%s starts nothing: %s", path, b)
	return ""
}

// switched waits until the switch of start at login is on, or off.
func (d *desk) switched(w desktop.Window, want bool) {
	d.t.Helper()
	d.eventually(fmt.Sprintf("start at login: %t", want), func() error {
		img, err := screen(d)
		if err != nil {
			return err
		}
		frame, err := w.Geometry()
		if err != nil {
			return err
		}
		on := false
		for y := atLogin.Min.Y; y < atLogin.Max.Y; y++ {
			for x := atLogin.Min.X; x < atLogin.Max.X; x++ {
				on = on || near(img.At(frame.Min.X+x, frame.Min.Y+y), accent)
			}
		}
		if on != want {
			return errors.New("it is not so")
		}
		return nil
	})
}
