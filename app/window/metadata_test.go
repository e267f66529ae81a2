//go:build cgo

package window

import (
	"os"
	"regexp"
	"testing"
)

// The program does not read FyneApp.toml, and "fyne package" reads only that.
func TestIDMatchesFyneApp(t *testing.T) {
	b, err := os.ReadFile("../../FyneApp.toml")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^ID = "(.*)"$`).FindSubmatch(b)
	if m == nil || string(m[1]) != ID {
		t.Errorf("got id %q in FyneApp.toml, want %q", m, ID)
	}
}
