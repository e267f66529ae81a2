package ui

import (
	"fmt"
	"net/netip"
	"strconv"
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
	"porthole/monitor/activity"
	"porthole/ui/table"
	"porthole/ui/tray"
)

// portsPage is the table of listeners with its filter and its status line.
type portsPage struct {
	actions Actions
	memory  Memory // nil where nothing is kept
	now     func() time.Time
	open    func(*monitor.Listener)
	keys    func(*fyne.KeyEvent)
	stop    func(*monitor.Listener) // asks whether its owners are to be stopped

	snapshot monitor.Snapshot
	ready    bool
	live     bool      // the agent watches
	stopped  time.Time // when it did last
	status   Status
	rows     map[string]*portRow // every listener that the page is about, and the closed ones that are still shown
	filter   Filter

	entry     *filterEntry
	quick     *quickBar
	udp       *segment
	others    *segment
	cards     *cardBar
	side      *sidePane
	middle    *fyne.Container
	pause     *keyButton
	table     *table.Table[*portRow]
	empty     *emptyState
	left      *canvas.Text
	right     *canvas.Text
	warning   *warningBar
	welcome   *welcome
	content   fyne.CanvasObject
	said      string // a sentence in the status line, for a while
	saidUntil time.Time
	unwatched unwatched
	again     *textLink // undoes that
	foot      *fyne.Container
	pointAt   uint16 // to be selected once it listens
	matching  int    // rows that the text filter lets through, and the quick one may not
	last      lastHolder
	seen      Live           // the last look
	counts    map[string]int // connections, by listener; nil where they are not known
	want      func()         // called where there is something new to look at
}

// lastHolder is who had the port that the filter asks for.
type lastHolder struct {
	port  uint16 // 0: not asked
	spell activity.Spell
	known bool
}

func newPortsPage(actions Actions, memory Memory, now func() time.Time, open func(*monitor.Listener), keys func(*fyne.KeyEvent)) *portsPage {
	p := &portsPage{actions: actions, memory: memory, now: now, open: open, keys: keys, rows: map[string]*portRow{}, live: true, want: func() {}, stop: func(*monitor.Listener) {}}
	p.entry = newFilterEntry(lang.L("Filter: try “node”, “3000-3999” or “-root”"), p.setFilter, func() { p.table.Focus() })
	p.quick = newQuickBar(p.setQuick)
	p.udp = newSegment(lang.L("UDP"), func() { p.toggle("udp", p.status.Settings.UDP) })
	p.others = newSegment(lang.L("Other addresses"), func() { p.toggle("other_addresses", p.status.Settings.OtherAddresses) })
	p.cards = newCardBar(memory, p.point, p.showCards)
	p.pause = newButton("", p.togglePause)
	p.table = table.New(portColumns(p.star, p.clock), "port")
	p.table.OnOpen = func(r *portRow) { p.open(r.listener) }
	p.table.OnMenu = p.menu
	p.table.OnSelect = func(*portRow) { p.showSide(); p.want() }
	p.side = newSidePane(actions, func() {
		if r, ok := p.table.Selected(); ok {
			p.open(r.listener)
		}
	}, p.stopSelected, p.explain)
	p.table.OnKey = keys
	p.table.OnSpace = p.star
	p.table.HeaderItems = p.headerItems
	p.table.OnRune = p.entry.take
	p.empty = newEmptyState(actions, func() { p.table.Focus() })
	p.left, p.right = caption(), caption()
	p.again = newTextLink(lang.L("Undo"), p.undo)
	p.foot = container.NewHBox(p.left, p.again)
	p.warning = newWarningBar(actions)
	p.welcome = newWelcome(func() {
		actions.Welcomed()
		p.greet()
		p.table.Focus() // the link, which goes, would keep the keyboard
	})
	p.content = p.layout()
	p.showStatus()
	return p
}

// layout puts the page together: filter bar, warning, table, status line.
func (p *portsPage) layout() fyne.CanvasObject {
	bar := panel(container.NewBorder(nil, nil, nil, container.NewHBox(p.quick.object, segmentBar(p.udp, p.others), p.pause), p.entry), 8)
	top := container.New(layout.NewCustomPaddedVBoxLayout(0), bar, p.warning.object, line(), p.cards.object)
	status := container.New(layout.NewCustomPaddedVBoxLayout(0), p.welcome.object, line(), panel(container.NewBorder(nil, nil, p.foot, p.right), 4))
	p.middle = container.New(withSide{p.side}, container.NewStack(p.table, p.empty.object), p.side.object)
	return container.New(noGaps{}, top, p.middle, status)
}

// update shows what the monitor saw.
func (p *portsPage) update(u monitor.Update) {
	now := p.now()
	first := !p.ready || len(u.Changes) == 0
	if !first && p.updateInPlace(u, now) {
		return
	}
	p.snapshot, p.ready = u.Snapshot, true
	moved := make(map[string]bool) // rows that took sockets from others: neither opened nor closed
	for _, c := range u.Changes {
		if c.Before != nil && c.Before.ID != c.Listener.ID {
			delete(p.rows, c.Before.ID)
			moved[c.Before.ID], moved[c.Listener.ID] = true, true
		}
		switch c.Kind { // looked at from now on, or no longer: neither opened nor closed
		case monitor.Found:
			moved[c.Listener.ID] = true
		case monitor.Dropped:
			delete(p.rows, c.Listener.ID)
		}
	}
	present := make(map[string]bool, len(u.Snapshot.Listeners))
	for _, l := range u.Snapshot.Listeners {
		if !p.isAbout(l) {
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

// isAbout reports whether the page is about l: loopback reaches it, or the user wants others too.
func (p *portsPage) isAbout(l *monitor.Listener) bool {
	return l.Loopback() || p.status.Settings.OtherAddresses
}

// toggle asks for the other value of a setting that is on or off.
func (p *portsPage) toggle(key string, on bool) { p.actions.Set(key, strconv.FormatBool(!on)) }

// showOthers adds the rows that the page has become about, or takes away those
// that it is about no more: nothing opened or closed.
func (p *portsPage) showOthers() {
	for _, l := range p.snapshot.Listeners {
		switch {
		case !p.isAbout(l):
			delete(p.rows, l.ID)
		case p.rows[l.ID] == nil:
			p.rows[l.ID] = p.renew(nil, l, p.now(), true)
		}
	}
}

// renew makes the row of a listener that is new or has changed.
func (p *portsPage) renew(before *portRow, l *monitor.Listener, now time.Time, first bool) *portRow {
	r := newPortRow(l, p.status.Rules.About(l))
	r.count(p.counts)
	switch {
	case first:
	case before == nil, before.mark == closed:
		r.mark, r.until = opened, now.Add(markTime)
	case before.words() != r.words():
		r.mark, r.until = changed, now.Add(markTime)
		if before.mark == opened { // we only learned more about a new row
			r.mark, r.until = opened, before.until
		}
	default:
		r.mark, r.until = before.mark, before.until
	}
	return r
}

// words is all that a row says but its age.
func (r *portRow) words() string {
	return strings.Join([]string{r.port, r.process, r.pid, r.user, r.reach, r.project, r.service}, "\x00")
}

// line is the row as text.
func (r *portRow) line() string {
	return strings.Join([]string{r.port, r.process, r.pid, r.user, r.reach, r.project, r.service}, "\t")
}

func (p *portsPage) close(r *portRow, now time.Time) {
	gone := *r // the table may still hold the old one
	gone.mark, gone.until, gone.ambiguous = closed, now.Add(markTime), false
	p.rows[r.Key()] = &gone
}

// clock is the time of what is shown: it stops where nobody watches any more.
func (p *portsPage) clock() time.Time {
	if !p.live {
		return p.stopped
	}
	return p.now()
}

// tick lets time pass: ages grow, marks end.
func (p *portsPage) tick() {
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
		p.showSide()
	}
	p.showStatus()
}

// arrange gives the table the rows that the filter lets through.
func (p *portsPage) arrange() {
	rows := make([]*portRow, 0, len(p.rows))
	var counts [4]int
	for _, r := range p.rows {
		if !p.filter.finds(r.find) {
			continue
		}
		for q := range counts {
			if r.mark != closed && quick(q).lets(r, p.status.User) {
				counts[q]++
			}
		}
		if p.quick.chosen.lets(r, p.status.User) {
			rows = append(rows, r)
		}
	}
	p.table.SetRows(rows)
	p.quick.count(counts)
	p.matching = counts[quickAll]
	p.showCards()
	p.showSide()
	if p.pointAt != 0 {
		p.point(p.pointAt)
	}
	p.showEmpty(len(rows))
	p.showStatus()
}

func (p *portsPage) setFilter(text string) {
	p.filter = ParseFilter(text)
	p.arrange()
}

// sayFor is how long a sentence stays in the status line.
const sayFor = 10 * time.Second

// say shows a sentence in the status line for a while.
func (p *portsPage) say(sentence string) {
	p.said, p.saidUntil = sentence, p.now().Add(sayFor)
	p.showStatus()
}

// setQuick shows the rows that a quick filter lets through.
func (p *portsPage) setQuick(q quick) {
	p.quick.choose(q)
	p.arrange()
}

// showSide shows the selected row in the side pane, or hides that.
func (p *portsPage) showSide() {
	r, ok := p.table.Selected()
	before := p.side.shown
	if ok && p.live {
		o, _ := r.listener.Principal()
		m := newSide(r.listener, r.ambiguous, p.seen.process(r.listener, o), p.now())
		m.stop = p.stoppable(r)
		if p.side.unfolded {
			m.explanation = explanation(r.listener, r.mark == closed, p.status.System)
		}
		p.side.show(m)
	} else {
		p.side.shown = false
	}
	if before != p.side.shown {
		p.middle.Refresh()
	}
}

// families reports which of 127.0.0.1 and [::1] lead to l.
func families(l *monitor.Listener) (v4, v6 bool) {
	for _, s := range l.Sockets {
		switch a := s.Address.Unmap(); {
		case a.Is4():
			v4 = v4 || a == netip.AddrFrom4([4]byte{127, 0, 0, 1}) || a.IsUnspecified()
		case a.IsUnspecified():
			v4, v6 = v4 || !s.V6Only, true
		default:
			v6 = v6 || a == netip.IPv6Loopback()
		}
	}
	return v4, v6
}

func (p *portsPage) showCards() { p.cards.show(p.status.Rules, p.snapshot, p.counts, p.live, p.now()) }

// point selects the row of a port; where it does not listen the filter shows
// that it is free.
func (p *portsPage) point(port uint16) {
	p.pointAt = 0
	for _, r := range p.rows {
		if r.listener.Port != port || r.mark == closed {
			continue
		}
		if !p.filter.Matches(r.listener) {
			p.entry.SetText("")
		}
		if !p.quick.chosen.lets(r, p.status.User) {
			p.setQuick(quickAll)
		}
		p.table.Select(r.Key())
		p.table.Focus()
		return
	}
	if !p.ready {
		p.pointAt = port
		return
	}
	p.entry.SetText(fmt.Sprintf(":%d", port))
}

func (p *portsPage) setStatus(s Status) {
	p.status = s
	p.udp.choose(s.Settings.UDP)
	p.others.choose(s.Settings.OtherAddresses)
	p.showOthers()
	for id, r := range p.rows {
		if watched := s.Rules.About(r.listener); watched != r.watched {
			renewed := *r
			renewed.watched = watched
			p.rows[id] = &renewed
		}
	}
	p.warn(s.Problems)
	p.greet()
	p.arrange()
}

// warn says what is missing, and makes room for it.
func (p *portsPage) warn(problems []string) {
	if p.warning.show(problems, p.live) {
		p.content.Refresh()
	}
}

// greet shows the line for a new user, and makes room for it.
func (p *portsPage) greet() {
	if p.welcome.show(p.status.Welcome && p.live, p.status.Rules) {
		p.content.Refresh()
	}
}

// disconnect greys the page: what it shows is not live any more.
func (p *portsPage) disconnect() {
	p.live, p.stopped = false, p.now()
	p.table.Dim(true)
	p.showCards()
	p.showSide()
	p.warn(nil)
	p.greet()
	p.showStatus()
}

// listeners are what the page shows and what has not closed.
func (p *portsPage) listeners() []*monitor.Listener {
	all := make([]*monitor.Listener, 0, len(p.rows))
	for _, r := range p.rows {
		if r.mark != closed {
			all = append(all, r.listener)
		}
	}
	return all
}

// setLive shows who is connected, and what else a look told.
func (p *portsPage) setLive(v Live) {
	p.seen = v
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
	p.showSide()
	if r, ok := p.table.Selected(); ok {
		p.side.connected(r.listener, v)
	}
}

func (p *portsPage) star(r *portRow) { p.watch(r.listener.Port) }

// watch makes or removes the simple watch of a port. A port that only a wider
// rule watches gets one of its own, since ★ cannot take a range apart.
func (p *portsPage) watch(port uint16) {
	if p.status.Rules.Simple(port) {
		p.unwatch(port)
		return
	}
	p.actions.Watch(port)
}

// group brings the rows of one process together, or no longer.
func (p *portsPage) group(on bool) {
	if !on {
		p.table.SetGroup(nil)
		return
	}
	p.table.SetGroup(func(r *portRow) string {
		if len(r.listener.Owners) == 0 {
			return "" // nobody knows whether two that are hidden are one
		}
		return processKey(r.listener)
	})
}

// headerItems are the page's own in the menu of columns.
func (p *portsPage) headerItems() []*fyne.MenuItem {
	item := menuItem(lang.L("Group by process"), groupKeys, p.toggleGroup)
	item.Checked = p.table.Grouped()
	return []*fyne.MenuItem{item}
}

func (p *portsPage) toggleGroup() { p.group(!p.table.Grouped()) }

// togglePause ends a pause of notifications, or offers what the tray does.
func (p *portsPage) togglePause() {
	p.table.Focus() // the button keeps the keyboard else, and typing would not filter
	if p.status.Paused {
		p.actions.Resume()
		return
	}
	var items []*fyne.MenuItem
	for _, d := range tray.PauseFor {
		items = append(items, fyne.NewMenuItem(tray.PauseText(d), func() { p.actions.Pause(d) }))
	}
	popUpUnder(p.pause, items...)
}

// menu is the context menu of a row.
func (p *portsPage) menu(r *portRow, at fyne.Position) {
	c := fyne.CurrentApp().Driver().CanvasForObject(p.content)
	if c == nil {
		return
	}
	l := r.listener
	watchLabel := lang.L("Watch")
	if p.status.Rules.Simple(l.Port) {
		watchLabel = lang.L("Stop watching")
	}
	items := []*fyne.MenuItem{
		menuItem(lang.L("Open process"), openKeys, func() { p.open(l) }),
		menuItem(watchLabel, watchKeys, func() { p.watch(l.Port) }),
		menuItem(lang.L("Explain"), explainKeys, p.explain),
		fyne.NewMenuItemSeparator(),
	}
	if l.Protocol == monitor.TCP && l.Loopback() && r.mark != closed {
		address := addressOf(l)
		items = append(items,
			fyne.NewMenuItem(lang.L("Open in browser"), func() { p.actions.OpenInBrowser(address) }),
			fyne.NewMenuItem(lang.L("Copy URL"), func() { p.actions.Copy("http://" + address + "/") }))
	}
	items = append(items,
		menuItem(lang.L("Copy row"), copyKeys, func() { p.actions.Copy(r.line()) }),
		fyne.NewMenuItem(lang.L("Copy address"), func() { p.actions.Copy(addressOf(l)) }))
	if r.mark != closed {
		items = append(items, fyne.NewMenuItem(lang.L("Inspect traffic"), func() { p.actions.Inspect(l) }))
	}
	if o, ok := l.Principal(); ok {
		items = append(items,
			fyne.NewMenuItem(lang.L("Copy PID"), func() { p.actions.Copy(fmt.Sprint(o.PID)) }),
			fyne.NewMenuItem(lang.L("Copy command"), func() { p.actions.Copy(commandWords(o)) }))
		if o.Folder != "" {
			items = append(items, fyne.NewMenuItem(lang.L("Open folder"), func() { p.actions.OpenFolder(o.Folder) }))
		}
	}
	if p.stoppable(r) {
		items = append(items, fyne.NewMenuItemSeparator(), menuItem(lang.L("Stop…"), stopKeys, func() { p.stop(l) }))
	}
	widget.ShowPopUpMenuAtPosition(fyne.NewMenu("", items...), c, at)
}

// stoppable reports whether it makes sense to ask for the end of r's owners.
func (p *portsPage) stoppable(r *portRow) bool {
	return p.live && r.mark != closed && mayStop(r.listener)
}

// stopSelected asks whether the owners of the selected row are to be stopped.
func (p *portsPage) stopSelected() {
	r, ok := p.table.Selected()
	switch {
	case !ok || !p.live || r.mark == closed:
	case p.stoppable(r):
		p.stop(r.listener)
	case len(r.listener.Owners) == 0:
		p.say(lang.L("Who has {{.Port}} cannot be seen, and so not be stopped from here", map[string]any{"Port": r.listener.Port}))
	default:
		p.say(lang.L("{{.Name}} is not stopped: without it the machine stops", map[string]any{"Name": r.process}))
	}
}

// menuItem is an item that says its keys.
func menuItem(label string, keys chord, do func()) *fyne.MenuItem {
	item := fyne.NewMenuItem(label, do)
	item.Shortcut = keys.shortcut()
	return item
}

// addressOf is where a client on this machine reaches l: "127.0.0.1:62893".
func addressOf(l *monitor.Listener) string {
	a := l.Addresses[0].Unmap()
	for _, x := range l.Addresses {
		if monitor.Loopback(x) {
			a = x.Unmap()
			break
		}
	}
	switch {
	case a.IsUnspecified() && a.Is4():
		return fmt.Sprintf("127.0.0.1:%d", l.Port)
	case a.IsUnspecified():
		return fmt.Sprintf("[::1]:%d", l.Port)
	case a.Is6():
		return fmt.Sprintf("[%s]:%d", a, l.Port)
	}
	return fmt.Sprintf("%s:%d", a, l.Port)
}

// copyRow copies the selected row as one line.
func (p *portsPage) copyRow() {
	if r, ok := p.table.Selected(); ok {
		p.actions.Copy(r.line())
	}
}

func (p *portsPage) showEmpty(rows int) {
	if rows > 0 || p.filter.Port() == 0 {
		p.last = lastHolder{} // to be asked anew: who closed it is remembered since
	}
	switch {
	case rows > 0:
		p.empty.hide()
	case !p.ready && p.status.Health.Problem == "":
		p.empty.say(lang.L("Looking…"), "", 0)
	case p.matching > 0:
		p.empty.say(lang.L("Nothing matches"), lang.N("All shows {{.Count}} ports", p.matching, map[string]any{"Count": p.matching}), 0)
	case p.filter.Port() != 0:
		port := p.filter.Port()
		text := lang.L("{{.Port}} is free", map[string]any{"Port": port})
		more, offer := lang.L("Nothing listens there on loopback"), port
		if p.status.Rules.Watches(port) {
			more, offer = lang.L("You watch it: a notification comes when it opens"), 0
		}
		p.empty.sayOf(text, p.lastHeld(port), more, offer)
	case !p.filter.Empty():
		p.empty.say(lang.L("Nothing matches"), lang.L("Words are ANDed; a range is 3000-3999; Esc clears"), 0)
	default:
		p.empty.say(lang.L("Nothing listens on loopback"), lang.L("What opens a port appears here at once"), 0)
	}
}

// lastHeld says who had the port last, or asks; "" where nothing is known.
func (p *portsPage) lastHeld(port uint16) string {
	if p.last.port == port {
		if !p.last.known {
			return ""
		}
		return lastWords(p.last.spell, p.now())
	}
	p.last = lastHolder{port: port}
	if p.memory != nil {
		p.memory.LastHolder(port, func(spell activity.Spell, known bool, err error) {
			if p.last.port == port {
				p.last.spell, p.last.known = spell, known && err == nil
				p.showEmpty(len(p.table.Rows()))
			}
		})
	}
	return ""
}

func (p *portsPage) showStatus() {
	ports, exposed := map[uint16]bool{}, 0 // two servers on one port are one port
	for _, r := range p.rows {
		if r.mark == closed {
			continue
		}
		ports[r.listener.Port] = true
		if r.listener.Reach == monitor.TheNetwork {
			exposed++
		}
	}
	listening := len(ports)
	open, all := p.status.Rules.Open(p.snapshot)
	parts := []string{
		lang.N("{{.Count}} ports listening", listening, map[string]any{"Count": listening}),
		lang.L("{{.Open}} of {{.All}} watched open", map[string]any{"Open": open, "All": all}),
		lang.N("{{.Count}} reachable from the network", exposed, map[string]any{"Count": exposed}),
	}
	words, color := strings.Join(parts, " · "), table.ColorMuted
	if p.now().Before(p.saidUntil) {
		words, color = p.said, colorAlert
	}
	setText(p.left, words, color)
	if hidden := words != p.said || !p.canUndo(); p.again.Hidden != hidden {
		p.again.Hidden = hidden
		p.foot.Refresh() // it stands behind the words
	}
	setText(p.right, p.healthWords(), table.ColorMuted)
	label, icon := lang.L("Pause"), theme.MediaPauseIcon() // of notifications: the status line says so then
	if p.status.Paused {
		label, icon = lang.L("Resume"), theme.MediaPlayIcon()
	}
	if p.pause.Text != label {
		p.pause.Text, p.pause.Icon = label, icon
		p.pause.Refresh()
	}
}

// healthWords says how the monitor is doing.
func (p *portsPage) healthWords() string {
	h := p.status.Health
	var parts []string
	if p.status.Paused {
		text := lang.L("notifications paused")
		if !p.status.PausedUntil.IsZero() {
			text = lang.L("notifications paused until {{.Time}}", map[string]any{"Time": p.status.PausedUntil.Local().Format("15:04")})
		}
		parts = append(parts, text)
	} else if p.live && !p.status.Settings.Notifications {
		parts = append(parts, lang.L("notifications off"))
	}
	switch {
	case !p.live:
		parts = append(parts, lang.L("not watching"))
	case h.Problem != "":
		parts = append(parts, lang.L("the ports cannot be read"))
	case h.Interval > 0:
		parts = append(parts, lang.L("checked every {{.Interval}}", map[string]any{"Interval": shortTime(h.Interval)}))
	}
	return strings.Join(parts, " · ")
}
