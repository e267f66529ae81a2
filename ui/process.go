package ui

import (
	"cmp"
	"fmt"
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
	"porthole/monitor/activity"
	"porthole/ui/table"
	"porthole/ui/tray"
)

// processWindow tells the story of one process: what it is, why it is running,
// what it listens on. It stays when the process ends, and says so.
type processWindow struct {
	window fyne.Window
	key    string
	owner  monitor.Owner     // PID 0 where it cannot be seen
	row    *monitor.Listener // as it was opened, or as it is now
	now    func() time.Time

	heading, about *canvas.Text
	what           *canvas.Text // the service, its project and branch; hidden where none is known
	gone           *canvas.Text
	listening      *copyText
	endedAt        time.Time
	before         *copyText
	beforeBox      fyne.CanvasObject
	story          *fyne.Container
	actions        Actions
	memory         Memory // nil where nothing is kept
	asked          string // the ports for which before was asked
	stale          bool   // nobody watches any more
}

// processKey is the identity of a process window: one for each process, or,
// where that is hidden, for each listener.
func processKey(l *monitor.Listener) string {
	if o, ok := l.Principal(); ok {
		return fmt.Sprintf("%d %d", o.PID, o.Start)
	}
	return l.ID
}

func newProcessWindow(app fyne.App, l *monitor.Listener, snapshot monitor.Snapshot, actions Actions, memory Memory, now func() time.Time) *processWindow {
	p := &processWindow{key: processKey(l), row: l, actions: actions, memory: memory, now: now}
	p.owner, _ = l.Principal()
	p.window = app.NewWindow(p.title())
	p.heading = canvas.NewText(p.name(), theme.Color(theme.ColorNameForeground))
	p.heading.TextSize, p.heading.TextStyle.Bold = theme.Size(theme.SizeNameHeadingText), true
	p.about = canvas.NewText("", theme.Color(table.ColorMuted))
	p.what = canvas.NewText("", theme.Color(table.ColorMuted))
	p.gone = canvas.NewText("", theme.Color(colorAlert))
	p.gone.Hide()
	p.listening, p.before = mono(""), mono("")
	p.beforeBox = section(lang.L("This port before"), p.before)
	p.beforeBox.Hide()
	p.window.SetContent(p.layout())
	p.window.Resize(fyne.NewSize(720, 520))
	bind(p.window.Canvas(), processKeys(p.window.Close, actions.Quit))
	p.update(snapshot)
	return p
}

func (p *processWindow) name() string { return ownerName(p.row, p.owner) }

// ownerName is how a process is called; o is l's, with PID 0 where none can be
// seen.
func ownerName(l *monitor.Listener, o monitor.Owner) string {
	if o.PID == 0 {
		return tray.HiddenOwner(l)
	}
	if name := monitor.Clean(o.Name, 60); name != "" {
		return name
	}
	return lang.L("process {{.PID}}", map[string]any{"PID": o.PID})
}

func (p *processWindow) title() string {
	if p.owner.PID == 0 {
		return p.name() + " – Porthole"
	}
	return fmt.Sprintf("%s %d – Porthole", p.name(), p.owner.PID)
}

func (p *processWindow) layout() fyne.CanvasObject {
	p.story = container.NewVBox(
		container.NewHBox(follow(p.heading, theme.ColorNameForeground), container.New(layout.NewCustomPaddedLayout(6, 0, 2, 0), follow(p.about, table.ColorMuted))),
		follow(p.what, table.ColorMuted),
		follow(p.gone, colorAlert),
		section(lang.L("Why is it running?"), mono(p.chain())),
		section(lang.L("Listening"), p.listening),
		section(lang.L("Process"), p.factList()),
		p.beforeBox,
		container.New(layout.NewCustomPaddedLayout(10, 0, 0, 0), p.buttons()),
	)
	padded := container.New(layout.NewCustomPaddedLayout(16, 16, 20, 20), p.story)
	return container.NewStack(newThemed(theme.ColorNameBackground, fyne.Size{}, 0), container.NewVScroll(padded))
}

// buttons are what can be done; what cannot is absent.
func (p *processWindow) buttons() fyne.CanvasObject {
	row := container.New(layout.NewRowWrapLayoutWithCustomPadding(6, 6))
	add := func(label string, do func()) *keyButton {
		b := newButton(label, do)
		row.Add(b)
		return b
	}
	if p.row.Protocol == monitor.TCP && p.row.Loopback() {
		browser := add(lang.L("Open in browser"), func() { p.actions.OpenInBrowser(addressOf(p.row)) })
		browser.Importance = widget.HighImportance
		browser.Refresh() // the row has asked it for its size already
		add(lang.L("Copy URL"), func() { p.actions.Copy("http://" + addressOf(p.row) + "/") })
	}
	if len(p.owner.Command) > 0 {
		add(lang.L("Copy command"), func() { p.actions.Copy(commandWords(p.owner)) })
	}
	if p.owner.Folder != "" {
		add(lang.L("Open folder"), func() { p.actions.OpenFolder(p.owner.Folder) })
	}
	return row
}

// chain says why the process runs, and the chain of its parents below.
func (p *processWindow) chain() string {
	if p.owner.PID == 0 {
		return lang.L("Unknown: {{.Why}}", map[string]any{"Why": lang.L(p.row.Hidden)})
	}
	sentence, chain := whyRuns(p.row, p.owner, true)
	return strings.TrimPrefix(sentence+"\n"+chain, "\n")
}

// factList lists what is known; what is not has no line.
func (p *processWindow) factList() fyne.CanvasObject {
	list := container.New(factRows{label: 96})
	add := func(label, value string) {
		if value == "" {
			return
		}
		text := canvas.NewText(label, theme.Color(table.ColorMuted))
		list.Add(follow(text, table.ColorMuted))
		list.Add(mono(value))
	}
	o := p.owner
	if o.PID == 0 {
		add(lang.L("User"), monitor.Clean(p.row.User, 60))
		add(lang.L("Owner"), lang.L(p.row.Hidden))
		add(lang.L("Unit"), monitor.Clean(p.row.Unit, 200))
		add(lang.L("Container"), monitor.Clean(p.row.Container, 64))
		if i := p.row.Inferred; i != nil {
			add(lang.L("Inferred"), lang.L("{{.Name}} ({{.PID}}), the only process in its control group",
				map[string]any{"Name": monitor.Clean(i.Name, 60), "PID": i.PID}))
			add(lang.L("Command"), commandWords(*i))
		}
		return list
	}
	add(lang.L("PID"), fmt.Sprint(o.PID))
	add(lang.L("User"), monitor.Clean(o.User, 60))
	add(lang.L("Command"), commandWords(o))
	add(lang.L("Program"), monitor.Clean(o.Program, 400))
	add(lang.L("Folder"), monitor.Clean(o.Folder, 400))
	add(lang.L("Project"), monitor.Clean(o.Project, 100))
	if !o.StartedAt.IsZero() {
		add(lang.L("Started"), Moment(o.StartedAt, p.now()))
	}
	return list
}

// commandWords is a command line, masked and clean.
func commandWords(o monitor.Owner) string {
	return monitor.Clean(strings.Join(monitor.MaskCommand(o.Command), " "), 4000)
}

// update shows what the process listens on now, and whether it still does.
func (p *processWindow) update(s monitor.Snapshot) {
	var lines []string
	var ports monitor.Ports
	for _, l := range s.Listeners {
		if !p.concerns(l) {
			continue
		}
		p.row = l
		ports = append(ports, monitor.PortRange{First: l.Port, Last: l.Port})
		for _, held := range l.Sockets {
			if p.owner.PID == 0 || slices.Contains(held.Owners, p.owner.PID) {
				lines = append(lines, fmt.Sprintf("%-28s %s", addressPort(held, l.Port), reachOf(held)))
			}
		}
	}
	switch {
	case len(lines) > 0:
		p.endedAt = time.Time{}
		p.gone.Hide()
	case p.endedAt.IsZero():
		p.endedAt = p.now()
		p.gone.Text = lang.L("It listens on nothing any more, since {{.Time}}", map[string]any{"Time": Moment(p.endedAt, p.now())})
		p.gone.Color = theme.Color(colorAlert)
		p.gone.Show()
	}
	if text := strings.Join(lines, "\n"); text != p.listening.Text {
		if text == "" {
			text = "–"
		}
		p.listening.SetText(text)
	}
	p.askBefore(ports)
	p.tick()
}

// Who had the ports before: so many, out of so many events.
const (
	holdersShown  = 4
	holdersEvents = 60
)

// askBefore asks who had ports before, once for each set of them.
func (p *processWindow) askBefore(ports monitor.Ports) {
	set := ports.String()
	if p.memory == nil || len(ports) == 0 || set == p.asked {
		return
	}
	p.asked = set
	p.memory.Before(activity.Query{Ports: ports, All: true, UDP: true, Limit: holdersEvents}, func(events []activity.Event, err error) {
		if err == nil && p.asked == set {
			p.showBefore(events, len(ports) > 1)
		}
	})
}

// showBefore lists who had the ports of events before this process. several
// says that there is more than one port.
func (p *processWindow) showBefore(events []activity.Event, several bool) {
	var lines []string
	for _, h := range holders(events) {
		if p.owner.PID != 0 && h.Owner.PID == p.owner.PID && !h.From.Before(p.owner.StartedAt) {
			continue // it opened the port before
		}
		line := Span(h.Spell, p.now()) + "  " + whoHad(h.Owner)
		if several {
			line = portWords(h.Protocol, h.port) + "  " + line
		}
		if lines = append(lines, line); len(lines) == holdersShown {
			break
		}
	}
	p.before.SetText(strings.Join(lines, "\n"))
	if len(lines) == 0 {
		p.beforeBox.Hide()
	} else {
		p.beforeBox.Show()
	}
	p.story.Refresh() // the box takes its place
}

func (p *processWindow) concerns(l *monitor.Listener) bool {
	if p.owner.PID == 0 {
		return l.ID == p.key
	}
	return slices.ContainsFunc(l.Owners, p.owner.Same)
}

func addressPort(s monitor.HeldSocket, port uint16) string {
	if s.Address.Is4() {
		return fmt.Sprintf("%s:%d", s.Address, port)
	}
	return fmt.Sprintf("[%s]:%d", s.Address, port)
}

func reachOf(s monitor.HeldSocket) string {
	if monitor.AddressReach(s.Address) == monitor.ThisMachine {
		return lang.L("this machine")
	}
	return lang.L("the network")
}

// tick lets the process grow older.
func (p *processWindow) tick() {
	if p.stale {
		return // no time passes for what nobody watches
	}
	setText(p.heading, p.name(), theme.ColorNameForeground) // the theme may have changed
	p.showWhat()
	if p.owner.PID == 0 {
		setText(p.about, fmt.Sprint(p.row.Port), table.ColorMuted)
		return
	}
	parts := []string{fmt.Sprintf("PID %d", p.owner.PID)}
	if !p.owner.StartedAt.IsZero() && p.endedAt.IsZero() {
		parts = append(parts, lang.L("running {{.Time}}", map[string]any{"Time": Duration(p.now().Sub(p.owner.StartedAt))}))
	}
	if p.owner.User != "" {
		parts = append(parts, lang.L("user {{.User}}", map[string]any{"User": monitor.Clean(p.owner.User, 60)}))
	}
	setText(p.about, strings.Join(parts, " · "), table.ColorMuted)
}

// showWhat says what the process is; "" hides the line.
func (p *processWindow) showWhat() {
	text := whatWords(p.row, p.owner)
	setText(p.what, text, table.ColorMuted)
	if text == "" {
		p.what.Hide()
	} else {
		p.what.Show()
	}
}

// whatWords says what a listener is, as far as that is known: "Vite of acme-web
// (git: main)". A service that nothing but the port tells is a guess, which is
// not said here.
func whatWords(l *monitor.Listener, o monitor.Owner) string {
	service, project := monitor.Clean(l.Service, 80), monitor.Clean(cmp.Or(o.Project, l.Project), 60)
	if l.ServiceBy == monitor.ByPort {
		service = ""
	}
	text := service + project
	if service != "" && project != "" {
		text = lang.L("{{.Service}} of {{.Project}}", map[string]any{"Service": service, "Project": project})
	}
	if branch := monitor.Clean(o.Branch, 80); branch != "" && project != "" {
		text += " (git: " + branch + ")"
	}
	return text
}

// disconnect says that what the window shows is not live any more.
func (p *processWindow) disconnect() {
	p.stale = true
	p.gone.Text = lang.L("Porthole has stopped watching: what you see is the last that it saw")
	p.gone.Color = theme.Color(colorAlert)
	p.gone.Show()
	p.gone.Refresh()
}

// section is a titled box.
func section(title string, content fyne.CanvasObject) fyne.CanvasObject {
	heading := canvas.NewText(title, theme.Color(table.ColorMuted))
	heading.TextSize = theme.Size(theme.SizeNameCaptionText) + 0.5
	box := container.NewStack(newThemed(colorPanel, fyne.Size{}, 6), container.New(layout.NewCustomPaddedLayout(4, 4, 6, 6), content))
	return container.NewVBox(container.New(layout.NewCustomPaddedLayout(8, 0, 0, 0), follow(heading, table.ColorMuted)), box)
}

// mono is text in the face of machines.
func mono(text string) *copyText {
	l := newCopyText(text)
	l.TextStyle.Monospace, l.Wrapping = true, fyne.TextWrapWord
	return l
}
