package cli

import (
	"fmt"
	"strings"

	"porthole/monitor"
)

// conceals reports whether a list leaves l out because the user has hidden it, or has
// not: with --hidden. A port that is asked for is shown.
func (q query) conceals(l *monitor.Listener) bool {
	if q.Hidden {
		return !l.Hidden
	}
	return l.Hidden && !q.All && q.ports == nil
}

// countConcealed returns how many listeners a list leaves out because the user has hidden
// them.
func (q query) countConcealed(listeners []*monitor.Listener) (n int) {
	for _, l := range listeners {
		if l.Hidden && q.conceals(l) {
			n++
		}
	}
	return n
}

// noteHidden prints on stderr how many listeners a list leaves out.
func (q query) noteHidden(n int) {
	if n > 0 {
		_, _ = fmt.Fprintf(q.Stderr, "porthole: +%d hidden; to list them: porthole list --hidden\n", n) // only additional information
	}
}

// hiddenText names the rules that hide l; "" if it is not hidden.
func (q query) hiddenText(l *monitor.Listener) string {
	var texts []string
	for _, h := range q.labels.Hiding(l) {
		var parts []string
		for _, part := range []struct{ name, text string }{{"ports", h.On.PortsText()}, {"match", h.On.Match.String()}, {"program", h.Program}, {"unit", h.Unit}} {
			if part.text != "" {
				parts = append(parts, part.name+" "+monitor.Clean(part.text, 60))
			}
		}
		texts = append(texts, strings.Join(parts, ", "))
	}
	if len(texts) == 0 {
		return ""
	}
	return "by a rule of the settings: " + strings.Join(texts, "; ")
}

// relabelled returns listeners with the labels and hiding rules that the settings have now:
// the same ones if these have not changed.
func (q query) relabelled(listeners []*monitor.Listener) []*monitor.Listener {
	out := make([]*monitor.Listener, len(listeners))
	for i, l := range listeners {
		named := *l
		if q.labels.Describe(&named); named.Label == l.Label && named.Note == l.Note && named.Hidden == l.Hidden {
			out[i] = l
		} else {
			out[i] = &named
		}
	}
	return out
}
