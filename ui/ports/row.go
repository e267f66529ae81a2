package ports

import (
	"cmp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"

	"porthole/monitor"
	"porthole/monitor/ancestry"
	"porthole/monitor/development"
	"porthole/monitor/orphan"
	"porthole/monitor/warning"
	"porthole/ui/filter"
	"porthole/ui/table"
	uitheme "porthole/ui/theme"
	"porthole/ui/words"
)

// markTime is how long a new, changed or closed row stays marked.
const markTime = 3 * time.Second

// rowMark is the recent change of a row.
type rowMark int

const (
	unmarked rowMark = iota
	opened
	changed
	closed
)

// portRow is a row of the table: a listener as text. The texts are built when the listener changes,
// not when they are painted.
type portRow struct {
	listener   *monitor.Listener
	watched    bool
	mark       rowMark
	until      time.Time // end of the mark
	searchText filter.Searchable

	ambiguous             bool                 // "localhost" may reach another process
	state                 monitor.ProcessState // of the owner, as far as known
	examined              time.Time            // when state was
	warnings              int                  // number of warnings about the process, without the ambiguity
	group                 string               // identity of the owner, by which rows are grouped; "" if it is unknown
	inProject, inCheckout string               // the project and its checkout, by which rows are grouped; "" if unknown
	development           bool                 // see development.Is
	upFor                 uptimeValue
	startedBy             string
	orphan                orphan.Finding // zero if it is not orphaned

	port, process, pid, user, exposure, address, project, branch, service, label, up string
	command                                                                          string // built when it is first used, because masking it is slow

	connections int // -1 if unknown
}

func newPortRow(l *monitor.Listener, watched bool, state monitor.ProcessState, now time.Time) *portRow {
	r := &portRow{listener: l, watched: watched, searchText: filter.NewSearchable(l), connections: -1}
	r.port = strconv.Itoa(int(l.Port))
	if l.Protocol == monitor.UDP {
		r.port += " UDP"
	}
	r.user = monitor.Clean(l.User, 40)
	r.project = monitor.Clean(l.Project, 60)
	r.service, r.label = words.Service(l), l.Label
	o, known := l.Principal()
	r.examine(state, now)
	r.inProject, r.inCheckout = l.ProjectGroup()
	if known {
		r.startedBy = monitor.Clean(words.StartedBy(ancestry.Explain(o, l.CgroupInfo, state).StartedBy()), 60)
		r.group = strconv.Itoa(o.PID) + " " + strconv.FormatUint(o.Start, 10)
		r.branch = monitor.Clean(o.Branch, 60)
		r.process = monitor.Clean(o.Name, 60)
		r.pid = strconv.Itoa(o.PID)
		if more := len(l.Owners) - 1; more > 0 {
			r.pid += " +" + strconv.Itoa(more)
		}
	} else {
		r.process, r.pid = words.UnknownOwner(l), "—"
	}
	r.exposure = exposureText(l)
	r.address = strings.Join(r.searchText.Begins[1:], " ")
	return r
}

// examine sets what the state of the owner shows: the number of warnings, and whether it
// is orphaned. It reports whether that changed.
func (r *portRow) examine(state monitor.ProcessState, now time.Time) (changed bool) {
	o, _ := r.listener.Principal()
	why := ancestry.Explain(o, r.listener.CgroupInfo, state)
	warnings := len(warning.Check(r.listener, o, why, state))
	found, _ := orphan.Judge(r.listener, o, why, state, now)
	changed = warnings != r.warnings || found.Certainty != r.orphan.Certainty
	r.state, r.examined, r.warnings, r.orphan, r.development = state, now, warnings, found, development.Is(r.listener, why)
	return changed
}

// commandText returns the owner's command line, masked and cleaned.
func (r *portRow) commandText() string {
	if o, ok := r.listener.Principal(); ok && r.command == "" {
		r.command = monitor.Clean(words.Command(o), 240)
	}
	return r.command
}

// warned reports whether the row has a warning.
func (r *portRow) warned() bool { return r.mark != closed && (r.warnings > 0 || r.ambiguous) }

// exposureText describes the exposure of l in a few words.
func exposureText(l *monitor.Listener) string {
	if t, public := l.PublicTunnel(); public { // the card and the details have room for more
		return lang.L("public: {{.Through}}", map[string]any{"Through": t.Through})
	}
	if len(l.Tunnels) > 0 && !l.OnNetwork() {
		return lang.L("through {{.Through}}", map[string]any{"Through": l.Tunnels[0].Through})
	}
	if l.Exposure == monitor.ExposureLoopback {
		return lang.L("local only")
	}
	if !l.AcceptsLoopback() { // on another interface: show its address
		if len(l.Sockets) > 0 && l.Sockets[0].Device != "" && l.Sockets[0].Address.IsUnspecified() {
			return monitor.Clean(l.Sockets[0].Device, 16)
		}
		return l.Addresses[0].Unmap().String()
	}
	return lang.L("network")
}

// age returns how long the listener has been up: since Porthole saw it open, or else "≤" the age
// of its process. The text is built when it is painted, because only about thirty of ten thousand
// rows are visible, and again only when it changes, because the window paints every second.
func (r *portRow) age(now time.Time) string {
	up, ok := uptime(r.listener, now)
	if !ok {
		return ""
	}
	if r.up == "" || up != r.upFor {
		r.up, r.upFor = up.text(), up
	}
	return r.up
}

// uptimeValue is how long a listener has been up, rounded down to the unit that is shown.
type uptimeValue struct {
	duration time.Duration
	atMost   bool // it is the age of the process
}

// uptime returns how long l has been up; false if that is unknown.
func uptime(l *monitor.Listener, now time.Time) (uptimeValue, bool) {
	since := l.Since
	if since.IsZero() {
		o, _ := l.Principal()
		since = o.StartedAt
	}
	d := max(now.Sub(since), 0)
	return uptimeValue{d.Truncate(words.DurationStep(d)), l.Since.IsZero()}, !since.IsZero()
}

func (u uptimeValue) text() string {
	if u.atMost {
		return "≤ " + words.Duration(u.duration)
	}
	return words.Duration(u.duration)
}

// fingerprint returns all texts of the row except its age.
func (r *portRow) fingerprint() string {
	return strings.Join([]string{r.port, r.process, r.pid, r.user, r.exposure, r.address, r.project, r.branch, r.service, r.label, r.startedBy}, "\x00")
}

// line returns the row as text for copying, including the addresses, whose column is hidden by
// default.
func (r *portRow) line() string {
	texts := []string{r.port, r.process, r.pid, r.user, r.exposure, r.project, r.service, r.address}
	if r.label != "" {
		texts = append(texts, r.label)
	}
	return strings.Join(texts, "\t")
}

// AccessibleText returns the row's text for screen readers.
func (r *portRow) AccessibleText() string {
	text := strings.ReplaceAll(r.line(), "\t", ", ")
	if r.warned() {
		text += ", " + r.warningText()
	}
	if r.mark == unmarked {
		return text
	}
	return markLabels()[r.mark] + ", " + text
}

// warningText returns the number of warnings in words; "" if there is none.
func (r *portRow) warningText() string {
	n := r.warnings
	if r.ambiguous {
		n++
	}
	if n == 0 {
		return ""
	}
	return lang.N("{{.Count}} warnings", n, map[string]any{"Count": n})
}

// Key returns the identity of the row: the listener ID.
func (r *portRow) Key() string { return r.listener.ID }

// Tint returns the background colour of the row's mark; "" if the row is not marked.
func (r *portRow) Tint() fyne.ThemeColorName {
	return [...]fyne.ThemeColorName{unmarked: "", opened: uitheme.TintNew, changed: uitheme.TintChanged, closed: uitheme.TintClosed}[r.mark]
}

// text returns a cell that is struck through if the row is closed.
func (r *portRow) text(s string, color fyne.ThemeColorName) table.Cell {
	c := table.Cell{Text: s, Color: color, Struck: r.mark == closed}
	if r.mark == closed {
		c.Color = uitheme.ColorClosed
	}
	return c
}

// Widths of columns, and widths if UDP or addresses of other interfaces are shown.
const (
	portWidth, portWidthUDP         = 72, 92
	exposureWidth, exposureWidthAll = 112, 142
)

// portColumns returns the columns of the Ports table.
func portColumns(star func(*portRow), now func() time.Time) []table.Column[*portRow] {
	muted := table.ColorMuted
	up := float32(76)
	for _, word := range markLabels() {
		up = max(up, fyne.MeasureText(word, theme.TextSize(), fyne.TextStyle{}).Width+2*table.CellPadding)
	}
	by := func(of func(*portRow) string) func(a, b *portRow) int {
		return func(a, b *portRow) int {
			return cmp.Or(compareFold(of(a), of(b)), byPort(a, b))
		}
	}
	return []table.Column[*portRow]{
		{ID: "watch", Name: lang.L("Watch"), Width: 34, Mono: true, About: lang.L("a star means that you are notified about the port"), Tip: starTip, Cell: starCell, Compare: byWatched, Tapped: star},
		{ID: "warning", Name: lang.L("Warnings"), Width: 30, Mono: true, About: lang.L("something about the process deserves attention"), Tip: warningTip, Cell: warningCell, Compare: byWarnings},
		{ID: "port", Label: lang.L("Port"), Width: portWidth, Mono: true, Compare: byPort,
			Cell: func(r *portRow) table.Cell { return r.text(r.port, "") }},
		{ID: "process", Label: lang.L("Process"), Width: 104, Grow: 3, Compare: by(func(r *portRow) string { return r.process }),
			Cell: func(r *portRow) table.Cell { return r.text(r.process, unknownOwnerColor(r)) }},
		{ID: "label", Label: lang.L("Label"), Width: 90, Grow: 2, Extra: true, Drop: 1, About: lang.L("your name for the port or the service"), Tip: func(r *portRow) string { return r.listener.Note },
			Compare: by(func(r *portRow) string { return r.label }), Cell: func(r *portRow) table.Cell { return r.text(r.label, "") }},
		{ID: "pid", Label: lang.L("PID"), Width: 76, Mono: true, Fits: true, Drop: 4, About: lang.L("process ID; +1 means one more process that listens on the port"), Compare: byPID,
			Cell: func(r *portRow) table.Cell { return r.text(r.pid, muted) }},
		{ID: "user", Label: lang.L("User"), Width: 76, Grow: 1, Drop: 7, Compare: by(func(r *portRow) string { return r.user }),
			Cell: func(r *portRow) table.Cell { return r.text(r.user, "") }},
		{ID: "exposure", Label: lang.L("Exposure"), Width: exposureWidth, Fits: true, About: lang.L("who can connect: this machine only, the network, or everybody on the internet"), Tip: exposureTip, Compare: byExposure, Cell: exposureCell},
		{ID: "address", Label: lang.L("Address"), Width: 130, Mono: true, Fits: true, Extra: true, Drop: 5, Compare: by(func(r *portRow) string { return r.address }),
			Cell: func(r *portRow) table.Cell { return r.text(r.address, muted) }},
		{ID: "project", Label: lang.L("Project"), Width: 90, Grow: 2, Drop: 2, Compare: by(func(r *portRow) string { return r.project }),
			Cell: func(r *portRow) table.Cell { return r.text(r.project, "") }},
		{ID: "branch", Label: lang.L("Branch"), Width: 90, Grow: 2, Extra: true, Drop: 3, Compare: by(func(r *portRow) string { return r.branch }),
			Cell: func(r *portRow) table.Cell { return r.text(r.branch, "") }},
		{ID: "command", Label: lang.L("Command"), Width: 130, Grow: 4, Mono: true, Extra: true, Drop: 9, Compare: by((*portRow).commandText),
			Cell: func(r *portRow) table.Cell { return r.text(r.commandText(), muted) }},
		{ID: "started", Label: lang.L("Started by"), Width: 100, Grow: 2, Extra: true, Drop: 10, About: lang.L("the coding agent, IDE, terminal, login, supervisor or unit that started the process"), Tip: orphanTip, Compare: by(func(r *portRow) string { return r.startedBy }),
			Cell: func(r *portRow) table.Cell { return r.text(r.startedBy, muted) }},
		{ID: "service", Label: lang.L("Service"), Width: 90, Grow: 2, Drop: 8, About: lang.L("what the process provides, from its program, its command or its port"), Compare: by(func(r *portRow) string { return r.service }),
			Cell: func(r *portRow) table.Cell { return r.text(r.service, muted) }},
		{ID: "up", Label: lang.L("Up for"), Width: up, Right: true, Marks: true, Yields: true, About: lang.L("how long the port has been open; ≤ means at most, because it was open before Porthole started"), Tip: ageTip, Compare: byAge,
			Cell: func(r *portRow) table.Cell { return table.Cell{Text: r.age(now())} }},
		{ID: "conns", Label: lang.L("Conns"), Width: 68, Right: true, Drop: 6, About: lang.L("established connections"), Compare: byConnected, Cell: connsCell},
	}
}

func unknownOwnerColor(r *portRow) fyne.ThemeColorName {
	if len(r.listener.Owners) == 0 {
		return table.ColorMuted
	}
	return ""
}

func starCell(r *portRow) table.Cell {
	const size = 19 // the default font has small stars
	if r.watched {
		return table.Cell{Text: "★", Color: uitheme.ColorAlert, Size: size}
	}
	return table.Cell{Text: "☆", Color: table.ColorMuted, Size: size}
}

// warningCell shows a sign, not only a colour. The details pane has the sentences.
func warningCell(r *portRow) table.Cell {
	if !r.warned() {
		return table.Cell{}
	}
	return table.Cell{Text: "⚠", Color: uitheme.ColorAlert, Size: 15}
}

// warningTip returns the warnings as sentences.
func warningTip(r *portRow) string {
	if !r.warned() {
		return ""
	}
	o, _ := r.listener.Principal()
	sentences := words.Warnings(r.listener, o, ancestry.Explain(o, r.listener.CgroupInfo, r.state), r.state)
	if r.ambiguous {
		sentences = append(sentences, words.AmbiguousWarning())
	}
	return strings.Join(sentences, "\n")
}

// orphanTip returns the evidence that the process is orphaned.
func orphanTip(r *portRow) string {
	if r.mark == closed {
		return ""
	}
	return words.Orphan(r.orphan)
}

func starTip(r *portRow) string {
	if r.watched {
		return lang.L("Stop watching")
	}
	return lang.L("Watch")
}

// exposureTip explains an ambiguous address, the tunnels, and what the firewall does. The column is too narrow
// for that.
func exposureTip(r *portRow) string {
	if r.mark == closed {
		return ""
	}
	var lines []string
	if r.ambiguous {
		lines = append(lines, words.AmbiguousWarning())
	}
	if text := words.Tunnels(r.listener); text != "" {
		lines = append(lines, text)
	}
	if text := words.Firewall(r.state.Firewall); text != "" {
		lines = append(lines, text)
	}
	return strings.Join(lines, "\n")
}

// ageTip returns when the listener opened, or explains that only the age of the process is known.
func ageTip(r *portRow) string {
	if strings.HasPrefix(r.up, "≤") {
		return lang.L("The port was open before Porthole started. The process is that old.")
	}
	return ""
}

func byWarnings(a, b *portRow) int {
	rank := func(r *portRow) int {
		if r.warned() {
			return 0
		}
		return 1
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)), byPort(a, b))
}

// exposureCell highlights exposed listeners, and listeners whose “localhost” is ambiguous (the
// details pane explains it). Others are muted.
func exposureCell(r *portRow) table.Cell {
	c := r.text(r.exposure, table.ColorMuted)
	switch {
	case r.mark == closed:
	case r.listener.Exposure.IsExposed() && r.ambiguous:
		c.Text, c.Badge, c.Color = r.exposure+" !", true, uitheme.ColorAlert
	case r.listener.Exposure.IsExposed():
		c.Badge, c.Color = true, uitheme.ColorAlert
	case r.ambiguous:
		c.Text, c.Badge, c.Color = lang.L("ambiguous"), true, uitheme.ColorAlert
	}
	return c
}

// markLabels are the texts shown in marked rows instead of the age, because not everybody can
// distinguish the colours.
func markLabels() map[rowMark]string {
	return map[rowMark]string{opened: lang.L("new"), changed: lang.L("changed"), closed: lang.L("closed")}
}

// Mark returns the cell that states the row's mark as text.
func (r *portRow) Mark() table.Cell {
	if r.mark == unmarked {
		return table.Cell{}
	}
	color := map[rowMark]fyne.ThemeColorName{opened: uitheme.ColorOpen, changed: uitheme.ColorAlert, closed: uitheme.ColorClosed}[r.mark]
	return table.Cell{Text: markLabels()[r.mark], Color: color}
}

// compareFold compares two strings ignoring case. It does not allocate for ASCII: sorting ten
// thousand rows takes about a hundred thousand comparisons.
func compareFold(a, b string) int {
	for i := range min(len(a), len(b)) {
		x, y := lower(a[i]), lower(b[i])
		if x >= utf8.RuneSelf || y >= utf8.RuneSelf {
			return cmp.Compare(strings.ToLower(a[i:]), strings.ToLower(b[i:]))
		}
		if x != y {
			return cmp.Compare(x, y)
		}
	}
	return cmp.Compare(len(a), len(b))
}

func lower(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b + 'a' - 'A'
	}
	return b
}

// count sets the row's connections from counts, by listener ID.
func (r *portRow) count(counts map[string]int) {
	r.connections = -1
	if n, ok := counts[r.listener.ID]; ok {
		r.connections = n
	}
}

// connsCell shows the number of connections; 0 is muted.
func connsCell(r *portRow) table.Cell {
	switch {
	case r.connections < 0 || r.mark == closed:
		return table.Cell{}
	case r.connections == 0:
		return table.Cell{Text: "0", Color: table.ColorMuted}
	}
	return table.Cell{Text: words.Number(r.connections)}
}

func byConnected(a, b *portRow) int {
	return cmp.Or(cmp.Compare(a.connections, b.connections), byPort(a, b))
}

func byPort(a, b *portRow) int { return cmp.Compare(a.listener.Port, b.listener.Port) }

func byWatched(a, b *portRow) int {
	switch {
	case a.watched == b.watched:
		return byPort(a, b)
	case a.watched:
		return -1
	}
	return 1
}

func byPID(a, b *portRow) int {
	first := func(r *portRow) int {
		o, _ := r.listener.Principal() // PID 0 if the owner is unknown
		return o.PID
	}
	return cmp.Or(cmp.Compare(first(a), first(b)), byPort(a, b))
}

// byExposure sorts exposed listeners first.
func byExposure(a, b *portRow) int {
	local := func(r *portRow) int {
		switch {
		case r.listener.Exposure == monitor.ExposurePublic:
			return 0
		case r.listener.Exposure.IsExposed():
			return 1
		}
		return 2
	}
	return cmp.Or(cmp.Compare(local(a), local(b)), compareFold(a.exposure, b.exposure), byPort(a, b))
}

// byAge sorts the youngest first and unknown ages last.
func byAge(a, b *portRow) int {
	begin := func(r *portRow) time.Time {
		if o, ok := r.listener.Principal(); ok && r.listener.Since.IsZero() {
			return o.StartedAt
		}
		return r.listener.Since
	}
	return cmp.Or(begin(b).Compare(begin(a)), byPort(a, b))
}
