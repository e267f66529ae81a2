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

	"porthole/app/settings"
	"porthole/monitor"
	"porthole/monitor/ancestry"
	"porthole/monitor/explain"
	"porthole/monitor/inuse"
	"porthole/monitor/label"
	"porthole/monitor/orphan"
	"porthole/monitor/reply"
	"porthole/monitor/stop"
	"porthole/monitor/terminal"
	"porthole/monitor/warning"
	"porthole/monitor/watch"
)

// keysInCode returns the keys of every lang.L and lang.N in the program; true if
// the key has plural forms.
func keysInCode(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{monitor.UnknownForeign: false, monitor.UnknownNotFound: false, monitor.UnknownProtected: false, monitor.UnknownRemoteForward: false, monitor.UnknownOutside: false, monitor.UnknownKernel: false, monitor.UnknownNoFile: false, monitor.UnknownUnreadable: false, monitor.UnknownUnsupported: false, monitor.UnknownExited: false,
		monitor.UnknownDisk: false, monitor.UnknownNameService: false, monitor.UnknownEngine: false}
	for _, reason := range []stop.Reason{stop.SystemProcess, stop.Self, stop.ParentProcess, stop.IdentityUnknown, stop.IdentityChanged, stop.PortReleased,
		stop.ContainerEngine, stop.ContainerMonitor, stop.ContainerForwarder, stop.ServiceManager, stop.SessionProcess, stop.EndsNamespace, stop.EndsMachine, stop.EndsConnection, stop.EndsLogin} {
		found[string(reason)] = false
	}
	for _, text := range slices.Concat(explain.Texts(), monitor.FirewallTexts(), monitor.TunnelTexts(), inuse.Texts(), ancestry.Texts(), orphan.Texts(), warning.Texts(), reply.Texts(), terminal.Texts(), monitor.ExitTexts(), monitor.ClientTexts(), monitor.HealthTexts(), monitor.PortTexts(), watch.Texts(), settings.Texts(), label.Texts()) {
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
				} else if path != "../ui/process/window.go" && path != "../ui/ports/detailsmodel.go" && path != "../ui/words/missing.go" && path != "../ui/words/explain.go" && path != "../ui/words/ancestry.go" && path != "../app/window/stop.go" && path != "../app/window/stopoutcome.go" { // reasons of an unknown owner or fact, explanations, roles of parents, and reasons not to stop a process
					t.Errorf("%s: the key is not a literal, so it may have no translation", path)
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

// TestTranslationsHaveTheKeysOfTheCode looks for keys that a language lacks, which
// would be shown in English, and for texts that the code does not use any more.
// en.json has only plural forms and what differs from its key.
func TestTranslationsHaveTheKeysOfTheCode(t *testing.T) {
	want := keysInCode(t)
	files, err := filepath.Glob("../assets/translations/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("translations: %v, %v", files, err)
	}
	for _, path := range files {
		have := readTranslation(t, path)
		english := filepath.Base(path) == "en.json"
		for key, plural := range want {
			if value, ok := have[key]; ok {
				checkText(t, path, key, plural, value)
			} else if plural || !english {
				t.Errorf("%s lacks %q", path, key)
			}
		}
		for key, value := range have {
			if _, ok := want[key]; !ok {
				t.Errorf("%s has %q, which the code does not use", path, key)
			}
			if english && value == key {
				t.Errorf("%s has %q, whose text is its key: leave it out", path, key)
			}
		}
	}
}

// checkText reports a text that is empty, that has plural forms if and only if its
// key has none, or that has other {{.Fields}} than its key.
func checkText(t *testing.T, path, key string, plural bool, value any) {
	t.Helper()
	switch value := value.(type) {
	case string:
		if plural {
			t.Errorf("%s: %q has no forms \"one\" and \"other\"", path, key)
		}
		if got, want := fields(value), fields(key); got != want {
			t.Errorf("%s: text of %q has the fields %q, want %q", path, key, got, want)
		}
		if strings.TrimSpace(value) == "" {
			t.Errorf("%s: text of %q is empty", path, key)
		}
	case map[string]any:
		if !plural || value["one"] == nil || value["other"] == nil {
			t.Errorf("%s: %q is %v, want the forms \"one\" and \"other\" if it is counted", path, key, value)
		}
		for form, text := range value {
			text, _ := text.(string)
			if strings.TrimSpace(text) == "" {
				t.Errorf("%s: %q of %q is empty", path, form, key)
			}
			if got, want := countless(text), countless(key); got != want {
				t.Errorf("%s: %q of %q has the fields %q, want %q", path, form, key, got, want)
			}
			if got, want := fields(text), fields(key); form == "other" && got != want {
				t.Errorf("%s: %q of %q has the fields %q, want %q", path, form, key, got, want)
			}
		}
	}
}

func readTranslation(t *testing.T, path string) map[string]any {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var texts map[string]any
	if err := json.Unmarshal(data, &texts); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return texts
}

// fields returns the places for data in a text, sorted: "{{.Name}} {{.Port}}".
func fields(text string) string {
	found := regexp.MustCompile(`{{[^}]*}}`).FindAllString(text, -1)
	slices.Sort(found)
	return strings.Join(found, " ")
}

// countless is fields without the count, which the form "one" may leave out.
func countless(text string) string {
	return strings.TrimSpace(strings.ReplaceAll(fields(text), "{{.Count}}", ""))
}

// glossary has the German word, or its stem, for each English term, as regular expressions. One
// term has one translation everywhere.
var glossary = map[string]string{
	`stopped by you`:                      `anuell beendet`,
	`by you\b`:                            `anuell`,
	`exposed`:                             `Netz`,
	`watch(es|ed)?\b`:                     `eobacht`,
	`force quit`:                          `rzw[iu]ng`,
	`history`:                             `erlauf`,
	`events?\b`:                           `reignis`,
	`tray\b`:                              `Infobereich`, // not in tray_icon
	`clients?\b`:                          `lient`,
	`folder`:                              `rdner`,
	`warnings?\b`:                         `arn`,
	`accept queue`:                        `Accept-Warteschlange`,
	`settings file`:                       `Einstellungsdatei`,
	`urgency`:                             `ringlich`,
	`log for details`:                     `Protokoll`,
	`notification daemon`:                 `Benachrichtigungsdienst`,
	`^pause notifications|^notifications`: `enachrichtigung`,
}

func TestGermanUsesOneWordForEachTerm(t *testing.T) {
	formal := regexp.MustCompile(`\b(Ihnen|\p{Ll}+en Sie)\b`) // the texts address nobody
	for key, value := range readTranslation(t, "../assets/translations/de.json") {
		texts := []any{value}
		if forms, ok := value.(map[string]any); ok {
			texts = []any{forms["one"], forms["other"]}
		}
		for _, text := range texts {
			text, _ := text.(string)
			if formal.MatchString(text) {
				t.Errorf("%q: got %q, want a text without \"Sie\" for the reader", key, text)
			}
			for term, word := range glossary {
				if regexp.MustCompile(`(?i)\b`+term).MatchString(key) && !regexp.MustCompile(word).MatchString(text) {
					t.Errorf("%q: got %q, want the word %q for %q", key, text, word, term)
				}
			}
		}
	}
}
