// Package tray is the picture and the words of the tray icon, without the tray:
// pure functions from what is seen to what is shown.
package tray

import (
	"cmp"
	"slices"
	"strconv"

	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/monitor/watch"
	"porthole/ui/words"
)

// How many lines of a kind the menu has at the most.
const (
	MaxWatched = 10
	MaxRecent  = 5
	maxName    = 32 // letters of a rule's name in a line
)

// State is what the tray shows, before it is put into words.
type State struct {
	Snapshot monitor.Snapshot
	Rules    watch.Rules
	Paused   bool
	Unread   bool            // a watched port changed and nobody has looked yet
	Alert    bool            // a watched port changed hands or became reachable from the network
	Recent   []monitor.Event // the last ones, the newest last
	Problem  string          // why the table cannot be read; "" where it can
	Ink      string          // see Icon
}

// Model is what the tray shows. Two equal Models look the same.
type Model struct {
	Icon    Icon
	Tooltip string
	Watched []Line // at most MaxWatched
	Recent  []Line // at most MaxRecent
	More    string // how many watched ports have no line; "" where all have
	Paused  bool
}

// Line is a line of the menu about one port.
type Line struct {
	Text string
	Port uint16
}

// Equal reports whether m and n look the same.
func (m Model) Equal(n Model) bool {
	return m.Icon == n.Icon && m.Tooltip == n.Tooltip && m.More == n.More && m.Paused == n.Paused &&
		slices.Equal(m.Watched, n.Watched) && slices.Equal(m.Recent, n.Recent)
}

// NewModel puts s into a picture and words.
func NewModel(s State) Model {
	lines := watchedLines(s)
	m := Model{
		Icon:    Icon{Level: level(s), Dot: s.Unread && !s.Alert, Alert: s.Alert, Paused: s.Paused, Ink: s.Ink},
		Tooltip: tooltip(s),
		Watched: lines,
		Recent:  recentLines(s.Recent),
		Paused:  s.Paused,
	}
	if more := len(lines) - MaxWatched; more > 0 {
		m.Watched = lines[:MaxWatched]
		m.More = lang.N("…and {{.Count}} more watched ports", more, map[string]any{"Count": more})
	}
	return m
}

// level is the share of watches that are open in quarters: 0 only where none
// is, 4 only where all are.
func level(s State) int {
	open, all := s.Rules.CountOpen(s.Snapshot)
	switch {
	case open == 0:
		return 0
	case open == all:
		return 4
	}
	return min(max((4*open+all/2)/all, 1), 3)
}

func tooltip(s State) string {
	if s.Problem != "" {
		return lang.L("Porthole: can't read the ports")
	}
	n := countLoopback(s.Snapshot)
	ports := lang.N("{{.Count}} ports", n, map[string]any{"Count": n})
	open, all := s.Rules.CountOpen(s.Snapshot)
	text := lang.L("Porthole: {{.Ports}}, {{.Open}} of {{.All}} watched open",
		map[string]any{"Ports": ports, "Open": open, "All": all})
	if all == 0 {
		text = lang.L("Porthole: {{.Ports}}, none watched", map[string]any{"Ports": ports})
	}
	if s.Paused {
		return lang.L("{{.Text}} (notifications paused)", map[string]any{"Text": text})
	}
	return text
}

// countLoopback counts ports, not rows: two servers on one port are one port.
func countLoopback(s monitor.Snapshot) int {
	n, last := 0, uint16(0)
	for _, l := range s.Listeners {
		if l.AcceptsLoopback() && l.Port != last {
			n, last = n+1, l.Port
		}
	}
	return n
}

func watchedLines(s State) []Line {
	var lines []Line
	for _, rule := range s.Rules.Active() {
		found := rule.Listeners(s.Snapshot)
		if len(found) == 0 {
			lines = append(lines, freeLine(rule))
			continue
		}
		for _, l := range found {
			line := Line{Text: "● " + strconv.Itoa(int(l.Port)) + " " + words.Owner(l), Port: l.Port}
			if !slices.Contains(lines, line) { // rules may overlap
				lines = append(lines, line)
			}
		}
	}
	return lines
}

func freeLine(rule watch.Rule) Line {
	if rule.FollowsService() {
		name := cmp.Or(rule.Name, rule.Match.String())
		return Line{Text: "○ " + lang.L("{{.Name}} not running", map[string]any{"Name": monitor.Clean(name, maxName)})}
	}
	text := lang.L("{{.Ports}} free", map[string]any{"Ports": rule.Ports.String()})
	if !rule.Match.IsZero() { // another service may have it
		text = lang.L("{{.Ports}}: {{.Name}} not running", map[string]any{"Ports": rule.Ports.String(), "Name": monitor.Clean(rule.Match.String(), maxName)})
	}
	return Line{Text: "○ " + text, Port: rule.Ports[0].First}
}

// recentLines are the last few changes, the newest first. Their time is the
// clock's: the words must not change by themselves.
func recentLines(changes []monitor.Event) []Line {
	var lines []Line
	for _, c := range slices.Backward(changes) {
		data := map[string]any{"Time": c.At.Local().Format("15:04"), "Port": c.Listener.Port, "Who": words.Owner(c.Listener)}
		text := lang.L("{{.Time}}  {{.Port}} opened: {{.Who}}", data)
		switch c.Kind {
		case monitor.Closed:
			text = lang.L("{{.Time}}  {{.Port}} closed: {{.Who}}", data)
		case monitor.OwnerChanged:
			text = lang.L("{{.Time}}  {{.Port}} changed owner: {{.Who}}", data)
		case monitor.ExposureChanged:
			text = lang.L("{{.Time}}  {{.Port}} changed exposure: {{.Who}}", data)
		}
		if lines = append(lines, Line{Text: text, Port: c.Listener.Port}); len(lines) == MaxRecent {
			break
		}
	}
	if lines == nil {
		return []Line{{Text: lang.L("No events yet")}}
	}
	return lines
}
