package widgets

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"porthole/ui/table"
)

// Note is a small text that wraps or is cut off, so that it never makes a window
// wider. Create it with NewNote.
type Note struct {
	text    *widget.RichText
	Segment *widget.TextSegment // the text and its style
	Object  fyne.CanvasObject   // what to place in a layout
}

// NewNote returns an empty note. With wrap its text takes several lines; without, it
// is cut off with an ellipsis.
func NewNote(wrap bool) *Note {
	n := &Note{Segment: &widget.TextSegment{Style: widget.RichTextStyle{SizeName: theme.SizeNameCaptionText, ColorName: table.ColorMuted}}}
	n.text = widget.NewRichText(n.Segment)
	n.text.Truncation = fyne.TextTruncateEllipsis
	if wrap {
		n.text.Truncation, n.text.Wrapping = fyne.TextTruncateOff, fyne.TextWrapWord
	}
	n.Object = container.New(layout.NewCustomPaddedLayout(-Overlap, -Overlap, -Overlap-1, -Overlap-1), n.text)
	return n
}

// Size sets the text size.
func (n *Note) Size(name fyne.ThemeSizeName) { n.Segment.Style.SizeName = name }

// WithoutEllipsis disables the ellipsis and returns n.
func (n *Note) WithoutEllipsis() *Note {
	n.text.Truncation = fyne.TextTruncateOff
	return n
}

// Centred returns an object that shows the note vertically centred.
func (n *Note) Centred() fyne.CanvasObject {
	return container.New(layout.NewCustomPaddedVBoxLayout(0), layout.NewSpacer(), n.Object, layout.NewSpacer())
}

// Set sets the text and its colour. It refreshes the note only if one of them changed.
func (n *Note) Set(text string, name fyne.ThemeColorName) {
	if n.Segment.Text != text || n.Segment.Style.ColorName != name {
		n.Segment.Text, n.Segment.Style.ColorName = text, name
		n.text.Refresh()
	}
}

// Display times.
const (
	NoticeTime = 10 * time.Second // a notice in a status line
	UndoTime   = 10 * time.Second // the offer to undo
)
