package table

import (
	"image/color"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
)

// The symbols of a head: a click or Space folds or unfolds the group.
const (
	foldedMark   = "▸"
	unfoldedMark = "▾"
)

// Space left of a head's symbol and of its title.
const (
	foldLeft  = 12
	titleLeft = 30
)

// newHead adds the texts of a head, which are hidden while the widget shows a row.
func (w *rowWidget[R]) newHead() {
	w.fold, w.title, w.note = canvas.NewText("", color.Transparent), canvas.NewText("", color.Transparent), canvas.NewText("", color.Transparent)
	w.fold.TextStyle.Monospace = true // the other fonts lack the symbols
	w.title.TextStyle.Bold = true
	for _, text := range []*canvas.Text{w.fold, w.title, w.note} {
		text.Hide()
	}
}

// headOf returns the text of a group's head. It is kept while the group does not change, because a
// row that moves to another group makes all visible heads be shown.
func (t *Table[R]) headOf(g *group) Head {
	switch {
	case t.GroupHead == nil:
		return Head{Title: g.key}
	case g.head == nil:
		g.head = new(t.GroupHead(t.rowsOf(g), g.folded))
	}
	return *g.head
}

// headText returns the text of a head for screen readers.
func (t *Table[R]) headText(g *group) string {
	head, state := t.headOf(g), lang.L("unfolded")
	if g.folded {
		state = lang.L("folded")
	}
	return strings.Trim(strings.Join([]string{head.Title, head.Detail, state}, ", "), ", ")
}

// paintHead paints the head of a group, or hides it if the line is a row.
func (w *rowWidget[R]) paintHead(all bool) {
	hidden := w.head == nil
	for _, text := range []*canvas.Text{w.fold, w.title, w.note} {
		if text.Hidden != hidden {
			text.Hidden, all = hidden, true
		}
	}
	if hidden {
		return
	}
	head, symbol, titleColor := w.table.headOf(w.head), unfoldedMark, theme.ColorNameForeground
	if w.head.folded {
		symbol = foldedMark
	}
	if w.table.dim {
		titleColor = ColorMuted
	}
	right := w.Size().Width - CellPadding
	if mark := w.table.markColumn(); w.mark().Text != "" {
		right = min(right, sum(w.table.widths[:mark]))
	}
	setText(w.fold, symbol, ColorMuted, foldLeft, right, all)
	end := setText(w.title, head.Title, titleColor, titleLeft, right, all)
	setText(w.note, head.Detail, ColorMuted, end+CellPadding, right, all)
}

// setText sets a text between left and right if it changed, and returns where it ends.
func setText(t *canvas.Text, text string, name fyne.ThemeColorName, left, right float32, force bool) (end float32) {
	size := theme.Size(theme.SizeNameText)
	text = Fit(text, max(right-left, 0), size, t.TextStyle)
	if c := theme.Color(name); force || t.Text != text || t.Color != c || t.Position().X != left {
		t.Text, t.Color, t.TextSize = text, c, size
		t.Resize(t.MinSize())
		t.Move(fyne.NewPos(left, (RowHeight-t.MinSize().Height)/2))
		t.Refresh()
	}
	return left + t.Size().Width
}

func sum(widths []float32) (all float32) {
	for _, width := range widths {
		all += width
	}
	return all
}

// mark returns the mark of the line. That of a folded group is the mark of its first
// marked row.
func (w *rowWidget[R]) mark() Cell {
	if w.head == nil {
		return w.row.Mark()
	}
	if r, ok := w.firstMarked(); ok {
		return r.Mark()
	}
	return Cell{}
}

// tint returns the colour behind the line.
func (w *rowWidget[R]) tint() fyne.ThemeColorName {
	if w.head == nil {
		return w.row.Tint()
	}
	if r, ok := w.firstMarked(); ok {
		return r.Tint()
	}
	return ""
}

// firstMarked returns the first row with a tint in the folded group.
func (w *rowWidget[R]) firstMarked() (marked R, ok bool) {
	if w.head.folded {
		for r := range w.table.rowsOf(w.head) {
			if r.Tint() != "" {
				return r, true
			}
		}
	}
	return marked, false
}
