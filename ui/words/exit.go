package words

import "porthole/monitor"

// Exit says how a process ended, to follow its name: "exited with status 1". It is "" if
// that is not known.
func Exit(e monitor.Exit) string {
	if !e.Known() {
		return ""
	}
	return Sentence(e.Sentence())
}
