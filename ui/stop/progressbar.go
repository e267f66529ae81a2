package stop

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"

	"porthole/ui/widgets"
)

// progressBar is a thin line that fills during the grace period.
type progressBar struct {
	share  float32
	fill   *widgets.Rectangle
	object *fyne.Container
}

func newProgressBar() *progressBar {
	b := &progressBar{fill: widgets.NewRectangle(theme.ColorNamePrimary, fyne.NewSize(0, 4), 2)}
	b.object = container.New(b, widgets.NewRectangle(theme.ColorNameSeparator, fyne.NewSize(0, 4), 2), b.fill)
	return b
}

func (b *progressBar) set(share float32) {
	b.share = max(0, min(share, 1))
	b.object.Refresh()
}

// MinSize implements fyne.Layout.
func (*progressBar) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(0, 4) }

// Layout implements fyne.Layout.
func (b *progressBar) Layout(o []fyne.CanvasObject, s fyne.Size) {
	o[0].Resize(s)
	o[1].Resize(fyne.NewSize(s.Width*b.share, s.Height))
}
