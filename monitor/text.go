package monitor

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean makes text from another process safe to show on one line. Each run of control
// characters, line ends, invalid bytes, invisible characters and characters that
// change the text direction becomes one space; text longer than limit runes is
// truncated and ends in "…". Clean is safe for concurrent use.
func Clean(s string, limit int) string {
	if len(s) <= limit && isClean(s) {
		return s
	}
	var out []rune
	space := false
	for i, r := range s {
		if unprintable(r, s[i:]) || unicode.IsSpace(r) {
			space = len(out) > 0
			continue
		}
		if space {
			out, space = append(out, ' '), false
		}
		if out = append(out, r); len(out) > limit {
			break // the rest may be long
		}
	}
	if len(out) <= limit {
		return string(out)
	}
	if limit < 1 {
		return ""
	}
	return strings.TrimRight(string(out[:limit-1]), " ") + "…"
}

// isClean reports whether s has only printable ASCII characters, with single spaces between
// them, as most texts do.
func isClean(s string) bool {
	before := byte(' ')
	for i := range len(s) {
		c := s[i]
		if c < ' ' || c > '~' || c == ' ' && before == ' ' {
			return false
		}
		before = c
	}
	return before != ' ' || s == ""
}

// unprintable reports whether r is a control (Cc), format (Cf: bidi controls, zero
// width joiners, tags), surrogate, private or unassigned character, or an invalid
// byte.
func unprintable(r rune, rest string) bool {
	if r == utf8.RuneError {
		_, size := utf8.DecodeRuneInString(rest)
		return size <= 1
	}
	return !unicode.IsGraphic(r)
}

// maxText is how many bytes of another process's text are examined: a command
// line can have 2 MB.
const maxText = 1 << 10

// Bound returns at most the first kilobyte of s, for text whose rest does not
// matter.
func Bound(s string) string { return s[:min(len(s), maxText)] }

// CleanMasked masks the secrets in the first kilobyte of s and makes the result
// safe to display on one line of at most limit runes; see MaskText and Clean.
func CleanMasked(s string, limit int) string { return Clean(MaskText(Bound(s)), limit) }
