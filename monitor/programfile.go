package monitor

import (
	"path/filepath"
	"strings"
)

// ProgramFile reduces a process title or path to the file name of the program, in lower
// case: it removes the folder, the dash of a login shell, a title after a colon ("sshd:
// ann@pts/0", "tmux: server"), arguments and ".exe".
func ProgramFile(title string) string {
	s, _, _ := strings.Cut(Bound(title), ":")
	s, _, _ = strings.Cut(filepath.Base(strings.TrimSpace(s)), " ")
	s = strings.TrimSuffix(s, ".exe")
	return strings.ToLower(strings.TrimPrefix(s, "-"))
}

// IsInterpreter reports whether word is a program that runs the tool named by its next
// argument: node, ruby, python3.
func IsInterpreter(word string) bool {
	word = ProgramFile(word)
	return word == "node" || word == "nodejs" || word == "ruby" || strings.HasPrefix(word, "python")
}
