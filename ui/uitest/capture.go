package uitest

import (
	"image"

	"fyne.io/fyne/v2"
)

// Capture returns a picture of the window's content.
func Capture(w fyne.Window) image.Image {
	for range 2 { // a wrapping text learns its height from its width. On the graphics card the next frame does this; the software driver has no frames.
		w.Content().Refresh()
	}
	return w.Canvas().Capture()
}
