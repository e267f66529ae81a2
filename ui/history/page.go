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
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"porthole/monitor"
	"porthole/monitor/history"
	"porthole/monitor/watch"
	"porthole/ui/filter"
	"porthole/ui/table"
	uitheme "porthole/ui/theme"
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

// query returns the query for the events to show.
func (p *Page) query() history.Query {
	q := p.filter.Query()
	if q.Until = p.until; !p.until.IsZero() {
		q.Since = p.until.Add(-time.Hour)
	}
	return q
}

// load loads events. A new request supersedes an unanswered one.
func (p *Page) load(q history.Query, answer func([]*history.Event)) {
	if p.history == nil {
		return
	}
	p.request++
	request := p.request
	p.waiting = true
	p.history.Events(q, func(events []history.Event, err error) {
		if request != p.request {
			return
		}
		p.waiting, p.answered = false, true
		if err != nil {
			p.failed = p.now()
			p.showState()
			return
		}
		p.failed = time.Time{}
		out := make([]*history.Event, len(events))
		for i := range events {
			out[i] = &events[i]
		}
		answer(out)
	})
}

// reload loads the newest matching events and scrolls to the top.
func (p *Page) reload() {
	q := p.query()
	q.Limit = pageOfEvents
	p.load(q, p.replace)
	p.loadHours()
}

func (p *Page) replace(events []*history.Event) {
	p.events, p.complete = events, len(events) < pageOfEvents
	p.newCount, p.gap = 0, false
	p.arrange()
	p.list.ScrollToOffset(0)
	p.showState()
}

// seen is called for each line that becomes visible.
func (p *Page) seen(i int) {
	if i+loadAhead >= len(p.rows) {
		p.loadOlder()
	}
	if i == 0 && p.newCount > 0 && !p.gap && p.list.GetScrollOffset() < eventHeight {
		p.newCount = 0
		p.showState()
	}
}

func (p *Page) loadOlder() {
	if p.waiting || p.complete || len(p.events) == 0 || !p.failed.IsZero() {
		return
	}
	q := p.query()
	q.Before, q.Limit = p.events[len(p.events)-1].Position(), pageOfEvents
	p.load(q, func(events []*history.Event) {
		p.complete = len(events) < pageOfEvents
		p.events = append(p.events, events...)
		p.rows = appendRows(p.rows, events, p.now().Location())
		p.list.Refresh()
		p.showState()
	})
}

// loadNewest loads the newest events, of which some may be missing in the list.
func (p *Page) loadNewest() {
	if !p.until.IsZero() { // new events are later than the selected hour
		p.loadHours()
		return
	}
	q := p.query()
	q.Limit = pageOfEvents
	p.load(q, p.merge)
}

// merge adds the events that are missing in the list to it, mostly at the top. The visible lines stay
// where they are, unless the list is scrolled to the top.
func (p *Page) merge(events []*history.Event) {
	missing := p.missing(events)
	if p.tries--; len(missing) == 0 && p.tries > 0 {
		p.due = p.now().Add(lateTime)
	}
	if len(missing) == 0 {
		return
	}
	p.loadHours()
	atTop := p.list.GetScrollOffset() < eventHeight
	switch gap := len(missing) == len(events) && len(p.events) > 0; {
	case gap && atTop:
		p.replace(events)
	case gap: // there are more between these and the ones shown
		p.newCount, p.gap = len(events), true
	case atTop:
		p.insert(missing)
	default:
		i := p.firstVisible()
		first := p.rows[i].event
		p.newCount += p.insert(missing)
		now := slices.IndexFunc(p.rows, func(r historyRow) bool { return r.event == first })
		p.list.ScrollToOffset(p.list.GetScrollOffset() + float32(now-i)*eventHeight)
	}
	p.showState()
}

// missing returns those of the newest events, newest first, that are not in the list.
func (p *Page) missing(events []*history.Event) []*history.Event {
	have := make(map[int64]bool, len(p.events))
	for _, e := range p.events {
		have[e.ID] = true
	}
	return slices.DeleteFunc(events, func(e *history.Event) bool { return have[e.ID] })
}

// insert puts events where they belong by their time. It returns how many of them are newer than the
// ones that were in the list.
func (p *Page) insert(events []*history.Event) (newer int) {
	if len(p.events) > 0 {
		newest := p.events[0].Position()
		for newer < len(events) && events[newer].Position().Compare(newest) > 0 {
			newer++
		}
	}
	p.events = append(p.events, events...)
	slices.SortFunc(p.events, func(a, b *history.Event) int { return b.Position().Compare(a.Position()) })
	p.arrange()
	return newer
}

// firstVisible returns the index of the first line with an event at or below the upper edge of the list.
func (p *Page) firstVisible() int {
	i := min(int(p.list.GetScrollOffset()/eventHeight), len(p.rows)-1)
	if p.rows[i].event == nil { // a heading always has an event below it
		i++
	}
	return i
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

func (p *Page) loadHours() {
	if p.history == nil {
		return
	}
	from := firstHour(p.now())
	q := p.filter.Query()
	q.Since, q.Until = from, from.Add(chartHours*time.Hour)
	filtered := !p.filter.Empty()
	p.history.Hours(q, func(hours []history.HourCount, err error) {
		if err != nil { // the counts shown may be of another filter
			from, hours, p.retryHours = time.Time{}, nil, p.now().Add(retryDelay)
		}
		p.chart.set(from, hours, filtered, p.now().Location())
		p.showState()
	})
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

// chosen returns the selected event; nil if it is not in the list.
func (p *Page) chosen() *history.Event {
	if i := p.index(); i >= 0 {
		return p.rows[i].event
	}
	return nil
}

func (p *Page) index() int {
	if p.selected == 0 {
		return -1
	}
	return slices.IndexFunc(p.rows, func(r historyRow) bool { return r.id() == p.selected })
}

// move moves the selection by n lines and skips headings.
func (p *Page) move(n int) {
	if len(p.rows) == 0 {
		return
	}
	i := p.index()
	if i < 0 && n > 0 {
		i, n = 0, n-1 // start at the first heading
	}
	i = min(max(i+n, 0), len(p.rows)-1)
	if p.rows[i].event == nil && (n >= 0 || i == 0) {
		i++ // a heading always has an event below it
	} else if p.rows[i].event == nil {
		i--
	}
	p.selected = p.rows[i].id()
	if i == 1 {
		p.list.ScrollTo(0) // show its heading too
	}
	p.list.ScrollTo(i)
	if p.details.object.Visible() {
		p.open(p.rows[i].event)
	}
}

// open shows the history of e's listener.
func (p *Page) open(e *history.Event) {
	p.selected = e.ID
	p.list.Refresh()
	p.details.open(e)
}

// reveal scrolls to the selected line.
func (p *Page) reveal() {
	if i := p.index(); i >= 0 {
		p.list.ScrollTo(i)
	}
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

// popUp shows a menu below the button.
func (p *Page) popUp(under fyne.CanvasObject, items ...*fyne.MenuItem) {
	p.Focus() // otherwise the button keeps the focus
	widgets.ShowMenuBelow(under, items...)
}

func (p *Page) exportMenu() {
	p.popUp(p.export,
		fyne.NewMenuItem(lang.L("Export as CSV (for spreadsheets)"), func() { p.exportAs("csv") }),
		fyne.NewMenuItem(lang.L("Export as JSON"), func() { p.exportAs("json") }))
}

// exportAs asks for a file and exports all events that match the filter to it.
func (p *Page) exportAs(format string) {
	d := dialog.NewFileSave(func(file fyne.URIWriteCloser, err error) {
		switch {
		case err != nil:
			p.notify(lang.L("Can't export the history. See the log for details."))
		case file != nil: // nil means cancelled
			_ = file.Close() // it is empty; Export writes it
			p.exportTo(format, file.URI().Path())
		}
	}, p.window)
	d.SetFileName("porthole-history-" + p.now().Format(time.DateOnly) + "." + format)
	d.SetConfirmText(lang.L("Save"))
	d.SetDismissText(lang.L("Cancel"))
	d.SetOnClosed(p.Focus)
	d.Show()
}

// exportTo exports all events that match the filter to a file.
func (p *Page) exportTo(format, path string) {
	p.notify(lang.L("Exporting…"))
	p.history.Export(format, path, p.query(), func(err error) {
		if err != nil {
			p.notify(lang.L("Can't export the history. See the log for details."))
			return
		}
		p.notify(lang.L("Saved as {{.Path}}", map[string]any{"Path": monitor.Clean(path, 200)}))
	})
}

func (p *Page) moreMenu() {
	p.popUp(p.more, fyne.NewMenuItem(lang.L("Delete all history…"), func() {
		p.forget(history.Forget{Everything: true}, lang.L("The history of all ports will be deleted. This cannot be undone."))
	}))
}

// forget deletes history after a confirmation.
func (p *Page) forget(f history.Forget, what string) {
	p.dialog = widgets.Ask(p.window, lang.L("Delete history?"), what, lang.L("Delete"), func() { p.erase(f) }, p.Focus)
}

func (p *Page) erase(f history.Forget) {
	p.notify(lang.L("Deleting…"))
	p.history.Forget(f, func(err error) {
		if err != nil {
			p.notify(lang.L("Can't delete the history. See the log for details."))
		} else {
			p.notify(lang.L("History deleted"))
			p.details.close()
		}
		p.reload() // even after an error a part may be deleted
	})
}

// notify shows a sentence in the status line for historyNoticeTime.
func (p *Page) notify(notice string) {
	p.notice, p.noticed = notice, p.now()
	p.showState()
}

// showState updates everything except the lines of the list.
func (p *Page) showState() {
	p.showEmpty()
	for _, b := range []*widgets.Button{p.export, p.more} {
		if p.history == nil && !b.Disabled() {
			b.Disable()
		}
	}
	left, name := p.notice, theme.ColorNameForeground
	switch {
	case !p.failed.IsZero() && len(p.events) > 0:
		left, name = lang.L("Can't read the history. See the log for details."), uitheme.ColorAlert
	case left == "" && !p.chart.from.IsZero():
		count := map[string]any{"Count": words.Number(p.chart.sum())}
		left = lang.N("{{.Count}} events in the last 24 hours", p.chart.sum(), count)
		if p.chart.filtered {
			left = lang.N("{{.Count}} matching events in the last 24 hours", p.chart.sum(), count)
		}
		name = table.ColorMuted
	}
	widgets.SetText(p.left, left, name)
	right := ""
	if !p.live {
		right = lang.L("not monitoring")
	}
	widgets.SetText(p.right, right, table.ColorMuted)
	text := lang.N("{{.Count}} new", p.newCount, map[string]any{"Count": words.Number(p.newCount)})
	if p.gap {
		text = lang.N("{{.Count}}+ new", p.newCount, map[string]any{"Count": words.Number(p.newCount)})
	}
	if showButton(p.pill, text, p.newCount > 0) {
		p.pills.Refresh()
	}
	text = ""
	if !p.until.IsZero() {
		text = words.MomentAs(p.until.Add(-time.Hour), p.now(), "15:04") + "–" + p.until.In(p.now().Location()).Format("15:04")
	}
	if showButton(p.back, text, text != "") {
		p.bar.Refresh()
	}
}

// showButton updates the button if it differs, and reports whether it did.
func showButton(b *widgets.Button, text string, shown bool) bool {
	if b.Hidden == !shown && (b.Text == text || !shown) {
		return false
	}
	if shown {
		b.SetText(text)
		b.Show()
	} else {
		b.Hide()
	}
	return true
}

func (p *Page) showEmpty() {
	port := p.filter.Port()
	switch {
	case len(p.events) > 0:
		p.empty.Hide()
	case p.history == nil:
		p.empty.Show(lang.L("History is not available"), "")
	case !p.failed.IsZero():
		p.empty.Show(lang.L("Can't read the history"), lang.L("Porthole will try again. See the log for details."))
	case !p.answered:
		p.empty.Show(lang.L("Loading…"), "")
	case port != 0:
		p.empty.Show(lang.L("No history for {{.Port}}", map[string]any{"Port": port}), "")
	case !p.filter.Empty():
		p.empty.Show(lang.L("Nothing matches"), lang.L("All words must match. Ranges like 3000-3999 work. Esc clears the filter."))
	case !p.until.IsZero():
		p.empty.Show(lang.L("No earlier events"), "")
	default:
		p.empty.Show(lang.L("No events yet"), lang.L("Ports that open, close or change owner or exposure are listed here"))
	}
}

// withDetails is a layout that gives the second object its width if it is visible, and the first
// one the rest.
type withDetails struct{}

// detailsWidth is the width of the details pane, in device-independent pixels.
const detailsWidth = 340

// MinSize implements fyne.Layout.
func (withDetails) MinSize(o []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(o[0].MinSize().Width, max(o[0].MinSize().Height, 100))
}

// Layout implements fyne.Layout.
func (withDetails) Layout(o []fyne.CanvasObject, s fyne.Size) {
	right := float32(0)
	if o[1].Visible() {
		right = min(detailsWidth, s.Width/2)
		o[1].Move(fyne.NewPos(s.Width-right, 0))
		o[1].Resize(fyne.NewSize(right, s.Height))
	}
	o[0].Resize(fyne.NewSize(s.Width-right, s.Height))
}

// commandText returns the command of a stored owner, which is already masked.
func commandText(o history.Owner) string { return monitor.Clean(strings.Join(o.Command, " "), 4000) }

// FilterField returns the filter field of the list.
func (p *Page) FilterField() *widgets.FilterEntry { return p.entry }
