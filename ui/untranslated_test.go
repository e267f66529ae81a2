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

// untranslated are texts that are not translated, and why.
var untranslated = map[string]string{
	"Porthole":           "the program's name",
	" UDP":               "the protocol's name in every language",
	" B":                 "a unit of measure, the same in every language (ISO 80000-13), and the next three",
	" kB":                "",
	" MB":                "",
	" GB":                "",
	"cd ":                "for a shell",
	"Anonymous:":         "a field of a memory map, and its value",
	"0 kB":               "",
	"Xfce Notify Daemon": "the name of a program that the bus reports",
	"SIGTERM":            "the name of a signal in every language (signal(7)), and the next",
	"SIGKILL":            "",
	"GET ":               "an HTTP method (RFC 9110)",
	"panic: ":            "begins what a crashed program prints, and the next",
	"fatal error: ":      "",
	"rule ":              "the key of a notification, and the next",
	" client":            "the end of the key of a notification",
	"burst ":             "",
	"settings warnings":  "the key of a problem",
	"listener events":    "the kind of a query of the history",
	"tap of ":            "the name of an interface in a pcapng file",
	"Spawn.":             "the beginning of an error's name on the bus",
	"the running Porthole does not support the command ": "for the command line",
}

// notShown are calls whose texts are not shown in the interface: the log and the
// command line are in English, and errors become sentences when they are shown.
// lang itself is the subject of another test.
var notShown = regexp.MustCompile(`^(lang\.[LN]|errors\.New|fmt\.(Errorf|Fprintln|Fprintf)|panic|regexp\.MustCompile|` +
	`(\w+\.)*(log|slog)\.(Debug|Info|Warn|Error|With)|m\.logError|w\.withTimeout)$`) // the last two write to the log

// word matches a word of a language, but not an identifier, a path or an address.
var word = regexp.MustCompile(`^[("“]*\p{L}\p{Ll}*[)”".,:;!?…]*$|^\p{Lu}+$`)

var verb = regexp.MustCompile(`%[-+#0-9.*\[\]]*[a-zA-Z]`)

// isText reports whether a string has words for people in it: a capitalised word, or
// letters beside a space. A single word in small letters is an identifier, unless it
// is shown directly.
func isText(text string, shown bool) bool {
	text = strings.ReplaceAll(verb.ReplaceAllString(text, ""), "Porthole", "")
	if strings.ContainsFunc(text, unicode.IsSpace) {
		return strings.ContainsFunc(text, unicode.IsLetter)
	}
	return word.MatchString(text) && (shown || unicode.IsUpper([]rune(strings.TrimLeft(text, `("“`))[0]))
}

// shows matches the functions and fields whose texts are shown unchanged.
var shows = regexp.MustCompile(`(?i)^(.*\.)?(say\w*|settext|new(text|label|button|iconed|keybutton|textlink|segment|menuitem|note)|menuitem|setplaceholder|settitle|text|label|title|placeholder|name)$`)

// untranslatedTexts returns the texts of a file that are shown in English in every
// language.
func untranslatedTexts(files *token.FileSet, file *ast.File) (found []string) {
	var walk func(n ast.Node, shown bool)
	walk = func(n ast.Node, shown bool) {
		ast.Inspect(n, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ImportSpec, *ast.IndexExpr, *ast.Field: // names; tags
				return false
			case *ast.ValueSpec:
				return n.Names[0].Name != "ownNames" // of languages
			case *ast.CallExpr:
				name := dotted(n.Fun)
				for _, a := range n.Args {
					if !notShown.MatchString(name) {
						walk(a, shows.MatchString(name))
					}
				}
				walk(n.Fun, false)
				return false
			case *ast.KeyValueExpr: // data for lang has names of its own
				if key, ok := n.Key.(*ast.Ident); ok {
					walk(n.Value, shows.MatchString(key.Name))
				} else {
					walk(n.Value, false)
				}
				return false
			case *ast.AssignStmt:
				for i, right := range n.Rhs {
					walk(right, i < len(n.Lhs) && shows.MatchString(dotted(n.Lhs[i])) && strings.Contains(dotted(n.Lhs[i]), "."))
				}
				return false
			case *ast.FuncLit:
				if shown { // what a button does, it does not show
					walk(n, false)
					return false
				}
			case *ast.BasicLit:
				text, ok := literal(n)
				if _, same := untranslated[text]; ok && !same && isText(text, shown) {
					found = append(found, fmt.Sprintf("%s: %q", files.Position(n.Pos()), text))
				}
			}
			return true
		})
	}
	walk(file, false)
	return found
}

// dotted returns the name of a function or a field: "canvas.NewText".
func dotted(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return dotted(e.X) + "." + e.Sel.Name
	}
	return ""
}

// TestAllTextsAreTranslated looks for texts that are shown without lang.
func TestAllTextsAreTranslated(t *testing.T) {
	for _, pattern := range []string{"../ui/*.go", "../ui/*/*.go", "../app/agent/*.go", "../app/notify/*.go", "../app/tray/*.go", "../app/window/*.go"} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: %q, %v", pattern, paths, err)
		}
		for _, path := range paths {
			if strings.HasSuffix(path, "_test.go") || strings.Contains(path, "/uitest/") {
				continue
			}
			files := token.NewFileSet()
			file, err := parser.ParseFile(files, path, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range untranslatedTexts(files, file) {
				t.Errorf("%s is not translated", text)
			}
		}
	}
}

func TestUntranslatedTextsAreFound(t *testing.T) {
	for _, c := range []struct {
		code  string
		found bool
	}{
		{`widget.NewLabel("Nothing listens")`, true},
		{`widget.NewLabel("Nothing")`, true},
		{`widget.NewLabel("nothing")`, true},
		{`t.Text = "closed"`, true},
		{`x = table.Cell{Text: "closed"}`, true},
		{`x = "● " + "open"`, false}, // a bare name counts only if it is shown directly
		{`setText(t, "● " + "open", c)`, true},
		{`x = fmt.Sprintf("PID %d", pid)`, true},
		{`x = "PID " + pid`, true},
		{`x += " (git: " + branch + ")"`, true},
		{`newButton(lang.L("Pause"), func() { a.Copy("http://" + address) })`, false},
		{`x = lang.N("{{.Count}} ports", n, map[string]any{"Count": n})`, false},
		{`x = lang.L("is {{.What}}", map[string]any{"What": "Not copied"})`, false}, // checked by the test of lang
		{`data["Before"] = who`, false},
		{`log.Warn("it cannot be read", "problem", err)`, false},
		{`x = fmt.Errorf("read the file: %w", err)`, false},
		{`x = fmt.Sprintf("%s %d – Porthole", name, pid)`, false},
		{`set("all_addresses", "")`, false},
	} {
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, "text.go", "package text\nfunc f() { "+c.code+" }", 0)
		if err != nil {
			t.Fatal(err)
		}
		if found := untranslatedTexts(files, file); (len(found) > 0) != c.found {
			t.Errorf("%s: got %q, want any: %v", c.code, found, c.found)
		}
	}
}
