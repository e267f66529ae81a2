package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// orphan starts a server in a terminal that then closes, and returns its PID.
func (d *desk) orphan(name, address string) (pid int) {
	d.t.Helper()
	// The terminal passes SIGHUP to its session only; setsid leaves that.
	program := d.program(name)
	w := d.xterm(name+" terminal", address, "sh", "-c", `mkfifo "$1.in" && setsid "$1" --serve <>"$1.in" & sleep 600`, "sh", program) // its input never ends
	port := address[strings.LastIndexByte(address, ':')+1:]
	d.wantStatus(d.start("wait", port), 0)
	pid = d.ownerOf(port)
	d.victim(pid)
	d.do("close its terminal", w.Close())
	d.noWindow(w.Title)
	return pid
}

// The quick filter Orphans and the command list a server whose terminal has closed, although
// Porthole did not run then, and both stop it after a question. A server of a terminal that is
// open is neither listed nor stopped.
func TestOrphans(t *testing.T) {
	d := terminalDesk(t)
	d.skipWelcome()
	d.xterm("open terminal", "127.0.0.1:21020", d.program("kept"), "--serve")
	first, second := d.orphan("shop", "127.0.0.1:21021"), d.orphan("blog", "127.0.0.1:21022")
	d.wantStatus(d.start("wait", "21020"), 0)
	kept := d.ownerOf("21020")
	d.eventually("both are listed", func() error { return d.orphansAre("21021 confirmed", "21022 confirmed") }) // a young one may be between two parents

	d.start()
	window := d.mainWindow()
	d.active(window)
	d.steady(window)
	d.do("go to the filter", window.Key("ctrl+f"))
	d.do("filter", window.Type("21021"))
	d.steady(window)
	d.do("go to the quick filter Orphans", window.Key("Tab", "Tab", "Tab", "Tab", "Tab", "Tab", "Tab"))
	d.do("choose it", window.Key("space"))
	d.steady(window)
	d.shot("orphans")
	d.do("go to Stop orphans", window.Key("Tab"))
	d.do("press it", window.Key("Return"))
	d.hasDangerButton(window, true)
	d.steady(window)
	d.shot("orphans-question")
	d.do("press Esc", window.Key("Escape"))
	d.hasDangerButton(window, false)
	if !alive(first) {
		t.Fatal("Esc stopped the server")
	}
	d.do("go back to Stop orphans", window.Key("ctrl+f", "Tab", "Tab", "Tab", "Tab", "Tab", "Tab", "Tab", "Tab"))
	d.do("press it again", window.Key("Return"))
	d.hasDangerButton(window, true)
	d.do("go to Stop", window.Key("Tab"))
	d.do("press it", window.Key("Return"))
	d.waitGone(first)
	if !alive(second) {
		t.Fatal("the server that the filter leaves out was stopped")
	}
	d.do("close the dialog", window.Key("Escape"))
	d.eventually("one is left", func() error { return d.orphansAre("21022 confirmed") })

	// The command asks; another answer than yes stops nothing.
	command := d.xterm("command", noAddress, "sh", "-c", d.bin+" stop --orphans; sleep 600")
	d.steady(command)
	d.shot("orphans-command")
	d.do("answer no", command.Type("n\n"))
	d.steady(command)
	if !alive(second) {
		t.Fatal("it was stopped without a yes")
	}
	d.do("close it", command.Close())
	command = d.xterm("command again", noAddress, "sh", "-c", d.bin+" stop --orphans; sleep 600")
	d.steady(command)
	d.do("answer yes", command.Type("y\n"))
	d.waitGone(second)
	d.steady(command)
	d.shot("orphans-stopped")
	if !alive(kept) {
		t.Error("the server of the open terminal was stopped")
	}
}

// orphansAre returns an error unless "porthole orphans" lists these ports with these
// certainties.
func (d *desk) orphansAre(want ...string) error {
	d.t.Helper()
	p := d.start("orphans", "--json")
	d.wantStatus(p, 0)
	var answer struct {
		Orphans []struct {
			Ports     []int
			Certainty string
		}
	}
	if err := json.Unmarshal(p.out.Bytes(), &answer); err != nil {
		return err
	}
	var got []string
	for _, o := range answer.Orphans {
		for _, port := range o.Ports {
			got = append(got, fmt.Sprint(port, " ", o.Certainty))
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		return fmt.Errorf("got %q; want %q", got, want)
	}
	return nil
}
