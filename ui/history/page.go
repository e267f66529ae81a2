// Package history implements the History page: past events, a chart of the last day, and the
// details of an event. Everything in it runs on Fyne's goroutine.
package history

import (
	"image/color"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"porthole/monitor"
	"porthole/monitor/history"
	"porthole/monitor/watch"
	"porthole/ui/filter"
	"porthole/ui/table"
	"porthole/ui/widgets"
	"porthole/ui/words"
)

// Limits and delays of loading.
const (
	pageOfEvents      = 200
	loadAhead         = 60                     // load more when fewer lines than this are below the last visible one
	settleTime        = 500 * time.Millisecond // delay after an update: more may follow, and the events are being stored
	lateTime          = 2 * time.Second        // delay of one more attempt for events that were not stored yet
	retryDelay        = 5 * time.Second        // delay after an error
	historyNoticeTime = 20 * time.Second
)

// Actions are the requests that the page sends to the program. They are called on Fyne's goroutine
// and must not block.
type Actions interface {
	Watch(port uint16)
}

// Store answers queries of the history. Its methods are called on Fyne's goroutine and do not
// block: done is called later on the same goroutine. A new call of Events, ListenerEvents or Hours
// cancels an earlier call of the same method, and its done is then never called. Every Forget and
// Export is answered.
type Store interface {
	Events(q history.Query, done func([]history.Event, error))
	ListenerEvents(listener string, done func([]history.Event, error))
	Hours(q history.Query, done func([]history.HourCount, error)) // unlimited; q.Since bounds it
	Forget(f history.Forget, done func(error))
	Export(format, path string, q history.Query, done func(error)) // "csv" or "json"; replaces the file
}

// Page is the History page. It lists the newest events first. All methods must be called on Fyne's
// goroutine.
type Page struct {
	history Store // nil if no history is kept
	actions Actions
	now     func() time.Time
	window  fyne.Window
	keys    func(*fyne.KeyEvent)

	filter filter.Filter
	until  time.Time // end of the selected hour; zero for all hours
	rules  watch.Rules
	live   bool

	events     []*history.Event // loaded as far as the user has scrolled
	rows       []historyRow
	day        int  // day number when rows was built
	complete   bool // all older events are loaded
	answered   bool
	request    int // number of the last request
	waiting    bool
	failed     time.Time // time of the last answer if it was an error
	due        time.Time // when to load the newest events; zero for never
	retryHours time.Time // earliest time to reload the chart after an error
	tries      int
	newCount   int  // number of new events above the visible ones
	gap        bool // more new events than one page, so there is a gap below them
	selected   int64
	notice     string
	noticed    time.Time

	entry       *widgets.FilterEntry
	export      *widgets.Button
	more        *widgets.Button
	chart       *hourChart
	list        *eventList
	empty       *widgets.EmptyState
	pill        *widgets.Button
	back        *widgets.Button
	pills       *fyne.Container
	bar         *fyne.Container
	details     *eventPane
	dialog      *widgets.Question // the last dialog
	foreground  color.Color
	left, right *canvas.Text
	Content     fyne.CanvasObject
}

// Callbacks are the actions of the page that other parts of the window handle.
type Callbacks struct {
	ShowPort func(port uint16)    // shows the port on the Ports page
	Key      func(*fyne.KeyEvent) // a key that no widget handled
}

// New returns the page for window. store is nil if no history is kept. now is the clock.
func New(actions Actions, store Store, now func() time.Time, window fyne.Window, callbacks Callbacks) *Page {
	p := &Page{history: store, actions: actions, now: now, window: window, keys: callbacks.Key, live: true}
	p.entry = widgets.NewFilterEntry(lang.L("Filter by port, process, PID, user, project or address, such as “5432” or “node”"), p.setFilter, p.enterList)
	p.export = widgets.NewButton(lang.L("Export…"), p.exportMenu)
	p.more = widgets.NewIconButton(theme.MoreHorizontalIcon(), lang.L("More"), p.moreMenu)
	p.chart = newHourChart(p.setUntil)
	p.list = newEventList(p)
	p.empty = widgets.NewEmptyState(func() {})
	p.pill = widgets.NewIconButton(theme.MoveUpIcon(), lang.L("Jump to latest"), p.toTop)
	p.pill.Importance = widget.HighImportance
	p.back = widgets.NewIconButton(theme.CancelIcon(), lang.L("Show all hours"), func() { p.setUntil(time.Time{}) })
	p.back.Importance = widget.HighImportance
	p.pill.Hide()
	p.back.Hide()
	p.details = newEventPane(p, callbacks.ShowPort)
	p.left, p.right = widgets.NewCaption(), widgets.NewCaption()
	p.Content = p.layout()
	p.showState()
	return p
}

// layout builds the page: filter bar, chart, list and details, status line.
func (p *Page) layout() fyne.CanvasObject {
	p.bar = container.NewBorder(nil, nil, nil, container.NewHBox(p.back, p.export, p.more), p.entry)
	bar := widgets.Panel(p.bar, 8)
	top := container.New(layout.NewCustomPaddedVBoxLayout(0), bar, widgets.Line(),
		container.New(layout.NewCustomPaddedLayout(8, 6, 12, 12), p.chart), widgets.Line())
	p.pills = container.NewHBox(layout.NewSpacer(), p.pill, layout.NewSpacer())
	p.pills = container.NewVBox(container.New(layout.NewCustomPaddedLayout(4, 0, 0, 0), p.pills))
	list := container.NewStack(container.NewThemeOverride(p.list, table.Dense()), p.empty.Object, p.pills)
	status := container.New(layout.NewCustomPaddedVBoxLayout(0), widgets.Line(), widgets.Panel(container.New(widgets.Ends{}, p.left, p.right), 4))
	return container.New(widgets.TopMiddleBottom{}, top, container.New(withDetails{}, list, p.details.object), status)
}

// enterList moves from the filter to the list and selects its first event, so that Enter opens it.
func (p *Page) enterList() {
	if p.Focus(); p.index() < 0 {
		p.move(1)
	}
}

// Focus focuses the list.
func (p *Page) Focus() { table.FocusOn(p.list) }

// OnShown must be called when the page becomes visible.
func (p *Page) OnShown() {
	p.Tick() // the theme may have changed meanwhile
	if !p.answered {
		p.reload()
	}
}

// Update must be called with each monitor update.
func (p *Page) Update(u monitor.Update) {
	if slices.ContainsFunc(u.Events, func(c monitor.Event) bool { return history.Stored(c.Kind) }) {
		p.LoadSoon()
	}
}

// LoadSoon loads new events after a delay: they are in the history a little later than in an update.
func (p *Page) LoadSoon() {
	p.tries = 2
	if p.due.IsZero() {
		p.due = p.now().Add(settleTime)
	}
}

// SetRules sets the watches.
func (p *Page) SetRules(rules watch.Rules) {
	p.rules = rules
	p.details.showButtons()
}

// Disconnect shows that the agent has disconnected.
func (p *Page) Disconnect() {
	p.live = false
	p.showState()
}

// Tick loads what is due. The page has no timer, so Tick must be called once a second.
func (p *Page) Tick() {
	now := p.now()
	if p.notice != "" && now.Sub(p.noticed) >= historyNoticeTime {
		p.notice = ""
	}
	if !p.Content.Visible() {
		return
	}
	p.showState() // the theme may have changed
	if foreground := theme.Color(theme.ColorNameForeground); foreground != p.foreground {
		p.foreground = foreground
		p.details.repaint()
	}
	if p.history == nil || !p.answered {
		return
	}
	if today := words.DayNumber(now); today != p.day {
		p.arrange()
	}
	if firstHour(now) != p.chart.from && !now.Before(p.retryHours) {
		p.loadHours()
	}
	switch {
	case p.waiting:
	case !p.failed.IsZero():
		if now.Sub(p.failed) >= retryDelay {
			p.reload()
		}
	case !p.due.IsZero() && !now.Before(p.due):
		p.due = time.Time{}
		p.loadNewest()
	}
}

// toTop handles a click on the number of new events.
func (p *Page) toTop() {
	p.Focus()
	if p.gap {
		p.reload()
		return
	}
	p.newCount = 0
	p.list.ScrollToOffset(0)
	p.showState()
}

func (p *Page) arrange() {
	p.day = words.DayNumber(p.now())
	p.rows = appendRows(nil, p.events, p.now().Location())
	p.list.Refresh()
}

func (p *Page) setFilter(text string) {
	p.filter = filter.Parse(text)
	p.reload()
}

// setUntil shows the events of the hour that ends at end. Zero shows those of all hours.
func (p *Page) setUntil(end time.Time) {
	p.until = end
	p.chart.choose(end)
	p.Focus()
	p.reload()
}

// Escape closes the details if they are open. Otherwise it clears the filter if there
// is one, and otherwise returns to the newest events.
func (p *Page) Escape() {
	switch {
	case p.details.object.Visible():
		p.details.close()
	case p.entry.Text != "":
		p.entry.SetText("")
	case !p.until.IsZero():
		p.setUntil(time.Time{})
	}
}

// commandText returns the command of a stored owner, which is already masked.
func commandText(o history.Owner) string { return monitor.Clean(strings.Join(o.Command, " "), 4000) }

// FilterField returns the filter field of the list.
func (p *Page) FilterField() *widgets.FilterEntry { return p.entry }
