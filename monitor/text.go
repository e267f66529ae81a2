package monitor

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean makes text that another process chose fit to be shown on one line: each
// run of control characters, line ends, invalid bytes and characters that
// change the direction of writing or are invisible becomes one space, and what
// is longer than limit runes ends in "…". It is safe to call from anywhere.
func Clean(s string, limit int) string {
	var b strings.Builder
	runes, space := 0, false
	for i, r := range s {
		if unfit(r, s[i:]) || unicode.IsSpace(r) {
			space = runes > 0
			continue
		}
		if space {
			b.WriteByte(' ')
			runes++
			space = false
		}
		if runes >= limit-1 && len(s[i:]) > utf8.RuneLen(r) {
			b.WriteRune('…')
			return b.String()
		}
		b.WriteRune(r)
		runes++
	}
	return b.String()
}

// unfit reports control (Cc), format (Cf: bidi controls, zero width joiners,
// tags), surrogate, private and unassigned characters, and invalid bytes.
func unfit(r rune, rest string) bool {
	if r == utf8.RuneError {
		_, size := utf8.DecodeRuneInString(rest)
		return size <= 1
	}
	return !unicode.IsGraphic(r)
}
