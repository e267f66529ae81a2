// Package ports implements the Ports page: the table of listeners with its filters, cards, details
// and menus. Everything in it runs on Fyne's goroutine.
package ports

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"

	"porthole/monitor"
	"porthole/monitor/connection"
	"porthole/monitor/explain"
	"porthole/monitor/history"
	"porthole/monitor/history/lastowner"
	"porthole/monitor/inuse"
	"porthole/monitor/label"
	"porthole/monitor/reply"
	"porthole/monitor/watch"
	"porthole/ui/filter"
	"porthole/ui/probe"
	"porthole/ui/table"
	"porthole/ui/widgets"
)

// Actions are the requests that the page sends to the program. They are called on Fyne's goroutine
// and must not block.
type Actions interface {
	Watch(port uint16)
	Unwatch(port uint16)
	SetWatches(seen, rules watch.Rules) // replaces the rules seen with rules
	ChangeLabels(add, remove label.Rules)
	Pause(d time.Duration) // pauses notifications; 0: until resumed
	Resume()
	AcceptExposed(l *monitor.Listener) // l is not reported as newly exposed any more
	DismissWelcome()                   // the user has read the welcome
	// OpenTryPage opens a page on a port of 127.0.0.1 for half a minute. changed is called on Fyne's
	// goroutine: when the page is open, when it is gone, or with the error if it can't be opened,
	// which is ErrPortInUse if another program uses the port.
	OpenTryPage(port uint16, changed func(open bool, err error))
	CloseTryPage()    // closes the page before its time
	DismissProblems() // the user has read the problems that are over
	// Set changes a setting. key and value are as in the settings file.
	Set(key, value string)
	StartAgent() // starts a new agent after the last one has exited
	Copy(text string)
	OpenInBrowser(address string) // such as "127.0.0.1:3000"; the program detects http or https
	CopyURL(address string)       // copies the URL that OpenInBrowser would open
	// AskPort asks the server once what answers on l. done is called later, on Fyne's goroutine.
	AskPort(l *monitor.Listener, done func(reply.Reply))
	OpenFolder(path string)
	GoToTerminal(o monitor.Owner)       // brings the terminal or editor that started o to the front
	InspectTraffic(l *monitor.Listener) // captures traffic in Wireshark, or copies instructions
}

// History answers queries about ports. Its method is called on Fyne's goroutine and does not
// block: done is called later on the same goroutine.
type History interface {
	LastOwner(protocol monitor.Protocol, ports monitor.Ports, done func(history.Tenure, bool, error))
}

// Status contains everything that the page shows except the listeners.
type Status struct {
	Health        monitor.Health
	Rules         watch.Rules
	Labels        label.Rules
	Paused        bool
	PausedUntil   time.Time          // zero: until resumed
	Problems      []string           // one sentence each
	CanDismiss    bool               // some of Problems are over, and were only to be read
	Attempts      []connection.Burst // refused attempts to connect to closed watched ports
	User          string             // user name of this session; "" if unknown
	Notifications bool               // notifications are enabled
	NewExposed    bool               // Porthole notifies about everything newly exposed
	UDP           bool
	AllAddresses  bool           // also show listeners that loopback does not reach
	RaisesWindows bool           // the desktop lets Porthole raise the windows of other programs
	Welcome       bool           // show the welcome to a new user
	NoTray        bool           // the tray icon can't be shown, which is one of Problems
	System        explain.System // the port settings of this machine, as far as known
}

// Callbacks are the actions of the page that other parts of the window handle.
type Callbacks struct {
	Open         func(*monitor.Listener)   // opens the process window of the owner
	Stop         func(*monitor.Listener)   // asks whether to stop the owners
	StopAll      func([]*monitor.Listener) // asks whether to stop the owners of several
	Watches      func()                    // shows the Watches page
	ProbeChanged func()                    // ProbeRequest of the window has changed
	Key          func(*fyne.KeyEvent)      // a key that no widget handled
}

// Page is the Ports page. All methods must be called on Fyne's goroutine.
type Page struct {
	actions Actions
	history History // nil if no history is kept
	now     func() time.Time
	open    func(*monitor.Listener)
	stop    func(*monitor.Listener)   // asks whether to stop the owners
	stopAll func([]*monitor.Listener) // asks whether to stop the owners of several
	watches func()                    // shows the Watches page

	snapshot monitor.Snapshot
	ready    bool
	live     bool      // the agent is connected
	stopped  time.Time // when it disconnected
	status   Status
	rows     map[string]*portRow // by listener ID: the included listeners, and closed ones that are still shown
	filter   filter.Filter

	entry        *widgets.FilterEntry
	quick        *quickBar
	udp          *widgets.Segment
	allAddresses *widgets.Segment
	grouped      *widgets.Segment
	groupedBy    string // "", byProcess or byProject
	cards        *cardBar
	details      *detailsPane
	bar          *fyne.Container
	middle       *fyne.Container
	pause        *widgets.Button
	stopOrphans  *widgets.Button // shown beside the quick filter Orphans
	switches     fyne.CanvasObject
	filters      *widgets.Button // in place of quick and switches on a compact page
	compact      bool
	table        *table.Table[*portRow]
	empty        *widgets.EmptyState
	left         *canvas.Text
	right        *canvas.Text
	warning      *widgets.WarningBar
	welcome      *welcome
	try          tryPage
	Content      *fyne.Container
	notice       string // temporary sentence in the status line
	noticeUntil  time.Time
	undoable     undoable
	undoLink     *widgets.Link // undoes undoable
	foot         *fyne.Container
	pendingPort  uint16 // port to select once a listener has it; 0 for none
	matching     int    // number of rows that match the text filter, regardless of the quick filter
	concealed    int    // number of hidden rows that match the text filter
	lastOwners   *lastowner.Book
	vacant       []uint16                     // the last result of VacantPorts
	answers      map[uint16]inuse.Answer      // about vacant ports, as far as known
	replies      map[string]reply.Reply       // what answered, by replyKey
	asking       map[string]bool              // replyKeys of the listeners that are being asked
	probe        probe.Result                 // the last result
	totals       map[string]connection.Totals // the last counts of connections, by listener ID
	counts       map[string]int               // connections by listener ID; nil if unknown
	states       processStates
	lastDetails  lastDetails
	alike        bool   // rows may have begun to look alike, see showDistinguishing
	probeChanged func() // called when the page needs something new from the next probe
}

// New returns the page. store is nil if no history is kept. now is the clock.
func New(actions Actions, store History, now func() time.Time, callbacks Callbacks) *Page {
	p := &Page{
		actions: actions, history: store, now: now, rows: map[string]*portRow{}, live: true,
		replies: map[string]reply.Reply{}, asking: map[string]bool{},
		open: callbacks.Open, stop: callbacks.Stop, stopAll: callbacks.StopAll, watches: callbacks.Watches, probeChanged: callbacks.ProbeChanged,
	}
	p.entry = widgets.NewFilterEntry(lang.L("Filter: “node”, “3000-3999”, “-root”"), p.setFilter, func() { p.table.Focus() })
	p.quick = newQuickBar(p.setQuick)
	p.stopOrphans = widgets.NewDangerButton(lang.L("Stop orphans…"), func() { p.stopAll(p.orphans()) }, p.Focus)
	p.stopOrphans.Hide()
	p.udp = widgets.NewSwitch(lang.L("UDP"), func() { p.toggle("udp", p.status.UDP) })
	p.allAddresses = widgets.NewSwitch(lang.L("Other addresses"), func() { p.toggle("all_addresses", p.status.AllAddresses) })
	p.grouped = widgets.NewSwitch(lang.L("Group"), p.showGroupMenu)
	p.lastOwners = newLastOwners(store, func() {
		p.showCards()
		p.showEmpty(p.table.Len())
	})
	p.cards = newCardBar(p.ShowPort, callbacks.Watches)
	p.udp.Tip = lang.L("Also show UDP sockets. UDP has no listening state.")
	p.allAddresses.Tip = lang.L("Also show ports that are open on other addresses than loopback only")
	p.grouped.Tip = lang.L("Show the ports of one process or one project below each other") + " (" + GroupKeys.String() + ")"
	p.pause = widgets.NewButton("", p.togglePause)
	p.filters = newFiltersButton(p.filtersMenu)
	p.pause.Tip = lang.L("Pause or resume notifications")
	p.table = table.New(portColumns(p.star, p.clock), "port")
	p.table.Label = lang.L("Ports")
	p.table.OnOpen = func(r *portRow) { p.open(r.listener) }
	p.table.OnMenu = p.menu
	p.table.OnSelect = func(*portRow) { p.showDetails(); p.probeChanged() }
	p.details = newDetailsPane(actions, detailsActions{
		browse: p.ofSelected(p.browse), copyURL: p.ofSelected(p.copyURL), details: p.ofSelected(p.open),
		stop: p.StopSelected, explain: p.Explain, back: func() { p.HideDetails() }, ask: p.ofSelected(p.askPort),
	})
	p.table.OnKey = callbacks.Key
	p.table.OnSpace = p.star
	p.table.GroupHead = p.groupHead
	p.table.HeaderItems = p.headerItems
	p.table.TypeAhead = func(r *portRow) string { return r.port }
	p.table.OnRune = p.entry.Append
	p.empty = widgets.NewEmptyState(p.pressEmpty)
	p.left, p.right = widgets.NewCaption(), widgets.NewCaption()
	p.undoLink = widgets.NewLink(lang.L("Undo"), p.Undo)
	p.foot = container.NewHBox(p.left, p.undoLink)
	p.warning = widgets.NewWarningBar(actions.StartAgent, func() { actions.DismissProblems(); p.Focus() })
	p.welcome = newWelcome(p.tryIt, func() {
		actions.DismissWelcome()
		p.showWelcome()
		p.table.Focus() // the link disappears and would keep the focus
	})
	p.Content = p.layout()
	p.showEmpty(0)
	p.showStatus()
	return p
}

// layout builds the page: filter bar, warning, table, status line.
func (p *Page) layout() *fyne.Container {
	p.switches = widgets.NewSegmentBar(p.udp, p.allAddresses, p.grouped)
	p.quick.object = container.NewHBox(p.quick.object, p.stopOrphans)
	p.bar = container.New(&filterBar{}, p.entry, p.quick.object, p.switches, p.pause, p.filters)
	top := container.New(layout.NewCustomPaddedVBoxLayout(0), widgets.Panel(p.bar, 8), p.warning.Object, widgets.Line(), p.cards.object)
	status := container.New(layout.NewCustomPaddedVBoxLayout(0), p.welcome.object, widgets.Line(), widgets.Panel(container.New(widgets.Ends{}, p.foot, p.right), 4))
	p.middle = container.New(withDetailsPane{p.details}, container.NewStack(p.table, p.empty.Object), p.details.object)
	return container.New(compacting{page: p}, top, p.middle, status)
}

// Update shows the listeners and events of a monitor update.
func (p *Page) Update(u monitor.Update) {
	defer p.showTried()
	now := p.now()
	p.lastOwners.Observe(u.Events)
	first := !p.ready || len(u.Events) == 0
	if !first && p.updateRows(u, now) {
		return
	}
	p.snapshot, p.ready = u.Snapshot, true
	moved := make(map[string]bool) // IDs of rows that took sockets from others: neither opened nor closed
	for _, c := range u.Events {
		if c.Before != nil && c.Before.ID != c.Listener.ID {
			delete(p.rows, c.Before.ID)
			moved[c.Before.ID], moved[c.Listener.ID] = true, true
		}
		switch c.Kind { // a setting changed what is monitored: neither opened nor closed
		case monitor.Discovered:
			moved[c.Listener.ID] = true
		case monitor.Unlisted:
			delete(p.rows, c.Listener.ID)
		}
	}
	present := make(map[string]bool, len(u.Snapshot.Listeners))
	var fresh []*portRow
	for _, l := range u.Snapshot.Listeners {
		if !p.includes(l) {
			continue
		}
		present[l.ID] = true
		if r := p.rows[l.ID]; r != nil && r.listener == l && r.mark != closed {
			continue
		}
		r := p.updatedRow(p.rows[l.ID], l, now, first || moved[l.ID])
		p.rows[l.ID], fresh = r, append(fresh, r)
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
	p.showDistinguishing()
	p.table.Measure(fresh...) // also in columns that have just appeared
	p.arrange()
}

// includes reports whether the page shows l: loopback reaches it, or the setting all_addresses is
// on. A UDP watch makes the agent report all UDP listeners; the page shows those that are watched.
func (p *Page) includes(l *monitor.Listener) bool {
	return (l.AcceptsLoopback() || p.status.AllAddresses) && (l.Protocol != monitor.UDP || p.status.UDP || p.status.Rules.Matches(l))
}

// toggle requests the opposite value of a boolean setting.
func (p *Page) toggle(key string, on bool) {
	if p.agentRunning() {
		p.actions.Set(key, strconv.FormatBool(!on))
	}
}

// agentRunning reports whether the agent is connected. If not, it shows a notice.
func (p *Page) agentRunning() bool {
	if !p.live {
		p.ShowNotice(lang.L("Porthole has stopped monitoring. Restart it first."))
	}
	return p.live
}

// showOthers adds and removes rows after a setting changed what the page includes. These rows are
// not marked as opened or closed.
func (p *Page) showOthers() {
	for _, l := range p.snapshot.Listeners {
		switch {
		case !p.includes(l):
			delete(p.rows, l.ID)
		case p.rows[l.ID] == nil:
			r := p.updatedRow(nil, l, p.now(), true)
			p.rows[l.ID] = r
			p.table.Measure(r)
		}
	}
}

// updatedRow returns the row of a new or changed listener.
func (p *Page) updatedRow(before *portRow, l *monitor.Listener, now time.Time, first bool) *portRow {
	r := newPortRow(l, p.status.Rules.Matches(l), p.states.of(l), now)
	r.count(p.counts)
	switch {
	case first:
	case before == nil, before.mark == closed:
		r.mark, r.until = opened, now.Add(markTime)
	case before.fingerprint() != r.fingerprint():
		r.mark, r.until = changed, now.Add(markTime)
		if before.mark == opened { // a new row for which more became known stays new
			r.mark, r.until = opened, before.until
		}
	default:
		r.mark, r.until = before.mark, before.until
	}
	return r
}

func (p *Page) close(r *portRow, now time.Time) {
	delete(p.replies, replyKey(r.listener))
	closedRow := *r // a copy, because the table may still hold the old row
	closedRow.mark, closedRow.until, closedRow.ambiguous = closed, now.Add(markTime), false
	p.rows[r.Key()] = &closedRow
}

// clock returns the time to show ages for. It stops when the agent disconnects.
func (p *Page) clock() time.Time {
	if !p.live {
		return p.stopped
	}
	return p.now()
}

// Tick updates ages and ends marks. It is called once a second.
func (p *Page) Tick() {
	if !p.live {
		return // ages stop without an agent
	}
	p.openTried()
	now, rearrange := p.now(), false
	if p.alike {
		p.showDistinguishing()
	}
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

// arrange passes the rows that match the filters to the table after listeners changed.
func (p *Page) arrange() { p.arrangeWith(p.table.SetRows) }

// rearrange does the same after the user changed what is shown.
func (p *Page) rearrange() { p.arrangeWith(p.table.ShowRows) }

func (p *Page) arrangeWith(show func([]*portRow)) {
	rows := make([]*portRow, 0, len(p.rows))
	var counts [quickFilters]int
	for _, r := range p.rows {
		if !p.filter.Finds(r.searchText) {
			continue
		}
		for q := range counts {
			if r.mark != closed && p.shows(quickFilter(q), r) {
				counts[q]++
			}
		}
		if p.shows(p.quick.chosen, r) {
			rows = append(rows, r)
		}
	}
	show(rows)
	if _, ok := p.table.Selected(); !ok && len(rows) == 1 && !p.filter.Empty() {
		p.table.Select(rows[0].Key()) // the only match
	}
	resized := p.showStopOrphans()
	if p.ready && p.quick.count(counts) || resized {
		p.relayoutBar()
	}
	p.showFilters()
	p.matching, p.concealed = counts[quickAll], counts[quickHidden]
	p.showCards()
	p.askVacant()
	p.showDetails()
	if p.pendingPort != 0 {
		p.ShowPort(p.pendingPort)
	}
	p.showEmpty(len(rows))
	p.showStatus()
}

func (p *Page) setFilter(text string) {
	p.filter = filter.Parse(text)
	p.rearrange()
}

// setQuick applies a quick filter.
func (p *Page) setQuick(q quickFilter) {
	p.quick.choose(q)
	p.rearrange()
}

// showDetails shows the selected row in the details pane, or hides the pane.
func (p *Page) showDetails() {
	r, ok := p.table.Selected()
	if ok && p.live {
		o, _ := r.listener.Principal()
		m := p.lastDetails.of(r.listener, r.ambiguous, p.probe.Process(r.listener, o), p.now())
		m.addTotals(p.totals, p.now())
		if r.mark == closed {
			m.close(p.answer(r.listener.Port), p.status.System)
		}
		p.addReply(&m, r)
		m.stop = p.stoppable(r)
		if p.details.unfolded {
			m.explanation = p.explanation(r)
		}
		p.details.show(m)
	} else {
		p.details.clear(p.live && p.table.Len() > 0)
		p.HideDetails()
	}
}

// ofSelected returns a button action that applies do to the selected listener.
func (p *Page) ofSelected(do func(*monitor.Listener)) func() {
	return func() {
		if r, ok := p.table.Selected(); ok {
			do(r.listener)
		}
	}
}

// showCards updates the cards once the state of the watches is known.
func (p *Page) showCards() {
	facts := cardFacts{snapshot: p.snapshot, counts: p.counts, answer: p.answer, attempts: p.status.Attempts, last: p.lastOwner, now: p.now()}
	if (p.ready || !p.live) && p.cards.show(p.status.Rules, facts, p.live) {
		widgets.Relayout(p.Content)
	}
}

// ShowPort selects the row of port. If nothing listens there, it sets the filter to the port, which
// shows that it is free.
func (p *Page) ShowPort(port uint16) {
	p.pendingPort = 0
	for _, r := range p.rows {
		if r.listener.Port != port || r.mark == closed {
			continue
		}
		if !p.filter.Matches(r.listener) {
			p.entry.SetText("")
		}
		if !p.shows(p.quick.chosen, r) {
			p.setQuick(quickAll)
		}
		if r.listener.Hidden {
			p.entry.SetText(fmt.Sprintf(":%d", port)) // which shows it
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

// SetStatus shows the status of the agent.
func (p *Page) SetStatus(s Status) {
	p.status = s
	p.udp.Choose(s.UDP)
	p.allAddresses.Choose(s.AllAddresses)
	p.setColumnWidths()
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

// setColumnWidths adjusts the width of the columns whose text is longer with UDP or other addresses.
func (p *Page) setColumnWidths() {
	port, exposure := float32(portWidth), float32(exposureWidth)
	if p.status.UDP || p.status.Rules.HasUDP() {
		port = portWidthUDP
	}
	if p.status.AllAddresses {
		exposure = exposureWidthAll
	}
	p.table.Widen("port", port)
	p.table.Widen("exposure", exposure)
}

// warn shows the agent's problems in the warning bar.
func (p *Page) warn(problems []string) {
	if p.warning.Show(problems, p.live, p.status.CanDismiss) {
		widgets.Relayout(p.Content)
	}
}

// showWelcome shows or hides the welcome line.
func (p *Page) showWelcome() {
	p.welcome.try.SetText(p.tryLabel())
	if p.welcome.show(p.status.Welcome && p.live, p.status, p.tryText()) {
		widgets.Relayout(p.Content)
	}
}

// Disconnect dims the page because the agent has disconnected and the content is not live any more.
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

// Listeners returns the listeners on the page that have not closed.
func (p *Page) Listeners() []*monitor.Listener {
	all := make([]*monitor.Listener, 0, len(p.rows))
	for _, r := range p.rows {
		if r.mark != closed {
			all = append(all, r.listener)
		}
	}
	return all
}

// ShowProbe shows connections and process state from a probe.
func (p *Page) ShowProbe(r probe.Result) {
	p.probe = r
	if p.states.add(r) {
		p.updateWarnings(r)
	}
	if r.Counts != nil && !maps.Equal(r.Counts, p.counts) {
		p.showCounts(r.Counts)
	}
	p.showAnswers(r)
	p.showDetails()
	if row, ok := p.table.Selected(); ok {
		p.details.connected(row.listener, r)
	}
}

// showCounts shows the numbers of connections of listeners in the table and the cards.
func (p *Page) showCounts(counts map[string]int) {
	p.counts = counts
	for _, row := range p.rows {
		row.count(p.counts)
	}
	if column, _ := p.table.Sorting(); column == "conns" {
		p.arrange()
	}
	p.table.RefreshRows()
	p.showCards()
}

// ShowTotals shows the counts of connections of some listeners, by listener ID.
func (p *Page) ShowTotals(totals map[string]connection.Totals) {
	p.totals = totals
	p.showDetails()
}

// Table returns the table of listeners.
func (p *Page) Table() *table.Table[*portRow] { return p.table }

// FilterField returns the filter field of the table.
func (p *Page) FilterField() *widgets.FilterEntry { return p.entry }

// Focus focuses the table.
func (p *Page) Focus() { p.table.Focus() }

// State is the part of the page's state that the next window restores.
type State struct {
	Filter    string
	Quick     string // one of quickNames
	Sort      string // column ID
	Down      bool
	Selected  string // listener ID
	Columns   table.Columns
	Group     string   // how rows are grouped: "", "process" or "project"
	Folded    []string // groups that are folded
	Explained bool     // the details pane shows the explanation
}

// State returns the state that the next window restores.
func (p *Page) State() State {
	s := State{Filter: p.entry.Text, Quick: quickNames[p.quick.chosen], Columns: p.table.Columns(), Group: p.groupedBy, Folded: p.table.Folded(), Explained: p.details.unfolded}
	s.Sort, s.Down = p.table.Sorting()
	if r, ok := p.table.Selected(); ok {
		s.Selected = r.Key()
	}
	return s
}

// Restore restores the state of an earlier window.
func (p *Page) Restore(s State) {
	p.table.SetColumns(s.Columns)
	p.group(s.Group)
	p.table.Sort(s.Sort, s.Down)
	p.unfold(s.Explained)
	p.entry.SetText(s.Filter)
	if q := slices.Index(quickNames[:], s.Quick); q >= 0 {
		p.setQuick(quickFilter(q))
	}
	if s.Selected != "" {
		p.table.Select(s.Selected)
	}
	p.table.SetFolded(s.Folded)
}

// Detailed returns the open listener in the details pane; nil if the pane is hidden or its listener
// has closed.
func (p *Page) Detailed() *monitor.Listener {
	if r, ok := p.table.Selected(); ok && r.mark != closed && p.details.visible() {
		return r.listener
	}
	return nil
}
