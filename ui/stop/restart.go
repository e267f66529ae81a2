package stop

import (
	"fmt"
	"runtime"
	"strings"
	"unicode"
	"unicode/utf8"

	"al.essio.dev/pkg/shellescape"

	"porthole/monitor"
)

// restartCommand returns the shell command that starts o again; "" if it is not
// known. It contains the secrets of the command line, because it would not work
// without them, so it is only copied at the user's request and never displayed.
func restartCommand(o monitor.Owner) string {
	if len(o.Command) == 0 || runtime.GOOS == "windows" { // its shells quote differently
		return ""
	}
	if strings.HasSuffix(o.Command[len(o.Command)-1], "…") { // truncated: see process.Facts
		return ""
	}
	words := make([]string, len(o.Command))
	for i, w := range o.Command {
		words[i] = shellWord(w)
	}
	if words[0] == o.Command[0] && strings.Contains(words[0], "=") {
		words[0] = "'" + words[0] + "'" // unquoted, the shell would read it as an assignment
	}
	command := strings.Join(words, " ")
	if strings.HasPrefix(o.Folder, "/") {
		command = "cd " + shellWord(o.Folder) + " && " + command
	}
	return command
}

// shellWord quotes s for a shell that it is pasted into. A library quotes what is
// printable. Control and bidi characters are written as escapes, which bash, zsh and
// ksh know (POSIX.1-2024, 2.2.4): pasted raw, a terminal would take them for keys,
// which could end the word and run the rest.
func shellWord(s string) string {
	if utf8.ValidString(s) && !strings.ContainsFunc(s, unprintable) {
		return shellescape.Quote(s)
	}
	var b strings.Builder
	b.WriteString("$'")
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '\'' || r == '\\':
			b.WriteString(`\` + string(r))
		case r == utf8.RuneError && size == 1, unprintable(r):
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

// unprintable reports whether r can control a terminal or the text direction.
func unprintable(r rune) bool { return !unicode.IsPrint(r) }
