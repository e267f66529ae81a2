package monitor

import (
	"strings"
	"testing"
)

// MaskText returns early only if none of the patterns matches.
func FuzzMaskText(f *testing.F) {
	for _, command := range secretForms {
		f.Add(strings.Join(command, " "))
		for _, arg := range command {
			f.Add(arg)
		}
	}
	for _, s := range []string{"/api/items?page=1", "cookie: a=b", "A_KEY_BASE=x", "sk_live_abcdef0123", "x eyJ0123456789.0123456789.x", "dop_v1_" + strings.Repeat("0a", 20), "SG." + strings.Repeat("a", 16) + "." + strings.Repeat("b", 16)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got, want := MaskText(s), maskPatterns(s); got != want {
			t.Errorf("MaskText(%q) = %q, want %q", s, got, want)
		}
	})
}

func TestMostTextsAreMaskedQuickly(t *testing.T) {
	for s, want := range map[string]bool{
		"/api/items?page=1": false, "GET mylist 0 99": false, "select n from users where id = 7": false, "Content-Type: text/html": false,
		"/api?token=x": true, "ann:x@host": true, "x-api-kEy: 1": true, "--paſs x": true,
	} {
		if got := mayHaveSecret(s); got != want {
			t.Errorf("mayHaveSecret(%q) = %v, want %v", s, got, want)
		}
	}
}

func BenchmarkMaskText(b *testing.B) {
	for _, s := range []string{"/api/items?page=1", "/api/items?token=1"} {
		b.Run(s, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				MaskText(s)
			}
		})
	}
}
