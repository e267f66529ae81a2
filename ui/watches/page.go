// Package watches is the Watches page: the rules, their present state, and the form that edits them. All of it belongs to
// Fyne's goroutine.
package watches

import (
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

// answerTime is how long after a request the agent's rules are compared with it; after that
// what the agent says counts, whatever was asked.
const answerTime = 5 * time.Second

// Actions is what the page asks of the program. It is called from Fyne's goroutine and must
// not wait.
type Actions interface {
	SetWatches(seen, rules watch.Rules) // replaces the rules seen by rules
}

// Page shows the rules, each with its present state, and changes them.
// What the user does is shown at once; the agent's answer may come late.
type Page struct {
	actions Actions
	now     func() time.Time
	keys    func(*fyne.KeyEvent)

	known, live  bool // the rules have come; the agent watches
	rules        watch.Rules
	confirmed    watch.Rules   // the last that the agent said
	pending      []watch.Rules // what it has not answered yet, the oldest first
	pendingSince time.Time
	snapshot     monitor.Snapshot
	ready        bool // there is a snapshot
	selected     int  // -1 for none
	views        []ruleView
	deleted      []deletion // the last one last
	hovered      string     // what the button under the pointer does

	add     *widgets.Button
	list    *ruleList
	form    *watchForm
	empty   *widgets.EmptyState
	undoing *undoBar
	hint    *widgets.Note
	count   *widgets.Note
	foot    *fyne.Container // of hint and count
	Content *fyne.Container
}

// deletion is what Undo brings back.
type deletion struct {
	rule  watch.Rule
	index int
	until time.Time
}

// New returns the page. now is the clock; keys gets the keys that the list has no use for.
func New(actions Actions, now func() time.Time, keys func(*fyne.KeyEvent)) *Page {
	p := &Page{actions: actions, now: now, keys: keys, live: true, selected: -1}
	p.add = widgets.NewKeyButton(lang.L("Add watch"), p.addRule, nil)
	p.add.Icon = theme.ContentAddIcon()
	p.list = newRuleList(p)
	p.form = newWatchForm(p.save, p.leaveForm, p.taken)
	p.empty = widgets.NewEmptyState(func() {})
	p.undoing = newUndoBar(p.Undo)
	p.hint, p.count = widgets.NewNote(false), widgets.NewNote(false).Whole()
	p.Content = p.layout()
	p.arrange()
	return p
}

// layout puts the page together: what it is for, the list, what was deleted,
// the form, the keys.
func (p *Page) layout() *fyne.Container {
	intro := widgets.NewNote(false)
	intro.Size(theme.SizeNameText)
	intro.Set(lang.L("Porthole notifies you when one of these opens, closes, changes owner or is exposed to the network"), table.ColorMuted)
	top := container.New(layout.NewCustomPaddedVBoxLayout(0), widgets.Panel(container.NewBorder(nil, nil, nil, p.add, intro.Centred()), 8), widgets.Line())
	p.foot = container.NewBorder(nil, nil, nil, p.count.Object, p.hint.Object)
	bottom := container.New(layout.NewCustomPaddedVBoxLayout(0), p.undoing.object, p.form.object, widgets.Line(), widgets.Panel(p.foot, 4))
	list := container.NewThemeOverride(p.list, table.Dense())
	return container.New(widgets.TopMiddleBottom{}, top, container.NewStack(list, p.empty.Object), bottom)
}

// Update shows what the monitor saw.
func (p *Page) Update(s monitor.Snapshot) {
	p.snapshot, p.ready = s, true
	if p.Content.Visible() { // it comes ten times a second, and nobody looks
		p.arrange()
	}
}

// OnShown is called when the page comes to be seen.
func (p *Page) OnShown() { p.arrange() }

// SetRules shows the rules as the agent has them.
func (p *Page) SetRules(rules watch.Rules) {
	if !p.isNews(rules) {
		return
	}
	if !p.known || !slices.EqualFunc(rules, p.rules, watch.Rule.Equal) {
		p.adopt(rules)
		p.list.at = time.Time{} // a second click may be on another rule now
	}
	p.known = true
	p.arrange()
}

// isNews reports whether rules are news: not what the agent said before it
// heard what was asked last.
func (p *Page) isNews(rules watch.Rules) bool {
	same := func(r watch.Rules) bool { return slices.EqualFunc(r, rules, watch.Rule.Equal) }
	if len(p.pending) > 0 && p.now().Sub(p.pendingSince) < answerTime {
		if same(p.confirmed) {
			return false
		}
		if i := slices.IndexFunc(p.pending, same); i >= 0 {
			p.pending, p.confirmed = p.pending[i+1:], rules
			return len(p.pending) == 0
		}
	}
	p.pending, p.confirmed = nil, rules
	return true
}

// adopt takes rules that others changed. The selection stays with its rule.
func (p *Page) adopt(rules watch.Rules) {
	if p.selected >= 0 && p.selected < len(p.rules) {
		p.selected = nearest(rules, p.rules[p.selected], p.selected)
	}
	p.rules = slices.Clone(rules)
	p.clamp()
}

// nearest is where rule is in rules, at or near index where it is there more
// than once, and index where it is not.
func nearest(rules watch.Rules, rule watch.Rule, index int) int {
	found, distance := index, len(rules)+1
	for i := range rules {
		if d := max(i-index, index-i); rules[i].Equal(rule) && d < distance {
			found, distance = i, d
		}
	}
	return found
}

func (p *Page) clamp() { p.selected = min(p.selected, len(p.rules)-1) }

// Disconnect greys the page: nobody watches any more.
func (p *Page) Disconnect() {
	p.live, p.deleted = false, nil
	p.form.disable()
	p.arrange()
}

// editable reports whether rules can be changed: before they are known a change
// would lose those of the settings file.
func (p *Page) editable() bool { return p.live && p.known }

// Focus gives the keyboard to the form if it is open, else to the list.
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

// Tick lets time pass.
func (p *Page) Tick() {
	if n := len(p.deleted); n > 0 && !p.now().Before(p.deleted[n-1].until) {
		p.deleted = nil
		p.showUndo()
	}
	p.showTexts() // the theme may have changed
}

// arrange shows the rules and their states where these differ from what is
// shown.
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

// showTexts says what is said beside the list.
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
	if text := p.countWords(); text != p.count.Segment.Text {
		p.count.Set(text, table.ColorMuted)
		p.foot.Refresh()
	}
	p.showHint(p.hovered)
}

func (p *Page) countWords() string {
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

// showHint says what the button under the pointer does, "" for what the keys do.
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

// choose selects a rule.
func (p *Page) choose(i int) {
	p.selected = i
	p.clamp()
	p.list.show()
}

// change asks for other rules and shows them at once.
func (p *Page) change(rules watch.Rules, selected int) {
	seen := p.rules
	p.rules, p.selected = rules, selected
	p.clamp()
	p.pending, p.pendingSince = append(p.pending, slices.Clone(rules)), p.now()
	p.actions.SetWatches(slices.Clone(seen), slices.Clone(rules))
	p.arrange()
	if p.selected >= 0 {
		p.list.ScrollTo(p.selected)
	}
}

// editableAt reports whether the rule at i can be changed.
func (p *Page) editableAt(i int) bool { return p.editable() && i >= 0 && i < len(p.rules) }

// toggle switches a rule on or off.
func (p *Page) toggle(i int) {
	if !p.editableAt(i) {
		return
	}
	rules := slices.Clone(p.rules)
	rules[i].Off = !rules[i].Off
	p.deleted = nil
	p.change(rules, i)
}

// move moves a rule by n places.
func (p *Page) move(i, n int) {
	if !p.editableAt(i) || i+n < 0 || i+n >= len(p.rules) {
		return
	}
	rules := slices.Clone(p.rules)
	rules[i], rules[i+n] = rules[i+n], rules[i]
	p.deleted = nil
	p.change(rules, i+n)
}

// remove deletes a rule. Those that were deleted right before can still be
// brought back: a key that is held down deletes more than one.
func (p *Page) remove(i int) {
	if !p.editableAt(i) {
		return
	}
	p.deleted = append(p.deleted, deletion{p.rules[i], i, p.now().Add(widgets.UndoTime)})
	p.change(slices.Delete(slices.Clone(p.rules), i, i+1), i)
}

// Undo brings back what was deleted last.
func (p *Page) Undo() {
	n := len(p.deleted)
	if n == 0 || !p.editable() {
		return
	}
	last := p.deleted[n-1]
	p.deleted = p.deleted[:n-1]
	i := min(last.index, len(p.rules))
	p.change(slices.Insert(slices.Clone(p.rules), i, last.rule), i)
	table.FocusOn(p.list)
}

func (p *Page) showUndo() {
	n := len(p.deleted)
	show := n > 0 && p.editable()
	if show {
		p.undoing.set(lang.L("Deleted “{{.Name}}”", map[string]any{"Name": viewOf(p.deleted[n-1].rule).name()}))
	}
	if p.undoing.object.Visible() != show {
		p.undoing.object.Hidden = !show
		widgets.Relayout(p.Content)
	}
}

// addRule opens the form for a new rule.
func (p *Page) addRule() {
	if p.editable() {
		p.openForm(nil, 0)
	}
}

// edit opens the form for the rule at i.
func (p *Page) edit(i int) {
	if p.editableAt(i) {
		p.choose(i)
		p.openForm(&p.rules[i], i)
		p.list.ScrollTo(i) // the form took some of its room
	}
}

// openForm opens the form for a rule, nil for a new one.
func (p *Page) openForm(rule *watch.Rule, i int) {
	p.form.begin(rule, i)
	p.showHint(p.hovered)
	widgets.Relayout(p.Content)
	p.form.focus()
}

// closeForm gives the list its room back.
func (p *Page) closeForm() {
	if p.form.open() {
		p.form.close()
		p.showHint(p.hovered)
		widgets.Relayout(p.Content)
	}
}

// save takes what the form made of a rule: in its place where it still is
// there, as a new one where not.
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

// taken reports whether another rule than the one in the form is the same.
func (p *Page) taken(rule watch.Rule) bool {
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

// key is a key for the list.
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

// MoveSelected moves the selected rule while the list has the keyboard.
func (p *Page) MoveSelected(n int) {
	if p.list.focused {
		p.move(p.selected, n)
	}
}

// undoBar says what was deleted and brings it back.
type undoBar struct {
	text   *widgets.Note
	button *widgets.Button
	object *fyne.Container
}

func newUndoBar(undo func()) *undoBar {
	u := &undoBar{text: widgets.NewNote(false)}
	u.text.Size(theme.SizeNameText)
	u.button = widgets.NewKeyButton(lang.L("Undo"), undo, nil)
	u.button.Icon = theme.ContentUndoIcon()
	bar := widgets.Panel(container.NewBorder(nil, nil, nil, u.button, u.text.Centred()), 6)
	u.object = container.New(layout.NewCustomPaddedVBoxLayout(0), widgets.Line(), bar)
	u.object.Hide()
	return u
}

func (u *undoBar) set(text string) { u.text.Set(text, theme.ColorNameForeground) }
