package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"

	"porthole/ui/table"
)

// section is a titled box.
func section(title string, content fyne.CanvasObject) fyne.CanvasObject {
	heading := caption()
	heading.Text = title
	return titled(heading, content)
}

// titled is a box below its title. Beside a higher one it grows.
func titled(heading *canvas.Text, content fyne.CanvasObject) fyne.CanvasObject {
	box := container.NewStack(newThemed(colorPanel, fyne.Size{}, 6), container.New(layout.NewCustomPaddedLayout(4, 4, 6, 6), content))
	return container.NewBorder(container.New(layout.NewCustomPaddedLayout(8, 0, 0, 0), follow(heading, table.ColorMuted)), nil, nil, nil, box)
}
