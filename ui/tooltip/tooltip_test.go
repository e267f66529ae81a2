package tooltip

import (
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"
)

// timers replaces After; fire runs what is due.
type timers struct{ due []*func() }

func (x *timers) after(_ time.Duration, do func()) func() {
	x.due = append(x.due, &do)
	mine := x.due[len(x.due)-1]
	return func() { *mine = nil }
}

func (x *timers) fire() {
	for _, do := range x.due {
		if *do != nil {
			(*do)()
		}
	}
	x.due = nil
}

func useTimers(t *testing.T) *timers {
	x, before := &timers{}, After
	After = x.after
	t.Cleanup(func() { Hide(); pointed.on = nil; After = before })
	return x
}

// shown returns the lines of the visible tooltip.
func shown(w fyne.Window) (lines []string) {
	l := w.Content().(*fyne.Container).Layout.(layered).layer
	if !l.object.Visible() {
		return nil
	}
	for _, o := range l.object.Objects[1:] {
		lines = append(lines, o.(*canvas.Text).Text)
	}
	return lines
}

func TestTooltip(t *testing.T) {
	test.NewTempApp(t)
	timers := useTimers(t)
	taps := 0
	button := widget.NewButton("Long name", func() { taps++ })
	a, b := NewArea(widget.NewLabel("one"), func() string { return "first" }), NewArea(widget.NewLabel("two"), func() string { return "" })
	content := container.NewVBox(a, b, button)
	w := test.NewTempWindow(t, Layer(content))
	w.SetPadded(false)
	if w.Content().MinSize() != content.MinSize() {
		t.Errorf("got minimum size %v, want that of the content, %v", w.Content().MinSize(), content.MinSize())
	}
	w.Resize(fyne.NewSize(400, 300))
	over := func(o fyne.CanvasObject) {
		at := fyne.CurrentApp().Driver().AbsolutePositionForObject(o)
		test.MoveMouse(w.Canvas(), at.AddXY(5, 5))
	}
	want := func(when string, lines ...string) {
		t.Helper()
		if got := shown(w); !slices.Equal(got, lines) {
			t.Errorf("%s: got %q, want %q", when, got, lines)
		}
	}
	over(a)
	want("at once")
	timers.fire()
	want("after the delay", "first")
	over(b)
	timers.fire()
	want("on something without a tooltip")
	over(a)
	over(b)
	timers.fire()
	want("left before the delay")
	over(a)
	timers.fire()
	Hide()
	over(a)
	timers.fire()
	want("after a click at the same place")
	over(b)
	over(a)
	timers.fire()
	want("again", "first")
	test.TapCanvas(w.Canvas(), fyne.CurrentApp().Driver().AbsolutePositionForObject(button).AddXY(5, 5))
	if taps != 1 {
		t.Error("a visible tooltip takes a click")
	}
	if len(timers.due) != 0 {
		t.Errorf("got %d timers, want none while nothing is due", len(timers.due))
	}
}

func TestPlace(t *testing.T) {
	window, size := fyne.NewSize(400, 300), fyne.NewSize(100, 40)
	for pointer, want := range map[fyne.Position]fyne.Position{
		fyne.NewPos(50, 50):   fyne.NewPos(60, 68),
		fyne.NewPos(390, 50):  fyne.NewPos(296, 68),
		fyne.NewPos(50, 290):  fyne.NewPos(60, 246),
		fyne.NewPos(390, 290): fyne.NewPos(296, 246),
	} {
		if got := place(pointer, size, window); got != want {
			t.Errorf("pointer %v: got %v, want %v", pointer, got, want)
		}
	}
	if got := place(fyne.NewPos(10, 10), fyne.NewSize(900, 900), window); got != fyne.NewPos(4, 4) {
		t.Errorf("larger than the window: got %v", got)
	}
}

func TestWrap(t *testing.T) {
	test.NewTempApp(t)
	const text = "A sentence that needs several lines because it is long.\n/a/very/long/path/without/any/space/that/does/not/fit/into/one/line/of/a/tooltip\nend"
	lines := wrap(text, 200)
	if got, want := strings.ReplaceAll(strings.Join(lines, ""), " ", ""), strings.ReplaceAll(strings.ReplaceAll(text, "\n", ""), " ", ""); got != want {
		t.Errorf("got %q, want all of the text", lines)
	}
	for _, line := range lines {
		if width := fyne.MeasureText(line, 13, fyne.TextStyle{}).Width; width > 220 {
			t.Errorf("got line %q, %v wide", line, width)
		}
	}
	if got := wrap(strings.Repeat("word ", 2000), 200); len(got) != maxLines || got[maxLines-1] != "…" {
		t.Errorf("got %d lines, want %d with …", len(got), maxLines)
	}
}
