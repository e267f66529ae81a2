package ports

import (
	"slices"
	"strconv"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"porthole/monitor"
	"porthole/monitor/label"
	"porthole/ui/widgets"
	"porthole/ui/words"
)

// labelDialog edits the label and the note of a listener.
type labelDialog struct {
	page    *Page
	was     label.Label   // the label that it has; zero if it has none
	scopes  []label.Label // what the label may be for
	scope   *widgets.Choice
	name    *widgets.FormEntry
	note    *widgets.FormEntry
	popUp   *widget.PopUp
	release func() // returns the keys to the window
}

const labelDialogWidth = 400

// EditLabel opens the label dialog for the selected row.
func (p *Page) EditLabel() {
	r, ok := p.table.Selected()
	canvas := fyne.CurrentApp().Driver().CanvasForObject(p.Content)
	if !ok || p.table.SelectedHead() != nil || canvas == nil || canvas.Overlays().Top() != nil || !p.agentRunning() {
		return
	}
	d := &labelDialog{page: p}
	d.was, _ = p.status.Labels.Of(r.listener)
	d.open(canvas, r.listener)
}

// open shows the dialog with the label that l has.
func (d *labelDialog) open(canvas fyne.Canvas, l *monitor.Listener) {
	title := widgets.NewText(lang.L("Label {{.Port}}", map[string]any{"Port": words.Port(l.Protocol, l.Port)}), theme.ColorNameForeground)
	title.TextSize, title.TextStyle.Bold = theme.Size(theme.SizeNameSubHeadingText), true
	d.name, d.note = d.entry(lang.L("Name"), d.was.Name), d.entry(lang.L("Note"), d.was.Note)
	d.scope = widgets.NewChoice(lang.L("For"), d.addScopes(l), func(string) {})
	form := container.New(layout.NewFormLayout())
	for _, row := range []struct {
		label  string
		object fyne.CanvasObject
	}{{lang.L("Name"), d.name}, {lang.L("Note"), d.note}, {lang.L("For"), d.scope.Framed()}} {
		form.Add(container.NewCenter(widgets.Follow(widgets.NewText(row.label, theme.ColorNameForeground), theme.ColorNameForeground)))
		form.Add(row.object)
	}
	buttons := container.NewHBox()
	if d.was.Name != "" {
		buttons.Add(widgets.NewDangerButton(lang.L("Remove label"), d.remove, d.hide))
	}
	save := widgets.NewKeyButton(lang.L("Save"), d.save, d.hide)
	save.Importance = widget.HighImportance
	buttons.Add(layout.NewSpacer())
	buttons.Add(widgets.NewKeyButton(lang.L("Cancel"), d.hide, d.hide))
	buttons.Add(save)
	width := min(labelDialogWidth, canvas.Size().Width-60)
	form.Resize(fyne.NewSize(width, 0))
	content := container.NewVBox(widgets.Follow(title, theme.ColorNameForeground), form, buttons)
	d.popUp = widget.NewModalPopUp(container.New(layout.NewCustomPaddedLayout(12, 10, 14, 14), content), canvas)
	d.popUp.Resize(fyne.NewSize(width, d.popUp.MinSize().Height))
	d.popUp.Show()
	d.release = widgets.CaptureKeys(canvas, d.hide)
	canvas.Focus(d.name)
}

// entry returns a field. Enter saves, Esc closes the dialog.
func (d *labelDialog) entry(name, text string) *widgets.FormEntry {
	e := widgets.NewFormEntry(func() {}, func(k *fyne.KeyEvent) bool {
		switch k.Name {
		case fyne.KeyReturn, fyne.KeyEnter:
			d.save()
		case fyne.KeyEscape:
			d.hide()
		default:
			return false
		}
		return true
	})
	e.Label = name
	e.SetText(text)
	return e
}

// addScopes sets what the label may be for, with what it is for at present first, and returns it as
// options, whose values are indexes of scopes.
func (d *labelDialog) addScopes(l *monitor.Listener) (options []widgets.Option) {
	texts := []string{lang.L("port {{.Port}}", map[string]any{"Port": words.Port(l.Protocol, l.Port)})}
	d.scopes = []label.Label{label.OfPort(l)}
	if service, ok := label.OfService(l); ok {
		data := map[string]any{"Name": monitor.Clean(l.Owners[0].Name, 30), "Project": monitor.Clean(l.Project, 30)}
		text := lang.L("{{.Name}} on any port", data)
		if l.Project != "" {
			text = lang.L("{{.Name}} of {{.Project}} on any port", data)
		}
		d.scopes, texts = append(d.scopes, service), append(texts, text)
	}
	if d.was.Name != "" {
		i := slices.IndexFunc(d.scopes, func(b label.Label) bool { return b.On.Equal(d.was.On) })
		if i < 0 { // written by hand
			i = len(d.scopes)
			d.scopes, texts = append(d.scopes, d.was), append(texts, monitor.Clean(d.was.On.PortsText()+" "+d.was.On.Match.String(), 40))
		}
		d.scopes[0], d.scopes[i] = d.scopes[i], d.scopes[0]
		texts[0], texts[i] = texts[i], texts[0]
	}
	for i, text := range texts {
		options = append(options, widgets.Option{Value: strconv.Itoa(i), Label: text})
	}
	return options
}

// save stores the label, or removes it if its name is empty.
func (d *labelDialog) save() {
	i, _ := strconv.Atoi(d.scope.Value()) // of addScopes
	after := label.Label{On: d.scopes[i].On, Name: d.name.Text, Note: d.note.Text}.Cleaned()
	if after.Name == "" {
		d.remove()
		return
	}
	d.change(label.Rules{Labels: []label.Label{after}}, lang.L("Labelled {{.Name}}", map[string]any{"Name": after.Name}))
}

// remove removes the label that the listener has.
func (d *labelDialog) remove() {
	d.change(label.Rules{}, lang.L("Label {{.Name}} removed", map[string]any{"Name": d.was.Name}))
}

// change replaces the label that the listener has. Undo restores it.
func (d *labelDialog) change(add label.Rules, notice string) {
	d.hide()
	var was label.Rules
	if d.was.Name != "" {
		was.Labels = []label.Label{d.was}
	}
	if add.Equal(was) {
		return
	}
	page := d.page
	page.actions.ChangeLabels(add, was)
	page.offerUndo(notice, func() { page.actions.ChangeLabels(was, add) })
}

// hide closes the dialog.
func (d *labelDialog) hide() {
	d.popUp.Hide()
	d.release()
	d.page.table.Focus()
}
