package watches

import (
	"fmt"
	"image/color"
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
	"porthole/ui/widgets"
	"porthole/ui/words"
)

// ruleView is a rule as its row shows it, in clean words.
type ruleView struct {
	title, ports, pattern, events string // "" where there is nothing to say
	state                         ruleState
	off, dim                      bool
}

// ruleState is what a rule sees now.
type ruleState struct {
	text, more string
	color      fyne.ThemeColorName
	open       bool
}

// viewOf puts a rule into words.
func viewOf(rule watch.Rule) ruleView {
	v := ruleView{title: monitor.Clean(rule.Name, 200), ports: monitor.Clean(rule.Ports.String(), 200), off: rule.Off, events: eventsText(rule.NotifyOn)}
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

// name is what a rule is called in a sentence.
func (v ruleView) name() string {
	switch {
	case v.title != "":
		return monitor.Clean(v.title, 60)
	case v.ports != "":
		return monitor.Clean(v.ports, 60)
	}
	return monitor.Clean(v.pattern, 60)
}

// eventsText says what a rule tells of where that is not everything.
func eventsText(tell watch.NotifyOn) string {
	var words []string
	for i, of := range allEvents {
		if tell&of != 0 {
			words = append(words, eventLabels()[i])
		}
	}
	if len(words) == 0 || len(words) == len(allEvents) {
		return ""
	}
	return lang.L("notifies only when it {{.What}}", map[string]any{"What": strings.Join(words, ", ")})
}

// allEvents is all that a rule can tell of, in the order in which it is shown.
var allEvents = [...]watch.NotifyOn{watch.OnOpen, watch.OnClose, watch.OnOwnerChange, watch.OnExposed}

func eventLabels() [len(allEvents)]string {
	return [...]string{lang.L("opens"), lang.L("closes"), lang.L("changes owner"), lang.L("is exposed to the network")}
}

// stateOf is what a rule sees in s.
func stateOf(rule watch.Rule, s monitor.Snapshot) ruleState {
	if rule.Off {
		return ruleState{text: lang.L("off"), color: table.ColorMuted}
	}
	found := rule.Listeners(s)
	if len(found) == 0 {
		return closedState(rule, s)
	}
	_, single := rule.Ports.Single()
	exposed := reachableFirst(found)
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

// closedState is that of a rule which nothing matches: others may still have
// its ports.
func closedState(rule watch.Rule, s monitor.Snapshot) ruleState {
	state := ruleState{text: "○ " + lang.L("free"), color: table.ColorMuted}
	if rule.FollowsService() {
		state.text = "○ " + lang.L("not running")
		return state
	}
	if others := (watch.Rule{Ports: rule.Ports}).Listeners(s); len(others) > 0 {
		_, single := rule.Ports.Single()
		state.text, state.more = "○ "+lang.L("used by another process"), ownersText(others, !single)
	}
	return state
}

// reachableFirst puts what the network can reach first and returns how many
// these are.
func reachableFirst(found []*monitor.Listener) (exposed int) {
	for i, l := range found {
		if l.Exposure == monitor.ExposureNetwork {
			copy(found[exposed+1:i+1], found[exposed:i])
			found[exposed] = l
			exposed++
		}
	}
	return exposed
}

// ownersText names the first few listeners, with their ports where these differ.
func ownersText(found []*monitor.Listener, ports bool) string {
	const most = 8
	var parts []string
	for _, l := range found[:min(len(found), most)] {
		who := words.Owner(l)
		if ports {
			who = fmt.Sprintf("%d %s", l.Port, who)
		}
		if !slices.Contains(parts, who) {
			parts = append(parts, who)
		}
	}
	if len(found) > most {
		parts = append(parts, "…")
	}
	return strings.Join(parts, ", ")
}

const (
	ruleHeight   = 50
	buttonSize   = 28
	ruleMargin   = 12
	ruleWords    = 48 // where the words begin
	ruleButtons  = 4*buttonSize + ruleMargin
	stateWidth   = 0.44 // of what words and state share
	wordsSpacing = 10
)

// ruleList is the list of rules. It takes Fyne's scrolling and reuse of rows;
// the selection and the keys are the page's.
type ruleList struct {
	widget.List
	page    *Page
	rows    []*ruleRow // that were ever made: as many as fit
	focused bool
	clicked int // the row of the last click
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
		if r.index < 0 { // in use now; Fyne makes some only to measure them
			l.rows = append(l.rows, r)
		}
		r.index = i
		r.show()
	}
	l.HideSeparators = true
	l.ExtendBaseWidget(l)
	return l
}

// show paints the rows that differ.
func (l *ruleList) show() {
	for _, r := range l.rows {
		r.show()
	}
}

// FocusGained is Fyne's.
func (l *ruleList) FocusGained() {
	l.focused = true
	l.page.choose(max(l.page.selected, 0))
}

// FocusLost is Fyne's.
func (l *ruleList) FocusLost() {
	l.focused = false
	l.show()
}

// TypedKey is Fyne's.
func (l *ruleList) TypedKey(e *fyne.KeyEvent) { l.page.key(e) }

// TypedRune is Fyne's.
func (l *ruleList) TypedRune(rune) {}

// click selects a row, and edits it where it is the second click.
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

// ruleRow shows one rule. The list uses a few of them for all rules.
type ruleRow struct {
	widget.BaseWidget
	page    *Page
	index   int
	painted paintedRow
	hovered bool

	ground, line, edge *canvas.Rectangle
	words              [5]*canvas.Text // those of both lines
	mark, text, more   *canvas.Text    // of the state
	on                 *widgets.RowButton
	buttons            []*widgets.RowButton
}

// paintedRow is all that a row depends on.
type paintedRow struct {
	view                       ruleView
	width                      float32
	selected, focused, hovered bool
	first, last, can           bool
}

func newRuleRow(p *Page) *ruleRow {
	r := &ruleRow{page: p, index: -1, ground: canvas.NewRectangle(color.Transparent),
		line: canvas.NewRectangle(color.Transparent), edge: canvas.NewRectangle(color.Transparent)}
	for i := range r.words {
		r.words[i] = canvas.NewText("", color.Transparent)
	}
	r.mark = widgets.NewMark()
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

// CreateRenderer is Fyne's.
func (r *ruleRow) CreateRenderer() fyne.WidgetRenderer {
	objects := []fyne.CanvasObject{r.ground, r.line, r.edge, r.mark, r.text, r.more, r.on}
	for _, w := range r.words {
		objects = append(objects, w)
	}
	for _, b := range r.buttons {
		objects = append(objects, b)
	}
	return &ruleRenderer{r, objects}
}

type ruleRenderer struct {
	r       *ruleRow
	objects []fyne.CanvasObject
}

func (x *ruleRenderer) Destroy() {}

func (x *ruleRenderer) Objects() []fyne.CanvasObject { return x.objects }

func (x *ruleRenderer) MinSize() fyne.Size { return fyne.NewSize(0, ruleHeight) }

func (x *ruleRenderer) Layout(fyne.Size) { x.r.show() }

// Refresh is called for a change of the theme too: everything is painted anew.
func (x *ruleRenderer) Refresh() {
	x.r.painted = paintedRow{}
	x.r.show()
}

// show paints the row where it differs from what is shown.
func (r *ruleRow) show() {
	p := r.page
	if r.index < 0 || r.index >= len(p.views) || r.Size().Width == 0 {
		return
	}
	next := paintedRow{view: p.views[r.index], width: r.Size().Width, hovered: r.hovered, can: p.editable(),
		selected: r.index == p.selected, first: r.index == 0, last: r.index == len(p.views)-1}
	next.focused = next.selected && p.list.focused
	if next != r.painted {
		r.painted = next
		r.paint()
	}
}

func (r *ruleRow) paint() {
	p := r.painted
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
	share := max(p.width-ruleWords-ruleButtons-ruleMargin, 0)
	r.paintWords(share * (1 - stateWidth))
	r.paintState(ruleWords+share*(1-stateWidth)+ruleMargin, share*stateWidth-ruleMargin)
	r.paintButtons()
}

// piece is some words of one look.
type piece struct {
	text       string
	bold, mono bool
	muted      bool
}

// paintWords says what the rule is: its name, or else its ports, on the first
// line; all else on the second.
func (r *ruleRow) paintWords(width float32) {
	v := r.painted.view
	first := []piece{{v.ports, false, true, false}, {v.pattern, v.ports == "", false, false}}
	second := []piece{{v.events, false, false, true}}
	if v.title != "" {
		first = []piece{{v.title, true, false, false}}
		second = []piece{{v.ports, false, true, true}, {v.pattern, false, false, true}, {v.events, false, false, true}}
	}
	for _, w := range r.words {
		w.Hide()
	}
	y, lower := r.lines(len(strings.TrimSpace(v.pattern+v.events+v.ports)) > 0 && (v.title != "" || v.events != ""))
	r.pieces(r.words[:2], first, y, width, theme.SizeNameText)
	r.pieces(r.words[2:], second, lower, width, theme.SizeNameCaptionText)
}

// lines is where one or two lines of words begin.
func (r *ruleRow) lines(two bool) (upper, lower float32) {
	if two {
		return 6, 27
	}
	return (ruleHeight - 18) / 2, 27
}

// pieces puts words side by side, as many as fit.
func (r *ruleRow) pieces(texts []*canvas.Text, all []piece, y, width float32, size fyne.ThemeSizeName) {
	x, end := float32(ruleWords), ruleWords+width
	for i, p := range all {
		if p.text == "" || x >= end {
			continue
		}
		t, name := texts[i], theme.ColorNameForeground
		if p.muted || r.painted.view.off {
			name = table.ColorMuted
		}
		t.TextStyle = fyne.TextStyle{Bold: p.bold, Monospace: p.mono}
		x += r.put(t, p.text, name, size, fyne.NewPos(x, y), end-x) + wordsSpacing
	}
}

// put shows text at a place, as much of it as fits, and returns its width.
func (r *ruleRow) put(t *canvas.Text, text string, name fyne.ThemeColorName, size fyne.ThemeSizeName, at fyne.Position, width float32) float32 {
	if r.painted.view.dim {
		name = theme.ColorNameDisabled
	}
	t.TextSize, t.Color = theme.Size(size), theme.Color(name)
	if size == theme.SizeNameCaptionText {
		t.TextSize += 0.5
	}
	t.Text = table.Fit(text, width, t.TextSize, t.TextStyle)
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
	shape, words := widgets.SplitMark(s.text)
	left := x
	if shape != "" {
		left += r.put(r.mark, shape, s.color, theme.SizeNameText, fyne.NewPos(x, y), width) + 5
	}
	r.mark.Hidden = shape == ""
	r.put(r.text, words, s.color, theme.SizeNameText, fyne.NewPos(left, y), width+x-left)
	r.put(r.more, s.more, table.ColorMuted, theme.SizeNameCaptionText, fyne.NewPos(x, lower), width)
}

func (r *ruleRow) paintButtons() {
	p := r.painted
	icon, name := theme.CheckButtonCheckedIcon(), theme.ColorNamePrimary
	if p.view.off {
		icon, name = theme.CheckButtonIcon(), table.ColorMuted
	}
	y := float32(ruleHeight-buttonSize) / 2
	r.on.Set(icon, name, p.can)
	r.on.Move(fyne.NewPos(ruleMargin, y))
	r.on.Resize(fyne.NewSquareSize(buttonSize))
	name = table.ColorMuted
	if p.selected || p.hovered {
		name = theme.ColorNameForeground
	}
	for i, b := range r.buttons {
		enabled := p.can && (i != 1 || !p.first) && (i != 2 || !p.last)
		b.Set(b.Icon, name, enabled)
		b.Move(fyne.NewPos(p.width-ruleMargin-float32(len(r.buttons)-i)*buttonSize, y))
		b.Resize(fyne.NewSquareSize(buttonSize))
	}
}

// fillRect puts a rectangle in its place, transparent where it has no colour.
func fillRect(r *canvas.Rectangle, name fyne.ThemeColorName, at fyne.Position, size fyne.Size) {
	r.FillColor = color.Transparent
	if name != "" {
		r.FillColor = theme.Color(name)
	}
	r.Move(at)
	r.Resize(size)
	r.Refresh()
}

// hover lights the row while the pointer is on it or on one of its buttons, and
// says what the button does.
func (r *ruleRow) hover(label string, in bool) {
	r.hovered = in
	r.page.showHint(label)
	r.show()
}

// Tapped is Fyne's.
func (r *ruleRow) Tapped(*fyne.PointEvent) { r.page.list.click(r.index) }

// MouseIn is Fyne's.
func (r *ruleRow) MouseIn(*desktop.MouseEvent) { r.hover("", true) }

// MouseMoved is Fyne's.
func (r *ruleRow) MouseMoved(*desktop.MouseEvent) {}

// MouseOut is Fyne's.
func (r *ruleRow) MouseOut() { r.hover("", false) }

var (
	_ fyne.Tappable     = (*ruleRow)(nil)
	_ desktop.Hoverable = (*ruleRow)(nil)
)

// AccessibilityLabel says what the list is.
func (*ruleList) AccessibilityLabel() string { return lang.L("Watches") }

// AccessibilityRole is Fyne's.
func (*ruleList) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleContainer }

// AccessibilityLabel is the rule and how it stands.
func (r *ruleRow) AccessibilityLabel() string {
	v := r.painted.view
	return widgets.AccessibleText(strings.TrimSpace(v.title+" "+v.ports+" "+v.pattern), v.state.text+" "+v.state.more)
}

// AccessibilityRole is Fyne's.
func (*ruleRow) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }
