// Package traffic is the window with the traffic of one listener: a live list of requests
// and messages, and the selected one with its header and body.
//
// Everything must be called on Fyne's goroutine.
package traffic

import (
	"cmp"
	"fmt"
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
	"porthole/monitor/traffic"
	"porthole/ui/filter"
	"porthole/ui/table"
	uitheme "porthole/ui/theme"
	"porthole/ui/tooltip"
	"porthole/ui/widgets"
	"porthole/ui/words"
)

// Source is a way to read the traffic of a listener.
type Source string

// The sources.
const (
	Capture Source = "capture"
	Tap     Source = "tap"
)

// Recording is the traffic of one listener while its window is open. Its methods are
// called on Fyne's goroutine and must not block; done is called later on the same
// goroutine.
type Recording interface {
	Store() *traffic.Store
	// Undecoded returns how many bytes were lost before they could be decoded.
	Undecoded() int64
	// Start begins to read from a source. address is where clients have to connect to a
	// tap. problem is a translated sentence if it could not begin, or ended; "" if not.
	Start(s Source, done func(address, problem string))
	// Replay sends the request of e again. problem is a translated sentence; "" on success.
	Replay(e *traffic.Exchange, done func(answer *traffic.Exchange, problem string))
	// Save writes exchanges to a file in the format of its name. problem is a translated
	// sentence; "" on success.
	Save(path string, exchanges []*traffic.Exchange, unmasked bool, done func(problem string))
	Close()
}

// Actions are the requests that the window sends to the program. They are called on
// Fyne's goroutine and must not block.
type Actions interface {
	Copy(text string)
	// RecordTraffic prepares a recording of l. changed is called on Fyne's goroutine a few
	// times a second while the recording changes.
	RecordTraffic(l *monitor.Listener, changed func()) Recording
	Quit() // quits Porthole
}

// DefaultSize is the initial size of the window, if the screen is large enough.
var DefaultSize = fyne.NewSize(1120, 720)

// noticeTime is how long a notice is shown in the status line.
const noticeTime = widgets.NoticeTime

// Window shows the traffic of one listener.
type Window struct {
	window    fyne.Window
	actions   Actions
	recording Recording
	listener  *monitor.Listener
	now       func() time.Time

	source  Source // "" until the user has chosen
	address string // of the tap, once it listens
	problem string // why the source does not work
	filter  filter.Exchanges
	rows    map[uint64]*exchangeRow
	shown   int // rows that match
	secrets bool
	paused  bool
	notice  string
	until   time.Time         // when notice disappears
	replay  *traffic.Exchange // the new answer to the selected exchange; nil if there is none
	sending bool

	entry, find                       *widgets.FilterEntry
	pauseButton, clearButton          *widgets.Button
	saveButton, secretsButton         *widgets.Button
	replayButton, curlButton, copying *widgets.Button
	table                             *table.Table[*exchangeRow]
	empty                             *widgets.EmptyState
	chooser                           fyne.CanvasObject
	chooserNote                       *widgets.Note
	captureButton, tapButton          *widgets.Button
	request, answer, again            *pane
	details                           *fyne.Container
	body                              *fyne.Container
	split                             *container.Split
	left, right                       *canvas.Text
}

// New returns the window of l, not shown yet. now is the clock.
func New(app fyne.App, l *monitor.Listener, actions Actions, now func() time.Time) *Window {
	w := &Window{actions: actions, listener: l, now: now, rows: map[uint64]*exchangeRow{}}
	w.window = app.NewWindow(w.title() + " – Porthole")
	w.recording = actions.RecordTraffic(l, w.Refresh)
	w.build()
	w.window.SetPadded(false)
	w.window.SetContent(tooltip.Layer(w.layout()))
	widgets.Bind(w.window.Canvas(), w.keys())
	w.window.Canvas().SetOnTypedRune(w.entry.Append)
	w.choose("")
	return w
}

// Fyne returns the Fyne window.
func (w *Window) Fyne() fyne.Window { return w.window }

// Closed ends the recording.
func (w *Window) Closed() { w.recording.Close() }

func (w *Window) title() string {
	return lang.L("Traffic of {{.Who}} on {{.Port}}", map[string]any{"Who": words.Owner(w.listener), "Port": w.listener.Port})
}

// build makes the parts of the window.
func (w *Window) build() {
	w.entry = widgets.NewFilterEntry(lang.L("Filter: “/api”, “method:post”, “status:5xx”, “slow:500ms”, “body:text”"), w.setFilter, func() { w.table.Focus() })
	w.find = widgets.NewFilterEntry(lang.L("Find in this message"), w.search, w.findNext)
	button := func(label, tip string, do func()) *widgets.Button {
		b := widgets.NewButton(label, do)
		b.Tip = tip
		return b
	}
	w.pauseButton = button(lang.L("Pause"), lang.L("Record no further requests; connections go on")+" ("+pauseKeys.String()+")", w.togglePause)
	w.clearButton = button(lang.L("Clear"), lang.L("Remove all requests from memory")+" ("+clearKeys.String()+")", w.clear)
	w.saveButton = button(lang.L("Save…"), lang.L("Save what the filter shows as a HAR file")+" ("+saveKeys.String()+")", w.save)
	w.secretsButton = button(lang.L("Show secrets"), "", w.toggleSecrets)
	w.replayButton = button(lang.L("Send again"), lang.L("Send the same request to the server again")+" ("+replayKeys.String()+")", w.sendAgain)
	w.curlButton = button(lang.L("Copy as curl"), "", w.copyCurl)
	w.copying = button(lang.L("Copy body"), "", w.copyMenu)
	w.table = table.New(columns(), "")
	w.table.Label = lang.L("Requests")
	w.table.OnSelect = func(*exchangeRow) { w.replay = nil; w.showSelected() }
	w.table.OnOpen = func(*exchangeRow) { table.FocusOn(w.request) }
	w.table.OnMenu = w.menu
	w.table.OnKey = w.key
	w.table.OnRune = w.entry.Append
	w.empty = widgets.NewEmptyState(func() { w.entry.SetText("") })
	w.request, w.answer, w.again = newPane(lang.L("Request"), w.key), newPane(lang.L("Answer"), w.key), newPane(lang.L("New answer"), w.key)
	w.again.Hide()
	w.left, w.right = widgets.NewCaption(), widgets.NewCaption()
}

// layout arranges them: filter, list above the selected exchange, status line.
func (w *Window) layout() fyne.CanvasObject {
	bar := container.NewBorder(nil, nil, nil, container.NewHBox(w.pauseButton, w.clearButton, w.secretsButton, w.saveButton), w.entry)
	top := container.New(layout.NewCustomPaddedVBoxLayout(0), widgets.Panel(bar, 8), widgets.Line())
	list := container.NewStack(w.table, w.empty.Object)
	tools := container.NewBorder(nil, nil, container.NewHBox(w.replayButton, w.curlButton, w.copying), nil, w.find)
	panes := container.New(&sideBySide{}, w.request, w.answer, w.again)
	w.details = container.New(widgets.TopMiddleBottom{}, container.New(layout.NewCustomPaddedVBoxLayout(0), widgets.Line(), widgets.Panel(tools, 6)),
		container.New(layout.NewCustomPaddedLayout(0, 4, 12, 12), panes), container.NewWithoutLayout())
	w.split = container.NewVSplit(list, w.details)
	w.split.Offset = 0.5
	w.chooser = w.chooserBox()
	w.body = container.NewStack(w.split, w.chooser)
	status := container.New(layout.NewCustomPaddedVBoxLayout(0), widgets.Line(), widgets.Panel(container.New(widgets.Ends{}, w.left, w.right), 4))
	return container.New(widgets.TopMiddleBottom{}, top, w.body, status)
}

// sideBySide gives the visible objects the same width.
type sideBySide struct{}

// paneGap is the distance between panes.
const paneGap = 12

// MinSize implements fyne.Layout.
func (*sideBySide) MinSize(o []fyne.CanvasObject) fyne.Size { return fyne.NewSize(200, 60) }

// Layout implements fyne.Layout.
func (*sideBySide) Layout(o []fyne.CanvasObject, s fyne.Size) {
	count := 0
	for _, x := range o {
		if x.Visible() {
			count++
		}
	}
	width, x := (s.Width-paneGap*float32(count-1))/float32(max(count, 1)), float32(0)
	for _, object := range o {
		if object.Visible() {
			object.Move(fyne.NewPos(x, 0))
			object.Resize(fyne.NewSize(width, s.Height))
			x += width + paneGap
		}
	}
}

// chooserBox offers the sources, each with one sentence.
func (w *Window) chooserBox() fyne.CanvasObject {
	heading := widgets.NewText(lang.L("How should the traffic be read?"), theme.ColorNameForeground)
	heading.TextSize = 17
	w.captureButton = widgets.NewButton(lang.L("Capture"), func() { w.choose(Capture) })
	w.tapButton = widgets.NewButton(lang.L("Tap"), func() { w.choose(Tap) })
	w.captureButton.Importance = widget.HighImportance
	w.chooserNote = widgets.NewNote(true)
	choice := func(b *widgets.Button, text string) fyne.CanvasObject {
		note := widgets.NewNote(true)
		note.Set(text, table.ColorMuted)
		return container.NewBorder(nil, nil, container.New(layout.NewGridWrapLayout(fyne.NewSize(120, 36)), b), nil, container.New(layout.NewCustomPaddedLayout(4, 4, 12, 0), note.Object))
	}
	port := map[string]any{"Port": w.listener.Port}
	box := container.New(layout.NewCustomPaddedVBoxLayout(14), container.NewCenter(widgets.Follow(heading, theme.ColorNameForeground)),
		choice(w.captureButton, lang.L("Shows what flows to {{.Port}} already. Your user must be allowed to capture packets.", port)),
		choice(w.tapButton, lang.L("Listens on a second port and forwards to {{.Port}}. Connect your client there; this needs no permission.", port)),
		w.chooserNote.Object)
	return container.NewStack(widgets.NewRectangle(theme.ColorNameBackground, fyne.Size{}, 0), container.NewCenter(container.New(fixedWidth(560), box)))
}

// fixedWidth is a layout with a fixed width.
type fixedWidth float32

// MinSize implements fyne.Layout.
func (f fixedWidth) MinSize(o []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(float32(f), o[0].MinSize().Height)
}

// Layout implements fyne.Layout.
func (f fixedWidth) Layout(o []fyne.CanvasObject, s fyne.Size) { o[0].Resize(s) }

// choose starts a source, or offers the choice if it is "".
func (w *Window) choose(s Source) {
	w.source, w.problem, w.address = s, "", ""
	if s == "" {
		w.chooser.Show()
		w.showState()
		return
	}
	w.chooser.Hide()
	w.recording.Start(s, func(address, problem string) {
		w.address, w.problem = address, problem
		if problem != "" && w.recording.Store().Stats().Exchanges == 0 {
			w.source = ""
			w.chooser.Show()
			w.chooserNote.Set(problem, uitheme.ColorAlert)
		}
		w.showState()
	})
	w.Focus()
	w.Refresh()
}

// Focus focuses the list, or the first choice.
func (w *Window) Focus() {
	if w.source == "" {
		w.window.Canvas().Focus(w.captureButton)
		return
	}
	w.table.Focus()
}

// Refresh shows what has changed in the recording.
func (w *Window) Refresh() {
	w.updateRows(false)
	w.showSelected()
	w.showState()
}

// updateRows shows the exchanges that match the filter, the newest first. Rows of
// exchanges that have not changed are kept, with what was computed for them.
func (w *Window) updateRows(filtered bool) {
	list := w.recording.Store().List()
	rows := make([]*exchangeRow, 0, len(list))
	known := make(map[uint64]*exchangeRow, len(list))
	for i := len(list) - 1; i >= 0; i-- {
		e := list[i]
		r := w.rows[e.ID]
		if r == nil || r.exchange != e {
			r = &exchangeRow{exchange: e, key: keyOf(e), secrets: w.secrets, now: w.now, matches: w.filter.Matches(e)}
		} else if filtered || e.Ended.IsZero() {
			r.matches = w.filter.Matches(e)
		}
		known[e.ID] = r
		if r.matches {
			rows = append(rows, r)
		}
	}
	w.rows, w.shown = known, len(rows)
	if filtered {
		w.table.ShowRows(rows)
	} else {
		w.table.SetRows(rows)
	}
	w.showEmpty()
}

// showEmpty says why the list is empty, if it is.
func (w *Window) showEmpty() {
	switch {
	case w.shown > 0:
		w.empty.Hide()
	case len(w.rows) > 0:
		w.empty.ShowMessage(widgets.EmptyMessage{Title: lang.L("No request matches the filter"), Button: lang.L("Clear filter")})
	case w.source == Tap && w.address != "":
		w.empty.Show(lang.L("Waiting for a request"), lang.L("Connect your client to {{.Address}}", map[string]any{"Address": w.address}))
	default:
		w.empty.Show(lang.L("Waiting for a request"), "")
	}
}

func (w *Window) setFilter(text string) {
	w.filter = filter.ParseExchanges(text)
	w.updateRows(true)
	w.showState()
}

// selected returns the selected exchange, nil if there is none.
func (w *Window) selected() *traffic.Exchange {
	if r, ok := w.table.Selected(); ok {
		return r.exchange
	}
	return nil
}

// visible returns e as it may be shown: masked until the user asks for secrets.
func (w *Window) visible(e *traffic.Exchange) *traffic.Exchange {
	if w.secrets {
		return e
	}
	return traffic.Masked(e)
}

// showSelected shows the selected exchange in the panes.
func (w *Window) showSelected() {
	e := w.selected()
	widgets.SetEnabled(w.replayButton, e != nil && e.Web() && !w.sending)
	widgets.SetEnabled(w.curlButton, e != nil && e.Web())
	widgets.SetEnabled(w.copying, e != nil && len(e.Request.Body)+len(e.Answer.Body) > 0)
	state := paneState{e, w.secrets}
	if e == nil {
		e = &traffic.Exchange{}
	}
	if w.request.state != state {
		w.request.state = state
		shown := w.visible(e)
		w.request.show(w.requestTitle(e), shown, &shown.Request)
		w.answer.show(answerTitle(lang.L("Answer"), e), shown, &shown.Answer)
	}
	if again := (paneState{w.replay, w.secrets}); w.again.state != again {
		w.again.state = again
		if w.again.Hidden = w.replay == nil; w.replay != nil {
			shown := w.visible(w.replay)
			w.again.show(answerTitle(lang.L("New answer"), w.replay), shown, &shown.Answer)
		}
		w.details.Refresh()
	}
}

func (w *Window) requestTitle(e *traffic.Exchange) string {
	return titled(lang.L("Request"), e, &e.Request)
}

// titled returns the title of a pane with the size of its message.
func titled(title string, e *traffic.Exchange, m *traffic.Message) string {
	if e.ID == 0 && e.Method == "" || m.Size == 0 {
		return title
	}
	return title + " · " + words.Size(uint64(m.Size))
}

// answerTitle adds the time that an exchange took, and what was lost of it.
func answerTitle(title string, e *traffic.Exchange) string {
	title = titled(title, e, &e.Answer)
	if !e.Ended.IsZero() && e.Kind == traffic.Request {
		title += " · " + took(e.Duration(e.Ended))
	}
	if lost := e.Lost(); lost > 0 {
		title += " · " + lang.L("{{.Size}} lost", map[string]any{"Size": words.Size(uint64(lost))})
	}
	return title
}

// showState shows the status line and the labels that depend on the state.
func (w *Window) showState() {
	stats := w.recording.Store().Stats()
	left, color := w.sourceText(), table.ColorMuted
	switch {
	case w.notice != "" && w.now().Before(w.until):
		left = w.notice
	case w.problem != "":
		left, color = w.problem, uitheme.ColorAlert
	}
	widgets.SetText(w.left, left, color)
	parts := []string{lang.N("{{.Count}} requests", stats.Exchanges, map[string]any{"Count": words.Number(stats.Exchanges)})}
	if w.shown < stats.Exchanges {
		parts = []string{lang.L("{{.Shown}} of {{.All}} requests", map[string]any{"Shown": words.Number(w.shown), "All": words.Number(stats.Exchanges)})}
	}
	for _, p := range []struct {
		count uint64
		text  func(map[string]any) string
	}{
		{stats.DroppedExchanges, func(n map[string]any) string { return lang.L("{{.Count}} older ones dropped", n) }},
		{stats.DroppedBodies, func(n map[string]any) string { return lang.L("{{.Count}} older bodies dropped", n) }},
	} {
		if p.count > 0 {
			parts = append(parts, p.text(map[string]any{"Count": words.Number(int(p.count))}))
		}
	}
	if n := w.recording.Undecoded(); n > 0 {
		parts = append(parts, lang.L("{{.Size}} not decoded", map[string]any{"Size": words.Size(uint64(n))}))
	}
	widgets.SetText(w.right, strings.Join(parts, " · "), table.ColorMuted)
	label := lang.L("Pause")
	if w.paused {
		label = lang.L("Resume")
	}
	w.pauseButton.SetText(label)
	label = lang.L("Show secrets")
	if w.secrets {
		label = lang.L("Hide secrets")
	}
	w.secretsButton.SetText(label)
}

// sourceText says where the traffic comes from.
func (w *Window) sourceText() string {
	port := map[string]any{"Port": w.listener.Port, "Address": w.address}
	switch {
	case w.source == "":
		return ""
	case w.paused:
		return lang.L("Paused: no further requests are recorded")
	case w.source == Tap && w.address != "":
		return lang.L("Tap: connect to {{.Address}}, which forwards to {{.Port}}", port)
	case w.source == Tap:
		return lang.L("Opening the tap…")
	}
	return lang.L("Capturing the traffic of {{.Port}}", port)
}

// Tick updates what depends on the time. It is called once a second.
func (w *Window) Tick() {
	w.showState()
	w.table.RefreshRows() // durations of what lasts
}

// ShowNotice shows a sentence in the status line for some seconds.
func (w *Window) ShowNotice(sentence string) {
	w.notice, w.until = sentence, w.now().Add(noticeTime)
	w.showState()
}

// The shortcuts of the window.
var (
	filterKeys  = widgets.Ctrl(fyne.KeyF)
	pauseKeys   = widgets.Ctrl(fyne.KeyP)
	clearKeys   = widgets.Ctrl(fyne.KeyL)
	saveKeys    = widgets.Ctrl(fyne.KeyS)
	replayKeys  = widgets.Ctrl(fyne.KeyR)
	curlKeys    = widgets.Ctrl(fyne.KeyU)
	secretsKeys = widgets.Ctrl(fyne.KeyH)
	findKeys    = widgets.Chord{Key: fyne.KeyF3}
)

func (w *Window) keys() widgets.KeyGroup {
	return widgets.KeyGroup{Title: lang.L("Traffic"), Bindings: []widgets.Binding{
		{Label: lang.L("Filter"), Keys: []widgets.Chord{filterKeys}, Do: func() { w.entry.Take() }},
		{Label: lang.L("Find in the message"), Keys: []widgets.Chord{findKeys}, Do: w.findNext},
		{Label: lang.L("Send again"), Keys: []widgets.Chord{replayKeys}, Do: w.sendAgain},
		{Label: lang.L("Copy as curl"), Keys: []widgets.Chord{curlKeys}, Do: w.copyCurl},
		{Label: lang.L("Copy body"), Keys: []widgets.Chord{widgets.CopyKeys}, Do: func() { w.copyBody(traffic.ToClient) }},
		{Label: lang.L("Show or hide secrets"), Keys: []widgets.Chord{secretsKeys}, Do: w.toggleSecrets},
		{Label: lang.L("Pause or resume"), Keys: []widgets.Chord{pauseKeys}, Do: w.togglePause},
		{Label: lang.L("Clear"), Keys: []widgets.Chord{clearKeys}, Do: w.clear},
		{Label: lang.L("Save"), Keys: []widgets.Chord{saveKeys}, Do: w.save},
		widgets.Binding{Label: lang.L("Close window"), Keys: []widgets.Chord{{Key: fyne.KeyEscape}, widgets.Ctrl(fyne.KeyW)}, Do: w.window.Close}.Also(),
		widgets.Binding{Label: lang.L("Quit Porthole"), Keys: []widgets.Chord{widgets.Ctrl(fyne.KeyQ)}, Do: w.actions.Quit}.Also(),
	}}
}

// key handles a key that no widget handled.
func (w *Window) key(e *fyne.KeyEvent) { w.window.Canvas().OnTypedKey()(e) }

func (w *Window) togglePause() {
	w.paused = !w.paused
	w.recording.Store().SetPaused(w.paused)
	w.showState()
}

func (w *Window) clear() {
	w.replay = nil
	w.recording.Store().Clear()
	w.Refresh()
}

func (w *Window) toggleSecrets() {
	w.secrets = !w.secrets
	clear(w.rows) // their paths are masked, or not
	w.Refresh()
}

// search marks text in the panes.
func (w *Window) search(text string) {
	for _, p := range []*pane{w.request, w.answer, w.again} {
		p.search(text)
	}
}

// findNext scrolls to the next line that contains the text of the search field, or moves
// to the field if it is empty.
func (w *Window) findNext() {
	if w.find.Text == "" {
		w.find.Take()
		return
	}
	for _, p := range []*pane{w.request, w.answer, w.again} {
		if p.Visible() && p.next() {
			return
		}
	}
	w.search(w.find.Text) // from the beginning
}

// sendAgain sends the selected request again and shows the new answer beside the old.
func (w *Window) sendAgain() {
	e := w.selected()
	if e == nil || !e.Web() || w.sending {
		return
	}
	w.sending = true
	w.showSelected()
	w.recording.Replay(e, func(answer *traffic.Exchange, problem string) {
		w.sending = false
		if problem != "" {
			w.ShowNotice(problem)
		} else if now := w.selected(); now != nil && now.ID == e.ID {
			w.replay = answer
		}
		w.showSelected()
	})
}

func (w *Window) copyCurl() {
	e := w.selected()
	if e == nil || !e.Web() {
		return
	}
	command, ok := w.visible(e).Curl()
	if !ok {
		w.ShowNotice(lang.L("The body of this request does not fit into a command"))
		return
	}
	w.actions.Copy(command)
	w.ShowNotice(words.Copied(command))
}

// copyMenu copies a body, and asks which one if there are two.
func (w *Window) copyMenu() {
	e := w.selected()
	switch {
	case e == nil:
	case len(e.Request.Body) > 0 && len(e.Answer.Body) > 0:
		widgets.ShowMenuBelow(w.copying,
			fyne.NewMenuItem(lang.L("Copy the body of the request"), func() { w.copyBody(traffic.ToServer) }),
			fyne.NewMenuItem(lang.L("Copy the body of the answer"), func() { w.copyBody(traffic.ToClient) }))
	case len(e.Request.Body) > 0:
		w.copyBody(traffic.ToServer)
	default:
		w.copyBody(traffic.ToClient)
	}
}

// copyBody copies a body as it was sent, without content coding.
func (w *Window) copyBody(dir traffic.Direction) {
	e := w.selected()
	if e == nil {
		return
	}
	content, _ := w.visible(e).Message(dir).Shown(0) // what can be decoded of it
	if len(content) == 0 {
		w.ShowNotice(lang.L("There is no body to copy"))
		return
	}
	text := strings.ToValidUTF8(string(content), "\ufffd")
	w.actions.Copy(text)
	w.ShowNotice(lang.L("Copied {{.Size}}", map[string]any{"Size": words.Size(uint64(len(text)))}))
}

// menu opens the context menu of a row.
func (w *Window) menu(r *exchangeRow, at fyne.Position) {
	e := r.exchange
	var items []*fyne.MenuItem
	if e.Web() {
		items = append(items, widgets.MenuItem(lang.L("Send again"), replayKeys, w.sendAgain), widgets.MenuItem(lang.L("Copy as curl"), curlKeys, w.copyCurl))
	}
	if len(e.Request.Body) > 0 {
		items = append(items, fyne.NewMenuItem(lang.L("Copy the body of the request"), func() { w.copyBody(traffic.ToServer) }))
	}
	if len(e.Answer.Body) > 0 {
		items = append(items, fyne.NewMenuItem(lang.L("Copy the body of the answer"), func() { w.copyBody(traffic.ToClient) }))
	}
	if e.Method != "" {
		items = append(items, fyne.NewMenuItem(lang.L("Show only {{.Method}}", map[string]any{"Method": monitor.Clean(e.Method, 30)}), func() { w.showOnly(e.Method) }))
	}
	if len(items) > 0 {
		widget.ShowPopUpMenuAtPosition(fyne.NewMenu("", items...), w.window.Canvas(), at)
	}
}

// showOnly filters by a method.
func (w *Window) showOnly(method string) {
	term := "method:" + strings.ToLower(method)
	w.entry.SetText(term)
}

// save asks for a file and saves the exchanges that match the filter.
func (w *Window) save() {
	d := dialog.NewFileSave(func(file fyne.URIWriteCloser, err error) {
		switch {
		case err != nil:
			w.ShowNotice(lang.L("Can't save the traffic: {{.Why}}", map[string]any{"Why": monitor.Clean(err.Error(), 200)}))
		case file != nil: // nil means cancelled
			_ = file.Close() // it is empty; Save writes it
			w.saveTo(file.URI().Path())
		}
	}, w.window)
	d.SetFileName(fmt.Sprintf("porthole-%d-%s.har", w.listener.Port, w.now().Format("2006-01-02-150405")))
	d.SetConfirmText(lang.L("Save"))
	d.SetDismissText(lang.L("Cancel"))
	d.SetOnClosed(w.Focus)
	d.Show()
}

func (w *Window) saveTo(path string) {
	var list []*traffic.Exchange
	for _, e := range w.recording.Store().List() {
		if w.filter.Matches(e) {
			list = append(list, e)
		}
	}
	w.recording.Save(path, list, w.secrets, func(problem string) {
		w.ShowNotice(cmp.Or(problem, lang.L("Saved as {{.Path}}", map[string]any{"Path": monitor.Clean(path, 200)})))
	})
}
