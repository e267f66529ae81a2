package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"porthole/ui/tooltip"
)

// RowButton is a small icon button in a row. It never gains the keyboard focus: its
// list offers the same action by key.
type RowButton struct {
	widget.BaseWidget
	Icon    fyne.Resource
	label   string
	image   *canvas.Image
	ground  *Rectangle
	color   fyne.ThemeColorName
	enabled bool
	tapped  func() // also called while disabled, because the click took the keyboard focus
	hover   func(label string, in bool)
}

var (
	_ fyne.Tappable     = (*RowButton)(nil)
	_ desktop.Hoverable = (*RowButton)(nil)
	_ fyne.Accessible   = (*RowButton)(nil)
)

// NewRowButton returns a button with an icon. hover is called when the pointer enters
// and leaves.
func NewRowButton(icon fyne.Resource, label string, tapped func(), hover func(label string, in bool)) *RowButton {
	b := &RowButton{Icon: icon, label: label, tapped: tapped, hover: hover, image: canvas.NewImageFromResource(icon)}
	b.image.FillMode = canvas.ImageFillContain
	b.ground = NewRectangle(theme.ColorNameHover, fyne.Size{}, 4)
	b.ground.Hide()
	b.ExtendBaseWidget(b)
	return b
}

// CreateRenderer implements fyne.Widget.
func (b *RowButton) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(container.NewStack(b.ground, container.New(layout.NewCustomPaddedLayout(6, 6, 6, 6), b.image)))
}

// Set sets the icon and its colour. It refreshes the button only if one of them changed.
func (b *RowButton) Set(icon fyne.Resource, name fyne.ThemeColorName, enabled bool) {
	if !enabled {
		name = theme.ColorNameDisabled
	}
	if icon == b.Icon && name == b.color && enabled == b.enabled {
		return
	}
	b.Icon, b.color, b.enabled = icon, name, enabled
	b.image.Resource = theme.NewColoredResource(icon, name)
	b.image.Translucency = 0
	if !enabled {
		b.image.Translucency = 0.6
		b.ground.Hide()
	}
	b.image.Refresh()
}

// Tapped implements fyne.Tappable.
func (b *RowButton) Tapped(*fyne.PointEvent) {
	tooltip.Hide()
	b.tapped()
}

// MouseIn implements desktop.Hoverable.
func (b *RowButton) MouseIn(e *desktop.MouseEvent) {
	b.MouseMoved(e)
	b.ground.Hidden = !b.enabled
	b.ground.Refresh()
	b.hover(b.label, true)
}

// MouseMoved implements desktop.Hoverable.
func (b *RowButton) MouseMoved(e *desktop.MouseEvent) {
	if e != nil {
		tooltip.Point(b, b.label, e.AbsolutePosition)
	}
}

// MouseOut implements desktop.Hoverable.
func (b *RowButton) MouseOut() {
	b.ground.Hide()
	b.hover("", false)
	tooltip.Leave(b)
}

// AccessibilityLabel implements fyne.Accessible.
func (b *RowButton) AccessibilityLabel() string { return b.label }

// AccessibilityRole implements fyne.Accessible.
func (b *RowButton) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }
