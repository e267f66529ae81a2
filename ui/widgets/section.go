package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"

	"porthole/ui/table"
	uitheme "porthole/ui/theme"
)

// Section is a box with a title.
func Section(title string, content fyne.CanvasObject) fyne.CanvasObject {
	heading := NewCaption()
	heading.Text = title
	return TitledBox(heading, content)
}

// TitledBox returns a box below its title. It grows to the height of its neighbours.
func TitledBox(heading *canvas.Text, content fyne.CanvasObject) fyne.CanvasObject {
	box := container.NewStack(NewRectangle(uitheme.ColorPanel, fyne.Size{}, 6), container.New(layout.NewCustomPaddedLayout(4, 4, 6, 6), content))
	return container.NewBorder(container.New(layout.NewCustomPaddedLayout(8, 0, 0, 0), Follow(heading, table.ColorMuted)), nil, nil, nil, box)
}
