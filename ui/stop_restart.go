package ui

import (
	"fmt"
	"regexp"
	"runtime"
	"strings"
	"unicode"
	"unicode/utf8"

	"porthole/monitor"
)

// restartCommand is what starts o again when it is pasted into a shell, and "" where
// that is not known. Its secrets are in it, since it would not work without: it is
// only ever copied, because the user asks for that, and never shown.
func restartCommand(o monitor.Owner) string {
	if len(o.Command) == 0 || runtime.GOOS == "windows" { // whose shells quote otherwise
		return ""
	}
	if strings.HasSuffix(o.Command[len(o.Command)-1], "…") { // it was cut: see process.Facts
		return ""
	}
	words := make([]string, len(o.Command))
	for i, w := range o.Command {
		words[i] = shellWord(w)
	}
	command := strings.Join(words, " ")
	if strings.HasPrefix(o.Folder, "/") {
		command = "cd " + shellWord(o.Folder) + " && " + command
	}
	return command
}

// plainWord is what no shell reads as anything but itself.
var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./,:@%+-]+$`)

// shellWord quotes s for a shell that is typed into. What a terminal would take for a
// key is written as an escape, which bash, zsh and ksh know (POSIX.1-2024, 2.2.4):
// pasted raw, it could end the word and run what follows.
func shellWord(s string) string {
	if plainWord.MatchString(s) {
		return s
	}
	if utf8.ValidString(s) && !strings.ContainsFunc(s, unprintable) {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
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
				fmt.Fprintf(&b, `\%03o`, c) // of three digits always: what follows may be one too
			}
		default:
			b.WriteString(s[i : i+size])
		}
		i += size
	}
	return b.String() + "'"
}

// unprintable is what controls a terminal or the direction of the text.
func unprintable(r rune) bool { return !unicode.IsPrint(r) }
