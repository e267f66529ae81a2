package ports

import (
	"reflect"
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
	"porthole/monitor/ancestry"
	"porthole/monitor/connection"
	"porthole/monitor/explain"
	"porthole/monitor/inuse"
	"porthole/monitor/orphan"
	"porthole/monitor/service"
	"porthole/ui/probe"
	"porthole/ui/table"
	uitheme "porthole/ui/theme"
	"porthole/ui/tooltip"
	"porthole/ui/widgets"
	"porthole/ui/words"
)

// detailsModel is the content of the details pane: the selected listener as text.
type detailsModel struct {
	id               string // ID of the listener
	name, pid, about string
	ambiguity        string
	warnings         []string
	facts            [][2]string // label and value
	chain            string
	explanation      string // "" if collapsed
	address          string // address to open in a browser; "" if there is none
	folder           string
	folderProblem    string // why folder cannot be opened
	stop             bool   // show the Stop button
	web              bool   // it is known to speak HTTP
	ask              string // label of the link that asks what answers; "" if that is not possible
	closed           bool
}

// close marks the listener as closed. Its facts stay, but actions that need an open listener
// disappear. a is what is known about its port now.
func (m *detailsModel) close(a inuse.Answer, s explain.System) {
	m.closed, m.about = true, lang.L("closed")
	m.address, m.ambiguity, m.warnings = "", "", nil
	m.facts = slices.DeleteFunc(m.facts, func(f [2]string) bool { return f[0] == lang.L("Exposure") || f[0] == lang.L("Firewall") })
	if a.State() != inuse.Unknown {
		now := strings.TrimSpace(words.Sentence(a.Headline()) + " " + words.Uses(a, s))
		m.facts = slices.Insert(m.facts, 0, [2]string{lang.L("Port now"), now})
	}
}

// newDetails returns the details of l. ambiguous means that another process has the other loopback
// address of the port. live is the state of the process from the last probe.
func newDetails(l *monitor.Listener, ambiguous bool, live monitor.ProcessState, now time.Time) detailsModel {
	m := detailsModel{id: l.ID}
	o, known := l.Principal()
	why := ancestry.Explain(o, l.CgroupInfo, live)
	m.warnings = words.Warnings(l, o, why, live)
	m.name = words.OwnerName(l, o)
	if known {
		m.pid = words.PID(o.PID)
	}
	m.about = words.Description(l, o)
	if ambiguous {
		m.ambiguity = words.AmbiguousWarning()
	}
	add := func(label, value string) {
		if value != "" {
			m.facts = append(m.facts, [2]string{label, value})
		}
	}
	var addresses []string
	for _, s := range l.Sockets {
		if text := words.AddressPort(s, l.Port); !slices.Contains(addresses, text) {
			addresses = append(addresses, text)
		}
	}
	add(lang.L("Label"), l.Label)
	add(lang.L("Note"), l.Note)
	add(lang.L("Listening"), strings.Join(addresses, "\n"))
	exposure := lang.L("local only")
	if l.Exposure == monitor.ExposureNetwork {
		exposure = lang.L("exposed to the network")
	}
	add(lang.L("Exposure"), exposure)
	add(lang.L("Firewall"), words.Firewall(live.Firewall))
	add(lang.L("Port range"), words.PortRange(l.Port))
	if known {
		add(lang.L("Command"), monitor.Clean(words.Command(o), 240))
		add(lang.L("Folder"), words.Path(o.Folder, 200, o))
		if o.ProjectUnknown != "" {
			add(lang.L("Project"), words.Project(o))
		}
		if o.UserUnknown != "" {
			add(lang.L("User"), words.User(o.User, o.UserUnknown))
		}
		add(lang.L("Started"), startedText(o, now))
		m.chain, m.folder, m.folderProblem = ancestryText(l, o, why, live, now), o.Folder, words.FolderProblem(o)
	} else {
		add(lang.L("User"), words.User(l.User, l.UserUnknown))
		add(lang.L("Owner"), lang.L(l.OwnerUnknown))
		add(lang.L("Unit"), monitor.Clean(l.Unit, 200))
		m.chain = words.UnitSentence(why)
	}
	add(lang.L("Container"), words.ContainerDetails(l))
	if l.Protocol == monitor.TCP && l.AcceptsLoopback() {
		m.address, m.web = words.ClientAddress(l), service.SpeaksHTTP(l)
	}
	return m
}

// startedText says when o was started and how long ago; "" if that is unknown.
func startedText(o monitor.Owner, now time.Time) string {
	if o.StartedAt.IsZero() {
		return ""
	}
	return lang.L("{{.When}} ({{.Ago}} ago)", map[string]any{"When": words.MomentAs(o.StartedAt, now, "15:04"), "Ago": words.Duration(now.Sub(o.StartedAt))})
}

// addTotals adds the count of the listener's connections if it is known.
func (m *detailsModel) addTotals(totals map[string]connection.Totals, now time.Time) {
	if t, ok := totals[m.id]; ok {
		m.facts = append(m.facts, [2]string{lang.L("Connections"), words.Totals(t, now)})
		if len(t.Clients) > 0 {
			m.facts = append(m.facts, [2]string{lang.L("Last hour"), words.Visitors(t.Clients, now)})
		}
	}
}

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

func (m detailsModel) withoutFacts() detailsModel {
	m.facts = nil
	return m
}

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

// revealExplanation scrolls down to show as much of the explanation as fits.
func (p *detailsPane) revealExplanation() {
	// Lays out now instead of in Fyne's next frame. The first time that takes several passes: the text
	// wraps only when each container around it has its width.
	const passes = 8
	for range passes {
		before := p.explanationBox.Position()
		p.scroll.Content.Refresh()
		p.scroll.Refresh()
		if wrapped := p.explanationBox.Size().Height >= p.explanation.MinSize().Height; wrapped && p.explanationBox.Position() == before {
			break
		}
	}
	const margin = 12
	from := p.explanationBox.Position().Y - p.explain.Size().Height
	to := p.explanationBox.Position().Y + p.explanationBox.Size().Height + 2*margin // one margin above the whole text, one below this box
	if y := min(from, to-p.scroll.Size().Height); y > p.scroll.Offset.Y {
		p.scroll.ScrollToOffset(fyne.NewPos(0, y))
	}
}

// bars returns the warnings to show, including the ambiguity.
func (m detailsModel) bars() []string {
	if m.ambiguity == "" {
		return m.warnings
	}
	return append([]string{m.ambiguity}, m.warnings...)
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

// footed is a layout of a scroll area and a footer that stays visible below it.
type footed struct{}

// MinSize implements fyne.Layout.
func (footed) MinSize(o []fyne.CanvasObject) fyne.Size {
	return o[0].MinSize().AddWidthHeight(0, o[1].MinSize().Height)
}

// Layout implements fyne.Layout.
func (footed) Layout(o []fyne.CanvasObject, s fyne.Size) {
	o[1].Resize(fyne.NewSize(s.Width, 0)) // wrapping needs the width first
	foot, room := o[1].MinSize().Height, s.Height
	if scroll, ok := o[0].(*container.Scroll); ok {
		scroll.Resize(fyne.NewSize(s.Width, max(s.Height-foot, 0)))
		room = scroll.Content.MinSize().Height
	}
	top := max(min(room, s.Height-foot), 0)
	o[0].Resize(fyne.NewSize(s.Width, top))
	o[1].Move(fyne.NewPos(0, top))
	o[1].Resize(fyne.NewSize(s.Width, foot))
}

// besideLine is a layout with a vertical line, one pixel wide, to the left of the content.
type besideLine struct{}

// MinSize implements fyne.Layout.
func (besideLine) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(detailsPaneWidth, 0) }

// Layout implements fyne.Layout.
func (besideLine) Layout(o []fyne.CanvasObject, s fyne.Size) {
	o[0].Resize(fyne.NewSize(1, s.Height))
	o[1].Move(fyne.NewPos(1, 0))
	o[1].Resize(fyne.NewSize(max(s.Width-1, 0), s.Height))
}

// cutText returns the whole of a text that is shown shortened; "" if it is shown whole.
func cutText(shown *canvas.Text, whole string) string {
	if shown.Text == whole {
		return ""
	}
	return whole
}

// withDetailsPane is a layout that gives the details pane its width if the page is wide enough, and
// the table the rest. The pane keeps its place without a selection, so that the columns do not move.
// On a narrow page it takes the place of the table while detailsPane.page is set.
type withDetailsPane struct{ pane *detailsPane }

// MinSize implements fyne.Layout.
func (withDetailsPane) MinSize(o []fyne.CanvasObject) fyne.Size { return o[0].MinSize() }

// Layout implements fyne.Layout.
func (w withDetailsPane) Layout(o []fyne.CanvasObject, s fyne.Size) {
	width, wide := float32(0), s.Width >= minWidthForDetails
	page := w.pane.page && w.pane.shown && !wide
	w.pane.page = page
	w.pane.object.Hidden, w.pane.backRow.Hidden = !wide && !page, !page
	o[0].(*fyne.Container).Hidden = page
	switch {
	case page:
		w.pane.object.Move(fyne.Position{})
		w.pane.object.Resize(s)
	case wide:
		width = detailsPaneWidth
		w.pane.object.Move(fyne.NewPos(s.Width-width, 0))
		w.pane.object.Resize(fyne.NewSize(width, s.Height))
	}
	o[0].Resize(fyne.NewSize(s.Width-width, s.Height))
}

// Explain shows or hides the explanation of the selected port in the details pane. If the window is
// too narrow for the pane, it shows the explanation in an overlay.
func (p *Page) Explain() {
	r, ok := p.table.Selected()
	switch {
	case !ok:
	case p.details.visible():
		p.unfold(!p.details.unfolded)
	default:
		widgets.ShowText(p.Content, p.explanation(r))
	}
}

// explanation explains the addresses and the port of r, and what keeps a closed port from being
// bound.
func (p *Page) explanation(r *portRow) string {
	system := p.status.System
	system.Firewall = p.probe.Firewall
	text := words.Explanation(r.listener, r.mark == closed, system)
	if r.mark != closed {
		return text
	}
	return strings.TrimSpace(text + " " + words.Uses(p.answer(r.listener.Port), p.status.System))
}

// unfold shows or hides the explanation in the details pane.
func (p *Page) unfold(on bool) {
	p.details.unfolded = on
	p.showDetails()
	if on && p.details.visible() {
		p.details.revealExplanation()
	}
}

// ancestryText returns why o runs and, if it may have been left behind, the evidence.
func ancestryText(l *monitor.Listener, o monitor.Owner, why ancestry.Explanation, live monitor.ProcessState, now time.Time) string {
	text := words.Ancestry(why, false)
	if f, ok := orphan.Judge(l, o, why, live, now); ok && words.Orphan(f) != "" {
		text += "\n" + words.Orphan(f)
	}
	return text
}
