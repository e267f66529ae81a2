package words

import (
	"fyne.io/fyne/v2/lang"

	"porthole/monitor/reply"
)

// Reply returns what a server replied as labels and values. The first says what answers.
func Reply(r reply.Reply) [][2]string {
	facts := [][2]string{{lang.L("Answer"), Sentence(r.Headline())}}
	for _, f := range r.Facts() {
		facts = append(facts, [2]string{Sentence(f.Label), Sentence(f.Value)})
	}
	return facts
}

// Web reports whether a server is known to speak HTTP. likely is what is known without its reply.
func Web(r reply.Reply, likely bool) bool {
	if speaks, known := r.SpeaksHTTP(); known {
		return speaks
	}
	return likely
}
