package history

import (
	"image/color"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"porthole/monitor/history"
	"porthole/ui/table"
	uitheme "porthole/ui/theme"
	"porthole/ui/widgets"
)

// chartHours is the number of hours in the chart.
const chartHours = 24

// hourChart shows a bar for each of the last chartHours hours. A click on a bar selects the hour.
type hourChart struct {
	widget.BaseWidget
	onChoose func(end time.Time)
	zone     *time.Location

	from     time.Time // start of the first hour; zero if unknown
	counts   [chartHours]int
	filtered bool      // the counts are only of events that match the filter
	until    time.Time // end of the selected hour; zero for none
	hovered  int       // index of the hour under the pointer or the keyboard focus; -1 for none
	focused  bool

	bars          [chartHours]*canvas.Rectangle
	ticks         [chartHours / 6]*canvas.Text
	base          *canvas.Rectangle
	title, detail *canvas.Text
}

func newHourChart(onChoose func(time.Time)) *hourChart {
	c := &hourChart{onChoose: onChoose, hovered: -1, zone: time.UTC, base: canvas.NewRectangle(color.Transparent), title: widgets.NewCaption(), detail: widgets.NewCaption()}
	for i := range c.bars {
		c.bars[i] = canvas.NewRectangle(color.Transparent)
		c.bars[i].CornerRadius = 2
	}
	for i := range c.ticks {
		c.ticks[i] = widgets.NewCaption()
		c.ticks[i].TextSize = theme.Size(theme.SizeNameCaptionText) - 1
	}
	c.ExtendBaseWidget(c)
	return c
}

// firstHour returns the start of the first hour in the chart. Hours are full hours in UTC, as in
// the history.
func firstHour(now time.Time) time.Time {
	return now.UTC().Truncate(time.Hour).Add(-(chartHours - 1) * time.Hour)
}

// set shows the counts of the hours since from, with labels in zone. filtered means that they are
// not of all events.
func (c *hourChart) set(from time.Time, hours []history.HourCount, filtered bool, zone *time.Location) {
	c.from, c.filtered, c.zone, c.counts = from, filtered, zone, [chartHours]int{}
	for _, h := range hours {
		if i := int(h.Start.Sub(from) / time.Hour); i >= 0 && i < chartHours {
			c.counts[i] += h.Count
		}
	}
	c.Refresh()
}

// choose marks the hour that ends at until as selected.
func (c *hourChart) choose(until time.Time) {
	c.until = until
	c.Refresh()
}

func (c *hourChart) sum() int {
	sum := 0
	for _, n := range c.counts {
		sum += n
	}
	return sum
}

// detailText describes the hour under the pointer, or else the selected one.
func (c *hourChart) detailText() string {
	i := c.hovered
	if i < 0 && !c.until.IsZero() {
		i = int(c.until.Sub(c.from)/time.Hour) - 1
	}
	if i < 0 || i >= chartHours || c.from.IsZero() {
		return ""
	}
	start := c.from.Add(time.Duration(i) * time.Hour).In(c.zone)
	return lang.N("{{.From}}–{{.To}}: {{.Count}} events", c.counts[i], map[string]any{
		"From": start.Format("15:04"), "To": start.Add(time.Hour).Format("15:04"), "Count": c.counts[i]})
}

// CreateRenderer implements fyne.Widget.
func (c *hourChart) CreateRenderer() fyne.WidgetRenderer {
	objects := []fyne.CanvasObject{c.base, c.title, c.detail}
	for _, b := range c.bars {
		objects = append(objects, b)
	}
	for _, t := range c.ticks {
		objects = append(objects, t)
	}
	min := fyne.NewSize(chartHours*6, barsTop+barHeight+16)
	return &widgets.Renderer{Min: min, Parts: objects, Place: c.place, Repaint: func() { c.place(c.Size()) }}
}

const (
	barsTop   = 20 // below the captions
	barHeight = 34
)

// place sets the heights of the bars, relative to the highest.
func (c *hourChart) place(s fyne.Size) {
	highest, width := 1, s.Width/chartHours
	for _, n := range c.counts {
		highest = max(highest, n)
	}
	title := lang.L("Events in the last 24 hours")
	if c.filtered {
		title = lang.L("Matching events in the last 24 hours")
	}
	widgets.SetText(c.title, title, table.ColorMuted)
	widgets.SetText(c.detail, c.detailText(), theme.ColorNameForeground)
	c.title.Resize(c.title.MinSize())
	c.detail.Resize(c.detail.MinSize())
	c.detail.Move(fyne.NewPos(s.Width-c.detail.MinSize().Width, 0))
	for i, b := range c.bars {
		height := float32(2)
		name := table.ColorLine
		if n := c.counts[i]; n > 0 {
			height, name = max(barHeight*float32(n)/float32(highest), 4), theme.ColorNamePrimary
		}
		b.FillColor = theme.Color(name)
		switch end := c.from.Add(time.Duration(i+1) * time.Hour); {
		case i == c.hovered, !c.until.IsZero() && end.Equal(c.until):
			b.FillColor = theme.Color(uitheme.ColorAlert)
		case c.counts[i] > 0:
			b.FillColor = faint(b.FillColor)
		}
		b.Move(fyne.NewPos(float32(i)*width+1.5, barsTop+barHeight-height))
		b.Resize(fyne.NewSize(width-3, height))
	}
	name, thick := theme.ColorNameSeparator, float32(1)
	if c.focused {
		name, thick = theme.ColorNamePrimary, 2
	}
	widgets.Fill(c.base, name)
	c.base.Move(fyne.NewPos(0, barsTop+barHeight))
	c.base.Resize(fyne.NewSize(s.Width, thick))
	for i, t := range c.ticks {
		text := ""
		if !c.from.IsZero() {
			text = c.from.Add(time.Duration(i*6) * time.Hour).In(c.zone).Format("15:04")
		}
		widgets.SetText(t, text, table.ColorMuted)
		t.Resize(t.MinSize())
		t.Move(fyne.NewPos(float32(i*6)*width+1.5, barsTop+barHeight+2))
	}
	canvas.Refresh(c)
}

// faint returns c at two thirds of its opacity, so that the selected bar stands out.
func faint(c color.Color) color.Color {
	n, ok := c.(color.NRGBA)
	if ok {
		n.A = 0xaa
		return n
	}
	return c
}

func (c *hourChart) at(x float32) int {
	if c.from.IsZero() || c.Size().Width <= 0 || x < 0 {
		return -1
	}
	return min(int(x/(c.Size().Width/chartHours)), chartHours-1)
}

// Tapped selects the hour, or clears the selection.
func (c *hourChart) Tapped(e *fyne.PointEvent) { c.press(c.at(e.Position.X)) }

func (c *hourChart) press(i int) {
	if i < 0 || c.from.IsZero() {
		return
	}
	end := c.from.Add(time.Duration(i+1) * time.Hour)
	if end.Equal(c.until) {
		end = time.Time{}
	}
	c.onChoose(end)
}

// MouseIn implements desktop.Hoverable.
func (c *hourChart) MouseIn(e *desktop.MouseEvent) { c.MouseMoved(e) }

// MouseMoved implements desktop.Hoverable.
func (c *hourChart) MouseMoved(e *desktop.MouseEvent) {
	if i := c.at(e.Position.X); i != c.hovered {
		c.hovered = i
		c.Refresh()
	}
}

// MouseOut implements desktop.Hoverable.
func (c *hourChart) MouseOut() { c.hovered = -1; c.Refresh() }

// FocusGained implements fyne.Focusable. It moves the keyboard to the last hour.
func (c *hourChart) FocusGained() {
	c.focused, c.hovered = true, chartHours-1
	c.Refresh()
}

// FocusLost implements fyne.Focusable.
func (c *hourChart) FocusLost() {
	c.focused, c.hovered = false, -1
	c.Refresh()
}

// TypedKey implements fyne.Focusable: the arrow keys move between hours, Enter and Space select
// one.
func (c *hourChart) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeyLeft:
		c.hovered = max(c.hovered-1, 0)
		c.Refresh()
	case fyne.KeyRight:
		c.hovered = min(c.hovered+1, chartHours-1)
		c.Refresh()
	case fyne.KeyReturn, fyne.KeyEnter, fyne.KeySpace:
		c.press(c.hovered)
	default:
		widgets.PassKey(c, e)
	}
}

// TypedRune implements fyne.Focusable. Typed characters go to the filter, except for the space,
// which TypedKey handles.
func (c *hourChart) TypedRune(r rune) {
	if canvas := fyne.CurrentApp().Driver().CanvasForObject(c); canvas != nil && r != ' ' && canvas.OnTypedRune() != nil {
		canvas.OnTypedRune()(r)
	}
}

// Cursor implements desktop.Cursorable.
func (c *hourChart) Cursor() desktop.Cursor { return desktop.PointerCursor }

var (
	_ fyne.Tappable     = (*hourChart)(nil)
	_ fyne.Focusable    = (*hourChart)(nil)
	_ desktop.Hoverable = (*hourChart)(nil)
)

// AccessibilityLabel returns the title of the chart and the description of the current hour.
func (c *hourChart) AccessibilityLabel() string {
	return widgets.AccessibleText(c.title.Text, c.detail.Text)
}

// AccessibilityRole implements fyne.Accessible.
func (*hourChart) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleContainer }
