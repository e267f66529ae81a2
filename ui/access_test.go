package ui

import (
	"fmt"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
)

// Whoever hears the window is told what each control is.
func TestEveryControlHasALabel(t *testing.T) {
	d, r := scene(t, "dark", DefaultSize, 1)
	d.OpenProcess(d.last.Listeners[len(d.last.Listeners)-1])
	r.answer()
	seen := 0
	look := func(where string, w fyne.Window) {
		t.Helper()
		eachVisible(w.Content(), func(o fyne.CanvasObject) {
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
		r.answer()
		look(page, d.window)
	}
	for _, p := range d.processes {
		look("process", p.window)
	}
	if seen < 50 {
		t.Errorf("only %d controls were seen", seen)
	}
}

// eachVisible calls do for o and all that is seen in it.
func eachVisible(o fyne.CanvasObject, do func(fyne.CanvasObject)) {
	if !o.Visible() {
		return
	}
	do(o)
	var inner []fyne.CanvasObject
	switch o := o.(type) {
	case fyne.Widget:
		inner = test.WidgetRenderer(o).Objects()
	case *fyne.Container:
		inner = o.Objects
	}
	for _, x := range inner {
		eachVisible(x, do)
	}
}
