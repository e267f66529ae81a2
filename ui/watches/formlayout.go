package watches

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"

	"porthole/ui/table"
	uitheme "porthole/ui/theme"
	"porthole/ui/widgets"
)

// layout builds the form: ports and process in one row, name and events in the next, urgency and
// sound below, and the health check in the last.
func (f *watchForm) layout() fyne.CanvasObject {
	head := container.NewBorder(nil, nil, f.title.Object, nil, container.New(layout.NewCustomPaddedLayout(2, 0, 8, 0), f.aside.Object))
	ports := field(lang.L("Ports"), f.ports, f.portsNote.Object)
	match := field(lang.L("Process"), f.match, f.matchNote.Object)
	name := field(lang.L("Name"), f.name, widgets.NewRectangle(uitheme.ColorPanel, fyne.Size{}, 0))
	checks := container.New(&flow{gap: 2})
	for _, c := range f.notify {
		checks.Add(c)
	}
	notify := field(lang.L("Notify me when it"), container.New(layout.NewCustomPaddedLayout(0, 0, -4, 0), checks), widgets.NewRectangle(uitheme.ColorPanel, fyne.Size{}, 0))
	buttons := container.NewBorder(nil, nil, nil, container.New(layout.NewCustomPaddedHBoxLayout(8), f.cancelButton, f.saveButton), f.notifyNote.Centred())
	urgency := field(lang.L("Urgency"), f.urgency.Framed(), f.urgencyNote.Object)
	sound := field(lang.L("Sound"), f.sound.Framed(), f.soundNote.Object)
	health := field(lang.L("Health check"), f.health, widgets.NewRectangle(uitheme.ColorPanel, fyne.Size{}, 0))
	about := field("", widgets.NewRectangle(uitheme.ColorPanel, fyne.Size{}, 0), f.healthNote.Object)
	f.fields = container.New(layout.NewCustomPaddedVBoxLayout(8), container.New(thirds{height: 84}, ports, match),
		container.New(thirds{height: 58}, name, notify), container.New(thirds{height: 84}, urgency, sound), container.New(thirds{height: 58}, health, about))
	f.scroll = container.NewVScroll(container.New(layout.NewCustomPaddedLayout(0, 0, scrollEdge, scrollEdge), f.fields))
	f.revealFocused()
	wider := container.New(layout.NewCustomPaddedLayout(0, 0, -scrollEdge, -scrollEdge), f.scroll)
	form := container.New(layout.NewCustomPaddedVBoxLayout(8), head, wider, buttons)
	return container.New(layout.NewCustomPaddedVBoxLayout(0), widgets.Line(), widgets.Panel(form, 12))
}

// scrollEdge is the width by which the scroll area is wider than the fields on each side: for their
// frames, which it would cut off, and for the scroll bar.
const scrollEdge = 8

// revealFocused makes fields scroll into view when they gain the keyboard focus.
func (f *watchForm) revealFocused() {
	reveal := func(row int) func() { return func() { widgets.Reveal(f.scroll, f.fields.Objects[row]) } }
	f.ports.OnFocus, f.match.OnFocus = reveal(0), reveal(0)
	f.name.OnFocus = reveal(1)
	for _, c := range f.notify {
		c.onFocus = reveal(1)
	}
	f.urgency.OnFocus, f.sound.OnFocus = reveal(2), reveal(2)
	f.health.OnFocus = reveal(3)
}

// pageLayout is widgets.TopMiddleBottom with a form in the bottom, whose fields scroll if the
// window is too short for them.
type pageLayout struct {
	widgets.TopMiddleBottom
	form *watchForm
}

// minFields is the least height of the fields.
const minFields = 84

// MinSize implements fyne.Layout.
func (l pageLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	s := l.TopMiddleBottom.MinSize(o)
	if l.form.open() {
		s.Height -= l.form.scroll.MinSize().Height - minFields
	}
	return s
}

// Layout implements fyne.Layout.
func (l pageLayout) Layout(o []fyne.CanvasObject, s fyne.Size) {
	l.TopMiddleBottom.Layout(o, s) // texts wrap at this width
	whole := l.form.fields.MinSize().Height
	l.form.scroll.SetMinSize(fyne.NewSize(0, whole))
	if missing := o[0].MinSize().Height + o[2].MinSize().Height - s.Height; missing > 0 && l.form.open() {
		l.form.scroll.SetMinSize(fyne.NewSize(0, max(whole-missing, minFields)))
	}
	l.TopMiddleBottom.Layout(o, s)
}

// field returns an input with a label above and a note below.
func field(label string, input, below fyne.CanvasObject) fyne.CanvasObject {
	title := widgets.NewNote(false)
	title.Set(label, table.ColorMuted)
	return container.New(widgets.TopMiddleBottom{}, container.New(layout.NewCustomPaddedVBoxLayout(4), title.Object, input, below),
		widgets.NewRectangle(uitheme.ColorPanel, fyne.Size{}, 0), widgets.NewRectangle(uitheme.ColorPanel, fyne.Size{}, 0))
}

// flow is a layout that places objects side by side, and continues in the next line where the
// width ends. Unlike Fyne's row wrap layout it can become narrower again.
type flow struct {
	gap   float32
	lines int // of the last layout
}

// MinSize implements fyne.Layout. The height is that of the last layout.
func (f *flow) MinSize(o []fyne.CanvasObject) fyne.Size {
	var s fyne.Size
	for _, x := range o {
		s = s.Max(x.MinSize())
	}
	return fyne.NewSize(s.Width, s.Height*float32(max(f.lines, 1)))
}

// Layout implements fyne.Layout.
func (f *flow) Layout(o []fyne.CanvasObject, s fyne.Size) {
	at := fyne.NewPos(0, 0)
	f.lines = 1
	for _, x := range o {
		size := x.MinSize()
		if at.X > 0 && at.X+size.Width > s.Width {
			at = fyne.NewPos(0, at.Y+size.Height)
			f.lines++
		}
		x.Move(at)
		x.Resize(size)
		at.X += size.Width + f.gap
	}
}

// thirds is a layout that gives the first of two objects a third of the width. height is the least
// height, so that nothing moves when the notes change, except where a narrow window wraps them.
type thirds struct{ height float32 }

const thirdsGap = 16

// MinSize implements fyne.Layout.
func (t thirds) MinSize(o []fyne.CanvasObject) fyne.Size {
	first, second := o[0].MinSize(), o[1].MinSize()
	return fyne.NewSize(3*max(first.Width, second.Width/2)+thirdsGap, max(t.height, first.Height, second.Height))
}

// Layout implements fyne.Layout.
func (thirds) Layout(o []fyne.CanvasObject, s fyne.Size) {
	first := max(s.Width-thirdsGap, 0) / 3
	o[0].Resize(fyne.NewSize(first, s.Height))
	o[1].Move(fyne.NewPos(first+thirdsGap, 0))
	o[1].Resize(fyne.NewSize(s.Width-first-thirdsGap, s.Height))
}
