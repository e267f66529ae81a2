package table

import (
	"image/color"
	"slices"
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
	for _, text := range []*headText{&w.fold, &w.title, &w.note} {
		text.Text = canvas.NewText("", color.Transparent)
		text.Hide()
	}
	w.fold.TextStyle.Monospace = true // the other fonts lack the symbols
	w.title.TextStyle.Bold = true
}

// shownHead is what the head of a group shows.
type shownHead struct {
	Head
	marked int32 // index of the first row with a mark, which a folded head shows; -1 if there is none
}

// headOf returns what a group's head shows. It is kept while the group does not change, because a
// row that moves to another group makes all visible heads be shown.
func (t *Table[R]) headOf(g *group) *shownHead {
	if g.head != nil {
		return g.head
	}
	g.head = &shownHead{Head: Head{Title: g.key}, marked: -1}
	if t.GroupHead != nil {
		g.head.Head = t.GroupHead(t.rowsOf(g), g.folded)
	}
	if g.folded {
		marked := func(i int32) bool { return t.rows[i].Tint() != "" }
		if i := slices.IndexFunc(g.rows, marked); i >= 0 {
			g.head.marked = g.rows[i]
		}
	}
	return g.head
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
	for _, text := range []*canvas.Text{w.fold.Text, w.title.Text, w.note.Text} {
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
	w.fold.show(placedText{symbol, ColorMuted, foldLeft, right}, all)
	end := w.title.show(placedText{head.Title, titleColor, titleLeft, right}, all)
	w.note.show(placedText{head.Detail, ColorMuted, end + CellPadding, right}, all)
}

// headText is a text of a head. It is measured only when it changes, because a row that moves to
// another group makes all visible heads be shown.
type headText struct {
	*canvas.Text
	shown placedText
}

// placedText is a text between left and right.
type placedText struct {
	text        string
	color       fyne.ThemeColorName
	left, right float32
}

// show shows a text if it changed or force is set, shortened if it does not fit, and returns
// where it ends.
func (t *headText) show(p placedText, force bool) (end float32) {
	if force || t.shown != p {
		t.shown = p
		t.TextSize = theme.Size(theme.SizeNameText)
		t.Text.Text, t.Color = Fit(p.text, max(p.right-p.left, 0), t.TextSize, t.TextStyle), theme.Color(p.color)
		t.Resize(t.MinSize())
		t.Move(fyne.NewPos(p.left, (RowHeight-t.Size().Height)/2))
		t.Refresh()
	}
	return p.left + t.Size().Width
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

// firstMarked returns the first row with a mark in the folded group.
func (w *rowWidget[R]) firstMarked() (marked R, ok bool) {
	if i := w.table.headOf(w.head).marked; i >= 0 {
		return w.table.rows[i], true
	}
	return marked, false
}
