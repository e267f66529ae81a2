package watches

import (
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"porthole/monitor/watch"
	"porthole/ui/table"
	uitheme "porthole/ui/theme"
	"porthole/ui/widgets"
)

// watchForm creates or edits a rule. It keeps the user's input even if the rules change meanwhile.
type watchForm struct {
	original    *watch.Rule // nil for a new rule
	index       int         // index of the original
	initial     typed       // initial input
	submitted   bool        // Enter was pressed: show missing input as an error
	live        bool
	defaults    watch.NotifyOn // events of a rule without a set
	save        func(watch.Rule)
	isDuplicate func(watch.Rule) bool

	title, aside          *widgets.Note
	ports, match, name    *widgets.FormEntry
	health                *widgets.FormEntry
	healthNote            *widgets.Note
	portsNote             *widgets.Note
	matchNote, notifyNote *widgets.Note
	notify                [len(allEvents)]*formCheck
	urgency, sound        *widgets.Choice
	urgencyNote           *widgets.Note
	soundNote             *widgets.Note
	fields                *fyne.Container   // rows of fields
	height                float32           // of fields
	resized               func()            // called when height has changed
	scroll                *container.Scroll // around fields, for short windows
	saveButton            *widgets.Button
	cancelButton          *widgets.Button
	object                fyne.CanvasObject
}

func newWatchForm(save func(watch.Rule), leave func(), isDuplicate func(watch.Rule) bool) *watchForm {
	f := &watchForm{save: save, isDuplicate: isDuplicate, live: true, defaults: watch.DefaultEvents, resized: func() {}}
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
	f.title, f.aside = widgets.NewNote(false).WithoutEllipsis(), widgets.NewNote(false)
	f.title.Size(theme.SizeNameText)
	f.title.Segment.Style.TextStyle.Bold = true
	changed := func() { f.submitted = false; f.aside.Set("", table.ColorMuted); f.check() }
	f.ports, f.match, f.name = widgets.NewFormEntry(changed, keys), widgets.NewFormEntry(changed, keys), widgets.NewFormEntry(changed, keys)
	f.ports.Label, f.match.Label, f.name.Label = lang.L("Ports"), lang.L("Process"), lang.L("Name")
	f.health = widgets.NewFormEntry(changed, keys)
	f.health.Label = lang.L("Health check")
	f.health.SetPlaceHolder(lang.L("none"))
	f.healthNote = widgets.NewNote(true)
	f.ports.SetPlaceHolder(lang.L("any port"))
	f.match.SetPlaceHolder(lang.L("any process"))
	f.name.SetPlaceHolder(lang.L("optional"))
	f.portsNote, f.matchNote, f.notifyNote = widgets.NewNote(true), widgets.NewNote(true), widgets.NewNote(false)
	for i, label := range eventLabels() {
		f.notify[i] = newFormCheck(label, changed, keys)
	}
	f.urgency = widgets.NewChoice(lang.L("Urgency"), urgencies(), func(string) { changed() })
	f.sound = widgets.NewChoice(lang.L("Sound"), sounds(), func(string) { changed() })
	f.urgency.Keys, f.sound.Keys = keys, keys
	f.urgencyNote, f.soundNote = widgets.NewNote(true), widgets.NewNote(true)
	f.saveButton = widgets.NewKeyButton(lang.L("Save"), f.submit, leave)
	f.saveButton.Importance = widget.HighImportance
	f.cancelButton = widgets.NewKeyButton(lang.L("Cancel"), leave, leave)
	f.object = f.layout()
	f.object.Hide()
	return f
}

func (f *watchForm) open() bool { return f.object.Visible() }

// begin opens the form for a rule; nil for a new one. If the form is open with unsaved input, it
// keeps that and asks the user to save or cancel first.
func (f *watchForm) begin(rule *watch.Rule, index int) {
	if f.open() && f.typed() != f.initial {
		f.aside.Set(lang.L("Save or cancel this watch first"), uitheme.ColorAlert)
		return
	}
	f.original, f.index, f.submitted = nil, index, false
	f.initial = typed{notifyOn: f.defaults}
	title := lang.L("New watch")
	if rule != nil {
		f.original, f.initial = new(*rule), typedFor(*rule, f.defaults)
		title = lang.L("Edit “{{.Name}}”", map[string]any{"Name": viewOf(*rule).name()})
	}
	f.title.Set(title, theme.ColorNameForeground)
	f.aside.Set("", table.ColorMuted)
	f.fill(f.initial)
	f.object.Show()
	f.check()
}

func (f *watchForm) fill(t typed) {
	f.ports.SetText(t.ports)
	f.match.SetText(t.match)
	f.name.SetText(t.name)
	f.health.SetText(t.health)
	for i, kind := range allEvents {
		f.notify[i].SetChecked(t.notifyOn&kind != 0)
	}
	f.urgency.Choose(widgets.Option{Value: string(t.urgency)})
	f.sound.Choose(widgets.Option{Value: t.sound, Label: t.sound})
}

// typed returns the input of all fields.
func (f *watchForm) typed() typed {
	t := typed{ports: f.ports.Text, match: f.match.Text, name: f.name.Text, health: f.health.Text, urgency: watch.Urgency(f.urgency.Value()), sound: f.sound.Value()}
	for i, kind := range allEvents {
		if f.notify[i].Checked {
			t.notifyOn |= kind
		}
	}
	return t
}

// close hides the form and discards its input.
func (f *watchForm) close() {
	f.original = nil
	f.object.Hide()
}

// focus focuses the field that identifies the rule.
func (f *watchForm) focus() {
	if f.original != nil && f.original.FollowsService() {
		table.FocusOn(f.match)
		return
	}
	table.FocusOn(f.ports)
}

// place returns the index in rules of the rule being edited; -1 if it is not there.
func (f *watchForm) place(rules watch.Rules) int {
	if f.original == nil {
		return -1
	}
	if i := nearest(rules, *f.original, f.index); i < len(rules) && rules[i].Equal(*f.original) {
		return i
	}
	return slices.IndexFunc(rules, func(r watch.Rule) bool { return sameButOff(r, *f.original) })
}

// check validates the input and shows errors below the fields.
func (f *watchForm) check() (watch.Rule, ruleErrors) {
	if !f.open() {
		return watch.Rule{}, ruleErrors{}
	}
	t := f.typed()
	rule, errs := t.rule(f.defaults)
	if o := f.original; o != nil { // what the form does not show
		rule.Run, rule.Post = o.Run, o.Post
		if t.urgency == typedFor(*o, f.defaults).urgency {
			rule.Urgency = o.Urgency // "normal" stays if the file says so
		}
	}
	if errs == (ruleErrors{}) && f.isDuplicate(rule) {
		errs.notifyOn = lang.L("This watch already exists")
	}
	f.showNote(f.portsNote, errs.ports, lang.L("For example 62893, 3000-3999 or 5353/udp; -3005 leaves one out. Empty: any port."), strings.TrimSpace(t.ports+t.match) == "")
	f.showNote(f.matchNote, errs.match, lang.L("Words that must all match the name, command, program, folder or project of the process. Each is a regular expression."), false)
	f.showNote(f.healthNote, errs.health, lang.L("A path such as /health: Porthole asks for it every 10 s, on this machine only. An answer below 500 is healthy."), false)
	f.showNote(f.urgencyNote, "", lang.L("Critical: also during quiet hours, and many desktops show it until you close it."), false)
	f.showNote(f.soundNote, "", lang.L("The notification daemon plays it, if it can play sounds."), false)
	f.showNote(f.notifyNote, errs.notifyOn, "", false)
	if height := f.fields.MinSize().Height; height != f.height {
		f.height = height
		f.resized()
	}
	widgets.SetEnabled(f.saveButton, f.live && errs == (ruleErrors{}))
	return rule, errs
}

// showNote shows the error, or else the help. Missing input is not shown as an error before the
// user tries to save.
func (f *watchForm) showNote(n *widgets.Note, problem, help string, missing bool) {
	switch {
	case problem == "":
		n.Set(help, table.ColorMuted)
	case missing && !f.submitted && f.typed() == f.initial:
		n.Set(problem, table.ColorMuted)
	default:
		n.Set(problem, theme.ColorNameError)
	}
}

// submit saves the rule if the input is valid.
func (f *watchForm) submit() {
	f.submitted = true
	rule, errs := f.check()
	switch {
	case !f.live:
	case errs.ports != "":
		table.FocusOn(f.ports)
	case errs.match != "":
		table.FocusOn(f.match)
	case errs.health != "":
		table.FocusOn(f.health)
	case errs.notifyOn == "":
		f.save(rule)
	}
}

// disable makes the form read-only: without an agent nothing can be saved.
func (f *watchForm) disable() {
	f.live = false
	for _, w := range []fyne.Disableable{f.ports, f.match, f.name, f.health, f.urgency, f.sound, f.saveButton} {
		w.Disable()
	}
	for _, c := range f.notify {
		c.Disable()
	}
}
