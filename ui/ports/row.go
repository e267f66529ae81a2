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
	"porthole/ui/filter"
	"porthole/ui/table"
	uitheme "porthole/ui/theme"
	"porthole/ui/words"
)

// markTime is how long a new, changed or closed row is marked.
const markTime = 3 * time.Second

// rowMark is what happened to a row lately.
type rowMark int

const (
	unmarked rowMark = iota
	opened
	changed
	closed
)

// portRow is a listener as the table shows it. Its words are made once, when
// the listener changes, not when they are painted.
type portRow struct {
	listener   *monitor.Listener
	watched    bool
	mark       rowMark
	until      time.Time // the mark's end
	searchText filter.Searchable

	ambiguous bool // "localhost" may mean another process
	upAt      time.Time

	port, process, pid, user, exposure, address, project, service, up string

	connections int // -1 where that is not known
}

func newPortRow(l *monitor.Listener, watched bool) *portRow {
	r := &portRow{listener: l, watched: watched, searchText: filter.NewSearchable(l), connections: -1}
	r.port = strconv.Itoa(int(l.Port))
	if l.Protocol == monitor.UDP {
		r.port += " UDP"
	}
	r.user = monitor.Clean(l.User, 40)
	r.project = monitor.Clean(l.Project, 60)
	r.service = words.Service(l)
	if o, ok := l.Principal(); ok {
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

// exposureText says who can connect, in the table's few words.
func exposureText(l *monitor.Listener) string {
	if l.Exposure == monitor.ExposureLoopback {
		return lang.L("local only")
	}
	if !l.AcceptsLoopback() { // of another interface: the address says which
		return l.Addresses[0].Unmap().String()
	}
	return lang.L("network")
}

// age says for how long the listener has been up: since Porthole saw it open, or
// at the most as long as its process. The words are made when they are painted:
// of ten thousand rows thirty are.
func (r *portRow) age(now time.Time) string {
	if second := now.Truncate(time.Second); !second.Equal(r.upAt) {
		r.up, r.upAt = uptime(r.listener, now), second
	}
	return r.up
}

func uptime(l *monitor.Listener, now time.Time) string {
	if !l.Since.IsZero() {
		return words.Duration(now.Sub(l.Since))
	}
	if o, ok := l.Principal(); ok && !o.StartedAt.IsZero() {
		return "≤ " + words.Duration(now.Sub(o.StartedAt))
	}
	return ""
}

// fingerprint is all that a row says but its age.
func (r *portRow) fingerprint() string {
	return strings.Join([]string{r.port, r.process, r.pid, r.user, r.exposure, r.address, r.project, r.service}, "\x00")
}

// line is the row as text, with the addresses, whose column is hidden at first.
func (r *portRow) line() string {
	return strings.Join([]string{r.port, r.process, r.pid, r.user, r.exposure, r.project, r.service, r.address}, "\t")
}

// AccessibleText are the row for whoever hears it.
func (r *portRow) AccessibleText() string {
	words := strings.ReplaceAll(r.line(), "\t", ", ")
	if r.mark == unmarked {
		return words
	}
	return markWords()[r.mark] + ", " + words
}

// Key is the row's identity.
func (r *portRow) Key() string { return r.listener.ID }

// Tint is the colour of the row's mark.
func (r *portRow) Tint() fyne.ThemeColorName {
	return [...]fyne.ThemeColorName{unmarked: "", opened: uitheme.TintNew, changed: uitheme.TintChanged, closed: uitheme.TintClosed}[r.mark]
}

// text is a cell that a closed row strikes.
func (r *portRow) text(s string, color fyne.ThemeColorName) table.Cell {
	c := table.Cell{Text: s, Color: color, Struck: r.mark == closed}
	if r.mark == closed {
		c.Color = uitheme.ColorClosed
	}
	return c
}

// Widths of columns that say more with UDP, and with addresses of other interfaces.
const (
	portWidth, portWidthUDP         = 72, 92
	exposureWidth, exposureWidthAll = 112, 142
)

// portColumns are the columns of the Ports table.
func portColumns(star func(*portRow), now func() time.Time) []table.Column[*portRow] {
	muted := table.ColorMuted
	up := float32(76)
	for _, word := range markWords() {
		up = max(up, fyne.MeasureText(word, theme.TextSize(), fyne.TextStyle{}).Width+2*table.CellPadding)
	}
	by := func(of func(*portRow) string) func(a, b *portRow) int {
		return func(a, b *portRow) int {
			return cmp.Or(compareFold(of(a), of(b)), byPort(a, b))
		}
	}
	return []table.Column[*portRow]{
		{ID: "watch", Name: lang.L("Watch"), Width: 34, Mono: true, Cell: starCell, Compare: byWatched, Tapped: star},
		{ID: "port", Label: lang.L("Port"), Width: portWidth, Mono: true, Compare: byPort,
			Cell: func(r *portRow) table.Cell { return r.text(r.port, "") }},
		{ID: "process", Label: lang.L("Process"), Width: 104, Grow: 3, Compare: by(func(r *portRow) string { return r.process }),
			Cell: func(r *portRow) table.Cell { return r.text(r.process, unknownOwnerColor(r)) }},
		{ID: "pid", Label: lang.L("PID"), Width: 76, Mono: true, Compare: byPID,
			Cell: func(r *portRow) table.Cell { return r.text(r.pid, muted) }},
		{ID: "user", Label: lang.L("User"), Width: 76, Grow: 1, Compare: by(func(r *portRow) string { return r.user }),
			Cell: func(r *portRow) table.Cell { return r.text(r.user, "") }},
		{ID: "exposure", Label: lang.L("Exposure"), Width: exposureWidth, Compare: byExposure, Cell: exposureCell},
		{ID: "address", Label: lang.L("Address"), Width: 130, Mono: true, Extra: true, Compare: by(func(r *portRow) string { return r.address }),
			Cell: func(r *portRow) table.Cell { return r.text(r.address, muted) }},
		{ID: "project", Label: lang.L("Project"), Width: 90, Grow: 2, Compare: by(func(r *portRow) string { return r.project }),
			Cell: func(r *portRow) table.Cell { return r.text(r.project, "") }},
		{ID: "service", Label: lang.L("Service"), Width: 90, Grow: 2, Compare: by(func(r *portRow) string { return r.service }),
			Cell: func(r *portRow) table.Cell { return r.text(r.service, muted) }},
		{ID: "up", Label: lang.L("Up for"), Width: up, Right: true, Marks: true, Compare: byAge,
			Cell: func(r *portRow) table.Cell { return table.Cell{Text: r.age(now())} }},
		{ID: "conns", Label: lang.L("Conns"), Width: 68, Right: true, Compare: byConnected, Cell: connsCell},
	}
}

func unknownOwnerColor(r *portRow) fyne.ThemeColorName {
	if len(r.listener.Owners) == 0 {
		return table.ColorMuted
	}
	return ""
}

func starCell(r *portRow) table.Cell {
	const size = 19 // the stars of the face of commands are small
	if r.watched {
		return table.Cell{Text: "★", Color: uitheme.ColorAlert, Size: size}
	}
	return table.Cell{Text: "☆", Color: table.ColorMuted, Size: size}
}

// exposureCell frames what the network can reach, and where “localhost” may mean
// another process, which the side pane explains; the rest stays quiet.
func exposureCell(r *portRow) table.Cell {
	c := r.text(r.exposure, table.ColorMuted)
	switch {
	case r.mark == closed:
	case r.listener.Exposure == monitor.ExposureNetwork && r.ambiguous:
		c.Text, c.Badge, c.Color = r.exposure+" !", true, uitheme.ColorAlert
	case r.listener.Exposure == monitor.ExposureNetwork:
		c.Badge, c.Color = true, uitheme.ColorAlert
	case r.ambiguous:
		c.Text, c.Badge, c.Color = lang.L("ambiguous"), true, uitheme.ColorAlert
	}
	return c
}

// markWords are what stands in a marked row, in place of its age: its colour says
// nothing to some.
func markWords() map[rowMark]string {
	return map[rowMark]string{opened: lang.L("new"), changed: lang.L("changed"), closed: lang.L("closed")}
}

// Mark says what the tint does.
func (r *portRow) Mark() table.Cell {
	if r.mark == unmarked {
		return table.Cell{}
	}
	color := map[rowMark]fyne.ThemeColorName{opened: uitheme.ColorOpen, changed: uitheme.ColorAlert, closed: uitheme.ColorClosed}[r.mark]
	return table.Cell{Text: markWords()[r.mark], Color: color}
}

// compareFold compares without regard to case. It makes no copies of what is
// ASCII: a sort of ten thousand rows compares a hundred thousand times.
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

// count takes the row's connections from counts, by listener.
func (r *portRow) count(counts map[string]int) {
	r.connections = -1
	if n, ok := counts[r.listener.ID]; ok {
		r.connections = n
	}
}

// connsCell counts who is connected; nobody is said quietly.
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
		o, _ := r.listener.Principal() // 0 where hidden
		return o.PID
	}
	return cmp.Or(cmp.Compare(first(a), first(b)), byPort(a, b))
}

// byExposure puts what the network can reach first.
func byExposure(a, b *portRow) int {
	local := func(r *portRow) int {
		if r.listener.Exposure == monitor.ExposureNetwork {
			return 0
		}
		return 1
	}
	return cmp.Or(cmp.Compare(local(a), local(b)), compareFold(a.exposure, b.exposure), byPort(a, b))
}

// byAge puts the youngest first, what is unknown last.
func byAge(a, b *portRow) int {
	begin := func(r *portRow) time.Time {
		if o, ok := r.listener.Principal(); ok && r.listener.Since.IsZero() {
			return o.StartedAt
		}
		return r.listener.Since
	}
	return cmp.Or(begin(b).Compare(begin(a)), byPort(a, b))
}
