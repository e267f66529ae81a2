package widgets

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// ControlWidth is the width of lists and of fields for numbers, in device-independent pixels.
const ControlWidth = 176

// Option is an option of a Choice: its value in the settings file and its label.
type Option struct{ Value, Label string }

// Choice is a list with one selected option.
type Choice struct {
	widget.Select
	Label   string                    // for screen readers
	Keys    func(*fyne.KeyEvent) bool // gets each key first, and reports whether it used it; may be nil
	OnFocus func()                    // called when the list gains the keyboard focus; may be nil
	options []Option                  // those that are always listed
	values  []string                  // of all options that are listed now
	value   string                    // of the selected option
}

// NewChoice returns a list whose first option is selected. chosen is called with the value
// of an option that the user selects.
func NewChoice(label string, options []Option, chosen func(value string)) *Choice {
	c := &Choice{Label: label, options: options}
	c.ExtendBaseWidget(c)
	c.OnChanged = func(string) {
		if i := c.SelectedIndex(); i >= 0 {
			c.value = c.values[i]
			chosen(c.value)
		}
	}
	c.Choose(options[0])
	return c
}

// Value returns the value of the selected option.
func (c *Choice) Value() string { return c.value }

// Choose shows an option as selected, and lists it if it is not listed. It does not call
// the function of NewChoice.
func (c *Choice) Choose(o Option) {
	options := c.options
	i := slices.IndexFunc(options, func(x Option) bool { return x.Value == o.Value })
	if i < 0 {
		i, options = len(options), append(options[:len(options):len(options)], o)
	}
	c.value = o.Value
	if c.Selected == options[i].Label && len(c.Options) == len(options) {
		return
	}
	c.Options, c.values = nil, nil
	for _, x := range options {
		c.Options, c.values = append(c.Options, x.Label), append(c.values, x.Value)
	}
	c.Selected = options[i].Label
	c.Refresh()
}

// Framed returns the list in a frame like that of a field.
func (c *Choice) Framed() fyne.CanvasObject {
	return container.NewStack(NewFramedRectangle(theme.ColorNameInputBackground, theme.ColorNameInputBorder),
		container.New(layout.NewCustomPaddedLayout(1, 1, 1, 1), c))
}

// MinSize implements fyne.CanvasObject. All lists have the same width.
func (c *Choice) MinSize() fyne.Size { return fyne.NewSize(ControlWidth, c.Select.MinSize().Height) }

// FocusGained implements fyne.Focusable.
func (c *Choice) FocusGained() {
	c.Select.FocusGained()
	if c.OnFocus != nil {
		c.OnFocus()
	}
}

// TypedKey implements fyne.Focusable. Enter opens the list, too, unless Keys uses it. Keys
// that mean nothing to a list go to the window.
func (c *Choice) TypedKey(k *fyne.KeyEvent) {
	if c.Keys != nil && c.Keys(k) {
		return
	}
	switch k.Name {
	case fyne.KeyReturn, fyne.KeyEnter:
		c.Select.TypedKey(&fyne.KeyEvent{Name: fyne.KeySpace})
	case fyne.KeySpace, fyne.KeyUp, fyne.KeyDown, fyne.KeyLeft, fyne.KeyRight:
		c.Select.TypedKey(k)
	default:
		PassKey(c, k)
	}
}

// AccessibilityLabel implements fyne.Accessible.
func (c *Choice) AccessibilityLabel() string { return AccessibleText(c.Label, c.Selected) }

// AccessibilityRole implements fyne.Accessible.
func (*Choice) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }
