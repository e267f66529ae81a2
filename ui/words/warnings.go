package words

import (
	"porthole/monitor"
	"porthole/monitor/ancestry"
	"porthole/monitor/warning"
)

// Warnings returns the warnings about o, which owns l, each with advice.
func Warnings(l *monitor.Listener, o monitor.Owner, why ancestry.Explanation, live monitor.ProcessState) []string {
	var out []string
	for _, w := range warning.Check(l, o, why, live) {
		out = append(out, Sentence(w.Sentence(why)))
	}
	return out
}

// AmbiguousWarning returns the warning that "localhost" may lead to one of two processes,
// with advice.
func AmbiguousWarning() string {
	return Sentence(warning.Warning{Kind: warning.AmbiguousName}.Sentence(ancestry.Explanation{}))
}
