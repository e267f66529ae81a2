package ports

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"porthole/monitor"
	"porthole/ui/probe"
	"porthole/ui/uitest"
)

// The quick filter Orphans appears when there are some, and its button asks to stop those
// that are confirmed or likely.
func TestOrphans(t *testing.T) {
	d := newDesk(t)
	left, maybe, unit := uitest.Listening(3000, "node", 10), uitest.Listening(3001, "python3", 11), uitest.Listening(3002, "nginx", 12)
	for _, l := range []*monitor.Listener{left, maybe, unit} {
		o := &l.Owners[0]
		o.Agent, o.Project, o.StartedAt = "Codex", "shop", d.Now().Add(-time.Hour)
		o.Parents = []monitor.Parent{{PID: 1, Name: "systemd", Command: []string{"/sbin/init"}}}
	}
	unit.Owners[0].Unit = "nginx.service"
	d.see(left, maybe, unit)
	states := map[probe.ProcessID]monitor.ProcessState{probe.IDOf(maybe.Owners[0]): {AgentRunning: 77}}
	d.ports.states.add(probe.Result{At: d.Now(), Processes: states})
	d.ports.updateWarnings(probe.Result{At: d.Now(), Processes: states})
	if !d.ports.quick.segments[quickOrphans].Visible() || d.ports.stopOrphans.Visible() {
		t.Fatal("the quick filter is not shown, or the button is shown before it is chosen")
	}
	d.ports.setQuick(quickOrphans)
	d.Want("the orphans", d.rows(), []string{"3000", "3001"})
	if !d.ports.stopOrphans.Visible() {
		t.Fatal("no button")
	}
	d.ports.stopOrphans.OnTapped()
	if want := fmt.Sprintf("stop all [%s]", left.ID); !d.Did(want) {
		t.Errorf("got %v, want %s", d.Asked, want)
	}
	d.ports.table.Select(maybe.ID)
	if text := d.ports.details.model.chain; !strings.Contains(text, "orphaned: Started by Codex") {
		t.Errorf("got %q, want the evidence", text)
	}
	d.see(unit)
	d.At = d.At.Add(markTime + time.Second)
	d.Tick()
	if d.ports.stopOrphans.Visible() {
		t.Error("the button is shown without orphans")
	}
}

// A quick filter that comes by itself must not move the rows under the pointer.
func TestOrphansDoNotMoveTheTable(t *testing.T) {
	d := newDesk(t)
	l := uitest.Listening(3000, "node", 10)
	l.Owners[0].Agent, l.Owners[0].StartedAt = "Codex", d.Now().Add(-time.Hour)
	d.ports.Content.Resize(fyne.NewSize(1180, 700)) // the default size of the window
	var many []*monitor.Listener
	for i := range 89 {
		many = append(many, uitest.Listening(uint16(4000+i), "ruby", 100+i))
	}
	d.see(append(many, l)...)
	before := d.ports.table.Top()
	orphaned := *l
	orphaned.Owners = slices.Clone(l.Owners)
	orphaned.Owners[0].Parents = []monitor.Parent{{PID: 1, Name: "systemd", Command: []string{"/sbin/init"}}}
	d.see(append(many, &orphaned)...)
	if !d.ports.quick.segments[quickOrphans].Visible() {
		t.Fatal("the quick filter is not shown")
	}
	if after := d.ports.table.Top(); after != before {
		t.Errorf("the table moved from %v to %v", before, after)
	}
}
