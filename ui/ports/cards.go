package ports

import (
	"cmp"
	"image/color"
	"slices"
	"strconv"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"porthole/monitor"
	"porthole/monitor/connection"
	"porthole/monitor/health"
	"porthole/monitor/inuse"
	"porthole/monitor/label"
	"porthole/monitor/watch"
	"porthole/ui/table"
	uitheme "porthole/ui/theme"
	"porthole/ui/widgets"
	"porthole/ui/words"
)

// cardModel is the content of a card. There is one card for each active watch.
type cardModel struct {
	title  string
	state  string
	color  fyne.ThemeColorName
	detail string
	tip    string // what the health checks found, for the tooltip; "" without them
	port   uint16 // the port that a click shows; 0 if the watch has no single port
}

// cardFacts is what cards are made of.
type cardFacts struct {
	snapshot monitor.Snapshot
	counts   map[string]int                                                             // connections by listener ID
	answer   func(port uint16) inuse.Answer                                             // what is known about a vacant port
	owner    func(*monitor.Listener) string                                             // names the owner of a listener
	last     func(protocol monitor.Protocol, now time.Time, ports monitor.Ports) string // the last owner of ports, as text
	labels   label.Rules                                                                // the user's labels, for ports that nothing listens on
	checks   []health.Check                                                             // what the health checks found
	attempts []connection.Burst                                                         // refused attempts to connect to closed watched ports
	now      time.Time
}

// newCard returns the card of a watch.
func newCard(rule watch.Rule, f cardFacts) cardModel {
	m := cardModel{title: monitor.Clean(cmp.Or(rule.Name, cardPorts(rule)), 40)}
	found := rule.Listeners(f.snapshot)
	_, single := rule.Ports.Single()
	switch len(found) {
	case 0:
		m.showVacant(rule, f)
		return m
	case 1:
		l := found[0]
		m.port, m.detail = l.Port, cardText(l, f)
		if !single || rule.Name != "" {
			m.detail = strconv.Itoa(int(l.Port)) + " · " + m.detail
		}
	default:
		var names []string
		for _, l := range found {
			names = append(names, strconv.Itoa(int(l.Port))+" "+f.owner(l))
		}
		m.detail = strings.Join(names, ", ")
		m.port = found[0].Port
	}
	m.state, m.color = "● "+lang.N("{{.Count}} listening", len(found), map[string]any{"Count": words.Number(len(found))}), uitheme.ColorOpen
	for _, l := range found {
		if l.Exposure.IsExposed() {
			m.state, m.color = "◐ "+words.ExposedShort(l), uitheme.ColorAlert
			if l.Exposure == monitor.ExposurePublic {
				break
			}
		}
	}
	m.showHealth(rule, found, f)
	return m
}

// cardPorts returns the ports of a watch, or what it matches if it has no ports.
func cardPorts(rule watch.Rule) string {
	if rule.FollowsService() {
		return rule.Match.String()
	}
	return rule.PortsText()
}

// maxRange is the number of ports up to which a card asks about each port of a watch.
const maxRange = 8

// smallRange returns the TCP ports of a watch of up to maxRange ports; none of any other watch.
func smallRange(rule watch.Rule) (ports []uint16) {
	if rule.Protocol == monitor.UDP {
		return nil
	}
	for _, r := range rule.Ports.Without(rule.Except) {
		for n := int(r.First); n <= int(r.Last); n++ {
			if len(ports) == maxRange {
				return nil
			}
			ports = append(ports, uint16(n))
		}
	}
	return ports
}

// showVacantRange shows that all ports are free, if that is known, and returns the last owner of
// any of them.
func (m *cardModel) showVacantRange(rule watch.Rule, f cardFacts) string {
	ports := smallRange(rule)
	free := len(ports) > 0
	for _, port := range ports {
		state := f.answer(port).State()
		free = free && (state == inuse.Free || state == inuse.FreeForTCP)
	}
	if free {
		m.state = "○ " + lang.L("free")
	}
	return f.last(cmp.Or(rule.Protocol, monitor.TCP), f.now, rule.Ports.Without(rule.Except))
}

// showVacant shows a watch without listeners. Only few ports are known to be free.
func (m *cardModel) showVacant(rule watch.Rule, f cardFacts) {
	m.state, m.color = "○ "+lang.L("closed"), table.ColorMuted
	var details []string
	if rule.Name != "" {
		details = append(details, cardPorts(rule))
	}
	if port, single := rule.SingleTCP(); single {
		if name := f.labels.NameOf(monitor.ClosedPort(port)); name != rule.Name {
			details = append(details, name)
		}
		a := f.answer(port)
		m.port = port
		switch a.State() {
		case inuse.Free, inuse.FreeForTCP:
			m.state = "○ " + lang.L("free")
		case inuse.Taken:
			m.state = "○ " + lang.L("not free")
			if a.Blocking()[0].Kind != inuse.TimeWait { // that ends by itself, and most servers ignore it
				m.color = uitheme.ColorAlert
			}
		}
		details = append(details, cmp.Or(words.Taken(a), usedBy(port, f.snapshot), f.last(monitor.TCP, f.now, monitor.Ports{{First: port, Last: port}})))
	}
	if _, single := rule.SingleTCP(); !single && !rule.FollowsService() {
		details = append(details, m.showVacantRange(rule, f))
	}
	if attempts := words.Attempts(rule, f.attempts); attempts != "" {
		details = append([]string{attempts}, details...)
	}
	if !rule.Match.IsZero() {
		m.state = "○ " + lang.L("not running")
	}
	m.detail = strings.Join(slices.DeleteFunc(details, func(s string) bool { return s == "" }), " · ")
}

// usedBy names the listener on port that does not match the watch; "" if there is none.
func usedBy(port uint16, s monitor.Snapshot) string {
	for _, l := range s.Listeners {
		if l.Port == port && l.Protocol == monitor.TCP && l.AcceptsLoopback() {
			return lang.L("used by {{.Who}}", map[string]any{"Who": words.Owner(l)})
		}
	}
	return ""
}

// cardText describes owner, uptime and connections of l: "node · acme-web (Vite) · up 12 min · 3
// connections".
func cardText(l *monitor.Listener, f cardFacts) string {
	text, connections := f.owner(l), f.counts[l.ID]
	if l.Service != "" {
		text += " (" + words.Service(l) + ")"
	}
	if up, ok := uptime(l, f.now); ok {
		text += " · " + lang.L("up {{.Time}}", map[string]any{"Time": up.text()})
	}
	if connections > 0 {
		text += " · " + lang.N("{{.Count}} connections", connections, map[string]any{"Count": words.Number(connections)})
	}
	return text
}

// cardBar shows the cards in one line, as many as fit.
type cardBar struct {
	onPort, onTraffic func(port uint16)
	vacant            []uint16 // ports of cards without listeners, the single ones first
	low               bool     // the page has no room for cards
	cards             []*card
	more              *widgets.Link
	row               *fyne.Container
	object            *fyne.Container
}

func newCardBar(onPort, onTraffic func(port uint16), onMore func()) *cardBar {
	b := &cardBar{onPort: onPort, onTraffic: onTraffic, more: widgets.NewLink("", onMore)}
	b.row = container.New(cardRow{b})
	b.row.Add(b.more)
	b.object = container.New(layout.NewCustomPaddedVBoxLayout(0), container.New(layout.NewCustomPaddedLayout(10, 10, 12, 12), b.row), widgets.Line())
	b.object.Hide()
	return b
}

// show updates the cards that differ. It reports whether the bar appeared or disappeared, so that
// the page needs a new layout. live is false when the agent has disconnected; then the cards show
// no state.
func (b *cardBar) show(rules watch.Rules, f cardFacts, live bool) (changed bool) {
	active := rules.Active()
	for len(b.cards) > len(active) {
		b.row.Remove(b.cards[len(b.cards)-1])
		b.cards = b.cards[:len(b.cards)-1]
	}
	grown := false
	b.vacant = b.vacant[:0]
	answer := f.answer
	f.answer = func(port uint16) inuse.Answer {
		b.vacant = append(b.vacant, port)
		return answer(port)
	}
	var found []*monitor.Listener
	for _, rule := range active {
		of := rule.Listeners(f.snapshot)
		if port, single := rule.SingleTCP(); single && len(of) == 0 { // the number of ports that can be asked about is limited
			b.vacant = append(b.vacant, port)
		}
		found = append(found, of...)
	}
	f.owner = distinctOwners(found)
	for i, rule := range active {
		m := newCard(rule, f)
		if !live {
			m.state, m.color, m.detail, m.tip = "", table.ColorMuted, lang.L("not monitoring"), ""
		}
		if i == len(b.cards) {
			b.cards = append(b.cards, newCardWidget(b.onPort, b.onTraffic))
			b.row.Add(b.cards[i])
			grown = true
		}
		b.cards[i].show(m)
	}
	if grown {
		b.row.Refresh()
	}
	hidden := len(active) == 0 || b.low
	changed = b.object.Visible() == hidden
	b.object.Hidden = hidden
	return changed
}

// Sizes of cards, in device-independent pixels.
const (
	cardWidth  = 230 // minimum
	cardHeight = 58
	cardGap    = 10
)

// cardRow is a layout that gives all cards that fit the same width and hides the others.
type cardRow struct{ bar *cardBar }

// MinSize implements fyne.Layout.
func (cardRow) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(cardWidth, cardHeight) }

// Layout implements fyne.Layout.
func (r cardRow) Layout(_ []fyne.CanvasObject, s fyne.Size) {
	cards, width := r.bar.cards, max(s.Width, cardWidth) // Fyne's first layout has a negative size
	fit := fitting(width)
	r.bar.more.Hidden = len(cards) <= fit
	if !r.bar.more.Hidden {
		const gap = cardGap - 6                     // the link's text has a margin
		width -= r.moreSize(len(cards)).Width + gap // of the widest text
		fit = fitting(width)
		size := r.moreSize(len(cards) - fit)
		r.bar.more.Resize(size)
		r.bar.more.Move(fyne.NewPos(width+gap, (cardHeight-size.Height)/2))
	}
	shown := max(min(fit, len(cards)), 1)
	each := min((width-float32(shown-1)*cardGap)/float32(shown), 2*cardWidth)
	for i, c := range cards {
		c.Hidden = i >= fit
		c.Move(fyne.NewPos(float32(i)*(each+cardGap), 0))
		c.Resize(fyne.NewSize(each, cardHeight))
	}
}

// fitting returns the number of cards that fit into width, at least 1.
func fitting(width float32) int { return max(int((width+cardGap)/(cardWidth+cardGap)), 1) }

// moreSize sets the number of hidden cards and returns the size of its text.
func (r cardRow) moreSize(hidden int) fyne.Size {
	r.bar.more.SetText(lang.N("+ {{.Count}} more", hidden, map[string]any{"Count": words.Number(hidden)}))
	return r.bar.more.MinSize()
}

// card shows one watch. A click shows its port in the table.
type card struct {
	widget.BaseWidget
	widgets.Pressable
	model                cardModel
	onPort, onTraffic    func(port uint16)
	ground               *widgets.FramedRectangle
	edge                 *widgets.Rectangle
	title, state, detail *canvas.Text
	mark                 *canvas.Text // the symbol of the state
}

var (
	_ fyne.Tappable     = (*card)(nil)
	_ fyne.Focusable    = (*card)(nil)
	_ desktop.Hoverable = (*card)(nil)
	_ fyne.Accessible   = (*card)(nil)
)

func newCardWidget(onPort, onTraffic func(port uint16)) *card {
	c := &card{onPort: onPort, onTraffic: onTraffic, ground: widgets.NewFramedRectangle(uitheme.ColorPanel, theme.ColorNameSeparator), edge: widgets.NewRectangle(table.ColorMuted, fyne.Size{}, 2)}
	c.Pressable = widgets.Pressable{Press: c.open, Changed: c.paint, Self: c}
	c.title, c.state, c.detail = canvas.NewText("", color.Transparent), widgets.NewCaption(), widgets.NewCaption()
	c.title.TextSize, c.title.TextStyle = theme.Size(theme.SizeNameSubHeadingText), fyne.TextStyle{Monospace: true}
	c.mark = widgets.NewSymbol()
	c.ExtendBaseWidget(c)
	return c
}

func (c *card) show(m cardModel) {
	if c.model != m {
		c.model = m
		c.paint()
	}
}

func (c *card) paint() {
	m := c.model
	c.edge.Fill = m.color
	c.edge.Refresh()
	c.ground.Line, c.ground.Rect.StrokeWidth = theme.ColorNameSeparator, 1
	if c.Hovered {
		c.ground.Line = theme.ColorNamePlaceHolder
	}
	if c.Focused {
		c.ground.Line, c.ground.Rect.StrokeWidth = theme.ColorNamePrimary, 2
	}
	c.ground.Refresh()
	c.place(c.Size())
}

// place lays out the card and truncates its texts to fit.
func (c *card) place(s fyne.Size) {
	const left, right = 14, 12
	m := c.model
	c.ground.Resize(s)
	c.edge.Move(fyne.NewPos(0, 0))
	c.edge.Resize(fyne.NewSize(4, s.Height))
	symbol, state := widgets.SplitSymbol(m.state)
	widgets.SetText(c.state, state, m.color)
	widgets.SetText(c.mark, symbol, m.color)
	stateSize := c.state.MinSize()
	markSize := c.mark.MinSize()
	width := s.Width - left - right
	widgets.SetText(c.title, table.Fit(m.title, width-stateSize.Width-markSize.Width-12, c.title.TextSize, c.title.TextStyle), theme.ColorNameForeground)
	widgets.SetText(c.detail, table.Fit(m.detail, width, c.detail.TextSize, c.detail.TextStyle), table.ColorMuted)
	c.Tip = m.tipOf(c.title.Text != m.title || c.detail.Text != m.detail)
	c.title.Move(fyne.NewPos(left, 8))
	c.title.Resize(c.title.MinSize())
	c.state.Move(fyne.NewPos(s.Width-right-stateSize.Width, 10))
	c.state.Resize(stateSize)
	c.mark.Move(fyne.NewPos(s.Width-right-stateSize.Width-markSize.Width-4, 10+(stateSize.Height-markSize.Height)/2))
	c.mark.Resize(markSize)
	c.detail.Move(fyne.NewPos(left, 33))
	c.detail.Resize(c.detail.MinSize())
}

// CreateRenderer implements fyne.Widget.
func (c *card) CreateRenderer() fyne.WidgetRenderer {
	parts := []fyne.CanvasObject{c.ground, c.edge, c.title, c.mark, c.state, c.detail}
	return &widgets.Renderer{Min: fyne.NewSize(cardWidth, cardHeight), Parts: parts, Place: c.place, Repaint: c.paint}
}

func (c *card) open() {
	if c.model.port != 0 {
		c.onPort(c.model.port)
	}
}

// TappedSecondary implements fyne.SecondaryTappable.
func (c *card) TappedSecondary(e *fyne.PointEvent) { c.menu(e.AbsolutePosition) }

// TypedKey implements fyne.Focusable. The Menu key opens the card's menu.
func (c *card) TypedKey(e *fyne.KeyEvent) {
	if e.Name != desktop.KeyMenu {
		c.Pressable.TypedKey(e)
		return
	}
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(c)
	c.menu(at.AddXY(14, c.Size().Height))
}

// menu opens the menu of a card whose port is open.
func (c *card) menu(at fyne.Position) {
	canvas := fyne.CurrentApp().Driver().CanvasForObject(c)
	if c.model.port == 0 || canvas == nil {
		return
	}
	port := c.model.port
	widget.ShowPopUpMenuAtPosition(fyne.NewMenu("",
		fyne.NewMenuItem(lang.L("Show in the table"), func() { c.onPort(port) }),
		fyne.NewMenuItem(lang.L("Show traffic…"), func() { c.onTraffic(port) })), canvas, at)
}

// Cursor implements desktop.Cursorable.
func (c *card) Cursor() desktop.Cursor { return desktop.PointerCursor }

// AccessibilityLabel implements fyne.Accessible.
func (c *card) AccessibilityLabel() string {
	return c.model.title + ", " + c.model.state + ", " + c.model.detail
}

// AccessibilityRole implements fyne.Accessible.
func (c *card) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }
