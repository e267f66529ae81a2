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

// pngSize is enough for the tallest panels; others scale it down.
const pngSize = 64

// Icon selects the tray's picture. Icons can be compared with ==; equal Icons look the
// same. The zero Icon is an empty porthole.
type Icon struct {
	// Level is the water level in quarters, from 0 (none) to 4 (full). Other values are
	// clamped.
	Level int
	// Dot adds a dot at the upper right: an unseen event.
	Dot bool
	// Alert adds a triangle with an exclamation mark instead of the dot: an unseen owner
	// or exposure change.
	Alert bool
	// Paused replaces the water with two bars. The dot or triangle stays.
	Paused bool
	// Ink draws the porthole in one colour on a transparent background: "light" for dark
	// panels, "dark" for light ones. Otherwise it is light with a dark outline, which is
	// readable on every panel.
	Ink string
}

// inks maps each value of Ink to its colour.
var inks = map[string]color.NRGBA{"light": {0xf4, 0xf8, 0xfa, 0xff}, "dark": {0x11, 0x19, 0x1f, 0xff}}

// Picture draws i into a square of size pixels with a transparent background. It takes
// about half a millisecond at 64 pixels. Nothing is cached.
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

// shapes parses an SVG and scales it to m. The SVGs are embedded, so it panics if one
// cannot be parsed; the tests find that.
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

// fill recolours m: light pixels become ink, dark ones transparent.
func fill(m *image.RGBA, ink color.NRGBA) {
	const dark, light = 25, 200 // of green, where outline and holes are 25, water and ring 240 and more
	for p := 0; p < len(m.Pix); p += 4 {
		green := (int(m.Pix[p+1]) - dark*int(m.Pix[p+3])/255) * 255 / (light - dark)
		a := min(max(green, 0), 255)
		m.Pix[p], m.Pix[p+1], m.Pix[p+2], m.Pix[p+3] = uint8(int(ink.R)*a/255), uint8(int(ink.G)*a/255), uint8(int(ink.B)*a/255), uint8(a)
	}
}

// lay draws an overlay over m. oksvg cannot clip, so the overlay's first shape is the
// hole into which the others are drawn.
func lay(m *image.RGBA, overlay *oksvg.SvgIcon) {
	hole, rest := *overlay, *overlay
	hole.SVGPaths, rest.SVGPaths = overlay.SVGPaths[:1], overlay.SVGPaths[1:]

	mask := image.NewAlpha(m.Rect)
	paint(mask, &hole)
	for p, a := range mask.Pix {
		for c := range 4 { // colours are premultiplied: scale all four channels
			m.Pix[4*p+c] = uint8(int(m.Pix[4*p+c]) * (255 - int(a)) / 255)
		}
	}
	paint(m, &rest)
}
