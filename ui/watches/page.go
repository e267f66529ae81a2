// Package watches implements the Watches page: the rules, their current state, and the form that
// edits them. Everything in it runs on Fyne's goroutine.
package watches

import (
	"cmp"
	"slices"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"

	"porthole/monitor"
	"porthole/monitor/watch"
	"porthole/ui/table"
	uitheme "porthole/ui/theme"
	"porthole/ui/widgets"
)

// Actions are the requests that the page sends to the program. They are called on Fyne's goroutine
// and must not block.
type Actions interface {
	SetWatches(seen, rules watch.Rules) // replaces the rules seen with rules
	DismissProblems()                   // the user has read the problems that are over
}

// Page is the Watches page. It shows and edits the rules. Changes are shown immediately; the
// agent's answer may come later. All methods must be called on Fyne's goroutine.
type Page struct {
	actions Actions
	now     func() time.Time
	keys    func(*fyne.KeyEvent)

	known, live  bool // the rules have arrived; the agent is connected
	rules        watch.Rules
	confirmed    watch.Rules   // the last rules from the agent
	pending      []watch.Rules // requests that the agent has not answered yet, oldest first
	pendingSince time.Time
	snapshot     monitor.Snapshot
	ready        bool // there is a snapshot
	selected     int  // index of the selected rule; -1 for none
	views        []ruleView
	deleted      []deletion // deleted rules, oldest first
	hovered      string     // label of the button under the pointer

	warning *widgets.WarningBar
	add     *widgets.Button
	list    *ruleList
	form    *watchForm
	empty   *widgets.EmptyState
	undoing *undoBar
	hint    *widgets.Note
	count   *widgets.Note
	foot    *fyne.Container // hint and count
	Content *fyne.Container
}

// New returns the page. now is the clock. keys receives the keys that the list does not handle.
func New(actions Actions, now func() time.Time, keys func(*fyne.KeyEvent)) *Page {
	p := &Page{actions: actions, now: now, keys: keys, live: true, selected: -1}
	p.add = widgets.NewKeyButton(lang.L("Add watch"), p.addRule, nil)
	p.add.Icon = theme.ContentAddIcon()
	p.warning = widgets.NewWarningBar(nil, func() { actions.DismissProblems(); p.Focus() }) // the foot of the page shows that the agent has ended
	p.list = newRuleList(p)
	p.form = newWatchForm(p.save, p.leaveForm, p.isDuplicate)
	p.empty = widgets.NewEmptyState(func() {})
	p.undoing = newUndoBar(p.Undo)
	p.hint, p.count = widgets.NewNote(false), widgets.NewNote(false).WithoutEllipsis()
	p.Content = p.layout()
	p.form.resized = func() { widgets.Relayout(p.Content) }
	p.arrange()
	return p
}

// layout builds the page: introduction, warning, list, undo bar, form, shortcuts.
func (p *Page) layout() *fyne.Container {
	intro := widgets.NewNote(false)
	intro.Size(theme.SizeNameText)
	intro.Set(lang.L("Porthole notifies you when one of these opens, closes, changes owner or is exposed to the network"), table.ColorMuted)
	top := container.New(layout.NewCustomPaddedVBoxLayout(0), widgets.Panel(container.NewBorder(nil, nil, nil, p.add, intro.Centred()), 8), p.warning.Object, widgets.Line())
	p.foot = container.NewBorder(nil, nil, nil, p.count.Object, p.hint.Object)
	bottom := container.New(layout.NewCustomPaddedVBoxLayout(0), p.undoing.object, p.form.object, widgets.Line(), widgets.Panel(p.foot, 4))
	list := container.NewThemeOverride(p.list, table.Dense())
	return container.New(pageLayout{form: p.form}, top, container.NewStack(list, p.empty.Object), bottom)
}

// Update shows the state of the rules in snapshot s.
func (p *Page) Update(s monitor.Snapshot) {
	p.snapshot, p.ready = s, true
	if p.Content.Visible() { // updates arrive up to ten times a second; OnShown catches up
		p.arrange()
	}
}

// OnShown must be called when the page becomes visible.
func (p *Page) OnShown() { p.arrange() }

// SetRules shows the agent's rules.
func (p *Page) SetRules(rules watch.Rules) {
	if !p.isNews(rules) {
		return
	}
	if !p.known || !slices.EqualFunc(rules, p.rules, watch.Rule.Equal) {
		p.adopt(rules)
		p.list.at = time.Time{} // the row of the first click may show another rule now
	}
	p.known = true
	p.arrange()
}

// SetDefaultEvents sets the events of rules that have none of their own; 0 for watch.DefaultEvents.
func (p *Page) SetDefaultEvents(events watch.NotifyOn) {
	p.form.defaults = cmp.Or(events, watch.DefaultEvents)
}

// ShowProblems shows problems, such as a settings file to which changes cannot be written.
// dismissible reports that some of them are over and can be dismissed.
func (p *Page) ShowProblems(problems []string, dismissible bool) {
	if p.warning.Show(problems, true, dismissible) {
		widgets.Relayout(p.Content)
	}
}

// Disconnect dims the page because the agent has disconnected.
func (p *Page) Disconnect() {
	p.live, p.deleted = false, nil
	p.form.disable()
	p.arrange()
}

// editable reports whether rules can be changed. Before the agent's rules are known, a change would
// lose those in the settings file.
func (p *Page) editable() bool { return p.live && p.known }

// Focus focuses the form if it is open, otherwise the list.
func (p *Page) Focus() {
	switch {
	case p.form.open():
		p.form.focus()
	case p.editable() && len(p.rules) == 0:
		table.FocusOn(p.add)
	default:
		table.FocusOn(p.list)
	}
}

// Tick ends expired undos. It is called once a second.
func (p *Page) Tick() {
	if n := len(p.deleted); n > 0 && !p.now().Before(p.deleted[n-1].until) {
		p.deleted = nil
		p.showUndo()
	}
	if p.Content.Visible() {
		p.showTexts() // the theme may have changed
	}
}

// arrange updates the rows that differ.
func (p *Page) arrange() {
	count := len(p.views)
	p.views = p.views[:0]
	for _, rule := range p.rules {
		p.views = append(p.views, p.view(rule))
	}
	if len(p.views) != count {
		p.list.Refresh()
	}
	p.list.show()
	p.showUndo()
	p.form.check()
	p.showTexts()
}

func (p *Page) view(rule watch.Rule) ruleView {
	v := viewOf(rule)
	v.dim = !p.live
	if p.ready || rule.Off {
		v.state = stateOf(rule, p.snapshot)
	}
	return v
}

// showTexts updates the texts beside the list.
func (p *Page) showTexts() {
	if p.editable() == p.add.Disabled() {
		widgets.SetEnabled(p.add, p.editable())
	}
	switch {
	case len(p.rules) > 0:
		p.empty.Hide()
	case !p.known:
		p.empty.Show(lang.L("Loading…"), "")
	default:
		p.empty.Show(lang.L("No watches"), lang.L("Add a watch here, or click the star next to a port on the Ports page"))
	}
	if text := p.countText(); text != p.count.Segment.Text {
		p.count.Set(text, table.ColorMuted)
		p.foot.Refresh()
	}
	p.showHint(p.hovered)
}

func (p *Page) countText() string {
	open := 0
	for _, v := range p.views {
		if v.state.open {
			open++
		}
	}
	switch {
	case !p.live:
		return lang.L("not monitoring")
	case len(p.rules) == 0:
		return ""
	}
	return lang.L("{{.Open}} of {{.All}} watched open", map[string]any{"Open": open, "All": len(p.rules.Active())})
}

// showHint shows the label of the button under the pointer; "" shows the shortcuts.
func (p *Page) showHint(text string) {
	p.hovered = text
	if !p.live {
		p.hint.Set(lang.L("Porthole has stopped monitoring. This is the last known state."), uitheme.ColorAlert)
		return
	}
	switch {
	case text != "":
	case p.form.open():
		text = lang.L("Enter: save · Esc: cancel")
	case p.editable() && len(p.rules) > 0:
		text = lang.L("Enter: edit · Space: turn on or off · Alt+Up, Alt+Down: move · Delete: delete")
	}
	p.hint.Set(text, table.ColorMuted)
}

// choose selects rule i.
func (p *Page) choose(i int) {
	p.selected = i
	p.clamp()
	p.list.show()
}

// addRule opens the form for a new rule.
func (p *Page) addRule() {
	if p.editable() {
		p.openForm(nil, 0)
	}
}

// edit opens the form for rule i.
func (p *Page) edit(i int) {
	if p.editableAt(i) {
		p.choose(i)
		p.openForm(&p.rules[i], i)
		p.list.ScrollTo(i) // the form takes some of the list's height
	}
}

// openForm opens the form for a rule; nil for a new one.
func (p *Page) openForm(rule *watch.Rule, i int) {
	p.form.begin(rule, i)
	p.showHint(p.hovered)
	widgets.Relayout(p.Content)
	p.form.focus()
}

// closeForm closes the form and gives the list its height back.
func (p *Page) closeForm() {
	if p.form.open() {
		p.form.close()
		p.showHint(p.hovered)
		widgets.Relayout(p.Content)
	}
}

// save saves the rule from the form: in place of the original if that still exists, otherwise as
// a new rule.
func (p *Page) save(rule watch.Rule) {
	if !p.editable() {
		return
	}
	rules := slices.Clone(p.rules)
	i := p.form.place(rules)
	if i < 0 {
		i = len(rules)
		rules = append(rules, rule)
	} else {
		rule.Off = rules[i].Off
		rules[i] = rule
	}
	p.closeForm()
	p.deleted = nil
	p.change(rules, i)
	table.FocusOn(p.list)
}

// isDuplicate reports whether a rule other than the one being edited equals rule.
func (p *Page) isDuplicate(rule watch.Rule) bool {
	own := p.form.place(p.rules)
	for i := range p.rules {
		if i != own && sameButOff(p.rules[i], rule) {
			return true
		}
	}
	return false
}

func (p *Page) leaveForm() {
	p.closeForm()
	p.Focus()
}

// key handles a key for the list.
func (p *Page) key(e *fyne.KeyEvent) {
	page := max(int(p.list.Size().Height/ruleHeight)-1, 1)
	step := map[fyne.KeyName]int{fyne.KeyUp: -1, fyne.KeyDown: 1, fyne.KeyPageUp: -page, fyne.KeyPageDown: page,
		fyne.KeyHome: -len(p.rules), fyne.KeyEnd: len(p.rules)}
	switch e.Name {
	case fyne.KeyUp, fyne.KeyDown, fyne.KeyPageUp, fyne.KeyPageDown, fyne.KeyHome, fyne.KeyEnd:
		if len(p.rules) > 0 {
			p.choose(min(max(p.selected+step[e.Name], 0), len(p.rules)-1))
			p.list.ScrollTo(p.selected)
		}
	case fyne.KeyReturn, fyne.KeyEnter:
		p.edit(p.selected)
	case fyne.KeySpace:
		p.toggle(p.selected)
	case fyne.KeyDelete:
		p.remove(p.selected)
	case fyne.KeyInsert:
		p.addRule()
	case fyne.KeyEscape:
		p.closeForm()
	default:
		p.keys(e)
	}
}

// MoveSelected moves the selected rule by n positions if the list has the focus.
func (p *Page) MoveSelected(n int) {
	if p.list.focused {
		p.move(p.selected, n)
	}
}
