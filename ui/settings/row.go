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

// settingRow is one setting: its name, a line below it, and its control.
type settingRow struct {
	key          string // in the settings file
	help         string // what it is
	doneText     string // what is said once what was asked is done; may be ""
	title        *widgets.Note
	note         *widgets.Note
	control      fyne.CanvasObject
	focusTarget  fyne.CanvasObject // of the control, what gets the keyboard
	show         func(Settings)    // shows what holds, without asking for it
	enabled      bool
	worksOffline bool // it can be used without an agent too

	pending    int    // what is not answered yet
	problem    string // why the last of it was not done, or what is wrong with what was typed
	typingHint string // what is to be said of what was typed and is not wrong
	succeeded  bool   // done is to be said

	top, height float32 // where it is in the column
}

func newSettingRow(key, title, help string) *settingRow {
	r := &settingRow{key: key, help: help, title: widgets.NewNote(false), note: widgets.NewNote(true)}
	r.title.Size(theme.SizeNameText)
	r.title.Set(title, theme.ColorNameForeground)
	r.showNote()
	return r
}

// showNote says what is to be said below the title, and reports whether that is
// something else than before.
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

// enable lets the control be used, or not.
func (r *settingRow) enable(enabled bool) {
	enabled = enabled || r.worksOffline
	r.enabled = enabled
	if d, ok := r.focusTarget.(fyne.Disableable); ok {
		widgets.SetEnabled(d, enabled)
	}
}

// Measures of the settings' column.
const (
	settingWidth   = 720 // at the most
	settingMargin  = 24  // around the column, and between groups
	settingHeading = 24  // of a heading, with its gap
	settingPadding = 10  // in a row
	controlWidth   = 176 // of lists and fields
)

// settingColumn lays out groups of rows, whose words may take several lines.
type settingColumn struct {
	groups  []settingGroup
	lines   [][]fyne.CanvasObject // between the rows of each group
	object  *fyne.Container
	width   float32 // of the last layout
	height  float32
	changed func() // called when the height has become another
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

// Refresh lays the column out anew: words have changed.
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

// option is one of a list: the value, as the settings file says it, and words.
type option struct{ value, label string }

// choice is a list of which one option is chosen.
type choice struct {
	widget.Select
	label   string   // for screen readers
	options []option // those that are always there
	values  []string // of all that are there now
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

// selectOption shows an option as the chosen one, and adds it where it is not there.
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

// MinSize is Fyne's: all lists are as wide.
func (c *choice) MinSize() fyne.Size { return fyne.NewSize(controlWidth, c.Select.MinSize().Height) }

// FocusGained implements fyne.Focusable.
func (c *choice) FocusGained() {
	c.Select.FocusGained()
	c.focused()
}

// TypedKey is Fyne's. Enter opens the list too.
func (c *choice) TypedKey(k *fyne.KeyEvent) {
	if k.Name == fyne.KeyReturn || k.Name == fyne.KeyEnter {
		k = &fyne.KeyEvent{Name: fyne.KeySpace}
	}
	c.Select.TypedKey(k)
}

// newSettingButton returns a button that is scrolled to when it gets the keyboard.
func newSettingButton(label string, tapped, focused func()) *widgets.Button {
	b := widgets.NewButton(label, tapped)
	b.OnFocus = focused
	return b
}

// numberEntry is a field for a number. It is taken by Enter alone: half a number
// would erase activity. Esc forgets what was typed.
type numberEntry struct {
	widgets.FormEntry
	maximum   int
	current   string // what holds, "" for the usual
	request   func(value string)
	report    func(wrong, typed string)
	focused   func()
	restoring bool // the text is changed by us
}

// newNumberEntry returns an empty field. ask is called with a number that is to
// hold, "" for the usual one; say with what is wrong with what was typed, or else
// with what there is to say of it.
func newNumberEntry(label string, most, usual int, ask func(string), say func(wrong, typed string), focused func()) *numberEntry {
	e := &numberEntry{maximum: most, request: ask, report: say, focused: focused}
	e.Extend(e)
	e.Keys, e.Label = e.key, label
	e.OnChanged = func(string) { e.validate() }
	e.SetPlaceHolder(strconv.Itoa(usual))
	return e
}

// show shows what holds, 0 for the usual, unless something else is typed.
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

// restore forgets what was typed.
func (e *numberEntry) restore() {
	e.restoring = true
	e.SetText(e.current)
	e.restoring = false
}

// cancel is restore, and nothing is said of it any more.
func (e *numberEntry) cancel() {
	e.restore()
	e.report("", "")
}

// parse is what was typed, as the settings file says it; wrong is why that is
// no number for it.
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

// validate says what there is to say of what was typed so far.
func (e *numberEntry) validate() {
	if e.restoring {
		return
	}
	value, wrong := e.parse()
	typed := ""
	if value != e.current {
		typed = lang.L("Enter to apply, Esc to cancel")
	}
	e.report(wrong, typed)
}

// apply asks for what was typed, where that is a number and another one.
func (e *numberEntry) apply() {
	value, wrong := e.parse()
	if wrong != "" {
		return
	}
	e.report("", "")
	if value != e.current {
		e.current = value // until the answer says otherwise
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

// MinSize is Fyne's: as wide as a list.
func (e *numberEntry) MinSize() fyne.Size {
	return fyne.NewSize(controlWidth, e.FormEntry.MinSize().Height)
}

// AccessibilityLabel says what the list is for, and what is chosen.
func (c *choice) AccessibilityLabel() string { return widgets.AccessibleText(c.label, c.Selected) }

// AccessibilityRole implements fyne.Accessible.
func (*choice) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }
