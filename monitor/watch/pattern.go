package watch

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"strings"

	"porthole/monitor"
)

// Pattern selects the listeners of a rule: each of its words must be found in
// the name, command, program, folder or project of one owner, in any order. A
// word is a regular expression (RE2, package regexp); case is ignored. The zero
// value matches everything.
type Pattern struct {
	text  string
	words []*regexp.Regexp
}

// ParsePattern parses a pattern. An error is a monitor.SentenceError that
// contains the position of the mistake.
func ParsePattern(text string) (Pattern, error) {
	p := Pattern{text: strings.TrimSpace(text)}
	for word := range strings.FieldsSeq(p.text) {
		re, err := regexp.Compile("(?i:" + word + ")")
		if err != nil {
			return Pattern{}, monitor.SentenceError{Sentence: monitor.NewSentence(textWord,
				"Word", monitor.Clean(word, 40), "Number", 1+len([]rune(p.text[:strings.Index(p.text, word)])), "Why", wordError(word))}
		}
		p.words = append(p.words, re)
	}
	return p, nil
}

// Exactly returns a pattern for owners that have each of these texts as their name,
// program, folder or project; empty texts are left out. A text with spaces need only be a
// part, word by word.
func Exactly(texts ...string) (Pattern, error) {
	var words []string
	for _, text := range texts {
		parts := strings.Fields(text)
		for i, part := range parts {
			if parts[i] = regexp.QuoteMeta(part); len(parts) == 1 {
				parts[i] = "^" + parts[i] + "$"
			}
		}
		words = append(words, parts...)
	}
	return ParsePattern(strings.Join(words, " "))
}

// wordError describes what is wrong with a single word: a monitor.Sentence, or the reason of
// package regexp/syntax, which is in English.
func wordError(word string) any {
	_, err := syntax.Parse(word, syntax.Perl)
	var wrong *syntax.Error
	if errors.As(err, &wrong) {
		return wrong.Code.String()
	}
	return monitor.Sentence{Text: textParenthesis} // it would close the (?i: around the word
}

// String returns the pattern as it was written.
func (p Pattern) String() string { return p.text }

// IsZero reports whether p matches everything.
func (p Pattern) IsZero() bool { return len(p.words) == 0 }

// MarshalText returns the pattern as it was written.
func (p Pattern) MarshalText() ([]byte, error) { return []byte(p.text), nil }

// UnmarshalText parses the pattern with ParsePattern.
func (p *Pattern) UnmarshalText(text []byte) (err error) {
	*p, err = ParsePattern(string(text))
	return err
}

// Matches reports whether any owner of l matches, including an inferred one.
func (p Pattern) Matches(l *monitor.Listener) bool {
	if p.IsZero() {
		return true
	}
	for i := range l.Owners {
		if p.matchesOwner(&l.Owners[i]) {
			return true
		}
	}
	return l.Inferred != nil && p.matchesOwner(l.Inferred)
}

func (p Pattern) matchesOwner(o *monitor.Owner) bool {
	traits := []string{o.Name, strings.Join(o.Command, " "), o.Program, o.Folder, o.Project}
	for _, word := range p.words {
		found := false
		for _, trait := range traits {
			found = found || word.MatchString(trait)
		}
		if !found {
			return false
		}
	}
	return true
}
