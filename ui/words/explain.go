package words

import (
	"errors"
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
		words = append(words, Sentence(s))
	}
	return strings.Join(words, " ")
}

// Sentence translates s and the sentences in its data.
func Sentence(s monitor.Sentence) string {
	data := make(map[string]any, len(s.Data))
	for name, value := range s.Data {
		if part, ok := value.(monitor.Sentence); ok {
			value = Sentence(part)
		}
		data[name] = value
	}
	return lang.L(s.Text, data)
}

// Error returns an error in the user's language if it is a monitor.SentenceError, and its text
// otherwise.
func Error(err error) string {
	var e monitor.SentenceError
	if errors.As(err, &e) {
		return Sentence(e.Sentence)
	}
	return err.Error()
}
