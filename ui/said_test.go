package ui_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

// saidAsTheyAre are texts outside lang, and why.
var saidAsTheyAre = map[string]string{
	"Porthole":          "the program's name",
	" UDP":              "the protocol's name in every language",
	" kB":               "a unit of measure, the same in every language (ISO 80000-13), and the next two",
	" MB":               "",
	" GB":               "",
	"cd ":               "for a shell",
	"panic: ":           "how a program that failed begins its last words, and the next",
	"fatal error: ":     "",
	"rule ":             "the key of a notification, which nobody reads",
	"settings warnings": "the key of a problem",
	"last owner":        "the kind of a query of the history, and the next",
	"listener events":   "",
	"Spawn.":            "the beginning of an error's name on the bus",
	"the running Porthole does not support the command ": "for the command line",
}

// notForPeople are calls whose texts the user of the window does not read: log and
// command line speak English, and an error becomes a sentence where it is shown.
// And what goes through lang, which another test looks at.
var notForPeople = regexp.MustCompile(`^(lang\.[LN]|errors\.New|fmt\.(Errorf|Fprintln|Fprintf)|panic|regexp\.MustCompile|` +
	`(\w+\.)*(log|slog)\.(Debug|Info|Warn|Error|With)|m\.logError|w\.withTimeout)$`) // the last two log

// word is one of a language, rather than a name in the program, a path or an
// address.
var word = regexp.MustCompile(`^[("“]*\p{L}\p{Ll}*[)”".,:;!?…]*$|^\p{Lu}+$`)

var verb = regexp.MustCompile(`%[-+#0-9.*\[\]]*[a-zA-Z]`)

// saysSomething reports whether a text has words for people in it: one that
// begins with a capital, or any letters beside a space. What is one word in
// small letters is a name in the program, unless it is shown at once.
func saysSomething(text string, shown bool) bool {
	text = strings.ReplaceAll(verb.ReplaceAllString(text, ""), "Porthole", "")
	if strings.ContainsFunc(text, unicode.IsSpace) {
		return strings.ContainsFunc(text, unicode.IsLetter)
	}
	return word.MatchString(text) && (shown || unicode.IsUpper([]rune(strings.TrimLeft(text, `("“`))[0]))
}

// shows are the functions and fields whose texts are shown as they are.
var shows = regexp.MustCompile(`(?i)^(.*\.)?(say\w*|settext|new(text|label|button|iconed|keybutton|textlink|segment|menuitem|note)|menuitem|setplaceholder|settitle|text|label|title|placeholder|name)$`)

// saidOutsideLang are the texts of a file that people would read in English
// whatever they chose.
func saidOutsideLang(files *token.FileSet, file *ast.File) (found []string) {
	var look func(n ast.Node, shown bool)
	look = func(n ast.Node, shown bool) {
		ast.Inspect(n, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ImportSpec, *ast.IndexExpr, *ast.Field: // names; tags
				return false
			case *ast.ValueSpec:
				return n.Names[0].Name != "ownNames" // of languages
			case *ast.CallExpr:
				name := dotted(n.Fun)
				for _, a := range n.Args {
					if !notForPeople.MatchString(name) {
						look(a, shows.MatchString(name))
					}
				}
				look(n.Fun, false)
				return false
			case *ast.KeyValueExpr: // data for lang has names of its own
				if key, ok := n.Key.(*ast.Ident); ok {
					look(n.Value, shows.MatchString(key.Name))
				} else {
					look(n.Value, false)
				}
				return false
			case *ast.AssignStmt:
				for i, right := range n.Rhs {
					look(right, i < len(n.Lhs) && shows.MatchString(dotted(n.Lhs[i])) && strings.Contains(dotted(n.Lhs[i]), "."))
				}
				return false
			case *ast.FuncLit:
				if shown { // what a button does, it does not show
					look(n, false)
					return false
				}
			case *ast.BasicLit:
				text, ok := literal(n)
				if _, same := saidAsTheyAre[text]; ok && !same && saysSomething(text, shown) {
					found = append(found, fmt.Sprintf("%s says %q", files.Position(n.Pos()), text))
				}
			}
			return true
		})
	}
	look(file, false)
	return found
}

// dotted is the name of a function or a field: "canvas.NewText".
func dotted(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return dotted(e.X) + "." + e.Sel.Name
	}
	return ""
}

func TestNothingIsSaidOutsideLang(t *testing.T) {
	for _, pattern := range []string{"../ui/*.go", "../ui/t*/*.go", "../app/agent/*.go", "../app/notify/*.go", "../app/tray/*.go", "../app/window/*.go"} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: %q, %v", pattern, paths, err)
		}
		for _, path := range paths {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			files := token.NewFileSet()
			file, err := parser.ParseFile(files, path, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, said := range saidOutsideLang(files, file) {
				t.Errorf("%s outside lang", said)
			}
		}
	}
}

// TestWhatIsSaidOutsideLangIsFound holds the rule to account.
func TestWhatIsSaidOutsideLangIsFound(t *testing.T) {
	for _, c := range []struct {
		code  string
		found bool
	}{
		{`widget.NewLabel("Nothing listens")`, true},
		{`widget.NewLabel("Nothing")`, true},
		{`widget.NewLabel("nothing")`, true},
		{`t.Text = "closed"`, true},
		{`x = table.Cell{Text: "closed"}`, true},
		{`x = "● " + "open"`, false}, // a bare name: only where it is shown at once
		{`setText(t, "● " + "open", c)`, true},
		{`x = fmt.Sprintf("PID %d", pid)`, true},
		{`x = "PID " + pid`, true},
		{`x += " (git: " + branch + ")"`, true},
		{`newButton(lang.L("Pause"), func() { a.Copy("http://" + address) })`, false},
		{`x = lang.N("{{.Count}} ports", n, map[string]any{"Count": n})`, false},
		{`x = lang.L("is {{.What}}", map[string]any{"What": "Not told"})`, false}, // lang has it: the other test
		{`data["Before"] = who`, false},
		{`log.Warn("it cannot be read", "problem", err)`, false},
		{`x = fmt.Errorf("read the file: %w", err)`, false},
		{`x = fmt.Sprintf("%s %d – Porthole", name, pid)`, false},
		{`set("all_addresses", "")`, false},
	} {
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, "said.go", "package said\nfunc f() { "+c.code+" }", 0)
		if err != nil {
			t.Fatal(err)
		}
		if found := saidOutsideLang(files, file); (len(found) > 0) != c.found {
			t.Errorf("%s: found %q; want %v", c.code, found, c.found)
		}
	}
}
