package watch

import (
	"slices"
	"strings"
	"testing"
)

// parseRules builds rules from words like "80", "80=web" (a name) and "80!" (off).
func parseRules(t *testing.T, text string) Rules {
	t.Helper()
	var rules Rules
	for _, word := range strings.Fields(text) {
		word, off := strings.CutSuffix(word, "!")
		ports, name, _ := strings.Cut(word, "=")
		r := rule(t, name, ports)
		r.Off = off
		rules = append(rules, r)
	}
	return rules
}

func rulesText(rules Rules) string {
	var out []string
	for _, r := range rules {
		word := strings.ReplaceAll(r.Ports.String(), ", ", ",")
		if r.Name != "" {
			word += "=" + r.Name
		}
		if r.Off {
			word += "!"
		}
		out = append(out, word)
	}
	return strings.Join(out, " ")
}

func TestMergeKeepsBothEdits(t *testing.T) {
	for _, c := range []struct{ what, base, present, edit, want string }{
		{"only one side changed", "80 81", "80 81", "81 80 82", "81 80 82"},
		{"nothing was edited", "80 81", "81 90", "80 81", "81 90"},
		{"both added", "80", "80 90", "80 81", "80 81 90"},
		{"both added the same", "80", "80 81", "80 81", "80 81"},
		{"added by hand, switched off here", "80 81", "70 80 81", "80 81!", "70 80 81!"},
		{"named by hand, switched off here", "80 81", "80=web 81", "80! 81", "80=web! 81"},
		{"named on both sides", "80", "80=theirs", "80=ours", "80=ours"},
		{"deleted by hand, another moved here", "80 81 82", "80 82", "81 82 80", "82 80"},
		{"deleted here, added by hand", "80 81", "80 81 90", "80", "80 90"},
		{"deleted here, changed by hand", "80 81", "80 81=db", "80", "80 81=db"},
		{"changed here, deleted by hand", "80 81", "80", "80 81=db", "80 81=db"},
		{"deleted on both sides", "80 81", "80", "80", "80"},
		{"moved by hand, changed here", "80 81", "81 80", "80 81!", "81! 80"},
		{"moved here, added by hand", "80 81", "80 85 81", "81 80", "81 80 85"},
		{"other ports here, another name there", "80=web 81", "80=shop 81", "90=web 81", "90=shop 81"},
		{"other ports without a name here, off there", "80 81", "80 81!", "90 81", "90 81!"},
		{"the same twice, one deleted", "80 80", "80 80 90", "80", "80 90"},
		{"all deleted here, added by hand", "80", "80 81", "", "81"},
	} {
		t.Run(c.what, func(t *testing.T) {
			got := rulesText(Merge(parseRules(t, c.base), parseRules(t, c.present), parseRules(t, c.edit)))
			if got != c.want {
				t.Errorf("base %q, present %q, edit %q: got %q, want %q", c.base, c.present, c.edit, got, c.want)
			}
		})
	}
}

func TestMergeDoesNotModifyArguments(t *testing.T) {
	base, present, edit := parseRules(t, "80 81"), parseRules(t, "70 80=web 81"), parseRules(t, "81 80!")
	copies := []Rules{slices.Clone(base), slices.Clone(present), slices.Clone(edit)}
	Merge(base, present, edit)
	for i, r := range []Rules{base, present, edit} {
		if !slices.EqualFunc(r, copies[i], Rule.Equal) {
			t.Errorf("argument %d: got %q, want %q", i, rulesText(r), rulesText(copies[i]))
		}
	}
}
