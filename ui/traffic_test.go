package ui

import (
	"slices"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"porthole/ui/uitest"
)

// The window with the traffic of a listener opens once, and its recording ends with it.
func TestTrafficWindow(t *testing.T) {
	d := newDesk(t)
	l := uitest.Listening(3000, "node", 4711)
	d.see(l)
	d.OpenTraffic(l)
	d.OpenTraffic(l)
	if n := len(d.traffic); n != 1 {
		t.Fatalf("got %d windows, want 1", n)
	}
	w := d.traffic[l.ID].Fyne()
	uitest.Press(w, fyne.KeyReturn) // the focused choice
	w.Close()
	want := []string{"record the traffic of 3000", "capture", "stop recording"}
	if got := d.Asked[len(d.Asked)-min(3, len(d.Asked)):]; !slices.Equal(got, want) || len(d.traffic) != 0 {
		t.Errorf("got %q, want %q", d.Asked, want)
	}
}

// The process window has a button that shows the traffic of its listener.
func TestTrafficFromTheProcessWindow(t *testing.T) {
	d := newDesk(t)
	l := uitest.Listening(3000, "node", 4711)
	d.see(l)
	d.OpenProcess(l)
	for _, p := range d.processes {
		for _, o := range uitest.Controls(p.Fyne().Content()) {
			if b, ok := o.(fyne.Accessible); ok && b.AccessibilityLabel() == "Show traffic…" {
				test.Tap(o.(fyne.Tappable))
			}
		}
	}
	if d.traffic[l.ID] == nil {
		t.Error("the button opens no window")
	}
}
