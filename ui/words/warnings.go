package words

import (
	"fyne.io/fyne/v2/lang"

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
	return lang.L("“localhost” is ambiguous: on this port, 127.0.0.1 and [::1] belong to different processes. Use the address, or stop the process that you do not need.")
}
