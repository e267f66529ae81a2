package e2e

import (
	"errors"
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"porthole/e2e/desktop"
	"porthole/monitor"
	proc "porthole/monitor/process"
	"porthole/monitor/stop"
)

// victim kills a process when the test ends, if it has not ended.
func (d *desk) victim(pid int) {
	d.t.Helper()
	o, err := proc.Info(pid)
	d.do("find the process", err)
	d.t.Cleanup(func() {
		if proc.IsAlive(o.PID, o.Start) {
			_ = syscall.Kill(o.PID, syscall.SIGKILL)
		}
	})
}

// ownerOf returns the PID of the process that listens on a port.
func (d *desk) ownerOf(port string) int {
	d.t.Helper()
	l, err := oneListener[struct{ Owners []struct{ PID int } }](d, "list", port)
	if err != nil || len(l.Owners) != 1 {
		d.t.Fatalf("got %+v, %v; want one owner", l, err)
	}
	return l.Owners[0].PID
}

// runningAs returns the process of a port with its environment and the names of its parents.
func (d *desk) runningAs(port string) (o monitor.Owner, environment []string) {
	d.t.Helper()
	o, err := proc.Info(d.ownerOf(port))
	d.do("find the process", err)
	o.Parents = proc.Parents(o)
	environment, err = proc.RawEnvironment(o)
	d.do("read its environment", err)
	return o, environment
}

// wantSameAs checks that a port has another process, with the same command, folder and
// environment.
func (d *desk) wantSameAs(port string, before monitor.Owner, environment []string) monitor.Owner {
	d.t.Helper()
	after, got := d.runningAs(port)
	if after.PID == before.PID || !slices.Equal(got, environment) || !slices.Equal(after.Command, before.Command) || after.Folder != before.Folder {
		d.t.Errorf("got %q in %s with %q; want %q in %s with %q", after.Command, after.Folder, got, before.Command, before.Folder, environment)
	}
	return after
}

// isIn reports whether a process was started by a program with that name.
func isIn(o monitor.Owner, name string) bool {
	return slices.ContainsFunc(o.Parents, func(p monitor.Parent) bool { return p.Name == name })
}

// stopAndStartAgain stops the process of a port with the keyboard and presses Start again.
func (d *desk) stopAndStartAgain(window desktop.Window, port string, pid int, picture string) {
	d.t.Helper()
	d.do("go to the window", window.Focus())
	d.active(window)
	d.steady(window)
	d.filterRows(window, port)
	d.askToStop(window)
	d.do("go to Stop", window.Key("Tab"))
	d.do("press it", window.Key("Return"))
	d.waitGone(pid)
	time.Sleep(stop.WatchTime + time.Second) // the dialog watches the port for so long, and nothing else shows its end
	d.steady(window)
	d.shot(picture + "-offer")
	d.do("press Start again", window.Key("Tab", "Return"))
	d.wantStatus(d.start("wait", port), 0)
}

// A server that was stopped in a terminal runs again in a new window of that terminal, as it
// was. Ctrl+C ends it there, and Enter closes the window.
func TestStartAgainInTerminal(t *testing.T) {
	d := terminalDesk(t)
	d.skipWelcome()
	d.xterm("server", "127.0.0.1:21011", d.program("shop"), "--serve")
	d.wantStatus(d.start("wait", "21011"), 0)
	before, environment := d.runningAs("21011")
	d.start()
	window := d.mainWindow()
	d.stopAndStartAgain(window, "21011", before.PID, "again-terminal")
	after := d.wantSameAs("21011", before, environment)
	d.victim(after.PID)
	if !isIn(after, "xterm") {
		t.Fatalf("got the parents %v; want xterm among them", after.Parents)
	}
	d.steady(window)
	d.shot("again-terminal")
	var terminal desktop.Window
	d.eventually("the new terminal", func() error {
		windows, err := d.Windows(d.step())
		for _, w := range windows {
			if pid, _ := w.PID(); slices.ContainsFunc(after.Parents, func(p monitor.Parent) bool { return p.PID == pid && p.Name == "xterm" }) {
				terminal = w
				return nil
			}
		}
		return errors.Join(err, fmt.Errorf("it is not among %v", windows))
	})
	d.do("go to it", terminal.Focus())
	d.do("press Ctrl+C", terminal.Key("ctrl+c"))
	d.waitGone(after.PID)
	d.steady(terminal)
	d.shot("again-terminal-ended")
	d.do("press Enter", terminal.Key("Return"))
	d.noWindow(terminal.Title)
}

// Without a terminal it runs detached, and its window shows its log. German, light.
func TestStartAgainDetached(t *testing.T) {
	d := terminalDesk(t)
	d.skipWelcome()
	d.writeSettings("terminal: none\nlanguage: de\ntheme: light\n")
	t.Setenv(staysVariable, "1") // what runs detached has no input
	server := d.project("acme-web", "node", "127.0.0.1:21012")
	before, environment := d.runningAs("21012")
	d.start()
	window := d.mainWindow()
	d.stopAndStartAgain(window, "21012", server.pid(), "again-detached")
	after := d.wantSameAs("21012", before, environment)
	d.victim(after.PID)
	d.steady(window)
	d.shot("again-detached")
	d.do("close the dialog", window.Key("Escape"))
	d.steady(window)
	d.do("go to its row", window.Key("ctrl+f", "Down", "End"))
	d.steady(window)
	d.do("open its process", window.Key("Return"))
	process := d.window(processTitle("node", after.PID))
	d.steady(process)
	d.do("scroll to the end", process.Key("End"))
	d.steady(process)
	d.shot("again-log")
}

// The command runs it in its own terminal, where Ctrl+C ends it.
func TestRestartHere(t *testing.T) {
	d := terminalDesk(t)
	server := d.project("acme-web", "node", "127.0.0.1:21013")
	before, environment := d.runningAs("21013")
	terminal := d.xterm("command", noAddress, d.bin, "restart", "21013", "--here")
	d.steady(terminal)
	d.shot("restart-question")
	d.do("answer yes", terminal.Type("y\n"))
	d.waitGone(server.pid())
	d.wantStatus(d.start("wait", "21013"), 0)
	after := d.wantSameAs("21013", before, environment)
	d.victim(after.PID)
	if !isIn(after, "xterm") {
		t.Errorf("got the parents %v; want xterm among them", after.Parents)
	}
	d.steady(terminal)
	d.shot("restart-here")
	d.do("press Ctrl+C", terminal.Key("ctrl+c"))
	d.waitGone(after.PID)
	d.noWindow(terminal.Title)
}
