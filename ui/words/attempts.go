package words

import (
	"fyne.io/fyne/v2/lang"

	"porthole/monitor/connection"
	"porthole/monitor/watch"
)

// Attempts returns how often something tried to connect to the closed ports of a watch in
// the last minute; "" if nothing did, as far as known.
func Attempts(rule watch.Rule, bursts []connection.Burst) string {
	n := 0
	for _, b := range bursts {
		if rule.CoversTCP(b.Port) {
			n += b.LastMinute
		}
	}
	if n == 0 {
		return ""
	}
	return lang.N("at least {{.Count}} attempts to connect in the last minute", n, map[string]any{"Count": Number(n)})
}
