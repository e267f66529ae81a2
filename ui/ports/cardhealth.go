package ports

import (
	"strconv"
	"strings"

	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/monitor/health"
	"porthole/monitor/watch"
	uitheme "porthole/ui/theme"
	"porthole/ui/widgets"
	"porthole/ui/words"
)

// showHealth shows what the health checks of a watch say about its listeners. The card of a
// watch without health checks does not change.
func (m *cardModel) showHealth(rule watch.Rule, found []*monitor.Listener, f cardFacts) {
	var details, tips []string
	healthy, unhealthy := 0, 0
	for _, l := range found {
		c, ok := health.For(f.checks, l.ID, rule.Health)
		if rule.Health == "" || !ok {
			continue
		}
		before := ""
		if len(found) > 1 {
			before = strconv.Itoa(int(l.Port)) + ": "
		}
		tips = append(tips, before+words.Health(c, f.now))
		switch c.State {
		case health.Healthy:
			healthy++
		case health.Unhealthy:
			unhealthy++
			details = append(details, before+words.WhyUnhealthy(c, f.now))
		}
	}
	if len(tips) > 0 {
		m.tip = "GET " + monitor.Clean(rule.Health, 60) + "\n" + strings.Join(tips, "\n")
	}
	switch {
	case unhealthy > 0:
		if m.color == uitheme.ColorAlert { // exposed to the network or the internet
			_, exposed := widgets.SplitSymbol(m.state)
			details = append(details, exposed)
		}
		m.detail = strings.Join(append(details, m.detail), " · ")
		m.state, m.color = "✖ "+lang.L("unhealthy"), uitheme.ColorAlert
		if len(found) > 1 {
			m.state = "✖ " + lang.L("{{.Count}} of {{.All}} unhealthy", map[string]any{"Count": words.Number(unhealthy), "All": words.Number(len(found))})
		}
	case healthy == len(found) && m.color == uitheme.ColorOpen:
		m.state = "● " + lang.L("healthy")
	}
}

// tipOf returns the tooltip of a card: its texts, if one of them is cut, and the health checks.
func (m cardModel) tipOf(cut bool) string {
	var lines []string
	if cut {
		lines = append(lines, m.title, m.detail)
	}
	if m.tip != "" {
		lines = append(lines, m.tip)
	}
	return strings.Join(lines, "\n")
}
