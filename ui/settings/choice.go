package settings

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"porthole/ui/widgets"
)

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

// AccessibilityLabel implements fyne.Accessible.
func (c *choice) AccessibilityLabel() string { return widgets.AccessibleText(c.label, c.Selected) }

// AccessibilityRole implements fyne.Accessible.
func (*choice) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }
