package words

import (
	"strings"

	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/monitor/explain"
)

// Explanation explains in one paragraph what the addresses and the port of l mean. For a
// closed listener it explains only the port.
func Explanation(l *monitor.Listener, gone bool, s explain.System) string {
	now := []*monitor.Listener{l}
	if gone {
		now = nil
	}
	var words []string
	for _, s := range explain.NewFacts(explain.Target{Port: l.Port}, now, s).Sentences() {
		words = append(words, lang.L(s.Text, s.Data))
	}
	return strings.Join(words, " ")
}
