package ui_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"porthole/monitor"
	"porthole/monitor/explain"
	"porthole/monitor/stop"
)

// words are the keys of every lang.L and lang.N in the program; true where the
// word has plural forms.
func words(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{monitor.UnknownForeign: false, monitor.UnknownNotFound: false, monitor.UnknownUnreadable: false, monitor.UnknownUnsupported: false, monitor.UnknownExited: false}
	for _, reason := range []stop.Reason{stop.SystemProcess, stop.Self, stop.ParentProcess, stop.IdentityUnknown, stop.IdentityChanged, stop.PortReleased,
		stop.ContainerEngine, stop.ContainerMonitor, stop.ContainerForwarder, stop.ServiceManager, stop.SessionProcess} {
		found[string(reason)] = false
	}
	for _, text := range explain.Texts() {
		found[text] = false
	}
	for _, root := range []string{"../ui", "../app"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				f, ok := call.Fun.(*ast.SelectorExpr)
				if !ok || len(call.Args) == 0 {
					return true
				}
				pkg, ok := f.X.(*ast.Ident)
				if !ok || pkg.Name != "lang" || (f.Sel.Name != "L" && f.Sel.Name != "N") {
					return true
				}
				if key, ok := literal(call.Args[0]); ok {
					found[key] = f.Sel.Name == "N"
				} else if path != "../ui/process/window.go" && path != "../ui/ports/details.go" && path != "../ui/words/explain.go" && path != "../app/window/stop.go" { // which say why an owner is hidden, explain, and say why one is not stopped
					t.Errorf("%s: a word that is not written out cannot be translated", path)
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

func literal(e ast.Expr) (string, bool) {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(l.Value)
	return s, err == nil
}

func TestEveryWordIsInEveryTranslationAndNoneIsStale(t *testing.T) {
	want := words(t)
	files, err := filepath.Glob("../assets/translations/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("translations: %v, %v", files, err)
	}
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var have map[string]any
		if err := json.Unmarshal(b, &have); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		for key, plural := range want {
			switch value := have[key].(type) {
			case nil:
				t.Errorf("%s lacks %q", path, key)
			case string:
				if plural {
					t.Errorf("%s: %q needs \"one\" and \"other\"", path, key)
				}
				if fields(key) != fields(value) {
					t.Errorf("%s: %q has other {{.Fields}} than its key", path, key)
				}
				if strings.TrimSpace(value) == "" {
					t.Errorf("%s: %q is empty", path, key)
				}
			case map[string]any:
				if !plural || value["one"] == nil || value["other"] == nil {
					t.Errorf("%s: %q is %v; want \"one\" and \"other\"", path, key, value)
				}
				if other, _ := value["other"].(string); fields(other) != fields(key) {
					t.Errorf("%s: \"other\" of %q is %q; want the {{.Fields}} of its key", path, key, other)
				}
				for form, text := range value { // "one" may leave the number out
					text, _ := text.(string)
					if strings.TrimSpace(text) == "" {
						t.Errorf("%s: %q of %q is empty", path, form, key)
					}
					for field := range strings.FieldsSeq(fields(text)) {
						if !strings.Contains(key, field) {
							t.Errorf("%s: %q of %q has %s, which nobody fills", path, form, key, field)
						}
					}
				}
			}
		}
		for key := range have {
			if _, ok := want[key]; !ok {
				t.Errorf("%s: nothing says %q any more", path, key)
			}
		}
	}
}

// fields are the places for data in a text.
func fields(s string) string {
	found := regexp.MustCompile(`{{[^}]*}}`).FindAllString(s, -1)
	slices.Sort(found)
	return strings.Join(found, " ")
}

func TestGermanHasWhatEnglishHas(t *testing.T) {
	shape := func(language string) map[string]string {
		b, err := os.ReadFile("../assets/translations/" + language + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var texts map[string]any
		if err := json.Unmarshal(b, &texts); err != nil {
			t.Fatal(err)
		}
		found := map[string]string{}
		for key, value := range texts {
			switch value := value.(type) {
			case string:
				found[key] = fields(value)
			case map[string]any:
				for form, text := range value {
					text, _ := text.(string)
					found[key+" "+form] = strings.ReplaceAll(fields(text), "{{.Count}}", "") // which "one" may leave out
				}
			}
		}
		return found
	}
	en, de := shape("en"), shape("de")
	for key, fields := range en {
		if got, ok := de[key]; !ok || got != fields {
			t.Errorf("%q has %q in German, %v; want %q", key, got, ok, fields)
		}
	}
	if len(en) != len(de) {
		t.Errorf("%d texts in English, %d in German", len(en), len(de))
	}
}
