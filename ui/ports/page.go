// Package ports is the Ports page: the table of listeners with its filters, cards, details and menus. All of it belongs to
// Fyne's goroutine.
package ports

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"

	"porthole/monitor"
	"porthole/monitor/explain"
	"porthole/monitor/history"
	"porthole/monitor/watch"
	"porthole/ui/filter"
	"porthole/ui/probe"
	"porthole/ui/table"
	"porthole/ui/widgets"
	"porthole/ui/words"
)

// Actions is what the page asks of the program. It is called from Fyne's goroutine and
// must not wait.
type Actions interface {
	Watch(port uint16)
	Unwatch(port uint16)
	SetWatches(seen, rules watch.Rules) // replaces the rules seen by rules
	Pause(d time.Duration)              // notifications; 0: until resumed
	Resume()
	DismissWelcome() // the welcome was read
	// Set gives a setting a value, as the settings file has it.
	Set(key, value string)
	StartAgent() // starts an agent after the last one has ended
	Copy(text string)
	OpenInBrowser(address string) // "127.0.0.1:3000"; http or https, whichever the server speaks
	CopyURL(address string)       // copies the URL that OpenInBrowser would open
	OpenFolder(path string)
	InspectTraffic(l *monitor.Listener) // shows its traffic in Wireshark, or copies how to see it
}

// History answers what the history knows of a port. Both methods are called from Fyne's
// goroutine and do not wait; done is called there too, later.
type History interface {
	LastOwner(port uint16, done func(history.Tenure, bool, error))
	Lookup(q history.Query, done func([]history.Event, error))
}

// Status is what the page shows beside the listeners.
type Status struct {
	Health        monitor.Health
	Rules         watch.Rules
	Paused        bool
	PausedUntil   time.Time // zero: until resumed
	Problems      []string  // a sentence each
	User          string    // of this session; "" if unknown
	Notifications bool      // they are switched on
	UDP           bool
	AllAddresses  bool           // listeners that loopback does not reach are shown too
	Welcome       bool           // the user is new here
	System        explain.System // what this machine does with ports, as far as that is known
}

// Callbacks are called by the page for what happens outside of it.
type Callbacks struct {
	Open         func(*monitor.Listener) // opens the window of its owner
	Stop         func(*monitor.Listener) // asks whether its owners are to be stopped
	Watches      func()                  // shows the Watches page
	ProbeChanged func()                  // the page wants to know something new of the machine
	Key          func(*fyne.KeyEvent)    // a key that no widget has a use for
}

// Page is the table of listeners with its filter and its status line.
type Page struct {
	actions Actions
	history History // nil where nothing is kept
	now     func() time.Time
	open    func(*monitor.Listener)
	stop    func(*monitor.Listener) // asks whether its owners are to be stopped
	watches func()                  // shows the page of watches

	snapshot monitor.Snapshot
	ready    bool
	live     bool      // the agent watches
	stopped  time.Time // when it did last
	status   Status
	rows     map[string]*portRow // every listener that the page is about, and the closed ones that are still shown
	filter   filter.Filter

	entry        *widgets.FilterEntry
	quick        *quickBar
	udp          *widgets.Segment
	allAddresses *widgets.Segment
	grouped      *widgets.Segment
	cards        *cardBar
	details      *detailsPane
	bar          *fyne.Container
	middle       *fyne.Container
	pause        *widgets.Button
	table        *table.Table[*portRow]
	empty        *widgets.EmptyState
	left         *canvas.Text
	right        *canvas.Text
	warning      *widgets.WarningBar
	welcome      *welcome
	Content      *fyne.Container
	notice       string // a sentence in the status line, for a while
	noticeUntil  time.Time
	unwatched    removedWatch
	undoLink     *widgets.Link // undoes that
	foot         *fyne.Container
	pendingPort  uint16 // to be selected once it listens
	matching     int    // rows that the text filter lets through, and the quick one may not
	lastOwner    lastOwner
	probe        probe.Result   // the last look
	counts       map[string]int // connections, by listener; nil where they are not known
	probeChanged func()         // called where there is something new to look at
}

// New returns the page. memory is nil if there is no history; now is the clock.
func New(actions Actions, memory History, now func() time.Time, do Callbacks) *Page {
	p := &Page{
		actions: actions, history: memory, now: now, rows: map[string]*portRow{}, live: true,
		open: do.Open, stop: do.Stop, watches: do.Watches, probeChanged: do.ProbeChanged,
	}
	p.entry = widgets.NewFilterEntry(lang.L("Filter: “node”, “3000-3999”, “-root”"), p.setFilter, func() { p.table.Focus() })
	p.quick = newQuickBar(p.setQuick)
	p.udp = widgets.NewSwitch(lang.L("UDP"), func() { p.toggle("udp", p.status.UDP) })
	p.allAddresses = widgets.NewSwitch(lang.L("Other addresses"), func() { p.toggle("all_addresses", p.status.AllAddresses) })
	p.grouped = widgets.NewSwitch(lang.L("By process"), p.ToggleGroup)
	p.cards = newCardBar(memory, p.ShowPort, p.showCards, do.Watches)
	p.pause = widgets.NewButton("", p.togglePause)
	p.table = table.New(portColumns(p.star, p.clock), "port")
	p.table.Label = lang.L("Ports")
	p.table.OnOpen = func(r *portRow) { p.open(r.listener) }
	p.table.OnMenu = p.menu
	p.table.OnSelect = func(*portRow) { p.showDetails(); p.probeChanged() }
	p.details = newDetailsPane(actions, detailsActions{
		browse: p.ofSelected(p.browse), copyURL: p.ofSelected(p.copyURL), details: p.ofSelected(p.open),
		stop: p.StopSelected, explain: p.Explain,
	})
	p.table.OnKey = do.Key
	p.table.OnSpace = p.star
	p.table.HeaderItems = p.headerItems
	p.table.TypeAhead = func(r *portRow) string { return r.port }
	p.table.OnRune = p.entry.Take
	p.empty = widgets.NewEmptyState(func() {
		actions.Watch(p.filter.Port())
		p.table.Focus() // the button, which goes, would keep the keyboard
	})
	p.left, p.right = widgets.NewCaption(), widgets.NewCaption()
	p.undoLink = widgets.NewLink(lang.L("Undo"), p.Undo)
	p.foot = container.NewHBox(p.left, p.undoLink)
	p.warning = widgets.NewWarningBar(actions.StartAgent)
	p.welcome = newWelcome(func() {
		actions.DismissWelcome()
		p.showWelcome()
		p.table.Focus() // the link, which goes, would keep the keyboard
	})
	p.Content = p.layout()
	p.showEmpty(0)
	p.showStatus()
	return p
}

// layout puts the page together: filter bar, warning, table, status line.
func (p *Page) layout() *fyne.Container {
	p.bar = container.NewBorder(nil, nil, nil, container.NewHBox(p.quick.object, widgets.NewSegmentBar(p.udp, p.allAddresses, p.grouped), p.pause), p.entry)
	top := container.New(layout.NewCustomPaddedVBoxLayout(0), widgets.Panel(p.bar, 8), p.warning.Object, widgets.Line(), p.cards.object)
	status := container.New(layout.NewCustomPaddedVBoxLayout(0), p.welcome.object, widgets.Line(), widgets.Panel(container.NewBorder(nil, nil, p.foot, p.right), 4))
	p.middle = container.New(withDetailsPane{p.details}, container.NewStack(p.table, p.empty.Object), p.details.object)
	return container.New(widgets.TopMiddleBottom{}, top, p.middle, status)
}

// Update shows what the monitor saw.
func (p *Page) Update(u monitor.Update) {
	now := p.now()
	first := !p.ready || len(u.Events) == 0
	if !first && p.updateRows(u, now) {
		return
	}
	p.snapshot, p.ready = u.Snapshot, true
	moved := make(map[string]bool) // rows that took sockets from others: neither opened nor closed
	for _, c := range u.Events {
		if c.Before != nil && c.Before.ID != c.Listener.ID {
			delete(p.rows, c.Before.ID)
			moved[c.Before.ID], moved[c.Listener.ID] = true, true
		}
		switch c.Kind { // looked at from now on, or no longer: neither opened nor closed
		case monitor.Discovered:
			moved[c.Listener.ID] = true
		case monitor.Unlisted:
			delete(p.rows, c.Listener.ID)
		}
	}
	present := make(map[string]bool, len(u.Snapshot.Listeners))
	for _, l := range u.Snapshot.Listeners {
		if !p.includes(l) {
			continue
		}
		present[l.ID] = true
		if r := p.rows[l.ID]; r != nil && r.listener == l && r.mark != closed {
			continue
		}
		p.rows[l.ID] = p.renew(p.rows[l.ID], l, now, first || moved[l.ID])
	}
	for id, r := range p.rows {
		switch {
		case present[id] || r.mark == closed:
		case first:
			delete(p.rows, id)
		default:
			p.close(r, now)
		}
	}
	p.markAmbiguous()
	p.arrange()
}

// includes reports whether the page is about l: loopback reaches it, or the user wants others too.
func (p *Page) includes(l *monitor.Listener) bool {
	return l.AcceptsLoopback() || p.status.AllAddresses
}

// toggle asks for the other value of a setting that is on or off.
func (p *Page) toggle(key string, on bool) {
	if p.agentRunning() {
		p.actions.Set(key, strconv.FormatBool(!on))
	}
}

// agentRunning reports whether there is an agent to ask for anything, and says where
// there is none.
func (p *Page) agentRunning() bool {
	if !p.live {
		p.ShowNotice(lang.L("Porthole has stopped monitoring. Restart it first."))
	}
	return p.live
}

// showOthers adds the rows that the page has become about, or takes away those
// that it is about no more: nothing opened or closed.
func (p *Page) showOthers() {
	for _, l := range p.snapshot.Listeners {
		switch {
		case !p.includes(l):
			delete(p.rows, l.ID)
		case p.rows[l.ID] == nil:
			p.rows[l.ID] = p.renew(nil, l, p.now(), true)
		}
	}
}

// renew makes the row of a listener that is new or has changed.
func (p *Page) renew(before *portRow, l *monitor.Listener, now time.Time, first bool) *portRow {
	r := newPortRow(l, p.status.Rules.Matches(l))
	r.count(p.counts)
	switch {
	case first:
	case before == nil, before.mark == closed:
		r.mark, r.until = opened, now.Add(markTime)
	case before.fingerprint() != r.fingerprint():
		r.mark, r.until = changed, now.Add(markTime)
		if before.mark == opened { // we only learned more about a new row
			r.mark, r.until = opened, before.until
		}
	default:
		r.mark, r.until = before.mark, before.until
	}
	return r
}

func (p *Page) close(r *portRow, now time.Time) {
	gone := *r // the table may still hold the old one
	gone.mark, gone.until, gone.ambiguous = closed, now.Add(markTime), false
	p.rows[r.Key()] = &gone
}

// clock is the time of what is shown: it stops where nobody watches any more.
func (p *Page) clock() time.Time {
	if !p.live {
		return p.stopped
	}
	return p.now()
}

// Tick lets time pass: ages grow, marks end.
func (p *Page) Tick() {
	if !p.live {
		return // no time passes for what nobody watches
	}
	now, rearrange := p.now(), false
	for id, r := range p.rows {
		if r.mark != unmarked && !now.Before(r.until) {
			if r.mark == closed {
				delete(p.rows, id)
				rearrange = true
				continue
			}
			r.mark = unmarked
		}
	}
	if rearrange {
		p.arrange()
	} else {
		p.table.RefreshRows()
		p.showCards()
		p.showDetails()
	}
	p.showStatus()
}

// arrange gives the table the rows that the filter lets through.
func (p *Page) arrange() {
	rows := make([]*portRow, 0, len(p.rows))
	var counts [4]int
	for _, r := range p.rows {
		if !p.filter.Finds(r.searchText) {
			continue
		}
		for q := range counts {
			if r.mark != closed && quickFilter(q).matches(r, p.status.User) {
				counts[q]++
			}
		}
		if p.quick.chosen.matches(r, p.status.User) {
			rows = append(rows, r)
		}
	}
	p.table.SetRows(rows)
	if p.ready && p.quick.count(counts) {
		widgets.Relayout(p.bar)
	}
	p.matching = counts[quickAll]
	p.showCards()
	p.showDetails()
	if p.pendingPort != 0 {
		p.ShowPort(p.pendingPort)
	}
	p.showEmpty(len(rows))
	p.showStatus()
}

func (p *Page) setFilter(text string) {
	p.filter = filter.Parse(text)
	p.arrange()
}

// setQuick shows the rows that a quick filter lets through.
func (p *Page) setQuick(q quickFilter) {
	p.quick.choose(q)
	p.arrange()
}

// showDetails shows the selected row in the side pane, or hides that.
func (p *Page) showDetails() {
	r, ok := p.table.Selected()
	before := p.details.shown
	if ok && p.live {
		o, _ := r.listener.Principal()
		m := newDetails(r.listener, r.ambiguous, p.probe.Process(r.listener, o), p.now())
		if r.mark == closed {
			m.close()
		}
		m.stop = p.stoppable(r)
		if p.details.unfolded {
			m.explanation = words.Explanation(r.listener, r.mark == closed, p.status.System)
		}
		p.details.show(m)
	} else {
		p.details.shown = false
	}
	if before != p.details.shown {
		widgets.Relayout(p.middle)
	}
}

// ofSelected is what a button does with the selected listener.
func (p *Page) ofSelected(do func(*monitor.Listener)) func() {
	return func() {
		if r, ok := p.table.Selected(); ok {
			do(r.listener)
		}
	}
}

// showCards shows how the watches stand, once that is known.
func (p *Page) showCards() {
	if (p.ready || !p.live) && p.cards.show(p.status.Rules, p.snapshot, p.counts, p.live, p.now()) {
		widgets.Relayout(p.Content)
	}
}

// ShowPort selects the row of a port; where it does not listen the filter shows
// that it is free.
func (p *Page) ShowPort(port uint16) {
	p.pendingPort = 0
	for _, r := range p.rows {
		if r.listener.Port != port || r.mark == closed {
			continue
		}
		if !p.filter.Matches(r.listener) {
			p.entry.SetText("")
		}
		if !p.quick.chosen.matches(r, p.status.User) {
			p.setQuick(quickAll)
		}
		p.table.Select(r.Key())
		p.table.Focus()
		return
	}
	if !p.ready {
		p.pendingPort = port
		return
	}
	p.entry.SetText(fmt.Sprintf(":%d", port))
}

// SetStatus shows what the agent reports about itself.
func (p *Page) SetStatus(s Status) {
	p.status = s
	p.udp.Choose(s.UDP)
	p.allAddresses.Choose(s.AllAddresses)
	p.widen()
	p.showOthers()
	for id, r := range p.rows {
		if watched := s.Rules.Matches(r.listener); watched != r.watched {
			renewed := *r
			renewed.watched = watched
			p.rows[id] = &renewed
		}
	}
	p.warn(s.Problems)
	p.showWelcome()
	p.arrange()
}

// widen gives the columns room for what the switches add to them.
func (p *Page) widen() {
	port, reach := float32(portWidth), float32(exposureWidth)
	if p.status.UDP {
		port = portWidthUDP
	}
	if p.status.AllAddresses {
		reach = exposureWidthAll
	}
	p.table.Widen("port", port)
	p.table.Widen("exposure", reach)
}

// warn says what is missing, and makes room for it.
func (p *Page) warn(problems []string) {
	if p.warning.Show(problems, p.live) {
		widgets.Relayout(p.Content)
	}
}

// showWelcome shows the line for a new user, and makes room for it.
func (p *Page) showWelcome() {
	if p.welcome.show(p.status.Welcome && p.live, p.status.Rules) {
		widgets.Relayout(p.Content)
	}
}

// Disconnect greys the page: what it shows is not live any more.
func (p *Page) Disconnect() {
	p.live, p.stopped = false, p.now()
	p.table.Dim(true)
	p.showCards()
	p.showDetails()
	p.warn(nil)
	p.showWelcome()
	p.showEmpty(p.table.Len())
	p.showStatus()
}

// Listeners are what the page shows and what has not closed.
func (p *Page) Listeners() []*monitor.Listener {
	all := make([]*monitor.Listener, 0, len(p.rows))
	for _, r := range p.rows {
		if r.mark != closed {
			all = append(all, r.listener)
		}
	}
	return all
}

// ShowProbe shows who is connected, and what else a look told.
func (p *Page) ShowProbe(v probe.Result) {
	p.probe = v
	if v.Counts != nil {
		p.counts = v.Counts
		for _, r := range p.rows {
			r.count(p.counts)
		}
		if column, _ := p.table.Sorting(); column == "conns" {
			p.arrange()
		}
		p.table.RefreshRows()
		p.showCards()
	}
	p.showDetails()
	if r, ok := p.table.Selected(); ok {
		p.details.connected(r.listener, v)
	}
}

// Table returns the table of listeners.
func (p *Page) Table() *table.Table[*portRow] { return p.table }

// FilterField returns the field that filters the table.
func (p *Page) FilterField() *widgets.FilterEntry { return p.entry }

// Focus gives the table the keyboard.
func (p *Page) Focus() { p.table.Focus() }

// State is what the page hands to the page of the next window.
type State struct {
	Filter    string
	Quick     string // "", "watched", "exposed" or "mine"
	Sort      string // the column's id
	Down      bool
	Selected  string // the listener's id
	Columns   table.Columns
	Grouped   bool // by process
	Explained bool // the details pane explains
}

// State returns what the page of the next window should begin with.
func (p *Page) State() State {
	s := State{Filter: p.entry.Text, Quick: quickNames[p.quick.chosen], Columns: p.table.Columns(), Grouped: p.table.Grouped(), Explained: p.details.unfolded}
	s.Sort, s.Down = p.table.Sorting()
	if r, ok := p.table.Selected(); ok {
		s.Selected = r.Key()
	}
	return s
}

// Restore begins as the page of the window before ended.
func (p *Page) Restore(s State) {
	p.table.SetColumns(s.Columns)
	p.group(s.Grouped)
	p.table.Sort(s.Sort, s.Down)
	p.unfold(s.Explained)
	p.entry.SetText(s.Filter)
	if q := slices.Index(quickNames[:], s.Quick); q >= 0 {
		p.setQuick(quickFilter(q))
	}
	if s.Selected != "" {
		p.table.Select(s.Selected)
	}
}

// Detailed returns the listener that the details pane shows; nil while it shows none, or one that
// has closed.
func (p *Page) Detailed() *monitor.Listener {
	if r, ok := p.table.Selected(); ok && r.mark != closed && p.details.object.Visible() {
		return r.listener
	}
	return nil
}
