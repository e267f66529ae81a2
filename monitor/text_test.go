package monitor

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	for _, test := range []struct {
		text  string
		limit int
		want  string
	}{
		{"node", 32, "node"},
		{"größe 日本 🚢", 32, "größe 日本 🚢"},
		{"a\x00b\x07c", 32, "a b c"},
		{"one\r\ntwo\tthree", 32, "one two three"},
		{"  both   ends  ", 32, "both ends"},
		{"\x1b[31mred\x1b[0m", 32, "[31mred [0m"},
		{"exe\u202egnp.js", 32, "exe gnp.js"},       // would read "exesj.png"
		{"\u2066isolate\u2069", 32, "isolate"},      //
		{"pay\u200bpal\u200d\ufeff", 32, "pay pal"}, // zero width
		{"line\u2028end\u0085next", 32, "line end next"},
		{"bad\xff\xfebytes\xc3", 32, "bad bytes"},
		{"a real \ufffd stays", 32, "a real \ufffd stays"},
		{"private \ue000 use", 32, "private use"},
		{"", 32, ""},
		{"\n\n", 32, ""},
		{"abcde", 5, "abcde"},
		{"abcdef", 5, "abcd…"},
		{"äöüßé", 5, "äöüßé"},
		{"äöüßéx", 5, "äöüß…"},
		{"abcde\n\u202e", 5, "abcde"},
		{"abcd e", 5, "abcd…"},
		{"abcd ef", 5, "abcd…"},
		{"abc de", 5, "abc…"},
		{"abcdef", 1, "…"},
		{"abcdef", 0, ""},
	} {
		if got := Clean(test.text, test.limit); got != test.want {
			t.Errorf("Clean(%q, %d) = %q, want %q", test.text, test.limit, got, test.want)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add("exe\u202egnp.js", 5)
	f.Add("a b c d e f", 4)
	f.Fuzz(func(t *testing.T, text string, limit int) {
		limit %= 100
		got := Clean(text, limit)
		if n := utf8.RuneCountInString(got); n > max(limit, 0) {
			t.Errorf("Clean(%q, %d) = %q has %d runes", text, limit, got, n)
		}
		if !utf8.ValidString(got) || strings.TrimSpace(got) != got || strings.ContainsAny(got, "\x00\n\r\t\x1b\u202e\u200b") {
			t.Errorf("Clean(%q, %d) = %q is not clean", text, limit, got)
		}
	})
}
