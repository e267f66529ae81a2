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

// Note is a sentence that gives way: it never makes a window wider.
type Note struct {
	text    *widget.RichText
	Segment *widget.TextSegment
	Object  fyne.CanvasObject
}

// NewNote returns an empty note, on several lines where wrap is true and cut
// where not.
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

// Size sets the size of the words.
func (n *Note) Size(name fyne.ThemeSizeName) { n.Segment.Style.SizeName = name }

// Whole keeps the words from being cut.
func (n *Note) Whole() *Note {
	n.text.Truncation = fyne.TextTruncateOff
	return n
}

// Centred is the note in the middle of what is higher.
func (n *Note) Centred() fyne.CanvasObject {
	return container.New(layout.NewCustomPaddedVBoxLayout(0), layout.NewSpacer(), n.Object, layout.NewSpacer())
}

// Set changes only what differs.
func (n *Note) Set(text string, name fyne.ThemeColorName) {
	if n.Segment.Text != text || n.Segment.Style.ColorName != name {
		n.Segment.Text, n.Segment.Style.ColorName = text, name
		n.text.Refresh()
	}
}

// How long something is shown.
const (
	NoticeTime = 10 * time.Second // a notice in a status line
	UndoTime   = 10 * time.Second // the offer to undo
)
