package watches

import (
	"slices"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"

	"porthole/monitor/watch"
	"porthole/ui/table"
	"porthole/ui/widgets"
)

// deletion is a deleted rule that Undo restores.
type deletion struct {
	rule  watch.Rule
	index int
	until time.Time
}

// remove deletes rule i. Earlier deletions can still be undone, because holding the key down
// deletes several rules.
func (p *Page) remove(i int) {
	if !p.editableAt(i) {
		return
	}
	p.deleted = append(p.deleted, deletion{p.rules[i], i, p.now().Add(widgets.UndoTime)})
	p.change(slices.Delete(slices.Clone(p.rules), i, i+1), i)
}

// Undo restores the rule that was deleted last.
func (p *Page) Undo() {
	n := len(p.deleted)
	if n == 0 || !p.editable() {
		return
	}
	last := p.deleted[n-1]
	p.deleted = p.deleted[:n-1]
	i := min(last.index, len(p.rules))
	p.change(slices.Insert(slices.Clone(p.rules), i, last.rule), i)
	table.FocusOn(p.list)
}

func (p *Page) showUndo() {
	n := len(p.deleted)
	show := n > 0 && p.editable()
	if show {
		p.undoing.set(lang.L("Deleted “{{.Name}}”", map[string]any{"Name": viewOf(p.deleted[n-1].rule).name()}))
	}
	if p.undoing.object.Visible() != show {
		p.undoing.object.Hidden = !show
		widgets.Relayout(p.Content)
	}
}

// undoBar shows which rule was deleted, with a button to restore it.
type undoBar struct {
	text   *widgets.Note
	button *widgets.Button
	object *fyne.Container
}

func newUndoBar(undo func()) *undoBar {
	u := &undoBar{text: widgets.NewNote(false)}
	u.text.Size(theme.SizeNameText)
	u.button = widgets.NewKeyButton(lang.L("Undo"), undo, nil)
	u.button.Icon = theme.ContentUndoIcon()
	bar := widgets.Panel(container.NewBorder(nil, nil, nil, u.button, u.text.Centred()), 6)
	u.object = container.New(layout.NewCustomPaddedVBoxLayout(0), widgets.Line(), bar)
	u.object.Hide()
	return u
}

func (u *undoBar) set(text string) { u.text.Set(text, theme.ColorNameForeground) }
