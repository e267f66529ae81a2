package watches

import (
	"fmt"
	"image/color"
	"net/url"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"porthole/monitor"
	"porthole/monitor/watch"
	"porthole/ui/table"
	uitheme "porthole/ui/theme"
	"porthole/ui/tooltip"
	"porthole/ui/widgets"
	"porthole/ui/words"
)

// ruleView is a rule as text, as its row shows it, without control characters.
type ruleView struct {
	title, ports, pattern, events string // "" if empty
	state                         ruleState
	off, dim                      bool
}

// ruleState is the current state of a rule.
type ruleState struct {
	text, more string
	color      fyne.ThemeColorName
	open       bool
}

// viewOf returns the view of a rule without its state.
func viewOf(rule watch.Rule) ruleView {
	v := ruleView{title: monitor.Clean(rule.Name, 200), ports: monitor.Clean(rule.PortsText(), 200), off: rule.Off, events: extrasText(rule)}
	data := map[string]any{"Pattern": monitor.Clean(rule.Match.String(), 200)}
	switch {
	case rule.Match.IsZero():
	case rule.FollowsService():
		v.pattern = lang.L("“{{.Pattern}}” on any port", data)
	default:
		v.pattern = lang.L("only “{{.Pattern}}”", data)
	}
	return v
}

// name returns how to refer to the rule in a sentence.
func (v ruleView) name() string {
	switch {
	case v.title != "":
		return monitor.Clean(v.title, 60)
	case v.ports != "":
		return monitor.Clean(v.ports, 60)
	}
	return monitor.Clean(v.pattern, 60)
}

// extrasText describes which events the rule notifies about, and how, as far as that is not the
// default.
func extrasText(rule watch.Rule) string {
	var parts []string
	if events := eventsText(rule.NotifyOn); events != "" {
		parts = append(parts, events)
	}
	if rule.Urgency == watch.Critical {
		parts = append(parts, lang.L("urgent"))
	}
	if len(rule.Run) > 0 {
		parts = append(parts, lang.L("runs a command"))
	}
	if u, err := url.Parse(rule.Post); rule.Post != "" && err == nil {
		parts = append(parts, lang.L("posts to {{.Host}}", map[string]any{"Host": monitor.Clean(u.Hostname(), 60)}))
	}
	return strings.Join(parts, " · ")
}

// eventsText lists the events that a rule notifies about; "" if it is all of them.
func eventsText(notifyOn watch.NotifyOn) string {
	var labels []string
	for i, kind := range allEvents {
		if notifyOn&kind != 0 {
			labels = append(labels, eventLabels()[i])
		}
	}
	if len(labels) == 0 || len(labels) == len(allEvents) {
		return ""
	}
	return lang.L("notifies only when it {{.What}}", map[string]any{"What": strings.Join(labels, ", ")})
}

// allEvents are all events that a rule can notify about, in display order.
var allEvents = [...]watch.NotifyOn{watch.OnOpen, watch.OnClose, watch.OnOwnerChange, watch.OnExposed}

func eventLabels() [len(allEvents)]string {
	return [...]string{lang.L("opens"), lang.L("closes"), lang.L("changes owner"), lang.L("is exposed to the network")}
}

// stateOf returns the state of a rule in snapshot s.
func stateOf(rule watch.Rule, s monitor.Snapshot) ruleState {
	if rule.Off {
		return ruleState{text: lang.L("off"), color: table.ColorMuted}
	}
	found := rule.Listeners(s)
	if len(found) == 0 {
		return closedState(rule, s)
	}
	_, single := rule.Ports.Single()
	exposed := exposedFirst(found)
	count := map[string]any{"Count": exposed, "All": len(found)}
	state := ruleState{"● " + lang.L("open"), ownersText(found, !single), uitheme.ColorOpen, true}
	switch {
	case exposed > 0 && (single || len(found) == 1):
		state.text, state.color = "◐ "+lang.L("exposed to the network"), uitheme.ColorAlert
	case exposed > 0:
		state.text, state.color = "◐ "+lang.L("{{.Count}} of {{.All}} exposed to the network", count), uitheme.ColorAlert
	case !single && len(found) > 1:
		state.text = "● " + lang.N("{{.Count}} open", len(found), map[string]any{"Count": words.Number(len(found))})
	}
	return state
}

// closedState returns the state of a rule without matching listeners. Other processes may listen on
// its ports. Whether a server can bind them is unknown here: the cards of the Ports page show it.
func closedState(rule watch.Rule, s monitor.Snapshot) ruleState {
	state := ruleState{text: "○ " + lang.L("closed"), color: table.ColorMuted}
	if rule.FollowsService() {
		state.text = "○ " + lang.L("not running")
		return state
	}
	if others := (watch.Rule{Ports: rule.Ports, Except: rule.Except, Protocol: rule.Protocol}).Listeners(s); len(others) > 0 {
		_, single := rule.Ports.Single()
		state.text, state.more = "○ "+lang.L("used by another process"), ownersText(others, !single)
	}
	return state
}

// exposedFirst moves exposed listeners to the front and returns their number.
func exposedFirst(found []*monitor.Listener) (exposed int) {
	for i, l := range found {
		if l.Exposure == monitor.ExposureNetwork {
			copy(found[exposed+1:i+1], found[exposed:i])
			found[exposed] = l
			exposed++
		}
	}
	return exposed
}

// ownersText lists the owners of the first few listeners, with their ports if ports is true.
func ownersText(found []*monitor.Listener, ports bool) string {
	const limit = 8
	var parts []string
	for _, l := range found[:min(len(found), limit)] {
		owner := words.Owner(l)
		if ports {
			owner = fmt.Sprintf("%d %s", l.Port, owner)
		}
		if !slices.Contains(parts, owner) {
			parts = append(parts, owner)
		}
	}
	if len(found) > limit {
		parts = append(parts, "…")
	}
	return strings.Join(parts, ", ")
}

const (
	ruleHeight   = 50
	buttonSize   = 28
	ruleMargin   = 12
	ruleTextLeft = 48 // horizontal position of the texts
	ruleButtons  = 4*buttonSize + ruleMargin
	stateWidth   = 0.44 // share of the width of texts and state
	textSpacing  = 10
)

// ruleList is the list of rules. It uses scrolling and row reuse of Fyne's list. The page owns the
// selection and handles the keys.
type ruleList struct {
	widget.List
	page    *Page
	rows    []*ruleRow // all rows created so far: as many as fit
	focused bool
	clicked int // row of the last click
	at      time.Time
}

func newRuleList(p *Page) *ruleList {
	l := &ruleList{page: p}
	l.Length = func() int { return len(p.views) }
	l.CreateItem = func() fyne.CanvasObject { return newRuleRow(p) }
	l.UpdateItem = func(i widget.ListItemID, o fyne.CanvasObject) {
		r, ok := o.(*ruleRow)
		if !ok {
			return
		}
		if r.index < 0 { // first use; Fyne creates some rows only to measure them
			l.rows = append(l.rows, r)
		}
		r.index = i
		r.show()
	}
	l.HideSeparators = true
	l.ExtendBaseWidget(l)
	return l
}

// show repaints the rows that differ.
func (l *ruleList) show() {
	for _, r := range l.rows {
		r.show()
	}
}

// FocusGained implements fyne.Focusable.
func (l *ruleList) FocusGained() {
	l.focused = true
	l.page.choose(max(l.page.selected, 0))
}

// FocusLost implements fyne.Focusable.
func (l *ruleList) FocusLost() {
	l.focused = false
	l.show()
}

// TypedKey implements fyne.Focusable.
func (l *ruleList) TypedKey(e *fyne.KeyEvent) { l.page.key(e) }

// TypedRune implements fyne.Focusable.
func (l *ruleList) TypedRune(rune) {}

// click selects a row. A second click (double click) edits its rule.
func (l *ruleList) click(i int) {
	table.FocusOn(l)
	l.page.choose(i)
	if i == l.clicked && time.Since(l.at) <= fyne.CurrentApp().Driver().DoubleTapDelay() {
		l.at = time.Time{}
		l.page.edit(i)
		return
	}
	l.clicked, l.at = i, time.Now()
}

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

// AccessibilityLabel returns the name of the list.
func (*ruleList) AccessibilityLabel() string { return lang.L("Watches") }

// AccessibilityRole implements fyne.Accessible.
func (*ruleList) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleContainer }

// AccessibilityLabel returns the rule and its state.
func (r *ruleRow) AccessibilityLabel() string {
	v := r.painted.view
	return widgets.AccessibleText(strings.TrimSpace(v.title+" "+v.ports+" "+v.pattern), v.state.text+" "+v.state.more)
}

// AccessibilityRole implements fyne.Accessible.
func (*ruleRow) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }
