package ui

import (
	"fmt"
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"porthole/ui/uitest"
)

// Screen readers need a label for every control.
func TestEveryControlHasALabel(t *testing.T) {
	d, r := scene(t, "dark", DefaultSize, 1)
	d.OpenProcess(d.Last.Listeners[len(d.Last.Listeners)-1])
	r.Answer()
	count := 0
	check := func(where string, w fyne.Window) {
		t.Helper()
		uitest.EachVisible(w.Content(), func(o fyne.CanvasObject) {
			_, focus := o.(fyne.Focusable)
			_, tap := o.(fyne.Tappable)
			if !focus && !tap || strings.HasPrefix(fmt.Sprintf("%T", o), "*widget.") { // parts of Fyne's own widgets
				return
			}
			count++
			if a, ok := o.(fyne.Accessible); !ok || a.AccessibilityLabel() == "" {
				t.Errorf("%s: a %T has no label", where, o)
			}
		})
	}
	for _, page := range []string{PagePorts, PageHistory, PageWatches, PageSettings} {
		d.ShowPage(page)
		r.Answer()
		check(page, d.window)
	}
	for _, p := range d.processes {
		check("process", p.Fyne())
	}
	if count < 50 {
		t.Errorf("got only %d controls, want at least 50", count)
	}
}
