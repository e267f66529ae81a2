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

// chartHours is how far the chart goes back.
const chartHours = 24

// hourChart is a bar for each of the last hours; a click on one chooses it.
type hourChart struct {
	widget.BaseWidget
	onChoose func(end time.Time)
	zone     *time.Location

	from     time.Time // zero where nothing is known
	counts   [chartHours]int
	filtered bool      // they are only of what a filter lets through
	until    time.Time // the end of the chosen hour; zero for none
	hovered  int       // that the pointer or the keyboard is at; -1 for none
	focused  bool

	bars          [chartHours]*canvas.Rectangle
	ticks         [chartHours / 6]*canvas.Text
	base          *canvas.Rectangle
	title, detail *canvas.Text
}

func newHourChart(chosen func(time.Time)) *hourChart {
	c := &hourChart{onChoose: chosen, hovered: -1, zone: time.UTC, base: canvas.NewRectangle(color.Transparent), title: widgets.NewCaption(), detail: widgets.NewCaption()}
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

// firstHour is where the last hours begin: hours as the store counts them.
func firstHour(now time.Time) time.Time {
	return now.UTC().Truncate(time.Hour).Add(-(chartHours - 1) * time.Hour)
}

// set shows the hours from on, in zone; filtered where they are not of all changes.
func (c *hourChart) set(from time.Time, hours []history.HourCount, filtered bool, zone *time.Location) {
	c.from, c.filtered, c.zone, c.counts = from, filtered, zone, [chartHours]int{}
	for _, h := range hours {
		if i := int(h.Start.Sub(from) / time.Hour); i >= 0 && i < chartHours {
			c.counts[i] += h.Count
		}
	}
	c.Refresh()
}

// choose marks the hour that ends then.
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

// detailText say what the hour under the pointer had, or the chosen one.
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

// CreateRenderer is Fyne's.
func (c *hourChart) CreateRenderer() fyne.WidgetRenderer {
	objects := []fyne.CanvasObject{c.base, c.title, c.detail}
	for _, b := range c.bars {
		objects = append(objects, b)
	}
	for _, t := range c.ticks {
		objects = append(objects, t)
	}
	return &hourChartRenderer{c, objects}
}

type hourChartRenderer struct {
	c       *hourChart
	objects []fyne.CanvasObject
}

func (r *hourChartRenderer) Destroy() {}

func (r *hourChartRenderer) Objects() []fyne.CanvasObject { return r.objects }

func (r *hourChartRenderer) MinSize() fyne.Size {
	return fyne.NewSize(chartHours*6, barsAt+barHeight+16)
}

func (r *hourChartRenderer) Refresh() { r.Layout(r.c.Size()) }

const (
	barsAt    = 20 // under the words
	barHeight = 34
)

// Layout gives each bar its height: the highest is the full one.
func (r *hourChartRenderer) Layout(s fyne.Size) {
	c := r.c
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
		b.Move(fyne.NewPos(float32(i)*width+1.5, barsAt+barHeight-height))
		b.Resize(fyne.NewSize(width-3, height))
	}
	name, thick := theme.ColorNameSeparator, float32(1)
	if c.focused {
		name, thick = theme.ColorNamePrimary, 2
	}
	widgets.Fill(c.base, name)
	c.base.Move(fyne.NewPos(0, barsAt+barHeight))
	c.base.Resize(fyne.NewSize(s.Width, thick))
	for i, t := range c.ticks {
		text := ""
		if !c.from.IsZero() {
			text = c.from.Add(time.Duration(i*6) * time.Hour).In(c.zone).Format("15:04")
		}
		widgets.SetText(t, text, table.ColorMuted)
		t.Resize(t.MinSize())
		t.Move(fyne.NewPos(float32(i*6)*width+1.5, barsAt+barHeight+2))
	}
	canvas.Refresh(c)
}

// faint takes a third of c's strength, so that what is chosen stands out.
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

// Tapped chooses the hour, or no longer.
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

// MouseIn is Fyne's.
func (c *hourChart) MouseIn(e *desktop.MouseEvent) { c.MouseMoved(e) }

// MouseMoved is Fyne's.
func (c *hourChart) MouseMoved(e *desktop.MouseEvent) {
	if i := c.at(e.Position.X); i != c.hovered {
		c.hovered = i
		c.Refresh()
	}
}

// MouseOut is Fyne's.
func (c *hourChart) MouseOut() { c.hovered = -1; c.Refresh() }

// FocusGained brings the keyboard to the last hour.
func (c *hourChart) FocusGained() {
	c.focused, c.hovered = true, chartHours-1
	c.Refresh()
}

// FocusLost is Fyne's.
func (c *hourChart) FocusLost() {
	c.focused, c.hovered = false, -1
	c.Refresh()
}

// TypedKey moves from hour to hour, and chooses one.
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

// TypedRune is Fyne's. Whatever is typed filters, a space is a key.
func (c *hourChart) TypedRune(r rune) {
	if canvas := fyne.CurrentApp().Driver().CanvasForObject(c); canvas != nil && r != ' ' && canvas.OnTypedRune() != nil {
		canvas.OnTypedRune()(r)
	}
}

// Cursor is Fyne's.
func (c *hourChart) Cursor() desktop.Cursor { return desktop.PointerCursor }

var (
	_ fyne.Tappable     = (*hourChart)(nil)
	_ fyne.Focusable    = (*hourChart)(nil)
	_ desktop.Hoverable = (*hourChart)(nil)
)

// AccessibilityLabel is the chart's title, and what it says of the hour that the
// keyboard is at.
func (c *hourChart) AccessibilityLabel() string {
	return widgets.AccessibleText(c.title.Text, c.detail.Text)
}

// AccessibilityRole is Fyne's.
func (*hourChart) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleContainer }
