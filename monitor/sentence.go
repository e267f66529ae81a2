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
