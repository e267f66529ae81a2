package monitor

import (
	"fmt"
	"strings"
)

// Sentence is one English sentence for people. The user interface looks Text up in its
// translations and inserts Data.
type Sentence struct {
	Text string         // with placeholders such as {{.Port}}
	Data map[string]any // values of the placeholders; cleaned. A value may be a Sentence
}

// String returns the sentence in English.
func (s Sentence) String() string {
	var pairs []string
	for name, value := range s.Data {
		pairs = append(pairs, "{{."+name+"}}", fmt.Sprint(value))
	}
	return strings.NewReplacer(pairs...).Replace(s.Text)
}

// SentenceError is an error that is a sentence for the user. Error returns it in English.
type SentenceError struct{ Sentence Sentence }

// Error implements error.
func (e SentenceError) Error() string { return e.Sentence.String() }

// NewSentence returns a sentence of a text and its values, as pairs of names and values.
func NewSentence(text string, pairs ...any) Sentence {
	s := Sentence{Text: text}
	for i := 0; i+1 < len(pairs); i += 2 {
		if s.Data == nil {
			s.Data = map[string]any{}
		}
		s.Data[fmt.Sprint(pairs[i])] = pairs[i+1]
	}
	return s
}
