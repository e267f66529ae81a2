package history

import (
	"image/color"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"porthole/monitor"
	"porthole/monitor/history"
	"porthole/ui/table"
	uitheme "porthole/ui/theme"
	"porthole/ui/tooltip"
	"porthole/ui/widgets"
	"porthole/ui/words"
)

// eventHeight is the height of a line, in device-independent pixels. Headings have the same height,
// because Fyne's list walks through all rows of unequal height to find one.
const eventHeight = 28

// historyRow is one line: an event or the heading of a day.
type historyRow struct {
	event *history.Event // nil for a heading
	at    time.Time      // in the user's time zone
}

// id returns the event ID; 0 for a heading.
func (r historyRow) id() int64 {
	if r.event == nil {
		return 0
	}
	return r.event.ID
}

// appendRows appends events to rows, with a heading above the first event of each day.
func appendRows(rows []historyRow, events []*history.Event, zone *time.Location) []historyRow {
	last, hasRows := 0, len(rows) > 0
	if hasRows {
		last = words.DayNumber(rows[len(rows)-1].at)
	}
	for _, e := range events {
		at := e.At.In(zone)
		if day := words.DayNumber(at); !hasRows || day != last {
			rows, last, hasRows = append(rows, historyRow{at: at}), day, true
		}
		rows = append(rows, historyRow{event: e, at: at})
	}
	return rows
}

// eventSentence describes the event.
func eventSentence(e *history.Event) string {
	data := map[string]any{"Who": words.PastOwner(e.Owner), "Time": words.Duration(e.Duration)}
	switch e.Kind {
	case monitor.Opened:
		if e.Exposure.IsExposed() {
			if e.Exposure == monitor.ExposurePublic {
				return lang.L("{{.Who}} opened, reachable from the internet", data)
			}
			return lang.L("{{.Who}} opened, exposed to the network", data)
		}
		return lang.L("{{.Who}} opened", data)
	case monitor.Discovered:
		return lang.L("{{.Who}} was already open", data)
	case monitor.Attempted:
		return lang.N("closed, and something tried to connect at least {{.Count}} times", e.Attempts, map[string]any{"Count": words.Number(e.Attempts)})
	case monitor.Connected:
		if e.Client.IsZero() {
			return lang.L("a program that was not identified connected to {{.Who}} for the first time", data)
		}
		data["Client"] = words.Sentence(e.Client.Clean(60).Sentence())
		return lang.L("{{.Client}} connected to {{.Who}} for the first time", data)
	case monitor.Unhealthy:
		data["Why"], data["Path"] = words.Sentence(e.Health.Sentence()), monitor.Clean(e.Health.Path, 60)
		return lang.L("{{.Who}} is unhealthy: {{.Why}} ({{.Path}})", data)
	case monitor.Healthy:
		return lang.L("{{.Who}} is healthy again after {{.Time}}", data)
	case monitor.Closed:
		if e.Stopped != "" {
			return lang.L("{{.Sentence}}, stopped by you ({{.How}})", map[string]any{"Sentence": closedSentence(e, data), "How": monitor.Clean(e.Stopped, 120)})
		}
		if how := words.Exit(e.Exit); how != "" {
			return lang.L("{{.Sentence}}: it {{.How}}", map[string]any{"Sentence": closedSentence(e, data), "How": how})
		}
		return closedSentence(e, data)
	case monitor.OwnerChanged:
		data["Before"] = lang.L("unknown process")
		if e.OwnerBefore != nil {
			data["Before"] = words.PastOwner(*e.OwnerBefore)
		}
		return lang.L("owner changed from {{.Before}} to {{.Who}}", data)
	case monitor.ExposureChanged:
		if e.Exposure.IsExposed() {
			if e.Exposure == monitor.ExposurePublic {
				return lang.L("{{.Who}} is now reachable from the internet", data)
			}
			if e.ExposureBefore == monitor.ExposurePublic {
				return lang.L("{{.Who}} is no longer reachable from the internet", data)
			}
			return lang.L("{{.Who}} is now exposed to the network", data)
		}
		return lang.L("{{.Who}} is now local only", data)
	}
	return lang.L("{{.Who}} changed", data)
}

func closedSentence(e *history.Event, data map[string]any) string {
	switch {
	case e.Unobserved:
		return lang.L("{{.Who}} closed while Porthole was not running", data)
	case e.Certainty() == history.AtLeast:
		return lang.L("{{.Who}} closed after at least {{.Time}}", data)
	case e.Certainty() != history.Exact:
		return lang.L("{{.Who}} closed", data)
	case e.Duration < time.Second:
		return lang.L("{{.Who}} closed after less than a second", data)
	}
	return lang.L("{{.Who}} closed after {{.Time}}", data)
}

// eventMark returns the mark of an event. Its shape carries the meaning, its colour only supports
// it.
func eventMark(e *history.Event) (shape string, name fyne.ThemeColorName) {
	switch e.Kind {
	case monitor.Opened:
		return "●", uitheme.ColorOpen
	case monitor.Closed:
		if e.Crashed() {
			return "✖", uitheme.ColorAlert
		}
		return "○", uitheme.ColorClosed
	case monitor.Unhealthy:
		return "✖", uitheme.ColorAlert
	case monitor.Healthy:
		return "●", uitheme.ColorOpen
	case monitor.OwnerChanged:
		return "◆", uitheme.ColorAlert
	case monitor.ExposureChanged:
		return "▲", uitheme.ColorAlert
	}
	return "◌", table.ColorMuted
}

// ownerSummary returns more details of the owner: PID, user, service.
func ownerSummary(o history.Owner) string {
	var parts []string
	if o.PID != 0 {
		parts = append(parts, words.PID(o.PID))
	}
	for _, s := range []string{monitor.Clean(o.User, 24), monitor.Clean(o.Service, 32)} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, " · ")
}

// eventList shows the lines. It uses scrolling and row reuse of Fyne's list, with its own keys.
type eventList struct {
	widget.List
	page    *Page
	focused bool
	hovered int64
}

func newEventList(p *Page) *eventList {
	l := &eventList{page: p}
	l.Length = func() int { return len(p.rows) }
	l.CreateItem = func() fyne.CanvasObject { return newEventRow(l) }
	l.UpdateItem = func(i widget.ListItemID, o fyne.CanvasObject) {
		if w, ok := o.(*eventRow); ok && i < len(p.rows) {
			w.show(p.rows[i])
			p.seen(i)
		}
	}
	l.HideSeparators = true
	l.ExtendBaseWidget(l)
	return l
}

// FocusGained implements fyne.Focusable.
func (l *eventList) FocusGained() { l.focused = true; l.Refresh() }

// FocusLost implements fyne.Focusable.
func (l *eventList) FocusLost() { l.focused = false; l.Refresh() }

// TypedRune implements fyne.Focusable. Typed characters go to the filter.
func (l *eventList) TypedRune(r rune) { l.page.entry.Append(r) }

// TypedKey implements fyne.Focusable: it moves the selection and opens details.
func (l *eventList) TypedKey(e *fyne.KeyEvent) {
	tooltip.Hide()
	p := l.page
	screen := max(int(l.Size().Height/eventHeight)-1, 1)
	switch e.Name {
	case fyne.KeyUp:
		p.move(-1)
	case fyne.KeyDown:
		p.move(1)
	case fyne.KeyPageUp:
		p.move(-screen)
	case fyne.KeyPageDown:
		p.move(screen)
	case fyne.KeyHome:
		p.move(-len(p.rows))
	case fyne.KeyEnd:
		p.move(len(p.rows))
	case fyne.KeyReturn, fyne.KeyEnter:
		if p.index() < 0 {
			p.move(1) // the line that is marked while nothing is selected
		}
		if e := p.chosen(); e != nil {
			p.open(e)
		}
	default:
		p.keys(e)
	}
}

// eventRow shows one line. The list reuses a few of them for all lines.
type eventRow struct {
	widget.BaseWidget
	list *eventList
	row  historyRow

	ground, line, edge               *canvas.Rectangle
	time, mark, port, sentence, more *canvas.Text
}

func newEventRow(l *eventList) *eventRow {
	transparent := color.Color(color.Transparent)
	w := &eventRow{list: l, ground: canvas.NewRectangle(transparent), line: canvas.NewRectangle(transparent), edge: canvas.NewRectangle(transparent)}
	for _, t := range []**canvas.Text{&w.time, &w.mark, &w.port, &w.sentence, &w.more} {
		*t = canvas.NewText("", transparent)
	}
	w.mark = widgets.NewSymbol()
	w.time.TextStyle.Monospace, w.port.TextStyle.Monospace = true, true
	w.ExtendBaseWidget(w)
	return w
}

// CreateRenderer implements fyne.Widget.
func (w *eventRow) CreateRenderer() fyne.WidgetRenderer {
	parts := []fyne.CanvasObject{w.ground, w.line, w.edge, w.time, w.mark, w.port, w.sentence, w.more}
	return &widgets.Renderer{Min: fyne.NewSize(0, eventHeight), Parts: parts, Place: w.place, Repaint: w.paint}
}

func (w *eventRow) place(s fyne.Size) {
	w.ground.Resize(s)
	w.line.Move(fyne.NewPos(0, s.Height-1))
	w.line.Resize(fyne.NewSize(s.Width, 1))
	w.edge.Resize(fyne.NewSize(3, s.Height))
	w.paint()
}

func (w *eventRow) show(row historyRow) {
	w.row = row
	w.paint()
}

// Horizontal positions of the parts of a line.
const (
	timeAt     = 14
	markAt     = 84
	portAt     = 106
	sentenceAt = 194
	detailFrom = 620 // minimum width for showing details of the owner
)

func (w *eventRow) paint() {
	width := w.Size().Width
	if w.row.at.IsZero() || width == 0 {
		return
	}
	e, caption := w.row.event, theme.Size(theme.SizeNameCaptionText)+0.5
	w.paintGround(e)
	for _, t := range []*canvas.Text{w.time, w.mark, w.port, w.more} {
		t.Hidden = e == nil
	}
	text := theme.Size(theme.SizeNameText)
	if e == nil {
		w.sentence.TextStyle.Bold = true
		w.put(w.sentence, words.Day(w.row.at, w.list.page.now()), table.ColorMuted, text, timeAt, width-timeAt)
		return
	}
	w.sentence.TextStyle.Bold = false
	shape, name := eventMark(e)
	w.put(w.time, w.row.at.Format(time.TimeOnly), table.ColorMuted, caption, timeAt, markAt-timeAt)
	w.put(w.mark, shape, name, text, markAt, portAt-markAt)
	w.put(w.port, words.Port(e.Protocol, e.Port), "", text, portAt, sentenceAt-portAt)
	left, right := width-sentenceAt-timeAt, float32(0)
	w.more.Hidden = width < detailFrom
	if !w.more.Hidden {
		detail := ownerSummary(e.Owner)
		right = fyne.MeasureText(detail, caption, w.more.TextStyle).Width
		right = min(right, left*0.4)
		w.put(w.more, detail, table.ColorMuted, caption, width-timeAt-right, right+1)
		right += 16
	}
	w.put(w.sentence, eventSentence(e), "", text, sentenceAt, left-right)
}

func (w *eventRow) paintGround(e *history.Event) {
	ground, edge, rule := fyne.ThemeColorName(""), fyne.ThemeColorName(""), table.ColorLine
	switch {
	case e == nil:
		ground = uitheme.ColorPanel
	case e.ID == w.list.page.selected:
		ground = table.ColorSelected
		if w.list.focused {
			edge = theme.ColorNamePrimary
		}
	case e.ID == w.list.hovered:
		ground = theme.ColorNameHover
	}
	if p := w.list.page; w.list.focused && e != nil && len(p.rows) > 1 && e == p.rows[1].event && p.index() < 0 {
		edge = theme.ColorNamePrimary // the list is focused without a selection: Down selects this line
	}
	widgets.Fill(w.ground, ground)
	widgets.Fill(w.edge, edge)
	widgets.Fill(w.line, rule)
}

// put shows text, truncated to width, vertically centred in the line.
func (w *eventRow) put(t *canvas.Text, text string, name fyne.ThemeColorName, size, x, width float32) {
	if name == "" {
		name = theme.ColorNameForeground
	}
	t.TextSize = size
	if t != w.more { // the last text needs no gap
		width -= 8
	}
	text = table.Fit(text, width, size, t.TextStyle)
	if c := theme.Color(name); t.Text != text || t.Color != c {
		t.Text, t.Color = text, c
		t.Refresh()
	}
	s := fyne.MeasureText(text, size, t.TextStyle)
	t.Resize(s)
	t.Move(fyne.NewPos(x, (eventHeight-s.Height)/2))
}

// Tapped opens the details.
func (w *eventRow) Tapped(*fyne.PointEvent) {
	tooltip.Hide()
	w.list.page.Focus()
	if w.row.event != nil {
		w.list.page.open(w.row.event)
	}
}

// tip returns the texts of the line if one of them is cut or left out.
func (w *eventRow) tip() string {
	e := w.row.event
	if e == nil {
		return ""
	}
	sentence, owner := eventSentence(e), ownerSummary(e.Owner)
	if w.sentence.Text == sentence && !w.more.Hidden && w.more.Text == owner {
		return ""
	}
	return strings.TrimSpace(sentence + "\n" + owner)
}

// point announces the tooltip at the pointer.
func (w *eventRow) point(e *desktop.MouseEvent) {
	if e != nil {
		tooltip.Point(w, w.tip(), e.AbsolutePosition)
	}
}

// MouseIn implements desktop.Hoverable.
func (w *eventRow) MouseIn(e *desktop.MouseEvent) {
	w.list.hovered = w.row.id()
	w.paint()
	w.point(e)
}

// MouseMoved implements desktop.Hoverable.
func (w *eventRow) MouseMoved(e *desktop.MouseEvent) {
	w.point(e)
	if id := w.row.id(); w.list.hovered != id { // the rows moved under a pointer that did not move
		w.list.hovered = id
		w.list.Refresh()
	}
}

// MouseOut implements desktop.Hoverable.
func (w *eventRow) MouseOut() {
	w.list.hovered = 0
	tooltip.Leave(w)
	w.paint()
}

var (
	_ fyne.Tappable     = (*eventRow)(nil)
	_ desktop.Hoverable = (*eventRow)(nil)
)

// AccessibilityLabel returns the name of the list and the selected event.
func (l *eventList) AccessibilityLabel() string {
	if e := l.page.chosen(); e != nil {
		return widgets.AccessibleText(lang.L("History"), words.Port(e.Protocol, e.Port)+" "+eventSentence(e))
	}
	return lang.L("History")
}

// AccessibilityRole implements fyne.Accessible.
func (*eventList) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleContainer }

// AccessibilityLabel returns the text of the line.
func (w *eventRow) AccessibilityLabel() string {
	return strings.TrimSpace(strings.Join([]string{w.time.Text, w.port.Text, w.sentence.Text}, " "))
}

// AccessibilityRole implements fyne.Accessible.
func (*eventRow) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }
