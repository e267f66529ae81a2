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

// noGaps stacks top, middle and bottom without the padding of Fyne's border
// layout; the middle takes what is left.
type noGaps struct{}

func (noGaps) MinSize(o []fyne.CanvasObject) fyne.Size {
	var s fyne.Size
	for _, x := range o {
		m := x.MinSize()
		s.Width, s.Height = max(s.Width, m.Width), s.Height+m.Height
	}
	return s
}

func (noGaps) Layout(o []fyne.CanvasObject, s fyne.Size) {
	for _, x := range []fyne.CanvasObject{o[0], o[2]} {
		x.Resize(fyne.NewSize(s.Width, x.MinSize().Height)) // wrapping needs the width first
	}
	top, bottom := o[0].MinSize().Height, o[2].MinSize().Height
	place := func(x fyne.CanvasObject, y, height float32) {
		x.Move(fyne.NewPos(0, y))
		x.Resize(fyne.NewSize(s.Width, height))
	}
	place(o[0], 0, top)
	place(o[1], top, max(s.Height-top-bottom, 0))
	place(o[2], s.Height-bottom, bottom)
}

// layOut gives what is in c its place anew, once c has one itself. Fyne's Refresh does
// so too, and then refreshes all that is in c: a page with everything on it.
func layOut(c *fyne.Container) {
	if !c.Size().IsZero() {
		c.Layout.Layout(c.Objects, c.Size())
	}
}

// factRows lays out pairs of a label and a value, which may take several lines:
// the label stands beside the first one. even gives values of one line the same
// height, whichever face they have.
type factRows struct {
	label float32
	even  bool
}

// overlap takes back some of the padding that Fyne's labels bring along.
const overlap = 6

// height is what a value takes at its width.
func (f factRows) height(value fyne.CanvasObject) float32 {
	height := value.MinSize().Height
	if f.even {
		height = max(height, fyne.MeasureText("x", theme.Size(theme.SizeNameText), fyne.TextStyle{}).Height+2*theme.Size(theme.SizeNameInnerPadding))
	}
	return height
}

func (f factRows) MinSize(o []fyne.CanvasObject) fyne.Size {
	s := fyne.NewSize(f.label, overlap)
	for i := 1; i < len(o); i += 2 {
		m := o[i].MinSize()
		s.Width = max(s.Width, f.label+m.Width)
		s.Height += f.height(o[i]) - overlap
	}
	return s
}

func (f factRows) Layout(o []fyne.CanvasObject, s fyne.Size) {
	y := float32(0)
	for i := 1; i < len(o); i += 2 {
		label, value := o[i-1], o[i]
		value.Resize(fyne.NewSize(s.Width-f.label, value.MinSize().Height)) // wrapping needs the width first
		height := f.height(value)
		value.Resize(fyne.NewSize(s.Width-f.label, height))
		value.Move(fyne.NewPos(f.label, y))
		label.Resize(label.MinSize())
		label.Move(fyne.NewPos(overlap+1, y+overlap+1))
		y += height - overlap
	}
}

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

// entry is a field that leaves the window's own shortcuts to the window: Fyne
// gives them all to the field that has the keyboard.
type entry struct {
	widget.Entry
	self  fyne.Widget // the field that this is a part of
	label string      // for screen readers
}

func (e *entry) extend(self fyne.Widget) {
	e.self = self
	e.ExtendBaseWidget(self)
}

// TypedKey is Fyne's. The keys above the digits are the window's.
func (e *entry) TypedKey(k *fyne.KeyEvent) {
	switch k.Name {
	case fyne.KeyF1, fyne.KeyF5:
		passKey(e.self, k)
	default:
		e.Entry.TypedKey(k)
	}
}

// TypedShortcut is Fyne's.
func (e *entry) TypedShortcut(s fyne.Shortcut) {
	e.Entry.TypedShortcut(s)
	if _, ours := s.(*desktop.CustomShortcut); !ours {
		return // copy, paste and the like
	}
	canvas := fyne.CurrentApp().Driver().CanvasForObject(e.self)
	if window, ok := canvas.(fyne.Shortcutable); ok {
		window.TypedShortcut(s)
	}
}

// filterEntry is the filter box: Esc clears it, Down and Enter go to the table.
type filterEntry struct {
	entry
	hint  string
	leave func()
}

func newFilterEntry(hint string, changed func(string), leave func()) *filterEntry {
	e := &filterEntry{hint: hint, leave: leave}
	e.label = hint
	e.extend(e)
	e.SetPlaceHolder(hint)
	e.Icon = theme.SearchIcon()
	e.OnChanged = changed
	return e
}

// Resize is Fyne's. The hint is cut where the box is narrow: Fyne would scroll it.
func (e *filterEntry) Resize(s fyne.Size) {
	e.entry.Resize(s)
	room := s.Width - theme.Size(theme.SizeNameInlineIcon) - 4*theme.Size(theme.SizeNameInnerPadding)
	if hint := table.Fit(e.hint, room, theme.Size(theme.SizeNameText), e.TextStyle); hint != e.PlaceHolder {
		e.SetPlaceHolder(hint)
	}
}

// TypedKey is Fyne's.
func (e *filterEntry) TypedKey(k *fyne.KeyEvent) {
	switch k.Name {
	case fyne.KeyEscape:
		e.SetText("")
	case fyne.KeyDown, fyne.KeyReturn, fyne.KeyEnter:
		e.leave()
	default:
		e.entry.TypedKey(k)
	}
}

// take begins a filter with what was typed elsewhere, or goes on with the one that
// is there.
func (e *filterEntry) take(r rune) {
	if c := fyne.CurrentApp().Driver().CanvasForObject(e); c != nil && !askForKeys(c, r) {
		c.Focus(e)
		e.CursorColumn = len([]rune(e.Text)) // a filter that was set rather than typed leaves it at the beginning
		e.TypedRune(r)
	}
}

// warningBar says what is missing here, or that nobody watches any more.
type warningBar struct {
	text   *widget.Label
	again  *keyButton
	object fyne.CanvasObject
}

func newWarningBar(actions Actions) *warningBar {
	w := &warningBar{text: widget.NewLabel(""), again: newButton(lang.L("Start Porthole again"), actions.Restart)}
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

// note is a sentence that gives way: it never makes a window wider.
type note struct {
	text   *widget.RichText
	words  *widget.TextSegment
	object fyne.CanvasObject
}

// newNote returns an empty note, on several lines where wrap is true and cut
// where not.
func newNote(wrap bool) *note {
	n := &note{words: &widget.TextSegment{Style: widget.RichTextStyle{SizeName: theme.SizeNameCaptionText, ColorName: table.ColorMuted}}}
	n.text = widget.NewRichText(n.words)
	n.text.Truncation = fyne.TextTruncateEllipsis
	if wrap {
		n.text.Truncation, n.text.Wrapping = fyne.TextTruncateOff, fyne.TextWrapWord
	}
	n.object = container.New(layout.NewCustomPaddedLayout(-overlap, -overlap, -overlap-1, -overlap-1), n.text)
	return n
}

// size sets the size of the words.
func (n *note) size(name fyne.ThemeSizeName) { n.words.Style.SizeName = name }

// whole keeps the words from being cut.
func (n *note) whole() *note {
	n.text.Truncation = fyne.TextTruncateOff
	return n
}

// centred is the note in the middle of what is higher.
func (n *note) centred() fyne.CanvasObject {
	return container.New(layout.NewCustomPaddedVBoxLayout(0), layout.NewSpacer(), n.object, layout.NewSpacer())
}

// say changes only what differs.
func (n *note) say(text string, name fyne.ThemeColorName) {
	if n.words.Text != text || n.words.Style.ColorName != name {
		n.words.Text, n.words.Style.ColorName = text, name
		n.text.Refresh()
	}
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
