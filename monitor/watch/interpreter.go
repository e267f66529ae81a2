package watch

import (
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"porthole/monitor"
)

// interpreters are the programs that run another one, without versions, and their
// flags whose value is the next argument.
var interpreters = map[string][]string{
	"python": {"-W", "-X"}, "pypy": {"-W", "-X"},
	"node": {"-r", "--require", "--import", "--loader", "-C", "--conditions"}, "nodejs": {"-r", "--require", "--import", "--loader"},
	"bun": {"--preload", "-r", "--cwd"}, "deno": {"--config", "-c", "--import-map"},
	"ruby": {"-I", "-r", "-C", "-E"}, "jruby": {"-I", "-r"}, "perl": {"-I", "-M"}, "php": {"-S", "-d", "-c"},
	"lua": {"-l"}, "luajit": {"-l"}, "tclsh": nil, "guile": nil, "sh": {"-o"}, "bash": {"-o"}, "dash": {"-o"}, "zsh": {"-o"},
	"java": {"-cp", "-classpath", "--class-path", "-p", "--module-path", "--add-modules", "--add-opens", "--add-exports"}, "dotnet": nil,
}

// selectors are the flags whose value is what the interpreter runs: a module, a
// program text, an archive or a folder.
var selectors = map[string][]string{
	"python": {"-m", "-c"}, "pypy": {"-m", "-c"}, "java": {"-jar", "-m", "--module"}, "php": {"-r", "-t", "-f"},
	"node": {"-e", "--eval", "-p", "--print"}, "nodejs": {"-e", "--eval", "-p", "--print"}, "deno": nil, "bun": {"-e"},
	"ruby": {"-e"}, "jruby": {"-e"}, "perl": {"-e", "-E"}, "lua": {"-e"}, "luajit": {"-e"},
	"sh": {"-c"}, "bash": {"-c"}, "dash": {"-c"}, "zsh": {"-c"},
}

// maxWords limits how many words of a command line are parsed.
const maxWords = 256

// interpreted returns what o runs if its program is an interpreter: its
// script, module or archive and the words after it, up to the first flag ("manage.py
// runserver", "uvicorn shop:app"). Ports and addresses, which a restart may change,
// are left out. It is "" for every other program.
func interpreted(o monitor.Owner) string {
	name := strings.TrimRight(strings.TrimSuffix(o.ProgramName(), ".exe"), "0123456789.")
	withValue, ok := interpreters[name]
	if !ok {
		return ""
	}
	if len(o.Command) == 1 && strings.Contains(o.Command[0], " ") { // a title that the script wrote over it
		return strings.Map(dropDigit, o.Command[0])
	}
	words := o.Command[min(len(o.Command), 1):min(len(o.Command), maxWords)]
	for i := 0; i < len(words); i++ {
		arg := words[i]
		switch {
		case slices.Contains(selectors[name], arg) && i+1 < len(words):
			return arg + " " + joinWords(o.Folder, words[i+1:], arg == "-jar" || arg == "-t" || arg == "-f")
		case slices.Contains(withValue, arg):
			i++
		case (name == "bun" || name == "deno") && slices.Contains([]string{"run", "serve", "task", "x"}, arg):
		case arg != "" && arg[0] != '-':
			return joinWords(o.Folder, words[i:], name != "java")
		}
	}
	return ""
}

// joinWords joins the words up to the first flag. If the first is a file, it is relative
// to folder.
func joinWords(folder string, words []string, file bool) string {
	var kept []string
	for i, word := range words {
		switch {
		case i == 0 && file && !filepath.IsAbs(word):
			kept = append(kept, filepath.Join(folder, word))
		case i == 0:
			kept = append(kept, word)
		case strings.HasPrefix(word, "-"):
			return strings.Join(kept, " ")
		case !isPort(word):
			kept = append(kept, word)
		}
	}
	return strings.Join(kept, " ")
}

// isPort reports whether word is a port, or an address that ends with one.
func isPort(word string) bool {
	port := word[strings.LastIndexByte(word, ':')+1:]
	return port != "" && strings.Trim(port, "0123456789") == ""
}

func dropDigit(r rune) rune {
	if unicode.IsDigit(r) {
		return -1
	}
	return r
}
