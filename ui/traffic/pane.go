package traffic

import (
	"image/color"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"porthole/monitor"
	"porthole/monitor/traffic"
	"porthole/ui/table"
	uitheme "porthole/ui/theme"
	"porthole/ui/widgets"
)

// pane shows one message: its head and its body. Its lines are wrapped to its width.
type pane struct {
	widget.BaseWidget
	title   *widgets.Note
	label   string
	text    *longText
	picture *canvas.Image
	note    *widgets.Note
	ring    *canvas.Rectangle
	content fyne.CanvasObject

	state  paneState
	lines  []line
	find   string // in lower case; lines that contain it are marked
	found  []int  // rows of text that contain find
	column int    // characters in a row of text
	onKey  func(*fyne.KeyEvent)
}

// paneState is what a pane shows.
type paneState struct {
	exchange *traffic.Exchange // nil for none
	secrets  bool
}

// line is a line of a message.
type line struct {
	name, text string // the name of a header field, with ": "; "" for other lines
}

func newPane(label string, onKey func(*fyne.KeyEvent)) *pane {
	p := &pane{label: label, title: widgets.NewNote(false), text: newLongText(), note: widgets.NewNote(true), picture: canvas.NewImageFromImage(nil), onKey: onKey}
	p.picture.FillMode = canvas.ImageFillContain
	p.picture.Hide()
	p.note.Object.Hide()
	p.ring = canvas.NewRectangle(color.Transparent)
	p.ring.StrokeWidth, p.ring.CornerRadius = 1, 4
	p.ring.Hide()
	head := container.New(layout.NewCustomPaddedLayout(4, 0, 0, 0), p.title.Object)
	p.content = container.NewStack(container.NewBorder(head, p.note.Object, nil, nil, container.NewStack(container.New(&half{}, p.text.scroll, p.picture))), p.ring)
	p.ExtendBaseWidget(p)
	return p
}

// half gives a picture the lower two thirds while it is visible, but shows it no larger
// than it is.
type half struct{}

// MinSize implements fyne.Layout.
func (*half) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(80, 40) }

// Layout implements fyne.Layout.
func (*half) Layout(o []fyne.CanvasObject, s fyne.Size) {
	top := s.Height
	if o[1].Visible() {
		top = s.Height / 3
		size := fyne.NewSize(s.Width, s.Height-top)
		if c, ok := o[1].(*canvas.Image); ok && c.Image != nil {
			b := c.Image.Bounds()
			size = fyne.NewSize(min(size.Width, float32(b.Dx())), min(size.Height, float32(b.Dy())))
		}
		o[1].Move(fyne.NewPos(0, top))
		o[1].Resize(size)
	}
	o[0].Move(fyne.Position{})
	o[0].Resize(fyne.NewSize(s.Width, top))
}

// CreateRenderer implements fyne.Widget.
func (p *pane) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(p.content) }

// Resize implements fyne.CanvasObject. It wraps the lines to the new width.
func (p *pane) Resize(s fyne.Size) {
	p.BaseWidget.Resize(s)
	p.wrap(false)
}

// show shows a message of e, which is masked already if secrets are not to be shown.
func (p *pane) show(title string, e *traffic.Exchange, m *traffic.Message) {
	p.title.Set(title, table.ColorMuted)
	p.lines = p.lines[:0]
	if first := startLine(e, m); first != "" {
		p.lines = append(p.lines, line{text: printable(first)})
	}
	for _, f := range m.Header() {
		p.lines = append(p.lines, line{printable(f.Name) + ": ", printable(f.Value)})
	}
	b := readBody(m)
	if len(p.lines) > 0 && b.text != "" {
		p.lines = append(p.lines, line{})
	}
	if b.text != "" {
		for text := range strings.SplitSeq(strings.TrimSuffix(b.text, "\n"), "\n") {
			p.lines = append(p.lines, line{text: text})
		}
	}
	for i, f := range m.Trailer {
		if i == 0 {
			p.lines = append(p.lines, line{})
		}
		p.lines = append(p.lines, line{printable(f.Name) + ": ", printable(f.Value)})
	}
	p.picture.Image = b.image
	p.picture.Hidden = b.image == nil
	note, color := b.note, table.ColorMuted
	if e.Problem != "" && m == &e.Answer {
		note, color = strings.TrimSpace(problemText(monitor.Clean(e.Problem, 300))+" "+note), uitheme.ColorAlert
	}
	p.note.Set(note, color)
	p.note.Object.Hide()
	if note != "" {
		p.note.Object.Show()
	}
	p.text.scroll.ScrollToTop()
	p.wrap(true)
	p.content.Refresh()
}

// maxRows bounds the rows of a message.
const maxRows = 20_000

// wrap shows the lines, wrapped to the width of the pane.
func (p *pane) wrap(changed bool) {
	letter := fyne.MeasureText("m", theme.Size(theme.SizeNameText), fyne.TextStyle{Monospace: true}).Width
	columns := max(int((p.Size().Width-2*theme.Size(theme.SizeNamePadding)-theme.Size(theme.SizeNameScrollBar))/letter), 10)
	if columns == p.column && !changed {
		return
	}
	p.column = columns
	rows := make([]widget.TextGridRow, 0, len(p.lines))
	p.found = p.found[:0]
	for _, l := range p.lines {
		if len(rows) >= maxRows {
			break
		}
		found := p.find != "" && strings.Contains(strings.ToLower(l.name+l.text), p.find)
		if found {
			p.found = append(p.found, len(rows))
		}
		rows = append(rows, gridRows(l, columns, found)...)
	}
	p.text.set(rows)
}

// nameStyle is the style of the names of header fields, foundStyle that of lines with
// the text that is searched for.
var (
	nameStyle  = &widget.CustomTextGridStyle{TextStyle: fyne.TextStyle{Bold: true}}
	foundStyle = &foundRow{}
)

// foundRow is the style of a found line, in the colours of the current theme.
type foundRow struct{}

// Style implements widget.TextGridStyle.
func (*foundRow) Style() fyne.TextStyle { return fyne.TextStyle{} }

// TextColor implements widget.TextGridStyle.
func (*foundRow) TextColor() color.Color { return theme.Color(theme.ColorNameForeground) }

// BackgroundColor implements widget.TextGridStyle.
func (*foundRow) BackgroundColor() color.Color { return theme.Color(theme.ColorNameSelection) }

// tabWidth is the distance of tab stops.
const tabWidth = 4

// gridRows returns a line as rows of at most columns characters.
func gridRows(l line, columns int, found bool) []widget.TextGridRow {
	var rows []widget.TextGridRow
	var cells []widget.TextGridCell
	add := func(r rune, style widget.TextGridStyle) {
		if len(cells) == columns {
			rows = append(rows, widget.TextGridRow{Cells: cells})
			cells = nil
		}
		cells = append(cells, widget.TextGridCell{Rune: r, Style: style})
	}
	var rest widget.TextGridStyle
	if found {
		rest = foundStyle
	}
	for _, r := range l.name {
		add(r, nameStyle)
	}
	for _, r := range l.text {
		if r != '\t' {
			add(r, rest)
			continue
		}
		for add(' ', rest); len(cells)%tabWidth != 0; {
			add(' ', rest)
		}
	}
	return append(rows, widget.TextGridRow{Cells: cells})
}

// search marks the lines that contain text, and scrolls to the first.
func (p *pane) search(text string) {
	p.find = strings.ToLower(text)
	p.wrap(true)
	if len(p.found) > 0 {
		p.text.scrollTo(p.found[0])
	}
}

// next scrolls to the next found line below the top of the pane, and reports whether
// there is one.
func (p *pane) next() bool {
	height := p.text.rowHeight()
	for _, row := range p.found {
		if float32(row)*height > p.text.scroll.Offset.Y+1 {
			p.text.scrollTo(row)
			return true
		}
	}
	return false
}

// FocusGained implements fyne.Focusable.
func (p *pane) FocusGained() {
	p.ring.StrokeColor = theme.Color(theme.ColorNamePrimary)
	p.ring.Show()
	p.ring.Refresh()
}

// FocusLost implements fyne.Focusable.
func (p *pane) FocusLost() { p.ring.Hide() }

// TypedRune implements fyne.Focusable.
func (p *pane) TypedRune(r rune) {
	if c := fyne.CurrentApp().Driver().CanvasForObject(p); c != nil {
		widgets.ShowKeysOn(c, r)
	}
}

// TypedKey implements fyne.Focusable.
func (p *pane) TypedKey(e *fyne.KeyEvent) {
	if !widgets.ScrollBy(p.text.scroll, e.Name) {
		p.onKey(e)
		return
	}
	p.text.showView()
}

// AccessibilityLabel implements fyne.Accessible.
func (p *pane) AccessibilityLabel() string {
	return widgets.AccessibleText(p.label, p.title.Segment.Text)
}

// AccessibilityRole implements fyne.Accessible.
func (*pane) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }
