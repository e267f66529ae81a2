package settings

import (
	"strconv"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"

	"porthole/ui/widgets"
)

// numberEntry is a field for a number. Only Enter applies the number, because a number
// that is only half typed would delete events. Esc cancels the input.
type numberEntry struct {
	widgets.FormEntry
	maximum   int
	current   string // the value that applies, "" for the default
	request   func(value string)
	report    func(wrong, hint string)
	restoring bool // the text changes without the user's input
}

// newNumberEntry returns an empty field. request is called with a new number, "" for the
// default; report with what is wrong with the input, or with a hint about it.
func newNumberEntry(label string, maximum, usual int, request func(string), report func(wrong, hint string)) *numberEntry {
	e := &numberEntry{maximum: maximum, request: request, report: report}
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

// MinSize implements fyne.CanvasObject. The width is that of a list.
func (e *numberEntry) MinSize() fyne.Size {
	return fyne.NewSize(widgets.ControlWidth, e.FormEntry.MinSize().Height)
}
