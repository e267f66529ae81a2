package ui

import (
	"slices"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
)

func TestMenuWindow(t *testing.T) {
	app := test.NewTempApp(t)
	entries := []string{"", "-", "3000 is open", "", "-", "-", "Settings", "Quit Porthole", "-"}
	for _, c := range []struct {
		keys []fyne.KeyName
		want []int
	}{
		{[]fyne.KeyName{fyne.KeyDown, fyne.KeyReturn}, []int{2}},
		{[]fyne.KeyName{fyne.KeyDown, fyne.KeyDown, fyne.KeyDown, fyne.KeyReturn}, []int{7}},
		{[]fyne.KeyName{fyne.KeyDown, fyne.KeyDown, fyne.KeyDown, fyne.KeyUp, fyne.KeyReturn, fyne.KeyReturn}, []int{6}}, // once
		{[]fyne.KeyName{fyne.KeyEscape, fyne.KeyReturn}, []int{-1}},
	} {
		var chosen []int
		w := NewMenuWindow(app, entries, func(n int) { chosen = append(chosen, n) })
		for _, key := range c.keys {
			w.Canvas().OnTypedKey()(&fyne.KeyEvent{Name: key})
		}
		if !slices.Equal(chosen, c.want) {
			t.Errorf("keys %v: got choices %v, want %v", c.keys, chosen, c.want)
		}
		w.Close()
	}
	var texts []string
	for _, item := range menuItems(entries, func(int) {}) {
		if item.IsSeparator {
			texts = append(texts, "-")
		} else {
			texts = append(texts, item.Label)
		}
	}
	if want := []string{"3000 is open", "-", "Settings", "Quit Porthole"}; !slices.Equal(texts, want) {
		t.Errorf("got items %q, want %q", texts, want)
	}
}
