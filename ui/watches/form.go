package watches

import (
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"porthole/monitor"
	"porthole/monitor/watch"
	"porthole/ui/table"
	uitheme "porthole/ui/theme"
	"porthole/ui/widgets"
)

// watchForm makes a rule, or another one of a rule. It keeps what was typed,
// whatever happens to the rules meanwhile.
type watchForm struct {
	original *watch.Rule // nil for a new one
	index    int         // where the original was
	begun    typed       // what stood in the fields at first
	pressed  bool        // Enter was: what is missing is said aloud
	live     bool
	save     func(watch.Rule)
	taken    func(watch.Rule) bool

	title, aside        *widgets.Note
	ports, match, name  *widgets.FormEntry
	portsNote           *widgets.Note
	matchNote, tellNote *widgets.Note
	tell                [len(allEvents)]*formCheck
	saving              *widgets.Button
	leaving             *widgets.Button
	object              fyne.CanvasObject
}

// typed is what stands in the fields.
type typed struct {
	ports, match, name string
	tell               watch.NotifyOn
}

// ruleErrors say what is wrong with what was typed, a sentence each.
type ruleErrors struct{ ports, match, tell string }

// rule reads what was typed.
func (t typed) rule() (rule watch.Rule, wrong ruleErrors) {
	var err error
	rule.Name = monitor.Clean(t.name, 200)
	if strings.TrimSpace(t.ports) != "" {
		if rule.Ports, err = monitor.ParsePorts(t.ports); err != nil {
			wrong.ports = monitor.Clean(err.Error(), 200)
		}
	}
	if rule.Match, err = watch.ParsePattern(t.match); err != nil {
		wrong.match = monitor.Clean(err.Error(), 200)
	}
	if strings.TrimSpace(t.ports+t.match) == "" {
		wrong.ports = lang.L("Enter ports, a process, or both")
	}
	if rule.NotifyOn = t.tell; t.tell == 0 {
		wrong.tell = lang.L("Select at least one event. To silence a watch, turn it off.")
	}
	if rule.NotifyOn == allEventKinds() {
		rule.NotifyOn = 0
	}
	return rule, wrong
}

func allEventKinds() (all watch.NotifyOn) {
	for _, t := range allEvents {
		all |= t
	}
	return all
}

// typedFor is what makes rule again.
func typedFor(rule watch.Rule) typed {
	t := typed{rule.Ports.String(), strings.Join(strings.Fields(rule.Match.String()), " "), monitor.Clean(rule.Name, 200), rule.NotifyOn}
	if t.tell == 0 {
		t.tell = allEventKinds()
	}
	return t
}

// sameButOff reports whether rules differ at the most in being switched off.
func sameButOff(a, b watch.Rule) bool {
	a.Off = b.Off
	return a.Equal(b)
}

func newWatchForm(save func(watch.Rule), leave func(), taken func(watch.Rule) bool) *watchForm {
	f := &watchForm{save: save, taken: taken, live: true}
	keys := func(e *fyne.KeyEvent) bool {
		switch e.Name {
		case fyne.KeyReturn, fyne.KeyEnter:
			f.submit()
		case fyne.KeyEscape:
			leave()
		default:
			return false
		}
		return true
	}
	f.title, f.aside = widgets.NewNote(false).Whole(), widgets.NewNote(false)
	f.title.Size(theme.SizeNameText)
	f.title.Segment.Style.TextStyle.Bold = true
	changed := func() { f.pressed = false; f.aside.Set("", table.ColorMuted); f.check() }
	f.ports, f.match, f.name = widgets.NewFormEntry(changed, keys), widgets.NewFormEntry(changed, keys), widgets.NewFormEntry(changed, keys)
	f.ports.Label, f.match.Label, f.name.Label = lang.L("Ports"), lang.L("Process"), lang.L("Name")
	f.ports.SetPlaceHolder(lang.L("any port"))
	f.match.SetPlaceHolder(lang.L("any process"))
	f.name.SetPlaceHolder(lang.L("optional"))
	f.portsNote, f.matchNote, f.tellNote = widgets.NewNote(true), widgets.NewNote(true), widgets.NewNote(false)
	for i, label := range eventLabels() {
		f.tell[i] = newFormCheck(label, changed, keys)
	}
	f.saving = widgets.NewKeyButton(lang.L("Save"), f.submit, leave)
	f.saving.Importance = widget.HighImportance
	f.leaving = widgets.NewKeyButton(lang.L("Cancel"), leave, leave)
	f.object = f.layout()
	f.object.Hide()
	return f
}

// layout puts what is watched on one line, what it is called and what is told
// on the next.
func (f *watchForm) layout() fyne.CanvasObject {
	head := container.NewBorder(nil, nil, f.title.Object, nil, container.New(layout.NewCustomPaddedLayout(2, 0, 8, 0), f.aside.Object))
	ports := field(lang.L("Ports"), f.ports, f.portsNote.Object)
	match := field(lang.L("Process"), f.match, f.matchNote.Object)
	name := field(lang.L("Name"), f.name, widgets.NewRectangle(uitheme.ColorPanel, fyne.Size{}, 0))
	checks := container.New(layout.NewCustomPaddedHBoxLayout(2))
	for _, c := range f.tell {
		checks.Add(c)
	}
	tell := field(lang.L("Notify me when it"), container.New(layout.NewCustomPaddedLayout(0, 0, -4, 0), checks), widgets.NewRectangle(uitheme.ColorPanel, fyne.Size{}, 0))
	buttons := container.NewBorder(nil, nil, nil, container.New(layout.NewCustomPaddedHBoxLayout(8), f.leaving, f.saving), f.tellNote.Centred())
	form := container.New(layout.NewCustomPaddedVBoxLayout(8), head,
		container.New(thirds{height: 84}, ports, match), container.New(thirds{height: 58}, name, tell), buttons)
	return container.New(layout.NewCustomPaddedVBoxLayout(0), widgets.Line(), widgets.Panel(form, 12))
}

// field is a labelled input with a note below.
func field(label string, input, below fyne.CanvasObject) fyne.CanvasObject {
	title := widgets.NewNote(false)
	title.Set(label, table.ColorMuted)
	return container.New(widgets.TopMiddleBottom{}, container.New(layout.NewCustomPaddedVBoxLayout(4), title.Object, input, below),
		widgets.NewRectangle(uitheme.ColorPanel, fyne.Size{}, 0), widgets.NewRectangle(uitheme.ColorPanel, fyne.Size{}, 0))
}

// thirds gives the first of two a third of the width, and a place to each that
// does not change with its words.
type thirds struct{ height float32 }

const thirdsGap = 16

// MinSize is Fyne's.
func (t thirds) MinSize(o []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(3*max(o[0].MinSize().Width, o[1].MinSize().Width/2)+thirdsGap, t.height)
}

// Layout is Fyne's.
func (thirds) Layout(o []fyne.CanvasObject, s fyne.Size) {
	first := max(s.Width-thirdsGap, 0) / 3
	o[0].Resize(fyne.NewSize(first, s.Height))
	o[1].Move(fyne.NewPos(first+thirdsGap, 0))
	o[1].Resize(fyne.NewSize(s.Width-first-thirdsGap, s.Height))
}

func (f *watchForm) open() bool { return f.object.Visible() }

// begin opens the form for a rule, nil for a new one. What was typed into it
// before is kept until it is saved or left.
func (f *watchForm) begin(rule *watch.Rule, index int) {
	if f.open() && f.typed() != f.begun {
		f.aside.Set(lang.L("Save or cancel this watch first"), uitheme.ColorAlert)
		return
	}
	f.original, f.index, f.pressed = nil, index, false
	f.begun = typed{tell: allEventKinds()}
	title := lang.L("New watch")
	if rule != nil {
		f.original, f.begun = new(*rule), typedFor(*rule)
		title = lang.L("Edit “{{.Name}}”", map[string]any{"Name": viewOf(*rule).name()})
	}
	f.title.Set(title, theme.ColorNameForeground)
	f.aside.Set("", table.ColorMuted)
	f.fill(f.begun)
	f.object.Show()
	f.check()
}

func (f *watchForm) fill(t typed) {
	f.ports.SetText(t.ports)
	f.match.SetText(t.match)
	f.name.SetText(t.name)
	for i, of := range allEvents {
		f.tell[i].SetChecked(t.tell&of != 0)
	}
}

// typed is what stands in the fields.
func (f *watchForm) typed() typed {
	t := typed{ports: f.ports.Text, match: f.match.Text, name: f.name.Text}
	for i, of := range allEvents {
		if f.tell[i].Checked {
			t.tell |= of
		}
	}
	return t
}

// close forgets what was typed.
func (f *watchForm) close() {
	f.original = nil
	f.object.Hide()
}

// focus gives the keyboard to the field that is asked for first.
func (f *watchForm) focus() {
	if f.original != nil && f.original.FollowsService() {
		table.FocusOn(f.match)
		return
	}
	table.FocusOn(f.ports)
}

// place is where the rule that is edited is in rules now, -1 where it is not.
func (f *watchForm) place(rules watch.Rules) int {
	if f.original == nil {
		return -1
	}
	if i := nearest(rules, *f.original, f.index); i < len(rules) && rules[i].Equal(*f.original) {
		return i
	}
	return slices.IndexFunc(rules, func(r watch.Rule) bool { return sameButOff(r, *f.original) })
}

// check says what is wrong with what was typed so far.
func (f *watchForm) check() (watch.Rule, ruleErrors) {
	if !f.open() {
		return watch.Rule{}, ruleErrors{}
	}
	t := f.typed()
	rule, wrong := t.rule()
	if wrong == (ruleErrors{}) && f.taken(rule) {
		wrong.tell = lang.L("This watch already exists")
	}
	f.say(f.portsNote, wrong.ports, lang.L("For example 62893 or 3000-3999, 8080. Leave empty for any port."), strings.TrimSpace(t.ports+t.match) == "")
	f.say(f.matchNote, wrong.match, lang.L("Words that must all match the name, command, program, folder or project of the process. Each is a regular expression."), false)
	f.say(f.tellNote, wrong.tell, "", false)
	widgets.SetEnabled(f.saving, f.live && wrong == (ruleErrors{}))
	return rule, wrong
}

// say shows what is wrong, or else the help. What is merely missing is not
// wrong before the user wanted to save.
func (f *watchForm) say(n *widgets.Note, wrong, help string, missing bool) {
	switch {
	case wrong == "":
		n.Set(help, table.ColorMuted)
	case missing && !f.pressed && f.typed() == f.begun:
		n.Set(wrong, table.ColorMuted)
	default:
		n.Set(wrong, theme.ColorNameError)
	}
}

// submit saves where nothing is wrong.
func (f *watchForm) submit() {
	f.pressed = true
	rule, wrong := f.check()
	switch {
	case !f.live:
	case wrong.ports != "":
		table.FocusOn(f.ports)
	case wrong.match != "":
		table.FocusOn(f.match)
	case wrong.tell == "":
		f.save(rule)
	}
}

// disable leaves what was typed to be read: nobody takes it any more.
func (f *watchForm) disable() {
	f.live = false
	for _, w := range []fyne.Disableable{f.ports, f.match, f.name, f.saving} {
		w.Disable()
	}
	for _, c := range f.tell {
		c.Disable()
	}
}

// formCheck is a check box whose Enter and Esc are the form's.
type formCheck struct {
	widget.Check
	keys func(*fyne.KeyEvent) bool
}

func newFormCheck(label string, changed func(), keys func(*fyne.KeyEvent) bool) *formCheck {
	c := &formCheck{keys: keys}
	c.ExtendBaseWidget(c)
	c.Text, c.OnChanged = label, func(bool) { changed() }
	return c
}

// TypedKey is Fyne's.
func (c *formCheck) TypedKey(k *fyne.KeyEvent) {
	if !c.keys(k) {
		c.Check.TypedKey(k)
	}
}

// AccessibilityLabel says what the box is for, and whether it is checked.
func (c *formCheck) AccessibilityLabel() string {
	if c.Checked {
		return lang.L("{{.Setting}}: on", map[string]any{"Setting": c.Text})
	}
	return lang.L("{{.Setting}}: off", map[string]any{"Setting": c.Text})
}

// AccessibilityRole is Fyne's.
func (*formCheck) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }
