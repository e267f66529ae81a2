// Package process is the window of one process: why it runs, what it listens on, who is connected, what it
// uses, and its environment. All of it belongs to
// Fyne's goroutine.
package process

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"

	"porthole/monitor"
	"porthole/monitor/ancestry"
	"porthole/monitor/connection"
	"porthole/monitor/explain"
	"porthole/monitor/history"
	"porthole/ui/probe"
	"porthole/ui/table"
	uitheme "porthole/ui/theme"
	"porthole/ui/widgets"
	"porthole/ui/words"
)

// Actions is what the window asks of the program. It is called from Fyne's goroutine and must
// not wait.
type Actions interface {
	Copy(text string)
	OpenInBrowser(address string) // "127.0.0.1:3000"; http or https, whichever the server speaks
	CopyURL(address string)       // copies the URL that OpenInBrowser would open
	OpenFolder(path string)
	InspectTraffic(l *monitor.Listener) // shows its traffic in Wireshark, or copies how to see it
	// Environment reads the environment that o was started with, a clean, masked line each. done is
	// called on Fyne's goroutine, later; problem is a sentence, "" if there is none.
	Environment(o monitor.Owner, done func(lines []string, problem string))
	Quit() // ends Porthole
}

// History answers what the history knows of ports. It is called from Fyne's goroutine and does
// not wait; done is called there too, later.
type History interface {
	Lookup(q history.Query, done func([]history.Event, error))
}

// Context is what the window knows of the machine besides the process.
type Context struct {
	User   string         // of this session; "" if unknown
	System explain.System // what this machine does with ports, as far as that is known
}

// Window tells the story of one process: what it is, why it is running,
// what it listens on. It stays when the process ends, and says so.
type Window struct {
	window    fyne.Window
	key       string
	owner     monitor.Owner     // PID 0 where it cannot be seen
	openedFor string            // the ID of the listener that it was opened for
	listener  *monitor.Listener // that one, or the last that it has
	now       func() time.Time

	heading, subtitle   *canvas.Text
	description         *canvas.Text // the service, its project and branch; hidden where none is known
	status              *canvas.Text
	listeners           []*monitor.Listener // what it listens on now
	probe               probe.Result        // the last look
	warnings            *widgets.WarningList
	ambiguous           bool // "localhost" may mean another process
	ancestry, listening *widgets.CopyText
	queue               *widgets.Note
	queueBox            fyne.CanvasObject   // hidden until a look has told
	needLoopback        []fyne.CanvasObject // what needs a port that clients here reach
	clientsTitle        *canvas.Text
	clients             *widgets.ClientList
	clientsBox          fyne.CanvasObject // hidden until a look has told
	meter               connection.Meter
	resources           *widgets.CopyText // what the process uses now
	resourceMeter       resourceMeter
	command             *widgets.CopyText // nil where there is none
	environment         *environmentBox
	spark               *spark
	endedAt             time.Time // or listens on nothing since
	ended               bool      // it has ended
	ranAfterClose       bool      // a look saw it run after its listeners were gone
	pastOwners          *widgets.CopyText
	pastOwnersBox       fyne.CanvasObject
	body                *fyne.Container
	scroll              *container.Scroll // story in it
	actions             Actions
	history             History // nil where nothing is kept
	lookedUpPorts       string  // the ports for which before was asked
	disconnected        bool    // nobody watches any more
	stop                func()  // asks whether it is to be stopped
	stopButton          *widgets.Button
	keyButtons          []*widgets.Button // all of them
	stoppedByUser       bool              // it was stopped by the user
	context             func() Context    // as it is now
	notice              *widgets.Note     // what did not work, for a while
	noticeUntil         time.Time
}

// Key is the identity of a process window: one for each process, or,
// where that is hidden, for each listener.
func Key(l *monitor.Listener) string {
	if o, ok := l.Principal(); ok {
		return fmt.Sprintf("%d %d", o.PID, o.Start)
	}
	return l.ID
}

// New returns the window of l's owner, which is not shown yet. memory is nil if there is no history; now is
// the clock.
func New(app fyne.App, l *monitor.Listener, snapshot monitor.Snapshot, actions Actions, memory History, context func() Context, now func() time.Time) *Window {
	p := &Window{key: Key(l), openedFor: l.ID, listener: l, actions: actions, history: memory, context: context, now: now, environment: newEnvironmentBox()}
	p.owner, _ = l.Principal()
	p.window = app.NewWindow(p.title())
	p.heading = canvas.NewText(p.name(), theme.Color(theme.ColorNameForeground))
	p.heading.TextSize, p.heading.TextStyle.Bold = theme.Size(theme.SizeNameHeadingText), true
	p.subtitle = canvas.NewText("", theme.Color(table.ColorMuted))
	p.description = canvas.NewText("", theme.Color(table.ColorMuted))
	p.status = canvas.NewText("", theme.Color(uitheme.ColorAlert))
	p.status.Hide()
	p.ancestry, p.listening, p.pastOwners, p.resources = widgets.NewMono(""), widgets.NewMono(""), widgets.NewMono(""), widgets.NewMono("–")
	p.warnings, p.queue, p.notice = widgets.NewWarningList(false), widgets.NewNote(true), widgets.NewNote(true)
	p.notice.Object.Hide()
	p.clients, p.clientsTitle, p.spark = widgets.NewClientList(true), widgets.NewCaption(), newSpark()
	p.pastOwnersBox = widgets.Section(lang.L("Previous owners"), p.pastOwners)
	p.pastOwnersBox.Hide()
	p.stopButton = widgets.NewDangerButton(lang.L("Stop…"), func() { p.stop() })
	p.stop = func() {}
	p.window.SetContent(p.layout())
	widgets.Bind(p.window.Canvas(), Keys(p.copySelected, p.window.Close, actions.Quit))
	p.scrollByKeys()
	p.Update(snapshot)
	return p
}

// DefaultSize is how large the window of a process is at first, where the screen has
// room for it.
var DefaultSize = fyne.NewSize(760, 704)

// maxAddresses is how many addresses it lists; some processes have hundreds.
const maxAddresses = 20

func (p *Window) name() string { return words.OwnerName(p.listener, p.owner) }

// unknownReason says why the owner cannot be seen.
func (p *Window) unknownReason() string { return lang.L(p.listener.OwnerUnknown) }

func (p *Window) title() string {
	if p.owner.PID == 0 {
		return p.name() + " – Porthole"
	}
	return fmt.Sprintf("%s %d – Porthole", p.name(), p.owner.PID)
}

// showAncestry says what is odd about the process and why it runs, with the chain of its
// parents, as far as the last look knows.
func (p *Window) showAncestry() {
	var odd []string
	if p.ambiguous {
		odd = append(odd, words.AmbiguousWarning())
	}
	for _, l := range p.listeners {
		live := p.probe.Process(l, p.owner)
		for _, s := range words.Warnings(l, p.owner, ancestry.Explain(p.owner, l.CgroupInfo, live), live) {
			if !slices.Contains(odd, s) {
				odd = append(odd, s)
			}
		}
	}
	text := ""
	if p.owner.PID == 0 {
		text = lang.L("Owner unknown: {{.Why}}", map[string]any{"Why": p.unknownReason()})
	} else {
		text = words.Ancestry(ancestry.Explain(p.owner, p.listener.CgroupInfo, p.probe.Process(p.listener, p.owner)), true)
	}
	resized := p.warnings.Show(odd)
	if text != p.ancestry.Text {
		p.ancestry.SetText(text)
		resized = true
	}
	if resized {
		p.body.Refresh()
	}
}

// ShowProbe shows who is connected, and what else a look told.
func (p *Window) ShowProbe(v probe.Result) {
	if p.disconnected {
		return // it would look live
	}
	p.showAge()
	p.showResources(v)
	p.showProcessState(v)
	var all []connection.Conn
	var fullest connection.State
	known, bytes := false, true
	for _, l := range p.listeners {
		st, ok := v.States[l.ID]
		if !ok {
			continue
		}
		known, bytes = true, bytes && st.BytesKnown
		all = append(all, st.Conns...)
		if st.QueueKnown && (!fullest.QueueKnown || st.QueueLength > fullest.QueueLength) {
			fullest = st
		}
	}
	if !known {
		return // not looked for, or not to be had
	}
	p.probe = v
	p.showConnected(all, v.At, bytes)
	if fullest.QueueKnown {
		p.queue.Set(p.queueText(fullest), table.ColorMuted)
	}
	p.setShown(fullest.QueueKnown, p.queueBox)
	p.showAncestry()
}

// showResources says what the process uses, where a look was at it. The words change in
// their place.
func (p *Window) showResources(v probe.Result) {
	live, looked := v.Processes[probe.IDOf(p.owner)]
	if !looked {
		return
	}
	if text := cmp.Or(p.resourceMeter.update(v.At, live.Resources), "–"); text != p.resources.Text {
		p.resources.SetText(text)
	}
}

// showProcessState says what became of a process that listens no more: it has ended, or it
// runs on. How it ended only its parent is told.
func (p *Window) showProcessState(v probe.Result) {
	live, looked := v.Processes[probe.IDOf(p.owner)]
	if !looked || p.ended || p.stoppedByUser || len(p.listeners) > 0 {
		return
	}
	if p.ended = live.Ended; p.ended && p.ranAfterClose {
		p.endedAt = v.At // it let go of its ports before
	}
	p.ranAfterClose = !p.ended
	at := map[string]any{"Time": words.Moment(p.endedAt, p.now())}
	text := lang.L("Still running, but not listening since {{.Time}}", at)
	if p.ended {
		text = lang.L("Exited {{.Time}}", at)
	}
	if text != p.status.Text {
		p.showStatus(text)
	}
}

// showConnected lists the clients, and draws their last minute.
func (p *Window) showConnected(all []connection.Conn, at time.Time, bytes bool) {
	p.meter.Update(at, all)
	widgets.SetText(p.clientsTitle, words.ConnectionsTitle(len(all)), table.ColorMuted)
	resized := p.clients.Show(words.ClientLines(all, &p.meter, bytes, true)) || p.spark.raster.Hidden == bytes
	p.spark.raster.Hidden = !bytes
	p.spark.setValues(p.meter.History())
	if resized || !p.clientsBox.Visible() {
		p.clientsBox.Show()
		p.body.Refresh()
	}
}

// queueText says how the accept queue stands, and in which range a single port
// is.
func (p *Window) queueText(st connection.State) string {
	text := lang.L("accept queue {{.Waiting}} of {{.Limit}}", map[string]any{"Waiting": st.QueueLength, "Limit": st.QueueLimit})
	if len(p.listeners) == 1 {
		text += " · " + words.PortRange(p.listeners[0].Port)
	}
	return text
}

// copySelected copies the text that the mouse has selected.
func (p *Window) copySelected() {
	if text := widgets.SelectedText(p.window.Canvas()); text != "" {
		p.actions.Copy(text)
	}
}

// Update shows what the process listens on now, and whether it still does.
func (p *Window) Update(s monitor.Snapshot) {
	var lines, others [][2]string // the address that it was opened for comes first
	var ports monitor.Ports
	p.listeners, p.ambiguous = nil, false
	for _, l := range s.Listeners {
		if !p.matches(l) {
			continue
		}
		if len(p.listeners) == 0 || p.listener.ID != p.openedFor {
			p.listener = l
		}
		p.listeners = append(p.listeners, l)
		p.ambiguous = p.ambiguous || words.Ambiguous(l, words.SamePort(s.Listeners, l))
		ports = append(ports, monitor.PortRange{First: l.Port, Last: l.Port})
		for _, held := range l.Sockets {
			if p.owner.PID == 0 || slices.Contains(held.Owners, p.owner.PID) {
				line := [2]string{words.AddressPort(held, l.Port), words.SocketExposure(held)}
				if l.ID == p.openedFor {
					lines = append(lines, line)
				} else {
					others = append(others, line)
				}
			}
		}
	}
	lines = append(lines, others...)
	switch {
	case p.stoppedByUser:
	case len(lines) > 0:
		p.endedAt, p.ranAfterClose = time.Time{}, false
		if p.status.Visible() {
			p.status.Hide()
		}
	case p.endedAt.IsZero():
		p.endedAt = p.now()
		p.showStatus(lang.L("No longer listening since {{.Time}}", map[string]any{"Time": words.Moment(p.endedAt, p.now())}))
	}
	p.showStop()
	if len(p.listeners) == 0 {
		p.setShown(false, p.queueBox)
	}
	p.setShown(len(p.listeners) > 0 && p.listener.Protocol == monitor.TCP && p.listener.AcceptsLoopback(), p.needLoopback...)
	text := cmp.Or(columns(lines[:min(len(lines), maxAddresses)]), "–")
	if more := len(lines) - maxAddresses; more > 0 {
		text += "\n" + lang.N("… and {{.Count}} more", more, map[string]any{"Count": words.Number(more)})
	}
	if text != p.listening.Text {
		p.listening.SetText(text)
	}
	p.lookupPastOwners(ports)
	p.showAncestry()
	p.showDescription()
	p.showAge()
}

// columns puts pairs into two columns of a face of machines.
func columns(pairs [][2]string) string {
	width := 0
	for _, c := range pairs {
		width = max(width, utf8.RuneCountInString(c[0]))
	}
	var lines []string
	for _, c := range pairs {
		lines = append(lines, fmt.Sprintf("%-*s  %s", width, c[0], c[1]))
	}
	return strings.Join(lines, "\n")
}

// Who had the ports before: so many, out of so many events.
const (
	maxPastOwners = 4
	maxPastEvents = 60
)

// lookupPastOwners asks who had ports before, once for each set of them.
func (p *Window) lookupPastOwners(ports monitor.Ports) {
	set := ports.String()
	if p.history == nil || len(ports) == 0 || set == p.lookedUpPorts {
		return
	}
	p.lookedUpPorts = set
	p.history.Lookup(history.Query{Ports: ports, AllAddresses: true, UDP: true, Limit: maxPastEvents}, func(events []history.Event, err error) {
		if err == nil && p.lookedUpPorts == set {
			p.showPastOwners(events, len(ports) > 1)
		}
	})
}

// Closed lets answers that come after the window has closed be for nobody: to show
// them would build its parts anew, which nothing gives back then.
func (p *Window) Closed() {
	p.lookedUpPorts, p.environment.requested = "", false
}

// showPastOwners lists who had the ports of events before this process. several
// says that there is more than one port.
func (p *Window) showPastOwners(events []history.Event, several bool) {
	var lines []string
	for _, h := range words.PastTenures(events) {
		if p.owner.PID != 0 && h.Owner.PID == p.owner.PID && !h.From.Before(p.owner.StartedAt) {
			continue // it opened the port before
		}
		line := words.Tenure(h.Tenure, p.now()) + "  " + words.PastOwner(h.Owner)
		if several {
			line = words.Port(h.Protocol, h.Port) + "  " + line
		}
		if lines = append(lines, line); len(lines) == maxPastOwners {
			break
		}
	}
	p.pastOwners.SetText(strings.Join(lines, "\n"))
	if len(lines) == 0 {
		p.pastOwnersBox.Hide()
	} else {
		p.pastOwnersBox.Show()
	}
	p.body.Refresh() // the box takes its place
}

func (p *Window) matches(l *monitor.Listener) bool {
	if p.owner.PID == 0 {
		return l.ID == p.key
	}
	return slices.ContainsFunc(l.Owners, p.owner.Same)
}

// ShowNotice shows a sentence below the buttons for a while.
func (p *Window) ShowNotice(sentence string) {
	p.notice.Set(sentence, uitheme.ColorAlert)
	p.notice.Object.Show()
	p.noticeUntil = p.now().Add(widgets.NoticeTime)
	p.body.Refresh()
}

// Tick lets a second pass.
func (p *Window) Tick() {
	if p.notice.Object.Visible() && !p.now().Before(p.noticeUntil) {
		p.notice.Object.Hide()
		p.body.Refresh()
	}
}

// showAge says which process it is, and how long it has been running. The words of
// a young one change each second: they are changed with those that a look tells,
// since Fyne paints the whole window for each.
func (p *Window) showAge() {
	if p.disconnected {
		return // no time passes for what nobody watches
	}
	widgets.SetText(p.heading, p.name(), theme.ColorNameForeground) // of a hidden owner more may be known
	if p.owner.PID == 0 {
		widgets.SetText(p.subtitle, fmt.Sprint(p.listener.Port), table.ColorMuted)
		return
	}
	parts := []string{words.PID(p.owner.PID)}
	if !p.owner.StartedAt.IsZero() && p.endedAt.IsZero() {
		parts = append(parts, lang.L("running for {{.Time}}", map[string]any{"Time": words.Duration(p.now().Sub(p.owner.StartedAt))}))
	}
	if p.owner.User != "" {
		parts = append(parts, lang.L("user {{.User}}", map[string]any{"User": monitor.Clean(p.owner.User, 60)}))
	}
	widgets.SetText(p.subtitle, strings.Join(parts, " · "), table.ColorMuted)
}

// showDescription says what the process is; "" hides the line.
func (p *Window) showDescription() {
	text := words.Description(p.listener, p.owner)
	widgets.SetText(p.description, text, table.ColorMuted)
	if hidden := text == ""; p.description.Hidden != hidden { // each Hide paints the whole window
		p.description.Hidden = hidden
		p.body.Refresh()
	}
}

// Disconnect says that what the window shows is not live any more.
func (p *Window) Disconnect() {
	p.disconnected = true
	p.showStatus(lang.L("Porthole has stopped monitoring. This is the last known state."))
	p.showStop()
}

// showStatus says that something has come to its end.
func (p *Window) showStatus(text string) {
	p.status.Text, p.status.Color = text, theme.Color(uitheme.ColorAlert)
	p.status.Show()
	p.status.Refresh()
	p.body.Refresh()
}

// StopTargets returns the process and the others that hold its ports, which would stay open
// without them, and the listeners that they hold.
func (p *Window) StopTargets() (owners []monitor.Owner, listeners []*monitor.Listener) {
	owners = []monitor.Owner{p.owner}
	for _, l := range p.listeners {
		for _, o := range l.Owners {
			if !slices.ContainsFunc(owners, o.Same) {
				owners = append(owners, o)
			}
		}
	}
	return owners, p.listeners
}

// StoppedByUser shows that the user stopped the process, at that time; forced says whether it
// was killed.
func (p *Window) StoppedByUser(at time.Time, forced bool) {
	p.stoppedByUser, p.endedAt = true, at
	text := lang.L("Stopped by you, {{.Time}}", map[string]any{"Time": words.Moment(at, p.now())})
	if forced {
		text = lang.L("Force quit by you, {{.Time}}", map[string]any{"Time": words.Moment(at, p.now())})
	}
	p.showStatus(text)
	p.showStop()
	p.showAge()
}

// showStop offers to stop the process as long as it can be.
func (p *Window) showStop() {
	p.setShown(!p.disconnected && !p.stoppedByUser && len(p.listeners) > 0 && p.owner.PID > 1, p.stopButton)
}

// setShown shows objects as long as they make sense.
func (p *Window) setShown(shown bool, objects ...fyne.CanvasObject) {
	for _, o := range objects {
		if shown != o.Visible() {
			widgets.ShowIf(o, shown)
			p.body.Refresh()
		}
	}
}

// maxExplained is how many ports of a process are explained at once.
const maxExplained = 5

// showExplanations explains the ports of a process, over its window.
func (p *Window) showExplanations() {
	var paragraphs []string
	for _, l := range p.listeners {
		paragraphs = append(paragraphs, words.Explanation(l, false, p.context().System))
	}
	if len(paragraphs) == 0 {
		paragraphs = []string{words.Explanation(p.listener, true, p.context().System)}
	}
	paragraphs = slices.Compact(paragraphs)
	widgets.ShowText(p.body, paragraphs[:min(len(paragraphs), maxExplained)]...)
}

// Keys are what the keys of a process window do.
func Keys(copySelected, closeWindow, quit func()) widgets.KeyGroup {
	return widgets.KeyGroup{Title: lang.L("Process window"), Bindings: []widgets.Binding{
		{Label: lang.L("Scroll"), Keys: []widgets.Chord{{Key: fyne.KeyUp}, {Key: fyne.KeyDown}, {Key: fyne.KeyPageUp}, {Key: fyne.KeyPageDown}}},
		widgets.Binding{Label: lang.L("Copy selected text"), Keys: []widgets.Chord{widgets.CopyKeys}, Do: copySelected}.Also(),
		widgets.Binding{Label: lang.L("Close window"), Keys: []widgets.Chord{{Key: fyne.KeyEscape}, widgets.Ctrl(fyne.KeyW)}, Do: closeWindow}.Also(),
		widgets.Binding{Label: lang.L("Quit Porthole"), Keys: []widgets.Chord{widgets.Ctrl(fyne.KeyQ)}, Do: quit}.Also(),
	}}
}

// AddTo adds what the window wants to know of its listeners and its process to w.
func (p *Window) AddTo(w *probe.Request) {
	for _, l := range p.listeners {
		w.Add(l, p.owner)
	}
	if len(p.listeners) == 0 && p.owner.PID != 0 && !p.ended {
		w.Processes = append(w.Processes, p.owner) // is it still running?
	}
}

// SetStop sets what the button that stops the process does.
func (p *Window) SetStop(do func()) { p.stop = do }

// FocusStop gives the button that stops the process the keyboard, if it is shown.
func (p *Window) FocusStop() {
	if p.window.Canvas().Unfocus(); p.stopButton.Visible() {
		p.window.Canvas().Focus(p.stopButton)
	}
}

// Fyne returns Fyne's window.
func (p *Window) Fyne() fyne.Window { return p.window }

// Owner returns the process; PID 0 if it is not known.
func (p *Window) Owner() monitor.Owner { return p.owner }
