package tray

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"

	"github.com/fyne-io/oksvg"
	"github.com/srwiley/rasterx"

	"porthole/assets"
)

// pngSize suits the tallest panels; smaller ones scale it down.
const pngSize = 64

// Icon says which picture the tray shows. Icons can be compared by ==: equal
// ones look the same. The zero Icon is an empty porthole.
type Icon struct {
	// Level is the water in the porthole in quarters, 0 (none) to 4 (full); a
	// value outside is taken as the nearest of these.
	Level int
	// Dot lays a dot over the upper right: something changed, not yet seen.
	Dot bool
	// Alert lays a triangle with an exclamation mark there, in place of a dot:
	// something needs a look.
	Alert bool
	// Paused puts two bars into the porthole, in place of the water. The dot or
	// triangle stays.
	Paused bool
	// Ink draws the porthole in one colour, with the panel to be seen through it:
	// "light" for dark panels, "dark" for light ones. Else it is light with a dark
	// outline, which reads on each.
	Ink string
}

// inks are what Ink may be.
var inks = map[string]color.NRGBA{"light": {0xf4, 0xf8, 0xfa, 0xff}, "dark": {0x11, 0x19, 0x1f, 0xff}}

// Picture draws i into a square of size pixels that is transparent around the
// porthole. It takes about half a millisecond at 64 pixels and keeps nothing.
func (i Icon) Picture(size int) *image.NRGBA {
	m := image.NewRGBA(image.Rect(0, 0, size, size))
	if i.Paused {
		paint(m, shapes(assets.TrayPaused(), m))
	} else {
		paint(m, shapes(assets.TrayLevel(i.Level), m))
	}
	if ink, one := inks[i.Ink]; one {
		fill(m, ink)
	}
	switch {
	case i.Alert:
		lay(m, shapes(assets.TrayAlert(), m))
	case i.Dot:
		lay(m, shapes(assets.TrayDot(), m))
	}
	n := image.NewNRGBA(m.Rect)
	draw.Draw(n, n.Rect, m, image.Point{}, draw.Src)
	return n
}

// PNG returns Picture at 64×64 as a PNG.
func (i Icon) PNG() ([]byte, error) {
	var b bytes.Buffer
	if err := png.Encode(&b, i.Picture(pngSize)); err != nil {
		return nil, fmt.Errorf("encode the tray icon: %w", err)
	}
	return b.Bytes(), nil
}

// AppIcon draws the application's icon into a square of size pixels.
func AppIcon(size int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, size, size))
	paint(m, shapes(assets.Icon(), m))
	return m
}

// shapes reads an SVG so that its shapes fill m. The SVGs are built in: one
// that cannot be read is a mistake of ours, which the tests find.
func shapes(svg []byte, m image.Image) *oksvg.SvgIcon {
	icon, err := oksvg.ReadIconStream(bytes.NewReader(svg), oksvg.StrictErrorMode)
	if err != nil {
		panic(fmt.Sprintf("read a tray icon: %v", err))
	}
	icon.SetTarget(0, 0, float64(m.Bounds().Dx()), float64(m.Bounds().Dy()))
	return icon
}

func paint(m draw.Image, icon *oksvg.SvgIcon) {
	w, h := m.Bounds().Dx(), m.Bounds().Dy()
	icon.Draw(rasterx.NewDasher(w, h, rasterx.NewScannerGV(w, h, m, m.Bounds())), 1)
}

// fill makes what is light in m ink, and what is dark transparent.
func fill(m *image.RGBA, ink color.NRGBA) {
	const dark, light = 25, 200 // of green, where outline and holes are 25, water and ring 240 and more
	for p := 0; p < len(m.Pix); p += 4 {
		green := (int(m.Pix[p+1]) - dark*int(m.Pix[p+3])/255) * 255 / (light - dark)
		a := min(max(green, 0), 255)
		m.Pix[p], m.Pix[p+1], m.Pix[p+2], m.Pix[p+3] = uint8(int(ink.R)*a/255), uint8(int(ink.G)*a/255), uint8(int(ink.B)*a/255), uint8(a)
	}
}

// lay draws an overlay over m: SVG as oksvg reads it has no means to cut, so
// the overlay's first shape is the hole that the others are put into.
func lay(m *image.RGBA, overlay *oksvg.SvgIcon) {
	hole, rest := *overlay, *overlay
	hole.SVGPaths, rest.SVGPaths = overlay.SVGPaths[:1], overlay.SVGPaths[1:]

	mask := image.NewAlpha(m.Rect)
	paint(mask, &hole)
	for p, a := range mask.Pix {
		for c := range 4 { // colours are premultiplied: all four fade alike
			m.Pix[4*p+c] = uint8(int(m.Pix[4*p+c]) * (255 - int(a)) / 255)
		}
	}
	paint(m, &rest)
}
