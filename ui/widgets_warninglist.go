package ui

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
)

// warningList shows a bar for each sentence, and nothing where there is none.
type warningList struct {
	sentences []string
	small     bool
	object    *fyne.Container
}

// newWarningList returns an empty box; small is for a narrow place.
func newWarningList(small bool) *warningList {
	b := &warningList{small: small, object: container.New(layout.NewCustomPaddedVBoxLayout(4))}
	b.object.Hide()
	return b
}

// show changes only what differs, and reports whether anything did.
func (b *warningList) show(sentences []string) bool {
	if slices.Equal(sentences, b.sentences) {
		return false
	}
	b.sentences = sentences
	b.object.RemoveAll()
	for _, s := range sentences {
		n := newNote(true)
		if !b.small {
			n.size(theme.SizeNameText)
		}
		n.set(s, theme.ColorNameForeground)
		text := container.New(layout.NewCustomPaddedLayout(5, 5, 10, 8), n.object)
		bar := container.NewBorder(nil, nil, newThemed(colorAlert, fyne.NewSize(4, 1), 0), nil, text)
		b.object.Add(container.NewStack(newThemed(tintChanged, fyne.Size{}, 3), bar))
	}
	b.object.Hidden = len(sentences) == 0
	b.object.Refresh()
	return true
}
