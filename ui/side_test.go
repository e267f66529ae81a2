package ui

import (
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"porthole/monitor"
)

func facts(p *sidePane) string {
	var out []string
	for _, f := range p.model.facts {
		out = append(out, f[0]+": "+strings.ReplaceAll(f[1], "\n", " "))
	}
	return strings.Join(out, "; ")
}

func TestTheSidePaneTellsOfTheSelection(t *testing.T) {
	d := newDesk(t)
	vite := listening(62893, "node", 10, "127.0.0.1", "::1")
	vite.Project, vite.Service = "acme-web", "Vite"
	o := &vite.Owners[0]
	o.Folder, o.StartedAt = "/home/ada/acme-web", d.at.Add(-12*time.Minute)
	o.Command = []string{"vite", "--password=hunter2"}
	o.Parents = []monitor.Parent{{Name: "zsh"}, {Name: "systemd"}}
	hidden := listening(631, "", 0)
	d.see(hidden, vite)
	d.ports.table.Select(vite.ID)
	side := d.ports.side
	if side.name.Text != "node" || side.pid.Text != "PID 10" || side.about.Text != "Vite of acme-web" {
		t.Errorf("heading %q %q %q", side.name.Text, side.pid.Text, side.about.Text)
	}
	want := "Listening: 127.0.0.1:62893 [::1]:62893; Reachable: from this machine only; Port range: dynamic (49152–65535); " +
		"Command: vite --password=•••; Folder: /home/ada/acme-web; Started: today 15:41 (12 min ago)"
	if got := strings.ReplaceAll(facts(side), monitor.MaskCommand([]string{"--password=hunter2"})[0], "--password=•••"); got != want {
		t.Errorf("facts:\n%s; want\n%s", got, want)
	}
	if strings.Contains(facts(side), "hunter2") {
		t.Error("a password is shown")
	}
	if side.chain.Text != "Started in zsh\nsystemd › zsh › node" {
		t.Errorf("chain %q", side.chain.Text)
	}
	for _, b := range []interface{ Tapped(*fyne.PointEvent) }{side.browser, side.copyURL, side.folder} {
		b.Tapped(nil)
	}
	d.want("asked", d.asked, []string{"browse 127.0.0.1:62893", "copy http://127.0.0.1:62893/", "folder /home/ada/acme-web"})

	d.ports.table.Select(hidden.ID)
	if got := facts(side); !strings.Contains(got, "Owner: another user's process") || side.folder.Visible() || side.chainBox.Visible() {
		t.Errorf("of a hidden owner: %q", got)
	}
	d.see()
	d.at = d.at.Add(markTime)
	d.Tick()
	if side.object.Visible() {
		t.Error("the pane stays when its listener has gone")
	}
}

func TestTheSidePaneGivesWayInANarrowWindow(t *testing.T) {
	d := newDesk(t)
	a := listening(3000, "node", 10)
	d.see(a)
	d.ports.table.Select(a.ID)
	if !d.ports.side.object.Visible() {
		t.Fatal("no pane in a window of 1000")
	}
	d.window.Resize(fyne.NewSize(800, 600))
	if d.ports.side.object.Visible() {
		t.Error("there is a pane in a window of 800")
	}
}

func TestLocalhostThatMeansTwoProcessesIsSaid(t *testing.T) {
	d := newDesk(t)
	four, six := listening(3000, "node", 10), listening(3000, "deno", 20, "::1")
	other := listening(3000, "caddy", 30, "127.0.0.2")
	d.see(four, other)
	d.ports.table.Select(four.ID)
	if w := d.ports.side.model.warning; w != "" {
		t.Errorf("two addresses of one family: %q", w)
	}
	d.see(four, six)
	if w := d.ports.side.model.warning; !strings.Contains(w, "ambiguous") {
		t.Errorf("it says %q", w)
	}
	d.see(other, six)
	d.ports.table.Select(other.ID)
	if w := d.ports.side.model.warning; w != "" {
		t.Errorf("127.0.0.2 is not localhost: %q", w)
	}
	d.ports.table.Select(four.ID)
	d.see(four)
	if w := d.ports.side.model.warning; w != "" {
		t.Errorf("after the other closed: %q", w)
	}
}

func TestWhatDidNotWorkIsSaidForAWhile(t *testing.T) {
	d := newDesk(t)
	d.Say("The folder is gone")
	if d.ports.left.Text != "The folder is gone" {
		t.Errorf("the status line says %q", d.ports.left.Text)
	}
	d.at = d.at.Add(sayFor)
	d.Tick()
	if strings.Contains(d.ports.left.Text, "gone") {
		t.Error("it stays")
	}
}
