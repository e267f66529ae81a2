package widgets

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"

	uitheme "porthole/ui/theme"
)

// WarningList shows a bar for each warning, and nothing if there is none.
type WarningList struct {
	Sentences []string
	small     bool
	Object    *fyne.Container
}

// NewWarningList returns an empty list. small uses less padding, for narrow places.
func NewWarningList(small bool) *WarningList {
	b := &WarningList{small: small, Object: container.New(layout.NewCustomPaddedVBoxLayout(4))}
	b.Object.Hide()
	return b
}

// Show sets the warnings, and reports whether they changed.
func (b *WarningList) Show(sentences []string) bool {
	if slices.Equal(sentences, b.Sentences) {
		return false
	}
	b.Sentences = sentences
	b.Object.RemoveAll()
	for _, s := range sentences {
		n := NewNote(true)
		if !b.small {
			n.Size(theme.SizeNameText)
		}
		n.Set(s, theme.ColorNameForeground)
		text := container.New(layout.NewCustomPaddedLayout(5, 5, 10, 8), n.Object)
		bar := container.NewBorder(nil, nil, NewRectangle(uitheme.ColorAlert, fyne.NewSize(4, 1), 0), nil, text)
		b.Object.Add(container.NewStack(NewRectangle(uitheme.TintChanged, fyne.Size{}, 3), bar))
	}
	b.Object.Hidden = len(sentences) == 0
	b.Object.Refresh()
	return true
}
