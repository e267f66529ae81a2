package ui

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"porthole/ui/table"
)

// note is a sentence that gives way: it never makes a window wider.
type note struct {
	text    *widget.RichText
	segment *widget.TextSegment
	object  fyne.CanvasObject
}

// newNote returns an empty note, on several lines where wrap is true and cut
// where not.
func newNote(wrap bool) *note {
	n := &note{segment: &widget.TextSegment{Style: widget.RichTextStyle{SizeName: theme.SizeNameCaptionText, ColorName: table.ColorMuted}}}
	n.text = widget.NewRichText(n.segment)
	n.text.Truncation = fyne.TextTruncateEllipsis
	if wrap {
		n.text.Truncation, n.text.Wrapping = fyne.TextTruncateOff, fyne.TextWrapWord
	}
	n.object = container.New(layout.NewCustomPaddedLayout(-overlap, -overlap, -overlap-1, -overlap-1), n.text)
	return n
}

// size sets the size of the words.
func (n *note) size(name fyne.ThemeSizeName) { n.segment.Style.SizeName = name }

// whole keeps the words from being cut.
func (n *note) whole() *note {
	n.text.Truncation = fyne.TextTruncateOff
	return n
}

// centred is the note in the middle of what is higher.
func (n *note) centred() fyne.CanvasObject {
	return container.New(layout.NewCustomPaddedVBoxLayout(0), layout.NewSpacer(), n.object, layout.NewSpacer())
}

// set changes only what differs.
func (n *note) set(text string, name fyne.ThemeColorName) {
	if n.segment.Text != text || n.segment.Style.ColorName != name {
		n.segment.Text, n.segment.Style.ColorName = text, name
		n.text.Refresh()
	}
}

// How long something is shown.
const (
	noticeTime = 10 * time.Second // a notice in a status line
	undoTime   = 10 * time.Second // the offer to undo
)
