// Package tray computes the tray icon's picture and menu. It has only pure functions and
// needs no tray.
package tray

import (
	"cmp"
	"slices"
	"strings"

	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/monitor/connection"
	"porthole/monitor/health"
	"porthole/monitor/history"
	"porthole/monitor/history/lastowner"
	"porthole/monitor/inuse"
	"porthole/monitor/watch"
	"porthole/ui/words"
)

// The maximum number of menu lines of each kind.
const (
	MaxWatched = 10
	MaxRecent  = 5
	maxName    = 32 // characters of a rule's name in a line
)

// State is the data from which the tray's Model is made.
type State struct {
	Snapshot monitor.Snapshot
	Rules    watch.Rules
	Paused   bool
	Unread   bool                             // an event of a watched port that the user has not seen
	Alert    bool                             // a watched port changed owner or was exposed to the network, and the user has not seen it
	Recent   []monitor.Event                  // the latest events, the newest last
	Problem  string                           // why the listeners cannot be read; "" if they can
	Ink      string                           // see Icon
	Vacant   map[uint16]inuse.Answer          // about watched ports that nothing listens on, as far as known
	Last     map[lastowner.Port]history.Owner // the last owners of watched ports, as far as known
	Checks   []health.Check                   // what the health checks of watches found
	Attempts []connection.Burst               // refused attempts to connect to watched ports
	UDP      bool                             // count UDP ports
}

// Model is the content of the tray. Equal Models look the same.
type Model struct {
	Icon    Icon
	Tooltip string
	Watched []Line // at most MaxWatched
	Recent  []Line // at most MaxRecent
	More    string // the line that counts watched ports without a line; "" if there are none
	Paused  bool
}

// Line is a menu line about one port.
type Line struct {
	Text string
	Port uint16
}

// Equal reports whether m and n look the same.
func (m Model) Equal(n Model) bool {
	return m.Icon == n.Icon && m.Tooltip == n.Tooltip && m.More == n.More && m.Paused == n.Paused &&
		slices.Equal(m.Watched, n.Watched) && slices.Equal(m.Recent, n.Recent)
}

// NewModel returns the picture and menu for s.
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

// level returns the share of watches that are open, in quarters: 0 only if none is, 4
// only if all are.
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
	n, hidden := countLoopback(s.Snapshot, s.UDP)
	ports := lang.N("{{.Count}} ports", n, map[string]any{"Count": n}) + words.PlusHidden(hidden)
	open, all := s.Rules.CountOpen(s.Snapshot)
	text := lang.L("Porthole: {{.Ports}}, {{.Open}} of {{.All}} watched open",
		map[string]any{"Ports": ports, "Open": open, "All": all})
	if n := unhealthy(s); n > 0 {
		text = lang.L("{{.Text}}, {{.Count}} unhealthy", map[string]any{"Text": text, "Count": n})
	}
	if all == 0 {
		text = lang.L("Porthole: {{.Ports}}, none watched", map[string]any{"Ports": ports})
	}
	if s.Paused {
		return lang.L("{{.Text}} (notifications paused)", map[string]any{"Text": text})
	}
	return text
}

// unhealthy returns how many listeners fail their health checks.
func unhealthy(s State) (n int) {
	for _, l := range s.Snapshot.Listeners {
		if c, ok := health.Of(s.Checks, l.ID); ok && c.State == health.Unhealthy {
			n++
		}
	}
	return n
}

// countLoopback counts ports, not listeners: two servers on one port count once. A port is
// hidden if all of its listeners are.
func countLoopback(s monitor.Snapshot, udp bool) (shown, hidden int) {
	last, lastHidden := uint16(0), false
	for _, l := range s.Listeners {
		if !l.AcceptsLoopback() || !udp && l.Protocol == monitor.UDP {
			continue
		}
		switch {
		case l.Port != last && l.Hidden:
			hidden++
		case l.Port != last:
			shown++
		case lastHidden && !l.Hidden:
			shown, hidden = shown+1, hidden-1
		default:
			continue
		}
		last, lastHidden = l.Port, l.Hidden
	}
	return shown, hidden
}

func watchedLines(s State) []Line {
	var lines []Line
	shown := map[Line]bool{} // by owner and port: rules may overlap
	for _, rule := range s.Rules.Active() {
		found := rule.Listeners(s.Snapshot)
		if len(found) == 0 {
			lines = append(lines, vacantLine(rule, s))
			continue
		}
		for _, l := range found {
			owner := Line{words.Port(l.Protocol, l.Port) + " " + words.Owner(l), l.Port}
			if !shown[owner] {
				shown[owner] = true
				line := Line{Text: "● " + label(rule, words.Port(l.Protocol, l.Port)) + " " + words.Owner(l), Port: l.Port}
				if c, ok := health.Of(s.Checks, l.ID); ok && c.State == health.Unhealthy {
					line.Text = "✖" + strings.TrimPrefix(line.Text, "●") + ", " + words.Unhealthy(c)
				}
				lines = append(lines, line)
			}
		}
	}
	return lines
}

// label names ports of a rule: "3000", "shop (3000)".
func label(rule watch.Rule, ports string) string {
	if rule.Name == "" || rule.FollowsService() {
		return ports
	}
	return monitor.Clean(rule.Name, maxName) + " (" + ports + ")"
}

// vacantLine returns the line of a watch without listeners. Only a single port is known to be
// free.
func vacantLine(rule watch.Rule, s State) Line {
	line := closedLine(rule, s)
	if attempts := words.Attempts(rule, s.Attempts); attempts != "" {
		line.Text = lang.L("{{.Line}}, {{.Attempts}}", map[string]any{"Line": line.Text, "Attempts": attempts})
	}
	return line
}

// closedLine is vacantLine without attempts to connect.
func closedLine(rule watch.Rule, s State) Line {
	if rule.FollowsService() {
		name := cmp.Or(rule.Name, rule.Match.String())
		return Line{Text: "○ " + lang.L("{{.Name}} not running", map[string]any{"Name": monitor.Clean(name, maxName)})}
	}
	line := Line{Port: rule.Ports[0].First}
	data := map[string]any{"Ports": label(rule, rule.PortsText())}
	var answer inuse.Answer
	if port, single := rule.SingleTCP(); single {
		answer = s.Vacant[port]
	}
	switch state := answer.State(); {
	case state == inuse.Taken:
		data["Reason"] = words.Taken(answer)
		line.Text = "○ " + lang.L("{{.Ports}} not free: {{.Reason}}", data)
	case !rule.Match.IsZero(): // another service may own the port
		data["Name"] = monitor.Clean(rule.Match.String(), maxName)
		line.Text = "○ " + lang.L("{{.Ports}}: {{.Name}} not running", data)
	case state == inuse.Unknown:
		line.Text = "○ " + withLast(lang.L("{{.Ports}} closed", data), rule, s)
	default:
		line.Text = "○ " + withLast(lang.L("{{.Ports}} free", data), rule, s)
	}
	return line
}

// withLast adds the last owner of the port of a rule to the text about it.
func withLast(text string, rule watch.Rule, s State) string {
	port, single := SinglePort(rule)
	last, known := s.Last[port]
	if !single || !known {
		return text
	}
	return lang.L("{{.Text}}, last: {{.Who}}", map[string]any{"Text": text, "Who": words.PastOwner(last)})
}

// SinglePort returns the port of a rule about exactly one port, and false for other rules.
func SinglePort(rule watch.Rule) (lastowner.Port, bool) {
	number, single := rule.Ports.Single()
	p := lastowner.Port{Protocol: monitor.TCP, Number: number}
	if rule.Protocol == monitor.UDP {
		p.Protocol = monitor.UDP
	}
	return p, single
}

// recentLines returns lines for the latest events, the newest first. They show the time
// of day rather than an age, so that the menu does not change by itself.
func recentLines(changes []monitor.Event) []Line {
	var lines []Line
	for _, c := range slices.Backward(changes) {
		data := map[string]any{"Time": c.At.Local().Format("15:04"), "Port": c.Listener.Port, "Who": words.Owner(c.Listener)}
		text := lang.L("{{.Time}}  {{.Port}} opened: {{.Who}}", data)
		switch c.Kind {
		case monitor.Closed:
			text = lang.L("{{.Time}}  {{.Port}} closed: {{.Who}}", data)
			if c.Crashed() {
				text = lang.L("{{.Time}}  {{.Port}} crashed: {{.Who}}", data)
			}
		case monitor.Unhealthy:
			text = lang.L("{{.Time}}  {{.Port}} unhealthy: {{.Who}}", data)
		case monitor.Healthy:
			text = lang.L("{{.Time}}  {{.Port}} healthy again: {{.Who}}", data)
		case monitor.OwnerChanged:
			text = lang.L("{{.Time}}  {{.Port}} changed owner: {{.Who}}", data)
		case monitor.ExposureChanged:
			text = lang.L("{{.Time}}  {{.Port}} changed exposure: {{.Who}}", data)
			if c.Listener.Exposure == monitor.ExposurePublic {
				text = lang.L("{{.Time}}  {{.Port}} is reachable from the internet: {{.Who}}", data)
			}
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
