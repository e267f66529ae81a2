//go:build cgo

package window

import (
	"errors"
	"os"
	"strconv"

	"fyne.io/fyne/v2"

	"porthole/app/desktop"
)

// zoom changes the size of everything in the windows. Fyne (2.8.1) has no function for it, but
// reads the scale from an environment variable each time that its settings change. A zoom belongs
// to Fyne's goroutine.
type zoom struct {
	p       *program
	base    float64 // the user's own scale
	percent int
}

// newZoom returns the zoom of 100 %. The first window must have been created, and not yet shown.
func newZoom(p *program) *zoom {
	if err := followDesktop(); err != nil {
		p.log.Error("can't follow the desktop's scale", "error", err)
	}
	return &zoom{p, baseScale(os.Getenv(desktop.ScaleVariable)), 100}
}

// followDesktop makes Fyne use the scale that an X11 desktop sets for the texts of all programs, unless the
// user has set one for Fyne. Fyne (2.8.1) ignores it and computes one from the size of the monitor.
func followDesktop() error {
	if _, own := os.LookupEnv(desktop.ScaleVariable); own || onWayland() {
		return nil
	}
	scale, ok := desktop.XftScale()
	if !ok {
		return nil
	}
	return errors.Join(os.Setenv(desktop.NoDPIVariable, "true"), os.Setenv(desktop.ScaleVariable, strconv.FormatFloat(scale, 'f', 2, 64)))
}

// baseScale returns the scale in a value of the environment variable; 1 if it is not a number.
func baseScale(value string) float64 {
	if scale, err := strconv.ParseFloat(value, 32); err == nil && scale > 0 {
		return scale
	}
	return 1
}

// apply zooms to percent. The windows keep their size on the screen, as far as the content
// fits.
func (z *zoom) apply(percent int) {
	if percent == z.percent {
		return
	}
	by := float32(z.percent) / float32(percent)
	z.percent = percent
	if err := os.Setenv(desktop.ScaleVariable, strconv.FormatFloat(z.base*float64(percent)/100, 'f', 2, 64)); err != nil {
		z.p.log.Error("can't zoom", "error", err)
		return
	}
	type before struct {
		window fyne.Window
		size   fyne.Size
		scale  float32
	}
	var open []before
	for _, w := range z.p.app.Driver().AllWindows() {
		open = append(open, before{w, w.Canvas().Size(), w.Canvas().Scale()})
	}
	if by < 1 && z.p.shown { // otherwise the desktop moves windows that do not fit on the screen at first
		for _, b := range open {
			b.window.Resize(fyne.NewSize(b.size.Width*by, b.size.Height*by))
		}
	}
	z.p.app.Settings().SetTheme(z.p.app.Settings().Theme()) // makes Fyne read the scale
	for _, b := range open {
		if by := b.scale / b.window.Canvas().Scale(); by != 1 && z.p.shown {
			b.window.Resize(fyne.NewSize(b.size.Width*by, b.size.Height*by))
		}
	}
}
