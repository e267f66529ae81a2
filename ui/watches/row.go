package watches

import (
	"image/color"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"porthole/ui/table"
	"porthole/ui/tooltip"
	"porthole/ui/widgets"
)

const (
	ruleHeight   = 50
	buttonSize   = 28
	ruleMargin   = 12
	ruleTextLeft = 48 // horizontal position of the texts
	ruleButtons  = 4*buttonSize + ruleMargin
	stateWidth   = 0.44 // share of the width of texts and state
	textSpacing  = 10
)

// ruleRow shows one rule. The list reuses a few of them for all rules.
type ruleRow struct {
	widget.BaseWidget
	page    *Page
	index   int
	painted paintedRow
	hovered bool
	cut     []string // whole texts of those that are cut

	ground, line, edge *canvas.Rectangle
	texts              [5]*canvas.Text // the texts of both lines
	mark, text, more   *canvas.Text    // the state
	on                 *widgets.RowButton
	buttons            []*widgets.RowButton
}

// paintedRow is everything that the painting of a row depends on.
type paintedRow struct {
	view                       ruleView
	width                      float32
	selected, focused, hovered bool
	first, last, editable      bool
}

func newRuleRow(p *Page) *ruleRow {
	r := &ruleRow{page: p, index: -1, ground: canvas.NewRectangle(color.Transparent),
		line: canvas.NewRectangle(color.Transparent), edge: canvas.NewRectangle(color.Transparent)}
	for i := range r.texts {
		r.texts[i] = canvas.NewText("", color.Transparent)
	}
	r.mark = widgets.NewSymbol()
	r.text, r.more = canvas.NewText("", color.Transparent), canvas.NewText("", color.Transparent)
	button := func(icon fyne.Resource, label string, do func(int)) *widgets.RowButton {
		return widgets.NewRowButton(icon, label, func() { table.FocusOn(p.list); do(r.index) }, r.hover)
	}
	r.on = button(theme.CheckButtonIcon(), lang.L("Turn on or off (Space)"), p.toggle)
	r.buttons = []*widgets.RowButton{
		button(theme.DocumentCreateIcon(), lang.L("Edit (Enter)"), p.edit),
		button(theme.MoveUpIcon(), lang.L("Move up (Alt+Up)"), func(i int) { p.move(i, -1) }),
		button(theme.MoveDownIcon(), lang.L("Move down (Alt+Down)"), func(i int) { p.move(i, 1) }),
		button(theme.DeleteIcon(), lang.L("Delete (Del)"), p.remove),
	}
	r.ExtendBaseWidget(r)
	return r
}

// CreateRenderer implements fyne.Widget.
func (r *ruleRow) CreateRenderer() fyne.WidgetRenderer {
	objects := []fyne.CanvasObject{r.ground, r.line, r.edge, r.mark, r.text, r.more, r.on}
	for _, w := range r.texts {
		objects = append(objects, w)
	}
	for _, b := range r.buttons {
		objects = append(objects, b)
	}
	return &widgets.Renderer{Min: fyne.NewSize(0, ruleHeight), Parts: objects, Place: func(fyne.Size) { r.show() }, Repaint: func() {
		r.painted = paintedRow{} // the theme may have changed
		r.show()
	}}
}

// show repaints the row if it differs.
func (r *ruleRow) show() {
	p := r.page
	if r.index < 0 || r.index >= len(p.views) || r.Size().Width == 0 {
		return
	}
	next := paintedRow{view: p.views[r.index], width: r.Size().Width, hovered: r.hovered, editable: p.editable(),
		selected: r.index == p.selected, first: r.index == 0, last: r.index == len(p.views)-1}
	next.focused = next.selected && p.list.focused
	if next != r.painted {
		r.painted = next
		r.paint()
	}
}

func (r *ruleRow) paint() {
	p := r.painted
	r.cut = nil
	ground, edge := fyne.ThemeColorName(""), fyne.ThemeColorName("")
	switch {
	case p.selected:
		ground = table.ColorSelected
	case p.hovered:
		ground = theme.ColorNameHover
	}
	if p.focused {
		edge = theme.ColorNamePrimary
	}
	fillRect(r.ground, ground, fyne.NewPos(0, 0), fyne.NewSize(p.width, ruleHeight))
	fillRect(r.line, table.ColorLine, fyne.NewPos(0, ruleHeight-1), fyne.NewSize(p.width, 1))
	fillRect(r.edge, edge, fyne.NewPos(0, 0), fyne.NewSize(3, ruleHeight))
	share := max(p.width-ruleTextLeft-ruleButtons-ruleMargin, 0)
	r.paintTexts(share * (1 - stateWidth))
	r.paintState(ruleTextLeft+share*(1-stateWidth)+ruleMargin, share*stateWidth-ruleMargin)
	r.paintButtons()
}

// piece is a text in one style.
type piece struct {
	text       string
	bold, mono bool
	muted      bool
}

// paintTexts paints the rule: on the first line its name, or else its ports; the rest on the
// second.
func (r *ruleRow) paintTexts(width float32) {
	v := r.painted.view
	first := []piece{{v.ports, false, true, false}, {v.pattern, v.ports == "", false, false}}
	second := []piece{{v.events, false, false, true}}
	if v.title != "" {
		first = []piece{{v.title, true, false, false}}
		second = []piece{{v.ports, false, true, true}, {v.pattern, false, false, true}, {v.events, false, false, true}}
	}
	for _, w := range r.texts {
		w.Hide()
	}
	y, lower := r.lines(len(strings.TrimSpace(v.pattern+v.events+v.ports)) > 0 && (v.title != "" || v.events != ""))
	r.pieces(r.texts[:2], first, y, width, theme.SizeNameText)
	r.pieces(r.texts[2:], second, lower, width, theme.SizeNameCaptionText)
}

// lines returns the vertical positions of one or two lines of text.
func (r *ruleRow) lines(two bool) (upper, lower float32) {
	if two {
		return 6, 27
	}
	return (ruleHeight - 18) / 2, 27
}

// pieces places texts side by side, as many as fit.
func (r *ruleRow) pieces(texts []*canvas.Text, all []piece, y, width float32, size fyne.ThemeSizeName) {
	x, end := float32(ruleTextLeft), ruleTextLeft+width
	for i, p := range all {
		if p.text == "" {
			continue
		}
		if x >= end { // no room
			r.cut = append(r.cut, p.text)
			continue
		}
		t, name := texts[i], theme.ColorNameForeground
		if p.muted || r.painted.view.off {
			name = table.ColorMuted
		}
		t.TextStyle = fyne.TextStyle{Bold: p.bold, Monospace: p.mono}
		x += r.put(t, p.text, name, size, fyne.NewPos(x, y), end-x) + textSpacing
	}
}

// put shows text at a position, truncated to width, and returns its width.
func (r *ruleRow) put(t *canvas.Text, text string, name fyne.ThemeColorName, size fyne.ThemeSizeName, at fyne.Position, width float32) float32 {
	if r.painted.view.dim {
		name = theme.ColorNameDisabled
	}
	t.TextSize, t.Color = theme.Size(size), theme.Color(name)
	if size == theme.SizeNameCaptionText {
		t.TextSize += 0.5
	}
	if t.Text = table.Fit(text, width, t.TextSize, t.TextStyle); t.Text != text {
		r.cut = append(r.cut, text)
	}
	min := fyne.MeasureText(t.Text, t.TextSize, t.TextStyle)
	t.Move(at)
	t.Resize(min)
	t.Show()
	t.Refresh()
	return min.Width
}

func (r *ruleRow) paintState(x, width float32) {
	s := r.painted.view.state
	y, lower := r.lines(s.more != "")
	shape, text := widgets.SplitSymbol(s.text)
	left := x
	if shape != "" {
		left += r.put(r.mark, shape, s.color, theme.SizeNameText, fyne.NewPos(x, y), width) + 5
	}
	r.mark.Hidden = shape == ""
	r.put(r.text, text, s.color, theme.SizeNameText, fyne.NewPos(left, y), width+x-left)
	r.put(r.more, s.more, table.ColorMuted, theme.SizeNameCaptionText, fyne.NewPos(x, lower), width)
}

func (r *ruleRow) paintButtons() {
	p := r.painted
	icon, name := theme.CheckButtonCheckedIcon(), theme.ColorNamePrimary
	if p.view.off {
		icon, name = theme.CheckButtonIcon(), table.ColorMuted
	}
	y := float32(ruleHeight-buttonSize) / 2
	r.on.Set(icon, name, p.editable)
	r.on.Move(fyne.NewPos(ruleMargin, y))
	r.on.Resize(fyne.NewSquareSize(buttonSize))
	name = table.ColorMuted
	if p.selected || p.hovered {
		name = theme.ColorNameForeground
	}
	for i, b := range r.buttons {
		enabled := p.editable && (i != 1 || !p.first) && (i != 2 || !p.last)
		b.Set(b.Icon, name, enabled)
		b.Move(fyne.NewPos(p.width-ruleMargin-float32(len(r.buttons)-i)*buttonSize, y))
		b.Resize(fyne.NewSquareSize(buttonSize))
	}
}

// fillRect places a rectangle. It is transparent if name is "".
func fillRect(r *canvas.Rectangle, name fyne.ThemeColorName, at fyne.Position, size fyne.Size) {
	r.FillColor = color.Transparent
	if name != "" {
		r.FillColor = theme.Color(name)
	}
	r.Move(at)
	r.Resize(size)
	r.Refresh()
}

// hover highlights the row while the pointer is on it or on one of its buttons, and shows the label
// of the button.
func (r *ruleRow) hover(label string, in bool) {
	r.hovered = in
	r.page.showHint(label)
	r.show()
}

// Tapped implements fyne.Tappable.
func (r *ruleRow) Tapped(*fyne.PointEvent) {
	tooltip.Hide()
	r.page.list.click(r.index)
}

// MouseIn implements desktop.Hoverable.
func (r *ruleRow) MouseIn(e *desktop.MouseEvent) {
	r.hover("", true)
	r.MouseMoved(e)
}

// MouseMoved implements desktop.Hoverable.
func (r *ruleRow) MouseMoved(e *desktop.MouseEvent) {
	if e != nil {
		tooltip.Point(r, strings.Join(r.cut, "\n"), e.AbsolutePosition)
	}
}

// MouseOut implements desktop.Hoverable.
func (r *ruleRow) MouseOut() {
	r.hover("", false)
	tooltip.Leave(r)
}

var (
	_ fyne.Tappable     = (*ruleRow)(nil)
	_ desktop.Hoverable = (*ruleRow)(nil)
)

// AccessibilityLabel returns the rule and its state.
func (r *ruleRow) AccessibilityLabel() string {
	v := r.painted.view
	return widgets.AccessibleText(strings.TrimSpace(v.title+" "+v.ports+" "+v.pattern), v.state.text+" "+v.state.more)
}

// AccessibilityRole implements fyne.Accessible.
func (*ruleRow) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }
