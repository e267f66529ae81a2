package watches

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/widget"
)

// formCheck is a check box that passes Enter and Esc to the form.
type formCheck struct {
	widget.Check
	keys    func(*fyne.KeyEvent) bool
	onFocus func() // called when the box gains the keyboard focus
}

func newFormCheck(label string, changed func(), keys func(*fyne.KeyEvent) bool) *formCheck {
	c := &formCheck{keys: keys, onFocus: func() {}}
	c.ExtendBaseWidget(c)
	c.Text, c.OnChanged = label, func(bool) { changed() }
	return c
}

// FocusGained implements fyne.Focusable.
func (c *formCheck) FocusGained() {
	c.Check.FocusGained()
	c.onFocus()
}

// TypedKey implements fyne.Focusable.
func (c *formCheck) TypedKey(k *fyne.KeyEvent) {
	if !c.keys(k) {
		c.Check.TypedKey(k)
	}
}

// AccessibilityLabel returns the label of the box and whether it is checked.
func (c *formCheck) AccessibilityLabel() string {
	if c.Checked {
		return lang.L("{{.Setting}}: on", map[string]any{"Setting": c.Text})
	}
	return lang.L("{{.Setting}}: off", map[string]any{"Setting": c.Text})
}

// AccessibilityRole implements fyne.Accessible.
func (*formCheck) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }
