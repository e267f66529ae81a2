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

// layout builds the form: ports and process on one line, name and events on the next.
func (f *watchForm) layout() fyne.CanvasObject {
	head := container.NewBorder(nil, nil, f.title.Object, nil, container.New(layout.NewCustomPaddedLayout(2, 0, 8, 0), f.aside.Object))
	ports := field(lang.L("Ports"), f.ports, f.portsNote.Object)
	match := field(lang.L("Process"), f.match, f.matchNote.Object)
	name := field(lang.L("Name"), f.name, widgets.NewRectangle(uitheme.ColorPanel, fyne.Size{}, 0))
	checks := container.New(layout.NewCustomPaddedHBoxLayout(2))
	for _, c := range f.notify {
		checks.Add(c)
	}
	notify := field(lang.L("Notify me when it"), container.New(layout.NewCustomPaddedLayout(0, 0, -4, 0), checks), widgets.NewRectangle(uitheme.ColorPanel, fyne.Size{}, 0))
	buttons := container.NewBorder(nil, nil, nil, container.New(layout.NewCustomPaddedHBoxLayout(8), f.cancelButton, f.saveButton), f.notifyNote.Centred())
	form := container.New(layout.NewCustomPaddedVBoxLayout(8), head,
		container.New(thirds{height: 84}, ports, match), container.New(thirds{height: 58}, name, notify), buttons)
	return container.New(layout.NewCustomPaddedVBoxLayout(0), widgets.Line(), widgets.Panel(form, 12))
}

// field returns an input with a label above and a note below.
func field(label string, input, below fyne.CanvasObject) fyne.CanvasObject {
	title := widgets.NewNote(false)
	title.Set(label, table.ColorMuted)
	return container.New(widgets.TopMiddleBottom{}, container.New(layout.NewCustomPaddedVBoxLayout(4), title.Object, input, below),
		widgets.NewRectangle(uitheme.ColorPanel, fyne.Size{}, 0), widgets.NewRectangle(uitheme.ColorPanel, fyne.Size{}, 0))
}

// thirds is a layout that gives the first of two objects a third of the width. The height is fixed,
// so that nothing moves when the notes change.
type thirds struct{ height float32 }

const thirdsGap = 16

// MinSize implements fyne.Layout.
func (t thirds) MinSize(o []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(3*max(o[0].MinSize().Width, o[1].MinSize().Width/2)+thirdsGap, t.height)
}

// Layout implements fyne.Layout.
func (thirds) Layout(o []fyne.CanvasObject, s fyne.Size) {
	first := max(s.Width-thirdsGap, 0) / 3
	o[0].Resize(fyne.NewSize(first, s.Height))
	o[1].Move(fyne.NewPos(first+thirdsGap, 0))
	o[1].Resize(fyne.NewSize(s.Width-first-thirdsGap, s.Height))
}
