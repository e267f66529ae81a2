// Package ports implements the Ports page: the table of listeners with its filters, cards, details
// and menus. Everything in it runs on Fyne's goroutine.
package ports

import (
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
	"porthole/monitor/health"
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
	Checks        []health.Check     // what the health checks of watches found
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
	Traffic      func(*monitor.Listener)   // opens the window with its traffic
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
	traffic func(*monitor.Listener)   // opens the window with its traffic
	watches func()                    // shows the Watches page

	snapshot monitor.Snapshot
	ready    bool
	live     bool      // the agent is connected
	stopped  time.Time // when it disconnected
	status   Status
	rows     rowSet // the included listeners, and closed ones that are still shown
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
	stirred      time.Time // something has happened on the page, see agesDue
	aged         time.Time // the ages were shown
	alike        bool      // rows may have begun to look alike, see showDistinguishing
	probeChanged func()    // called when the page needs something new from the next probe
}

// New returns the page. store is nil if no history is kept. now is the clock.
func New(actions Actions, store History, now func() time.Time, callbacks Callbacks) *Page {
	p := &Page{
		actions: actions, history: store, now: now, stirred: now(), rows: newRowSet(), live: true,
		replies: map[string]reply.Reply{}, asking: map[string]bool{},
		open: callbacks.Open, stop: callbacks.Stop, stopAll: callbacks.StopAll, traffic: callbacks.Traffic, watches: callbacks.Watches, probeChanged: callbacks.ProbeChanged,
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
	p.cards = newCardBar(p.ShowPort, p.showPortTraffic, callbacks.Watches)
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
	p.bar = container.New(&filterBar{fleeting: p.quick.fleetingWidth}, p.entry, p.quick.object, p.switches, p.pause, p.filters)
	top := container.New(layout.NewCustomPaddedVBoxLayout(0), widgets.Panel(p.bar, 8), p.warning.Object, widgets.Line(), p.cards.object)
	status := container.New(layout.NewCustomPaddedVBoxLayout(0), p.welcome.object, widgets.Line(), widgets.Panel(container.New(widgets.Ends{}, p.foot, p.right), 4))
	p.middle = container.New(withDetailsPane{p.details}, container.NewStack(p.table, p.empty.Object), p.details.object)
	return container.New(compacting{page: p}, top, p.middle, status)
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
	now := p.now()
	if p.alike {
		p.showDistinguishing()
	}
	before := p.rows.len()
	p.rows.removeAll(func(r *portRow) bool {
		if r.mark == unmarked || now.Before(r.until) {
			return false
		}
		if r.mark == closed {
			return true
		}
		r.mark = unmarked
		return false
	})
	switch {
	case p.rows.len() < before:
		p.arrange()
	case p.agesDue(now):
		p.table.RefreshRows()
		p.showCards()
		p.showDetails()
		p.showStatus()
	}
}

// showCards updates the cards once the state of the watches is known.
func (p *Page) showCards() {
	facts := cardFacts{snapshot: p.snapshot, counts: p.counts, answer: p.answer, attempts: p.status.Attempts, checks: p.status.Checks, labels: p.status.Labels, last: p.lastOwner, now: p.now()}
	if (p.ready || !p.live) && p.cards.show(p.status.Rules, facts, p.live) {
		widgets.Relayout(p.Content)
	}
}

// SetStatus shows the status of the agent.
func (p *Page) SetStatus(s Status) {
	p.status = s
	p.stir()
	p.udp.Choose(s.UDP)
	p.allAddresses.Choose(s.AllAddresses)
	p.setColumnWidths()
	p.showOthers()
	p.rows.replace(func(r *portRow) *portRow {
		watched := s.Rules.Matches(r.listener)
		if watched == r.watched {
			return r
		}
		renewed := *r
		renewed.watched = watched
		return &renewed
	})
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
	return listeners(p.rows.listening())
}

// Table returns the table of listeners.
func (p *Page) Table() *table.Table[*portRow] { return p.table }

// FilterField returns the filter field of the table.
func (p *Page) FilterField() *widgets.FilterEntry { return p.entry }

// Focus focuses the table.
func (p *Page) Focus() { p.table.Focus() }
