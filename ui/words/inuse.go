package words

import (
	"strings"

	"porthole/monitor/explain"
	"porthole/monitor/inuse"
)

// Availability describes whether a server can bind a port that nothing listens on: "5432 is
// free".
func Availability(a inuse.Answer) string {
	return strings.TrimSuffix(Sentence(a.Headline()), ".")
}

// Uses describes what uses a port that nothing listens on, as one paragraph; "" if nothing does or
// if that is unknown.
func Uses(a inuse.Answer, s explain.System) string {
	var sentences []string
	for _, one := range a.Reasons(s.EphemeralPorts) {
		sentences = append(sentences, Sentence(one))
	}
	return strings.Join(sentences, " ")
}

// Taken describes in a few words why a server can't bind a port that nothing listens on; "" if it
// can, or if that is unknown.
func Taken(a inuse.Answer) string {
	reason, taken := a.Brief()
	if !taken {
		return ""
	}
	return Sentence(reason)
}
