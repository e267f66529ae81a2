package settings

import (
	"slices"
	"strconv"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

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
	enabled = enabled || r.worksOffline
	r.enabled = enabled
	if d, ok := r.focusTarget.(fyne.Disableable); ok {
		widgets.SetEnabled(d, enabled)
	}
}

// Sizes of the column of settings.
const (
	settingWidth   = 720 // maximum
	settingMargin  = 24  // around the column, and between groups
	settingHeading = 24  // height of a heading, with its gap
	settingPadding = 10  // inside a row
	controlWidth   = 176 // width of lists and fields
)

// settingColumn lays out groups of rows, whose texts may take several lines.
type settingColumn struct {
	groups  []settingGroup
	lines   [][]fyne.CanvasObject // separators between the rows of each group
	object  *fyne.Container
	width   float32 // of the last layout
	height  float32
	changed func() // called when the height changed
}

func newSettingColumn(groups []settingGroup) *settingColumn {
	c := &settingColumn{groups: groups, width: settingWidth, changed: func() {}}
	var all []fyne.CanvasObject
	for _, g := range groups {
		var lines []fyne.CanvasObject
		all = append(all, g.heading.Object, g.frame)
		for i, r := range g.rows {
			if i > 0 {
				lines = append(lines, widgets.Line())
				all = append(all, lines[i-1])
			}
			all = append(all, r.title.Object, r.note.Object, r.control)
		}
		c.lines = append(c.lines, lines)
	}
	c.object = container.New(c, all...)
	return c
}

// Refresh lays out the column again, after texts changed.
func (c *settingColumn) Refresh() { c.object.Refresh() }

// MinSize implements fyne.Layout.
func (c *settingColumn) MinSize([]fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(2*settingMargin+controlWidth*2, c.height)
}

// Layout implements fyne.Layout.
func (c *settingColumn) Layout(_ []fyne.CanvasObject, s fyne.Size) {
	width := min(s.Width-2*settingMargin, settingWidth)
	left, y := (s.Width-width)/2, float32(settingMargin)
	for i, g := range c.groups {
		moveTo(g.heading.Object, left+2, y, width, settingHeading)
		y += settingHeading
		top := y
		for k, r := range g.rows {
			if k > 0 {
				moveTo(c.lines[i][k-1], left+1, y, width-2, 1)
			}
			y += r.layout(left+14, y, width-28)
		}
		moveTo(g.frame, left, top, width, y-top)
		y += settingMargin
	}
	if c.height != y {
		c.height = y
		c.changed()
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

func moveTo(o fyne.CanvasObject, x, y, width, height float32) {
	o.Move(fyne.NewPos(x, y))
	o.Resize(fyne.NewSize(width, max(height, 0)))
}

// option is one option of a list: its value in the settings file and its label.
type option struct{ value, label string }

// choice is a list with one selected option.
type choice struct {
	widget.Select
	label   string   // for screen readers
	options []option // those that are always listed
	values  []string // of all options that are listed now
	focused func()
}

func newChoice(label string, options []option, chosen func(value string), focused func()) *choice {
	c := &choice{label: label, options: options, focused: focused}
	c.ExtendBaseWidget(c)
	c.OnChanged = func(string) {
		if i := c.SelectedIndex(); i >= 0 {
			chosen(c.values[i])
		}
	}
	c.selectOption(options[0])
	return c
}

// selectOption shows an option as selected, and lists it if it is not listed.
func (c *choice) selectOption(o option) {
	options := c.options
	i := slices.IndexFunc(options, func(x option) bool { return x.value == o.value })
	if i < 0 {
		i, options = len(options), append(options[:len(options):len(options)], o)
	}
	if c.Selected == options[i].label && len(c.Options) == len(options) {
		return
	}
	c.Options, c.values = nil, nil
	for _, x := range options {
		c.Options, c.values = append(c.Options, x.label), append(c.values, x.value)
	}
	c.Selected = options[i].label
	c.Refresh()
}

// MinSize implements fyne.CanvasObject. All lists have the same width.
func (c *choice) MinSize() fyne.Size { return fyne.NewSize(controlWidth, c.Select.MinSize().Height) }

// FocusGained implements fyne.Focusable.
func (c *choice) FocusGained() {
	c.Select.FocusGained()
	c.focused()
}

// TypedKey implements fyne.Focusable. Enter opens the list, too.
func (c *choice) TypedKey(k *fyne.KeyEvent) {
	if k.Name == fyne.KeyReturn || k.Name == fyne.KeyEnter {
		k = &fyne.KeyEvent{Name: fyne.KeySpace}
	}
	c.Select.TypedKey(k)
}

// newSettingButton returns a button that calls focused when it gains the keyboard focus.
func newSettingButton(label string, tapped, focused func()) *widgets.Button {
	b := widgets.NewButton(label, tapped)
	b.OnFocus = focused
	return b
}

// numberEntry is a field for a number. Only Enter applies the number, because a number
// that is only half typed would delete events. Esc cancels the input.
type numberEntry struct {
	widgets.FormEntry
	maximum   int
	current   string // the value that applies, "" for the default
	request   func(value string)
	report    func(wrong, hint string)
	focused   func()
	restoring bool // the text changes without the user's input
}

// newNumberEntry returns an empty field. request is called with a new number, "" for the
// default; report with what is wrong with the input, or with a hint about it.
func newNumberEntry(label string, maximum, usual int, request func(string), report func(wrong, hint string), focused func()) *numberEntry {
	e := &numberEntry{maximum: maximum, request: request, report: report, focused: focused}
	e.Extend(e)
	e.Keys, e.Label = e.key, label
	e.OnChanged = func(string) { e.validate() }
	e.SetPlaceHolder(strconv.Itoa(usual))
	return e
}

// show shows the value that applies, 0 for the default, unless the user is typing.
func (e *numberEntry) show(n int) {
	typing := e.Text != e.current
	e.current = ""
	if n != 0 {
		e.current = strconv.Itoa(n)
	}
	if !typing {
		e.restore()
	}
}

// restore discards the input.
func (e *numberEntry) restore() {
	e.restoring = true
	e.SetText(e.current)
	e.restoring = false
}

// cancel discards the input and its note.
func (e *numberEntry) cancel() {
	e.restore()
	e.report("", "")
}

// parse returns the input in the format of the settings file, or what is wrong with it.
func (e *numberEntry) parse() (value, wrong string) {
	text := strings.TrimSpace(e.Text)
	if text == "" {
		return "", ""
	}
	if n, err := strconv.Atoi(text); err == nil && n >= 1 && n <= e.maximum {
		return strconv.Itoa(n), ""
	}
	return "", lang.L("Enter a number from 1 to {{.Most}}, or leave empty for the default ({{.Usual}})", map[string]any{"Most": e.maximum, "Usual": e.PlaceHolder})
}

// validate reports what is wrong with the input so far, or how to apply it.
func (e *numberEntry) validate() {
	if e.restoring {
		return
	}
	value, wrong := e.parse()
	hint := ""
	if value != e.current {
		hint = lang.L("Enter: apply · Esc: cancel")
	}
	e.report(wrong, hint)
}

// apply requests the number, if it is valid and new.
func (e *numberEntry) apply() {
	value, wrong := e.parse()
	if wrong != "" {
		return
	}
	e.report("", "")
	if value != e.current {
		e.current = value // until the answer arrives
		e.request(value)
	}
	e.restore()
}

func (e *numberEntry) key(k *fyne.KeyEvent) bool {
	switch k.Name {
	case fyne.KeyReturn, fyne.KeyEnter:
		e.apply()
	case fyne.KeyEscape:
		e.cancel()
	default:
		return false
	}
	return true
}

// FocusGained implements fyne.Focusable.
func (e *numberEntry) FocusGained() {
	e.FormEntry.FocusGained()
	e.focused()
}

// MinSize implements fyne.CanvasObject. The width is that of a list.
func (e *numberEntry) MinSize() fyne.Size {
	return fyne.NewSize(controlWidth, e.FormEntry.MinSize().Height)
}

// AccessibilityLabel implements fyne.Accessible.
func (c *choice) AccessibilityLabel() string { return widgets.AccessibleText(c.label, c.Selected) }

// AccessibilityRole implements fyne.Accessible.
func (*choice) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }
