package widgets

import (
	"testing"

	"fyne.io/fyne/v2"
)

func TestNamesOfKeys(t *testing.T) {
	for _, c := range []struct {
		chord Chord
		want  string
	}{
		{ZoomInKeys, "Ctrl+Plus"}, {ZoomOutKeys, "Ctrl+Minus"}, {ZoomResetKeys, "Ctrl+0"},
		{Chord{Key: fyne.KeyPlus}, "+"}, {Chord{Key: fyne.KeyF10, Mod: fyne.KeyModifierShift}, "Shift+F10"},
	} {
		if got := c.chord.String(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
