package ports

import (
	"testing"

	"fyne.io/fyne/v2"

	"porthole/monitor"
	"porthole/ui/uitest"
)

// The column Label appears in a window of any width.
func TestLabelColumnAtAnyWidth(t *testing.T) {
	for _, width := range []float32{480, 560, 700, 860, 960, 1180, 1600} {
		d := newDesk(t)
		d.Window.Resize(fyne.NewSize(width, 740))
		l := uitest.Listening(3000, "node", 10)
		d.see(l, uitest.Listening(8080, "java", 20))
		d.ports.entry.SetText("3000-8080")
		d.ports.table.Select(l.ID)
		labelled := *l
		labelled.Label = "shop front"
		d.Last.Listeners = []*monitor.Listener{&labelled, d.Last.Listeners[1]}
		d.Update(monitor.Update{Snapshot: d.Last, Events: []monitor.Event{{Kind: monitor.Updated, Listener: &labelled, Before: l}}, Ready: true})
		d.Tick()
		if r, _ := d.ports.table.Selected(); r.label != "shop front" {
			t.Errorf("at %v: got label %q", width, r.label)
		}
	}
}
