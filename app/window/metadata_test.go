//go:build cgo

package window

import (
	"os"
	"regexp"
	"testing"
)

// An installed program reads no FyneApp.toml, and "fyne package" nothing else.
func TestTheIDIsThatOfFyneApp(t *testing.T) {
	b, err := os.ReadFile("../../FyneApp.toml")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^ID = "(.*)"$`).FindSubmatch(b)
	if m == nil || string(m[1]) != ID {
		t.Errorf("FyneApp.toml says %q; the program says %q", m, ID)
	}
}
