package app

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/pflag"
)

// Help texts follow git and gh: one line in the imperative without a full stop.
func TestHelpTexts(t *testing.T) {
	root := Command()
	for _, c := range append(root.Commands(), root) {
		if c.Hidden {
			continue
		}
		name := c.CommandPath()
		checkHelp(t, name, c.Short, unicode.IsUpper)
		if c.Args == nil && !strings.Contains(c.Use, "...") {
			t.Errorf("%s does not check its arguments", name)
		}
		c.Flags().VisitAll(func(f *pflag.Flag) { checkHelp(t, name+" --"+f.Name, f.Usage, unicode.IsLower) })
	}
}

func checkHelp(t *testing.T, name, text string, first func(rune) bool) {
	t.Helper()
	r, _ := utf8.DecodeRuneInString(text)
	if !first(r) || strings.HasSuffix(text, ".") || strings.Contains(text, "\n") {
		t.Errorf("help of %s = %q, want one line that begins correctly and has no full stop", name, text)
	}
	if n := utf8.RuneCountInString(text); n > 150 {
		t.Errorf("help of %s has %d characters, want at most 150", name, n)
	}
}

func TestMainReturnsStatus2ForInvalidInput(t *testing.T) {
	for _, args := range [][]string{{"no-such-command"}, {"list", "--no-such-flag"}, {"show"}, {"show", "1-9"}, {"quit", "x"}, {"who"}} {
		if got := Main(args); got != 2 {
			t.Errorf("Main(%q) = %d, want 2", args, got)
		}
	}
}

func TestEveryCommandReturnsUsageErrorForInvalidArguments(t *testing.T) {
	for _, c := range Command().Commands() {
		if c.Args == nil {
			continue
		}
		args := strings.Fields(strings.Repeat("x ", 9))
		if strings.HasSuffix(c.Use, "...") || strings.HasSuffix(c.Use, "LINE") {
			args = nil // it takes any number, or a line that is not quoted, but not nothing
		}
		if err := c.Args(c, args); err == nil || !strings.Contains(err.Error(), c.CommandPath()+" --help") {
			t.Errorf("%s with %d arguments: error = %v, want one that names the help", c.CommandPath(), len(args), err)
		}
	}
}
