package settings

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"porthole/ui/table"
	uitheme "porthole/ui/theme"
	"porthole/ui/widgets"
)

// settingRow is one setting: its name, a note below, and its control.
type settingRow struct {
	key          string // name in the settings file
	help         string // the description, shown as the note by default
	doneText     string // the note after success; may be ""
	title        *widgets.Note
	note         *widgets.Note
	control      fyne.CanvasObject
	focusTarget  fyne.CanvasObject // the part of control that gains the keyboard focus
	show         func(Settings)    // shows the current value, without a request
	enabled      bool
	worksOffline bool // usable without an agent
	unavailable  bool // not usable on this desktop

	pending    int    // number of requests without an answer
	problem    string // why the last request failed, or what is wrong with the input
	typingHint string // hint about valid input that is not applied yet
	succeeded  bool   // the last request succeeded: show doneText

	top, height float32 // position in the column
}

// newSettingRow returns a row without a control.
func newSettingRow(key, title, help string) *settingRow {
	r := &settingRow{key: key, help: help, title: widgets.NewNote(false), note: widgets.NewNote(true)}
	r.title.Size(theme.SizeNameText)
	r.title.Set(title, theme.ColorNameForeground)
	r.showNote()
	return r
}

// showNote updates the note below the title, and reports whether its text changed.
func (r *settingRow) showNote() bool {
	words, color := r.help, table.ColorMuted
	switch {
	case r.problem != "":
		words, color = r.problem, theme.ColorNameError
	case r.typingHint != "":
		words = r.typingHint
	case r.succeeded && r.doneText != "":
		words, color = r.doneText, uitheme.ColorOpen
	}
	before := r.note.Segment.Text
	r.note.Set(words, color)
	return before != words
}

// enable enables or disables the control.
func (r *settingRow) enable(enabled bool) {
	enabled = (enabled || r.worksOffline) && !r.unavailable
	r.enabled = enabled
	if d, ok := r.focusTarget.(fyne.Disableable); ok {
		widgets.SetEnabled(d, enabled)
	}
}

// layout lays out the row and returns its height.
func (r *settingRow) layout(left, top, width float32) float32 {
	size := r.control.MinSize()
	words := width - size.Width - 20
	title := r.title.Object.MinSize().Height
	below := float32(0)
	if r.note.Segment.Text != "" {
		r.note.Object.Resize(fyne.NewSize(words, r.note.Object.MinSize().Height)) // wrapping needs the width first
		below = r.note.Object.MinSize().Height + 3
	}
	if below == 0 {
		r.note.Object.Hide()
	} else {
		r.note.Object.Show()
	}
	height := max(title+below, size.Height)
	r.top, r.height = top, height+2*settingPadding
	y := top + settingPadding + (height-title-below)/2
	moveTo(r.title.Object, left, y, words, title)
	moveTo(r.note.Object, left, y+title+3, words, below-3)
	moveTo(r.control, left+width-size.Width, top+settingPadding+(height-size.Height)/2, size.Width, size.Height)
	return r.height
}
