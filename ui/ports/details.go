package ports

import (
	"reflect"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"porthole/monitor"
	"porthole/monitor/connection"
	"porthole/ui/probe"
	"porthole/ui/table"
	uitheme "porthole/ui/theme"
	"porthole/ui/tooltip"
	"porthole/ui/widgets"
	"porthole/ui/words"
)

// detailsPane shows the selected listener beside the table, with buttons for actions.
type detailsPane struct {
	model    detailsModel
	shown    bool
	page     bool // it takes the place of the table, in a page that is too narrow for both
	unfolded bool // the explanation is shown

	name, pid, about *canvas.Text
	warnings         *widgets.WarningList
	facts            *fyne.Container
	values           []*widgets.CopyText // the value widgets of facts
	explain, ask     *widgets.Link
	explanation      *widgets.CopyText
	explanationBox   *fyne.Container
	chainTitle       *canvas.Text
	chain            *widgets.CopyText
	chainBox         fyne.CanvasObject
	clients          *widgets.ClientList
	clientsArea      *tooltip.Area // around clients
	clientsTitle     *canvas.Text
	meter            connection.Meter // computes the rates of the selected listener's connections
	browser, copyURL *widgets.Button
	folder, stop     *widgets.Button
	scroll           *container.Scroll
	foot             *fyne.Container // scroll area and buttons
	hint             *canvas.Text    // in place of the details if no row is selected
	back             *widgets.Link   // shows the table again
	backRow          *fyne.Container // with back
	object           *fyne.Container
}

// Width of the pane, and minimum width of the page for showing it, in device-independent pixels.
const (
	detailsPaneWidth   = 320
	minWidthForDetails = 960
)

// detailsActions are the actions of the pane's buttons and links on the selected listener.
type detailsActions struct{ browse, copyURL, details, stop, explain, ask, back func() }

func newDetailsPane(actions Actions, do detailsActions) *detailsPane {
	p := &detailsPane{}
	p.name, p.pid, p.about, p.chainTitle = widgets.NewText("", theme.ColorNameForeground), widgets.NewCaption(), widgets.NewCaption(), widgets.NewCaption()
	p.name.TextSize, p.name.TextStyle.Bold = theme.Size(theme.SizeNameSubHeadingText)+1, true
	p.pid.TextStyle.Bold = true
	p.warnings = widgets.NewWarningList(true)
	p.clients, p.clientsTitle = widgets.NewClientList(false), widgets.NewCaption()
	p.clientsArea = tooltip.NewAreaAt(p.clients.Object, p.clients.CutAt)
	p.facts = container.New(widgets.LabelledRows{Label: 92, EqualHeights: true})
	p.ask = widgets.NewLink("", do.ask)
	p.explain, p.explanation = widgets.NewLink(lang.L("Explain"), do.explain), widgets.NewCopyText("")
	p.explanation.Wrapping = fyne.TextWrapWord
	p.explanationBox = container.NewStack(widgets.NewRectangle(theme.ColorNameButton, fyne.Size{}, 6), p.explanation)
	p.chain = widgets.NewCopyText("")
	p.chain.Wrapping = fyne.TextWrapWord
	p.chainBox = container.NewStack(widgets.NewRectangle(theme.ColorNameButton, fyne.Size{}, 6), p.chain)
	p.browser = widgets.NewButton(lang.L("Open in browser"), do.browse)
	p.copyURL = widgets.NewButton(lang.L("Copy URL"), do.copyURL)
	p.folder = widgets.NewButton(lang.L("Open folder"), func() { actions.OpenFolder(p.model.folder) })
	more := widgets.NewButton(lang.L("Show process"), do.details)
	p.stop = widgets.NewDangerButton(lang.L("Stop…"), do.stop, nil)
	buttons := container.New(layout.NewRowWrapLayoutWithCustomPadding(6, 6), p.browser, p.copyURL, p.folder, more, p.stop)
	heading := container.NewHBox(tooltip.NewArea(p.name, func() string { return cutText(p.name, p.model.name) }), container.New(layout.NewCustomPaddedLayout(5, 0, 0, 0), p.pid))
	p.back = widgets.NewLink(lang.L("Back to the ports"), do.back)
	p.backRow = container.NewHBox(p.back)
	p.backRow.Hide()
	content := container.New(layout.NewCustomPaddedVBoxLayout(6), p.backRow, heading, tooltip.NewArea(p.about, func() string { return cutText(p.about, p.model.about) }), p.warnings.Object,
		container.New(layout.NewCustomPaddedLayout(0, 0, -widgets.Overlap-1, 0), p.facts),
		container.New(layout.NewCustomPaddedLayout(0, 0, -5, 0), container.NewHBox(p.explain, p.ask)), p.explanationBox, p.chainTitle, p.chainBox, p.clientsTitle, p.clientsArea)
	p.scroll = container.NewVScroll(container.New(layout.NewCustomPaddedLayout(12, 12, 16, 12), content))
	foot := container.New(layout.NewCustomPaddedLayout(2, 10, 16, 12), buttons)
	p.foot = container.New(footed{}, p.scroll, foot)
	p.hint = widgets.NewCaption()
	p.foot.Hide()
	ground := container.NewStack(widgets.NewRectangle(uitheme.ColorPanel, fyne.Size{}, 0), p.foot, container.NewCenter(p.hint))
	p.object = container.New(besideLine{}, widgets.NewRectangle(theme.ColorNameSeparator, fyne.Size{}, 0), ground)
	p.object.Hide()
	return p
}

// show updates only what differs. A refresh of the whole pane costs more than everything else that
// Porthole does in a second, and "(… ago)" changes every second for a young process.
func (p *detailsPane) show(m detailsModel) {
	same := p.shown && reflect.DeepEqual(m.withoutFacts(), p.model.withoutFacts())
	if m.id != p.model.id { // the next probe shows the clients of the new listener
		p.meter = connection.Meter{}
		p.scroll.ScrollToTop()
		p.clientsTitle.Hidden, p.clientsArea.Hidden = true, true
	}
	p.model = m
	if !p.shown {
		p.shown = true
		p.hint.Hide()
		p.foot.Show()
	}
	p.paint()
	if m.closed {
		p.clientsTitle.Hidden, p.clientsArea.Hidden = true, true
	}
	if resized := p.showFacts(m.facts); same && !resized {
		return
	}
	p.warnings.Show(m.bars())
	p.explain.SetText(lang.L("Explain"))
	if m.explanation != "" {
		p.explain.SetText(lang.L("Hide explanation"))
	}
	p.ask.SetText(m.ask)
	p.ask.Hidden = m.ask == ""
	p.explanation.SetText(m.explanation)
	p.explanationBox.Hidden = m.explanation == ""
	p.chain.SetText(m.chain)
	p.chainBox.(*fyne.Container).Hidden = m.chain == ""
	p.chainTitle.Hidden = m.chain == ""
	importance := widget.MediumImportance // the main action only for what speaks HTTP
	if m.web {
		importance = widget.HighImportance
	}
	if p.browser.Importance != importance {
		p.browser.Importance = importance
		p.browser.Refresh()
	}
	p.folder.Tip = m.folderProblem
	widgets.SetEnabled(p.folder, m.folderProblem == "")
	p.browser.Hidden, p.copyURL.Hidden, p.folder.Hidden = m.address == "", m.address == "", m.folder == ""
	widgets.ShowIf(p.stop, m.stop)
	p.object.Refresh()
	p.foot.Refresh() // the buttons move with the height of the content
}

// clear shows that no row is selected. hint offers to select one.
func (p *detailsPane) clear(hint bool) {
	text := ""
	if hint {
		text = lang.L("Select a port to see its details")
	}
	widgets.SetText(p.hint, text, table.ColorMuted)
	if p.shown {
		p.shown = false
		p.foot.Hide()
		p.hint.Show()
	}
}

// visible reports whether the pane shows the selected row.
func (p *detailsPane) visible() bool { return p.shown && p.object.Visible() }

// showFacts leaves unchanged values alone because the user may have selected a part of one to copy
// it. It reports whether the size of the facts changed.
func (p *detailsPane) showFacts(facts [][2]string) (resized bool) {
	same := len(facts) == len(p.values)
	for i := 0; same && i < len(facts); i++ {
		label, ok := p.facts.Objects[2*i].(*canvas.Text)
		same = ok && label.Text == facts[i][0]
	}
	if !same {
		p.facts.RemoveAll()
		p.values = nil
	}
	for i, f := range facts {
		if same {
			if v := p.values[i]; v.Text != f[1] {
				before := v.MinSize()
				v.SetText(f[1])
				resized = resized || v.MinSize() != before
			}
			continue
		}
		value := widgets.NewCopyText(f[1])
		value.Wrapping = fyne.TextWrapWord
		value.TextStyle.Monospace = f[0] == lang.L("Listening") || f[0] == lang.L("Command") || f[0] == lang.L("Folder")
		p.values = append(p.values, value)
		p.facts.Add(widgets.NewText(f[0], table.ColorMuted))
		p.facts.Add(value)
	}
	return resized || !same
}

// connected shows the clients of l if l is the selected listener.
func (p *detailsPane) connected(l *monitor.Listener, r probe.Result) {
	st, ok := r.States[l.ID]
	if !ok || l.ID != p.model.id || p.model.closed {
		return
	}
	p.meter.Update(r.At, st.Conns)
	widgets.SetText(p.clientsTitle, words.ConnectionsTitle(len(st.Conns)), table.ColorMuted)
	resized := p.clients.Show(words.ClientLines(st.Conns, &p.meter, st.BytesKnown, false))
	if p.clientsTitle.Hidden || resized {
		p.clientsTitle.Hidden, p.clientsArea.Hidden = false, false
		p.object.Refresh()
	}
}

// paint sets the texts in the colours of the current theme.
func (p *detailsPane) paint() {
	m := p.model
	widgets.SetText(p.pid, m.pid, table.ColorMuted)
	room := float32(detailsPaneWidth - 40 - p.pid.MinSize().Width)
	widgets.SetText(p.name, table.Fit(m.name, room, p.name.TextSize, p.name.TextStyle), theme.ColorNameForeground)
	about := table.ColorMuted
	if m.closed {
		about = uitheme.ColorClosed
	}
	widgets.SetText(p.about, table.Fit(m.about, detailsPaneWidth-40, p.about.TextSize, p.about.TextStyle), about)
	p.about.Hidden = m.about == ""
	widgets.SetText(p.chainTitle, lang.L("Why is it running?"), table.ColorMuted)
	for i := 0; i < len(p.facts.Objects); i += 2 {
		if t, ok := p.facts.Objects[i].(*canvas.Text); ok {
			widgets.SetText(t, t.Text, table.ColorMuted)
		}
	}
}

// cutText returns the whole of a text that is shown shortened; "" if it is shown whole.
func cutText(shown *canvas.Text, whole string) string {
	if shown.Text == whole {
		return ""
	}
	return whole
}
