package e2e

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"porthole/e2e/desktop"
)

func TestStartAtLogin(t *testing.T) {
	d := startDesk(t, desktop.DefaultOptions())
	folder := t.TempDir()
	bin := filepath.Join(folder, "a folder", "porthole")
	d.install(bin)
	agent := d.run(bin, nil)
	d.item(agent)
	window := d.mainWindow()
	d.steady(window)
	d.do("go to the settings", window.Key("ctrl+4"))
	d.steady(window)
	d.hasStartAtLogin(window, false)
	middle := atLogin.Min.Add(atLogin.Size().Div(2))
	d.do("click the switch", window.Click(middle.X, middle.Y))
	d.hasStartAtLogin(window, true)
	d.shot("start-at-login")
	entry := filepath.Join(d.variable("XDG_CONFIG_HOME"), "autostart", "io.github.porthole.porthole.desktop")
	if got, want := execLine(t, entry), fmt.Sprintf("%q --hidden", bin); got != want {
		t.Errorf("the session starts %s; want %s", got, want)
	}

	// Another program, such as the desktop's settings, switches it off and on.
	text, err := os.ReadFile(entry)
	d.do("read the entry", err)
	d.do("switch it off", os.WriteFile(entry, append(text, "Hidden=true\n"...), 0o644))
	d.hasStartAtLogin(window, false)
	d.do("switch it on", os.WriteFile(entry, text, 0o644))
	d.hasStartAtLogin(window, true)
	d.do("remove it", os.Remove(entry))
	d.hasStartAtLogin(window, false)
	d.do("click the switch", window.Click(middle.X, middle.Y))
	d.hasStartAtLogin(window, true)
	d.do("click the switch again", window.Click(middle.X, middle.Y))
	d.hasStartAtLogin(window, false)
	if _, err := os.Stat(entry); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got the entry, %v; want none", err)
	}
	d.do("click the switch", window.Click(middle.X, middle.Y))
	d.hasStartAtLogin(window, true)
	d.quit(agent)

	// The program is moved and started once by hand.
	moved := filepath.Join(folder, "elsewhere", "porthole")
	d.do("move the program", errors.Join(os.Mkdir(filepath.Dir(moved), 0o755), os.Rename(bin, moved)))
	agent = d.run(moved, nil, "--hidden")
	d.item(agent)
	if got, want := execLine(t, entry), fmt.Sprintf("%q --hidden", moved); got != want {
		t.Errorf("after the move the session starts %s; want %s", got, want)
	}
	d.quit(agent)

	// The session starts it.
	agent = d.run("sh", nil, "-c", "exec "+execLine(t, entry))
	d.item(agent)
	d.wantStatus(d.run(moved, nil, "--hidden"), 0) // by its end the agent has decided whether to show a window
	if pid := windowPID(agent); pid != 0 {
		t.Errorf("the session's start opened a window, process %d; want none", pid)
	}
}

// execLine returns the command of an autostart file.
func execLine(t *testing.T, path string) string {
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
	t.Fatalf("%s has no Exec line: %s", path, b)
	return ""
}
