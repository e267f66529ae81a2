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

func TestClamp(t *testing.T) {
	for _, c := range []struct{ n, first, last, want int }{
		{22, 20, 35, 22}, {3, 20, 35, 20}, {50, 20, 35, 35}, {50, 20, -10, 20}, // larger than the screen
	} {
		if got := clamp(c.n, c.first, c.last); got != c.want {
			t.Errorf("clamp(%d, %d, %d): got %d, want %d", c.n, c.first, c.last, got, c.want)
		}
	}
}
