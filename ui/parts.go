package ui

import (
	"image/color"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"porthole/ui/table"
)

// themed is a rectangle that follows the theme.
type themed struct {
	widget.BaseWidget
	rect *canvas.Rectangle
	fill fyne.ThemeColorName
	min  fyne.Size
}

func newThemed(fill fyne.ThemeColorName, min fyne.Size, radius float32) *themed {
	t := &themed{rect: canvas.NewRectangle(color.Transparent), fill: fill, min: min}
	t.rect.CornerRadius = radius
	t.ExtendBaseWidget(t)
	return t
}

// CreateRenderer is Fyne's.
func (t *themed) CreateRenderer() fyne.WidgetRenderer {
	t.rect.FillColor = theme.Color(t.fill)
	return widget.NewSimpleRenderer(t.rect)
}

// Refresh is Fyne's, called when the theme changes.
func (t *themed) Refresh() {
	t.rect.FillColor = theme.Color(t.fill)
	t.BaseWidget.Refresh()
}

// MinSize is Fyne's.
func (t *themed) MinSize() fyne.Size { return t.min }

// following is a text that follows the theme: a text of Fyne's canvas keeps the
// colour that it was made in.
type following struct {
	widget.BaseWidget
	text  *canvas.Text
	color fyne.ThemeColorName
}

// follow has t follow the theme in the colour of that name.
func follow(t *canvas.Text, name fyne.ThemeColorName) fyne.CanvasObject {
	f := &following{text: t, color: name}
	f.ExtendBaseWidget(f)
	return f
}

// CreateRenderer is Fyne's.
func (f *following) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(f.text) }

// Visible is Fyne's: what is hidden is the text.
func (f *following) Visible() bool { return f.text.Visible() }

// Refresh is Fyne's, called when the theme changes.
func (f *following) Refresh() {
	f.text.Color = theme.Color(f.color)
	f.BaseWidget.Refresh()
}

func line() fyne.CanvasObject { return newThemed(theme.ColorNameSeparator, fyne.NewSize(1, 1), 0) }

// panel puts o on the ground of bars, with a margin above and below.
func panel(o fyne.CanvasObject, margin float32) fyne.CanvasObject {
	return container.NewStack(newThemed(colorPanel, fyne.Size{}, 0),
		container.New(layout.NewCustomPaddedLayout(margin, margin, 12, 12), o))
}

func caption() *canvas.Text {
	t := canvas.NewText("", theme.Color(table.ColorMuted))
	t.TextSize = theme.Size(theme.SizeNameCaptionText) + 0.5
	return t
}

// setText changes only what differs.
func setText(t *canvas.Text, text string, name fyne.ThemeColorName) {
	c := theme.Color(name)
	if t.Text == text && t.Color == c {
		return
	}
	t.Text, t.Color = text, c
	t.Refresh()
}

// warningBar says what is missing here, or that nobody watches any more.
type warningBar struct {
	text   *widget.Label
	again  *keyButton
	object fyne.CanvasObject
}

func newWarningBar(actions Actions) *warningBar {
	w := &warningBar{text: widget.NewLabel(""), again: newButton(lang.L("Start Porthole again"), actions.StartAgent)}
	w.text.Wrapping = fyne.TextWrapWord
	w.again.Hide()
	bar := container.NewBorder(nil, nil, newThemed(colorAlert, fyne.NewSize(4, 1), 0), w.again, w.text)
	w.object = container.NewStack(newThemed(tintChanged, fyne.Size{}, 0), bar)
	w.object.Hide()
	return w
}

// show reports whether that changed anything, so that the page is to be laid out
// anew.
func (w *warningBar) show(problems []string, live bool) bool {
	if !live {
		problems = []string{lang.L("Porthole has stopped watching: what you see is the last that it saw")}
	}
	text := strings.Join(problems, "\n")
	if w.text.Text == text && w.again.Hidden == live {
		return false
	}
	w.text.SetText(text)
	w.again.Hidden = live
	if text == "" {
		w.object.Hide()
	} else {
		w.object.Show()
	}
	w.object.Refresh()
	return true
}

// tightTheme is the theme inside a list whose rows touch.
type tightTheme struct{}

// Color is Fyne's.
func (tightTheme) Color(n fyne.ThemeColorName, v fyne.ThemeVariant) color.Color {
	return fyne.CurrentApp().Settings().Theme().Color(n, v)
}

// Font is Fyne's.
func (tightTheme) Font(s fyne.TextStyle) fyne.Resource {
	return fyne.CurrentApp().Settings().Theme().Font(s)
}

// Icon is Fyne's.
func (tightTheme) Icon(n fyne.ThemeIconName) fyne.Resource {
	return fyne.CurrentApp().Settings().Theme().Icon(n)
}

// Size is Fyne's.
func (tightTheme) Size(n fyne.ThemeSizeName) float32 {
	if n == theme.SizeNamePadding {
		return 0
	}
	return fyne.CurrentApp().Settings().Theme().Size(n)
}

// iconButton is a small button in a row. It never has the keyboard: the row's
// list does all of it by keys.
type iconButton struct {
	widget.BaseWidget
	icon    fyne.Resource
	label   string
	image   *canvas.Image
	ground  *themed
	color   fyne.ThemeColorName
	enabled bool
	tapped  func() // called where it is not enabled too: the click took the keyboard away
	hover   func(label string, in bool)
}

var (
	_ fyne.Tappable     = (*iconButton)(nil)
	_ desktop.Hoverable = (*iconButton)(nil)
	_ fyne.Accessible   = (*iconButton)(nil)
)

func newIconButton(icon fyne.Resource, label string, tapped func(), hover func(label string, in bool)) *iconButton {
	b := &iconButton{icon: icon, label: label, tapped: tapped, hover: hover, image: canvas.NewImageFromResource(icon)}
	b.image.FillMode = canvas.ImageFillContain
	b.ground = newThemed(theme.ColorNameHover, fyne.Size{}, 4)
	b.ground.Hide()
	b.ExtendBaseWidget(b)
	return b
}

// CreateRenderer is Fyne's.
func (b *iconButton) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(container.NewStack(b.ground, container.New(layout.NewCustomPaddedLayout(6, 6, 6, 6), b.image)))
}

// show changes the icon and its colour where they differ.
func (b *iconButton) show(icon fyne.Resource, name fyne.ThemeColorName, enabled bool) {
	if !enabled {
		name = theme.ColorNameDisabled
	}
	if icon == b.icon && name == b.color && enabled == b.enabled {
		return
	}
	b.icon, b.color, b.enabled = icon, name, enabled
	b.image.Resource = theme.NewColoredResource(icon, name)
	b.image.Translucency = 0
	if !enabled {
		b.image.Translucency = 0.6
		b.ground.Hide()
	}
	b.image.Refresh()
}

// Tapped is Fyne's.
func (b *iconButton) Tapped(*fyne.PointEvent) { b.tapped() }

// MouseIn is Fyne's.
func (b *iconButton) MouseIn(*desktop.MouseEvent) {
	b.ground.Hidden = !b.enabled
	b.ground.Refresh()
	b.hover(b.label, true)
}

// MouseMoved is Fyne's.
func (b *iconButton) MouseMoved(*desktop.MouseEvent) {}

// MouseOut is Fyne's.
func (b *iconButton) MouseOut() {
	b.ground.Hide()
	b.hover("", false)
}

// AccessibilityLabel is Fyne's.
func (b *iconButton) AccessibilityLabel() string { return b.label }

// AccessibilityRole is Fyne's.
func (b *iconButton) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }

// popUpUnder shows a menu under a button, right edge to right edge.
func popUpUnder(button fyne.CanvasObject, items ...*fyne.MenuItem) {
	driver := fyne.CurrentApp().Driver()
	if c := driver.CanvasForObject(button); c != nil {
		menu := widget.NewPopUpMenu(fyne.NewMenu("", items...), c)
		at := driver.AbsolutePositionForObject(button).Add(fyne.NewPos(button.Size().Width-menu.MinSize().Width, button.Size().Height))
		menu.ShowAtPosition(at)
	}
}
