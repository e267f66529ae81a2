//go:build cgo

package window

import (
	"testing"

	"fyne.io/fyne/v2"
)

func TestLimitSize(t *testing.T) {
	for _, c := range []struct{ size, room, want fyne.Size }{
		{fyne.NewSize(1500, 900), fyne.NewSize(1024, 660), fyne.NewSize(1024, 660)},
		{fyne.NewSize(1500, 400), fyne.NewSize(1024, 660), fyne.NewSize(1024, 400)},
		{fyne.NewSize(800, 600), fyne.NewSize(1024, 660), fyne.NewSize(800, 600)},
		{fyne.NewSize(800, 600), fyne.Size{}, fyne.NewSize(800, 600)}, // no screen
		{fyne.NewSize(800, 600), fyne.NewSize(1024, -40), fyne.NewSize(800, 600)},
		{fyne.Size{}, fyne.NewSize(1024, 660), fyne.Size{}}, // no saved size
	} {
		if got := limitSize(c.size, c.room); got != c.want {
			t.Errorf("limitSize(%v, %v): got %v, want %v", c.size, c.room, got, c.want)
		}
	}
}
