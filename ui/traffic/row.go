package traffic

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/monitor/traffic"
	"porthole/ui/table"
	uitheme "porthole/ui/theme"
	"porthole/ui/words"
)

// maxPath is how many characters of a path or command the list has.
const maxPath = 300

// exchangeRow is an exchange in the list. Texts are made when they are first shown.
type exchangeRow struct {
	exchange *traffic.Exchange
	key      string
	path     string // "" until it is shown
	secrets  bool   // path is not masked
	matches  bool   // the filter
	now      func() time.Time
}

// Key implements table.Row.
func (r *exchangeRow) Key() string { return r.key }

// Tint implements table.Row.
func (r *exchangeRow) Tint() fyne.ThemeColorName { return "" }

// Mark implements table.Row.
func (r *exchangeRow) Mark() table.Cell { return table.Cell{} }

// AccessibleText implements table.Row.
func (r *exchangeRow) AccessibleText() string {
	return strings.Join([]string{r.time(), r.client(), r.exchange.Method, r.pathText(), r.status().Text, r.duration()}, ", ")
}

func (r *exchangeRow) time() string { return r.exchange.Started.Local().Format("15:04:05.000") }

// client returns the program, or where the connection comes from.
func (r *exchangeRow) client() string {
	c := r.exchange.Conn
	switch {
	case c == nil:
		return ""
	case c.Process().Name != "":
		return monitor.Clean(c.Process().Name, 40)
	case c.Client.IsValid():
		return c.Client.String()
	}
	return ""
}

// method returns the verb. A message has a mark that points to where it went.
func (r *exchangeRow) method() string {
	method := monitor.Clean(r.exchange.Method, 30)
	switch {
	case r.exchange.Kind == traffic.Event && r.exchange.Direction == traffic.ToClient:
		return "‹ " + method
	case r.exchange.Kind == traffic.Event:
		return "› " + method
	}
	return cmp.Or(method, r.exchange.Protocol)
}

func (r *exchangeRow) pathText() string {
	if r.path == "" && r.exchange.Path != "" {
		path := r.exchange.Path
		if !r.secrets {
			path = traffic.Masked(&traffic.Exchange{Path: path, Secrets: r.exchange.Secrets}).Path
		}
		r.path = monitor.Clean(path, maxPath)
	}
	return r.path
}

// status returns how the exchange ended, in red if badly.
func (r *exchangeRow) status() table.Cell {
	e := r.exchange
	text := monitor.Clean(e.Status, 60)
	if e.Code != 0 && e.Kind == traffic.Request {
		text = strings.TrimSpace(strconv.Itoa(e.Code) + " " + text)
	}
	switch {
	case e.Problem != "":
		return table.Cell{Text: cmp.Or(text, lang.L("incomplete")), Color: uitheme.ColorAlert}
	case e.Failed:
		return table.Cell{Text: text, Color: uitheme.ColorAlert}
	case text == "" && e.Ended.IsZero() && e.Kind == traffic.Request:
		return table.Cell{Text: lang.L("waiting"), Color: table.ColorMuted}
	}
	return table.Cell{Text: text}
}

func (r *exchangeRow) duration() string {
	if r.exchange.Kind == traffic.Event {
		return ""
	}
	return took(r.exchange.Duration(r.now()))
}

func sizeText(m *traffic.Message) string {
	if m.Size == 0 {
		return ""
	}
	return words.Size(uint64(m.Size))
}

// columns returns the columns of the list.
func columns() []table.Column[*exchangeRow] {
	text := func(f func(*exchangeRow) string) func(*exchangeRow) table.Cell {
		return func(r *exchangeRow) table.Cell { return table.Cell{Text: f(r)} }
	}
	byText := func(f func(*exchangeRow) string) func(a, b *exchangeRow) int {
		return func(a, b *exchangeRow) int { return strings.Compare(f(a), f(b)) }
	}
	byNumber := func(f func(*exchangeRow) int64) func(a, b *exchangeRow) int {
		return func(a, b *exchangeRow) int { return cmp.Compare(f(a), f(b)) }
	}
	return []table.Column[*exchangeRow]{
		{ID: "time", Label: lang.L("Time"), Width: 122, Mono: true, Drop: 4, Cell: text((*exchangeRow).time), Compare: byNumber(func(r *exchangeRow) int64 { return r.exchange.Started.UnixNano() })},
		{ID: "client", Label: lang.L("Client"), Width: 110, Fits: true, Drop: 3, Cell: text((*exchangeRow).client), Compare: byText((*exchangeRow).client)},
		{ID: "method", Label: lang.L("Method"), Width: 86, Fits: true, Cell: text((*exchangeRow).method), Compare: byText((*exchangeRow).method)},
		{ID: "path", Label: lang.L("Path or command"), Width: 180, Grow: 1, Mono: true, Cell: text((*exchangeRow).pathText), Compare: byText((*exchangeRow).pathText)},
		{ID: "status", Label: lang.L("Status"), Width: 192, Fits: true, Cell: (*exchangeRow).status, Compare: byNumber(func(r *exchangeRow) int64 { return int64(r.exchange.Code) })},
		{ID: "duration", Label: lang.L("Duration"), Width: 84, Right: true, Drop: 1, Cell: text((*exchangeRow).duration), Compare: byNumber(func(r *exchangeRow) int64 { return int64(r.exchange.Duration(r.now())) })},
		{ID: "sent", Label: lang.L("Sent"), Width: 76, Right: true, Drop: 2, About: lang.L("Bytes from the client to the server"), Cell: text(func(r *exchangeRow) string { return sizeText(&r.exchange.Request) }), Compare: byNumber(func(r *exchangeRow) int64 { return r.exchange.Request.Size })},
		{ID: "received", Label: lang.L("Received"), Width: 84, Right: true, Drop: 2, About: lang.L("Bytes from the server to the client"), Cell: text(func(r *exchangeRow) string { return sizeText(&r.exchange.Answer) }), Compare: byNumber(func(r *exchangeRow) int64 { return r.exchange.Answer.Size })},
		{ID: "protocol", Label: lang.L("Protocol"), Width: 90, Extra: true, Cell: text(func(r *exchangeRow) string { return r.exchange.Protocol }), Compare: byText(func(r *exchangeRow) string { return r.exchange.Protocol })},
	}
}

func keyOf(e *traffic.Exchange) string { return strconv.FormatUint(e.ID, 10) }
