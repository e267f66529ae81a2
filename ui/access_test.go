package ui

import (
	"fmt"
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"porthole/ui/uitest"
)

// Whoever hears the window is told what each control is.
func TestEveryControlHasALabel(t *testing.T) {
	d, r := scene(t, "dark", DefaultSize, 1)
	d.OpenProcess(d.Last.Listeners[len(d.Last.Listeners)-1])
	r.Answer()
	seen := 0
	look := func(where string, w fyne.Window) {
		t.Helper()
		uitest.EachVisible(w.Content(), func(o fyne.CanvasObject) {
			_, focus := o.(fyne.Focusable)
			_, tap := o.(fyne.Tappable)
			if !focus && !tap || strings.HasPrefix(fmt.Sprintf("%T", o), "*widget.") { // Fyne's own parts of a list
				return
			}
			seen++
			if a, ok := o.(fyne.Accessible); !ok || a.AccessibilityLabel() == "" {
				t.Errorf("%s: a %T has no label", where, o)
			}
		})
	}
	for _, page := range []string{PagePorts, PageHistory, PageWatches, PageSettings} {
		d.ShowPage(page)
		r.Answer()
		look(page, d.window)
	}
	for _, p := range d.processes {
		look("process", p.Fyne())
	}
	if seen < 50 {
		t.Errorf("only %d controls were seen", seen)
	}
}
