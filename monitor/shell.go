package monitor

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"al.essio.dev/pkg/shellescape"
)

// ShellCommand returns command as a line that a POSIX shell runs with exactly these
// words, for commands that are copied or shown to be run. The line is safe to display.
// ShellCommand does not mask secrets.
func ShellCommand(command []string) string {
	words := make([]string, len(command))
	for i, w := range command {
		words[i] = shellWord(w)
	}
	if len(words) > 0 && words[0] == command[0] && strings.Contains(words[0], "=") {
		words[0] = "'" + words[0] + "'" // unquoted, the shell would read it as an assignment
	}
	return strings.Join(words, " ")
}

// shellWord quotes s for a shell that it is pasted into. A library quotes what is
// printable. Control and bidi characters are written as escapes, which bash, zsh and
// ksh know (POSIX.1-2024, 2.2.4): pasted raw, a terminal would take them for keys,
// which could end the word and run the rest.
func shellWord(s string) string {
	if utf8.ValidString(s) && !strings.ContainsFunc(s, notPrintable) {
		return shellescape.Quote(s)
	}
	var b strings.Builder
	b.WriteString("$'")
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '\'' || r == '\\':
			b.WriteString(`\` + string(r))
		case r == utf8.RuneError && size == 1, notPrintable(r):
			for _, c := range []byte(s[i : i+size]) {
				fmt.Fprintf(&b, `\%03o`, c) // always three digits, because the next character may be a digit
			}
		default:
			b.WriteString(s[i : i+size])
		}
		i += size
	}
	return b.String() + "'"
}

// notPrintable reports whether r can control a terminal or the text direction.
func notPrintable(r rune) bool { return !unicode.IsPrint(r) }
