// Package process is the window of one process: why it is running, its listeners, clients,
// resources and environment.
//
// Everything must be called on Fyne's goroutine.
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
	"porthole/monitor/connection"
	"porthole/monitor/explain"
	"porthole/monitor/history"
	"porthole/monitor/reply"
	"porthole/monitor/warning"
	"porthole/ui/probe"
	"porthole/ui/table"
	uitheme "porthole/ui/theme"
	"porthole/ui/tooltip"
	"porthole/ui/widgets"
	"porthole/ui/words"
)

// Actions are the requests that the window sends to the program. The methods are called
// on Fyne's goroutine and must not block.
type Actions interface {
	Copy(text string)
	OpenInBrowser(address string) // "127.0.0.1:3000"; the program detects http or https
	CopyURL(address string)       // copies the URL that OpenInBrowser would open
	// AskPort asks the server once what answers on l. done is called later, on Fyne's goroutine.
	AskPort(l *monitor.Listener, done func(reply.Reply))
	OpenFolder(path string)
	GoToTerminal(o monitor.Owner)       // brings the terminal or editor that started o to the front
	InspectTraffic(l *monitor.Listener) // shows its traffic in Wireshark, or copies the command that captures it
	// Output reads the end of the log that o writes to: cleaned and masked lines. done is called, perhaps
	// later, on Fyne's goroutine; text is "" if Porthole did not start o with a log.
	Output(o monitor.Owner, done func(text string))
	OpenLog(o monitor.Owner) // opens that log
	// Environment reads the environment that o was started with: one cleaned and masked line for each
	// variable. done is called later, on Fyne's goroutine; problem is a sentence, "" on success.
	Environment(o monitor.Owner, done func(lines []string, problem string))
	Quit() // quits Porthole
}

// History queries stored events. It is called on Fyne's goroutine and must not block.
type History interface {
	// Lookup runs a query. done is called later, on Fyne's goroutine.
	Lookup(q history.Query, done func([]history.Event, error))
}

// Context describes the session and the machine.
type Context struct {
	User   string         // the user of this session; "" if unknown
	System explain.System // the machine's port settings, as far as known

	RaisesWindows bool // the desktop lets Porthole raise the windows of other programs
}

// Window shows one process. It stays open when the process exits, and shows that it has
// exited.
type Window struct {
	window    fyne.Window
	key       string
	owner     monitor.Owner     // PID 0 if unknown
	openedFor string            // ID of the listener that the window was opened for
	listener  *monitor.Listener // the listener with that ID; otherwise the first of listeners, or the last known one if there are none
	now       func() time.Time

	heading, subtitle   *canvas.Text
	description         *widgets.Note // service, project and branch; hidden if none is known
	status              *canvas.Text
	listeners           []*monitor.Listener    // what the process listens on now
	probe               probe.Result           // the last result
	states              []monitor.ProcessState // of each listener, as the last ShowProbe has shown it
	warnings            *widgets.WarningList
	ambiguous           bool // "localhost" may mean another process
	ancestry, listening *widgets.CopyText
	queue               *widgets.Note
	queueBox            fyne.CanvasObject // hidden until a probe succeeded
	reply               *replyBox
	browser, terminal   *widgets.Button
	firewall            *widgets.Note       // what the firewall does with connections
	firewallBox         fyne.CanvasObject   // hidden until that is known
	needLoopback        []fyne.CanvasObject // buttons that need a port reachable on loopback
	whileListening      []fyne.CanvasObject // buttons that need a listener
	whileTCP            []fyne.CanvasObject // buttons that need a TCP listener
	clientsTitle        *canvas.Text
	clients             *widgets.ClientList
	clientsBox          fyne.CanvasObject // hidden until a probe succeeded
	meter               connection.Meter
	resources           *widgets.CopyText // current use
	resourceMeter       resourceMeter
	command             *widgets.CopyText // nil if there is none
	environment         *environmentBox
	output              *outputBox
	spark               *spark
	exit                monitor.Exit // how it ended, if that is known
	endedAt             time.Time    // when it exited or stopped listening; zero while it listens
	ended               bool         // the process has exited
	ranAfterClose       bool         // a probe saw it running after its listeners had closed
	pastOwners          *widgets.CopyText
	pastOwnersBox       fyne.CanvasObject
	body                *fyne.Container
	scroll              *container.Scroll // contains body
	actions             Actions
	history             History // nil if there is no history
	lookedUpPorts       string  // the ports whose past owners were looked up last
	disconnected        bool    // monitoring has stopped
	stop                func()  // opens the stop dialog
	traffic             func(*monitor.Listener)
	stopButton          *widgets.Button
	keyButtons          []*widgets.Button // all buttons
	stoppedByUser       bool              // the user stopped the process
	context             func() Context    // returns the current context
	notice              *widgets.Note     // a failure, shown for a while
	noticeUntil         time.Time
}

// Key returns the identity of a process window. There is one window for each process,
// or for each listener if its owner is unknown.
func Key(l *monitor.Listener) string {
	if o, ok := l.Principal(); ok {
		return fmt.Sprintf("%d %d", o.PID, o.Start)
	}
	return l.ID
}

// New returns the window of l's owner, not shown yet. memory is nil if there is no
// history; now is the clock.
func New(app fyne.App, l *monitor.Listener, snapshot monitor.Snapshot, actions Actions, memory History, context func() Context, now func() time.Time) *Window {
	p := &Window{key: Key(l), openedFor: l.ID, listener: l, actions: actions, history: memory, context: context, now: now, environment: newEnvironmentBox(), output: newOutputBox(), reply: newReplyBox()}
	p.owner, _ = l.Principal()
	p.window = app.NewWindow(p.title())
	p.heading = widgets.NewText(p.name(), theme.ColorNameForeground)
	p.heading.TextSize, p.heading.TextStyle.Bold = theme.Size(theme.SizeNameHeadingText), true
	p.subtitle = widgets.NewText("", table.ColorMuted)
	p.description = widgets.NewNote(true)
	p.description.Size(theme.SizeNameText)
	p.status = widgets.NewText("", uitheme.ColorAlert)
	p.status.Hide()
	p.ancestry, p.listening, p.pastOwners, p.resources = widgets.NewMono(""), widgets.NewMono(""), widgets.NewMono(""), widgets.NewMono("–")
	p.warnings, p.queue, p.notice = widgets.NewWarningList(false), widgets.NewNote(true), widgets.NewNote(true)
	p.firewall = widgets.NewNote(true)
	p.notice.Object.Hide()
	p.clients, p.clientsTitle, p.spark = widgets.NewClientList(true), widgets.NewCaption(), newSpark()
	p.pastOwnersBox = widgets.Section(lang.L("Previous owners"), p.pastOwners)
	p.pastOwnersBox.Hide()
	p.stopButton = widgets.NewDangerButton(lang.L("Stop…"), func() { p.stop() }, nil)
	p.stop, p.traffic = func() {}, func(*monitor.Listener) {}
	p.window.SetContent(tooltip.Layer(p.layout()))
	widgets.Bind(p.window.Canvas(), Keys(p.copySelected, p.window.Close, actions.Quit))
	p.scrollByKeys()
	p.Update(monitor.Update{Snapshot: snapshot})
	return p
}

// DefaultSize is the initial size of a process window, if the screen is large enough.
var DefaultSize = fyne.NewSize(760, 704)

// maxAddresses is the number of addresses that are listed; some processes have hundreds.
const maxAddresses = 20

func (p *Window) name() string { return words.OwnerName(p.listener, p.owner) }

// unknownReason returns the reason why the owner is unknown.
func (p *Window) unknownReason() string { return lang.L(p.listener.OwnerUnknown) }

func (p *Window) title() string {
	if p.owner.PID == 0 {
		return p.name() + " – Porthole"
	}
	return fmt.Sprintf("%s %d – Porthole", p.name(), p.owner.PID)
}

// ShowProbe shows the result of a probe: connections, resources, accept queue, and
// whether the process still runs.
func (p *Window) ShowProbe(v probe.Result) {
	if p.disconnected {
		return // the window must not look live
	}
	p.showAge()
	p.showResources(v)
	p.showProcessState(v)
	p.showOutput()
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
		return // not probed, or not available
	}
	p.probe = v
	p.showConnected(all, v.At, bytes)
	if fullest.QueueKnown {
		p.queue.Set(p.queueText(fullest), table.ColorMuted)
	}
	p.setShown(fullest.QueueKnown, p.queueBox)
	if p.stateChanged() {
		p.showTerminal()
		p.showAncestry()
	}
	p.showFirewall()
}

// showResources shows the resources of the process, if it was probed. The layout does
// not change.
func (p *Window) showResources(v probe.Result) {
	state, probed := v.Processes[probe.IDOf(p.owner)]
	if !probed {
		return
	}
	if text := cmp.Or(p.resourceMeter.update(v.At, state.Resources), "–"); text != p.resources.Text {
		p.resources.SetText(text)
	}
}

// copySelected copies the text that is selected with the mouse.
func (p *Window) copySelected() {
	if text := widgets.SelectedText(p.window.Canvas()); text != "" {
		p.actions.Copy(text)
	}
}

// Update shows what the process listens on, or that it no longer listens.
func (p *Window) Update(u monitor.Update) {
	s := u.Snapshot
	for _, e := range u.Events {
		if o, ok := e.Listener.Principal(); ok && o.Same(p.owner) && e.Exit.Known() {
			p.exit = e.Exit
		}
	}
	var lines, others [][2]string // addresses of the listener that the window was opened for come first
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
		p.ambiguous = p.ambiguous || warning.Ambiguous(l, warning.SamePort(s.Listeners, l))
		ports = append(ports, monitor.PortRange{First: l.Port, Last: l.Port})
		for _, t := range l.Tunnels {
			others = append(others, [2]string{t.Through, words.Sentence(t.Sentence())})
		}
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
	p.showReply()
	p.showTerminal()
	if len(p.listeners) == 0 {
		p.setShown(false, p.queueBox, p.clientsBox, p.firewallBox)
	}
	p.setShown(len(p.listeners) > 0, p.whileListening...)
	p.setShown(len(p.listeners) > 0 && p.listener.Protocol == monitor.TCP, p.whileTCP...)
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

// columns formats pairs as two columns of monospaced text.
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

// Closed makes the window ignore answers that arrive after it was closed. Showing them
// would create renderers again, which would never be freed.
func (p *Window) Closed() {
	p.lookedUpPorts, p.environment.requested, p.reply.asked, p.output.asked = "", false, "", false
}

// matches reports whether l belongs in this window.
func (p *Window) matches(l *monitor.Listener) bool {
	if p.owner.PID == 0 {
		return l.ID == p.key
	}
	return slices.ContainsFunc(l.Owners, p.owner.Same)
}

// ShowNotice shows a sentence below the buttons for widgets.NoticeTime.
func (p *Window) ShowNotice(sentence string) {
	p.notice.Set(sentence, uitheme.ColorAlert)
	p.notice.Object.Show()
	p.noticeUntil = p.now().Add(widgets.NoticeTime)
	p.body.Refresh()
}

// Tick must be called every second. It hides an expired notice.
func (p *Window) Tick() {
	if p.notice.Object.Visible() && !p.now().Before(p.noticeUntil) {
		p.notice.Object.Hide()
		p.body.Refresh()
	}
}

// StopTargets returns the processes to stop, and their listeners: this process, and the
// others that hold its ports and would keep them open.
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

// setShown shows or hides objects, and lays out the window again if one changed.
func (p *Window) setShown(shown bool, objects ...fyne.CanvasObject) {
	for _, o := range objects {
		if shown != o.Visible() {
			widgets.ShowIf(o, shown)
			p.body.Refresh()
		}
	}
}

// maxExplained is the number of ports that are explained at once.
const maxExplained = 5

// showExplanations explains the ports of the process in a pop-up.
func (p *Window) showExplanations() {
	var paragraphs []string
	system := p.context().System
	system.Firewall = p.probe.Firewall
	for _, l := range p.listeners {
		paragraphs = append(paragraphs, words.Explanation(l, false, system))
	}
	if len(paragraphs) == 0 {
		paragraphs = []string{words.Explanation(p.listener, true, system)}
	}
	paragraphs = slices.Compact(paragraphs)
	widgets.ShowText(p.body, paragraphs[:min(len(paragraphs), maxExplained)]...)
}

// Keys returns the key bindings of a process window.
func Keys(copySelected, closeWindow, quit func()) widgets.KeyGroup {
	return widgets.KeyGroup{Title: lang.L("Process window"), Bindings: []widgets.Binding{
		{Label: lang.L("Scroll"), Keys: []widgets.Chord{{Key: fyne.KeyUp}, {Key: fyne.KeyDown}, {Key: fyne.KeyPageUp}, {Key: fyne.KeyPageDown}}},
		widgets.Binding{Label: lang.L("Copy selected text"), Keys: []widgets.Chord{widgets.CopyKeys}, Do: copySelected}.Also(),
		widgets.Binding{Label: lang.L("Close window"), Keys: []widgets.Chord{{Key: fyne.KeyEscape}, widgets.Ctrl(fyne.KeyW)}, Do: closeWindow}.Also(),
		widgets.Binding{Label: lang.L("Quit Porthole"), Keys: []widgets.Chord{widgets.Ctrl(fyne.KeyQ)}, Do: quit}.Also(),
	}}
}

// AddTo adds the window's listeners and process to a probe request.
func (p *Window) AddTo(r *probe.Request) {
	for _, l := range p.listeners {
		r.Add(l, p.owner)
	}
	if len(p.listeners) == 0 && p.owner.PID != 0 && !p.ended {
		r.Processes = append(r.Processes, p.owner) // is it still running?
	}
}

// SetStop sets the action of the stop button.
func (p *Window) SetStop(do func()) { p.stop = do }

// SetTraffic sets the action of the button that shows the traffic of a listener.
func (p *Window) SetTraffic(do func(*monitor.Listener)) { p.traffic = do }

// FocusStop focuses the stop button, if it is visible.
func (p *Window) FocusStop() {
	if p.window.Canvas().Unfocus(); p.stopButton.Visible() {
		p.window.Canvas().Focus(p.stopButton)
	}
}

// Fyne returns the Fyne window.
func (p *Window) Fyne() fyne.Window { return p.window }

// Owner returns the process. Its PID is 0 if it is unknown.
func (p *Window) Owner() monitor.Owner { return p.owner }
