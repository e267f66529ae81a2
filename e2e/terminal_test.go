package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"porthole/e2e/desktop"
	"porthole/monitor/process/child"
)

// terminalDesk is a desktop with terminals. It skips the test if a terminal is missing.
func terminalDesk(t *testing.T) *desk {
	t.Helper()
	for _, program := range []string{"xterm", "tmux"} {
		if _, err := exec.LookPath(program); err != nil && os.Getenv("PORTHOLE_E2E") != "required" {
			t.Skip(err)
		}
	}
	return startDesk(t, desktop.DefaultOptions())
}

// xterm opens a terminal with that title, which runs a command in an environment that makes this
// test program a server on address.
func (d *desk) xterm(title, address string, command ...string) desktop.Window {
	d.t.Helper()
	c := exec.Command("true") // only its environment is used
	c.Env = []string{}
	child.SetRole(c, serverRole)
	d.run("xterm", append(c.Env, listenVariable+"="+address), append([]string{"-title", title, "-geometry", "100x30+40+40", "-e"}, command...)...)
	return d.window(title)
}

// active waits until a window is the active one.
func (d *desk) active(want desktop.Window) {
	d.t.Helper()
	d.eventually(fmt.Sprintf("%q is the active window", want.Title), func() error {
		out, err := d.Command("xdotool", "getactivewindow").Output()
		if got := strings.TrimSpace(string(out)); err == nil && got != fmt.Sprint(want.ID) {
			err = fmt.Errorf("got the window %s; want %d", got, want.ID)
		}
		return err
	})
}

// The command raises the terminal of a server, which another window covers.
func TestGoToTerminal(t *testing.T) {
	d := terminalDesk(t)
	server := d.xterm("server", "127.0.0.1:21001", d.program("shop"), "--serve")
	cover := d.xterm("cover", noAddress, "cat")
	d.do("cover it", cover.Focus())
	d.active(cover)
	d.wantStatus(d.start("terminal", "21001"), 0)
	d.active(server)

	// The process window does the same.
	d.do("cover it again", cover.Focus())
	d.active(cover)
	agent := d.start()
	d.item(agent)
	window := d.mainWindow()
	d.steady(window)
	d.do("filter", window.Type("21001"))
	d.do("leave the filter", window.Key("Down"))
	d.steady(window)
	d.do("open its process", window.Key("Home", "Return"))
	process := d.processWindow("shop")
	d.steady(process)
	d.do("press the last button before Stop", process.Key("shift+Tab", "shift+Tab", "Return"))
	d.active(server)
	d.quit(agent)
}

// processWindow waits for the window of a process with that name.
func (d *desk) processWindow(name string) (found desktop.Window) {
	d.t.Helper()
	d.eventually("the process window of "+name, func() error {
		windows, err := d.Windows(d.step())
		for _, w := range windows {
			if strings.HasPrefix(w.Title, name+" ") && strings.HasSuffix(w.Title, processTitleEnd) {
				found = w
				return nil
			}
		}
		return errors.Join(err, fmt.Errorf("it is not among %v", windows))
	})
	return found
}

// The command selects the pane of a server in tmux and raises the terminal that shows it.
func TestGoToPaneOfTmux(t *testing.T) {
	d := terminalDesk(t)
	socket := filepath.Join(t.TempDir(), "tmux")
	tmux := func(args ...string) (string, error) {
		out, err := d.Command("tmux", append([]string{"-S", socket}, args...)...).CombinedOutput()
		return strings.TrimSpace(string(out)), err
	}
	t.Cleanup(func() { _, _ = tmux("kill-server") }) // it may have ended
	terminal := d.xterm("terminal", "127.0.0.1:21002", "tmux", "-S", socket, "-f", os.DevNull, "new-session", "-s", "my work", d.program("shop")+" --serve")
	active := func() string {
		t.Helper()
		out, err := tmux("display-message", "-p", "-t", "my work", "#{window_index}.#{pane_index}")
		d.do("ask for the active pane", err)
		return out
	}
	d.eventually("the session has begun", func() error { _, err := tmux("has-session", "-t", "my work"); return err })
	d.wantStatus(d.start("wait", "21002"), 0)
	first := active()
	for _, args := range [][]string{{"split-window", "-t", "my work", "cat"}, {"new-window", "-t", "my work", "cat"}} {
		out, err := tmux(args...)
		d.do(args[0]+" "+out, err)
	}
	if got := active(); got == first {
		t.Fatalf("got the active pane %s after a new window; want another", got)
	}
	cover := d.xterm("cover", noAddress, "cat")
	d.do("cover it", cover.Focus())
	d.active(cover)
	d.wantStatus(d.start("terminal", "21002"), 0)
	d.active(terminal)
	if got := active(); got != first {
		t.Errorf("got the active pane %s; want that of the server, %s", got, first)
	}

	// A detached session has no window: the command names the one that attaches it.
	_, err := tmux("detach-client", "-s", "my work")
	d.do("detach", err)
	d.noWindow("terminal")
	p := d.start("terminal", "21002")
	d.wantStatus(p, 1)
	if want := "tmux -S " + socket + " attach -t 'my work'"; !strings.Contains(p.out.String(), want) {
		t.Errorf("got %q; want the command %q", p.out.String(), want)
	}
}
