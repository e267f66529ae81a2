package tray

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"testing"
)

// pictures returns the Icons that look different: water is not drawn while
// paused, and a triangle replaces the dot.
func pictures() []Icon {
	var all []Icon
	for _, overlay := range []Icon{{}, {Dot: true}, {Alert: true}} {
		for level := range 5 {
			all = append(all, Icon{Level: level, Dot: overlay.Dot, Alert: overlay.Alert})
		}
		all = append(all, Icon{Paused: true, Dot: overlay.Dot, Alert: overlay.Alert})
	}
	return all
}

func TestPicturesDifferInShape(t *testing.T) {
	for _, size := range []int{22, 64} {
		all := pictures()
		for n, a := range all {
			pa := a.Picture(size)
			if covered := coverage(pa); covered < 0.5 {
				t.Errorf("%+v at %d px covers %.2f of its square, want at least half", a, size, covered)
			}
			for _, b := range all[n+1:] {
				if got := shapeDistance(pa, b.Picture(size)); got < 0.02 {
					t.Errorf("%+v and %+v at %d px differ in %.3f of their pixels, want at least 0.02", a, b, size, got)
				}
			}
		}
	}
}

func TestPicturePrecedence(t *testing.T) {
	for _, test := range []struct {
		name string
		a, b Icon
	}{
		{"alert over dot", Icon{Level: 2, Alert: true, Dot: true}, Icon{Level: 2, Alert: true}},
		{"paused over water", Icon{Level: 3, Paused: true}, Icon{Paused: true}},
		{"paused, alert over dot", Icon{Level: 1, Paused: true, Alert: true, Dot: true}, Icon{Paused: true, Alert: true}},
		{"too low", Icon{Level: -1}, Icon{Level: 0}},
		{"too high", Icon{Level: 5}, Icon{Level: 4}},
	} {
		if !bytes.Equal(test.a.Picture(32).Pix, test.b.Picture(32).Pix) {
			t.Errorf("%s: %+v looks different from %+v", test.name, test.a, test.b)
		}
	}
}

// The colour of a panel is unknown. On each, enough of the picture must stand
// out from the panel, and within the picture light must stand out from dark.
func TestPictureReadsOnLightAndDark(t *testing.T) {
	const size, readable = 22, 3.0
	for _, ground := range []color.NRGBA{{0xff, 0xff, 0xff, 0xff}, {0x1c, 0x1f, 0x24, 0xff}, {0x80, 0x80, 0x80, 0xff}} {
		panel := luminance(ground)
		for _, icon := range pictures() {
			p := icon.Picture(size)
			out, edges := 0, 0
			for y := range size {
				for x := range size {
					here := luminance(over(p.NRGBAAt(x, y), ground))
					if contrast(here, panel) >= readable {
						out++
					}
					if x > 0 && contrast(here, luminance(over(p.NRGBAAt(x-1, y), ground))) >= readable {
						edges++
					}
				}
			}
			if out < size*size/8 || edges < 2*size {
				t.Errorf("%+v on %v: %d pixels stand out from the panel, want %d; %d edges, want %d",
					icon, ground, out, size*size/8, edges, 2*size)
			}
		}
	}
}

// A picture in one ink is for panels of the opposite brightness: it must stand out there,
// its shape must differ from the others, and the panel must be visible through the
// porthole.
func TestPictureInOneInk(t *testing.T) {
	const size, readable = 22, 7.0
	for ink, ground := range map[string]color.NRGBA{"light": {0x1c, 0x1f, 0x24, 0xff}, "dark": {0xff, 0xff, 0xff, 0xff}} {
		panel := luminance(ground)
		all := pictures()
		for n, icon := range all {
			icon.Ink = ink
			p := icon.Picture(size)
			for y := range size {
				for x := range size {
					c := p.NRGBAAt(x, y)
					if overlay := x > 8 && y < 13; c.A > 200 && !overlay && contrast(luminance(c), panel) < readable {
						t.Fatalf("%+v at %d, %d: %v does not stand out", icon, x, y, c)
					}
				}
			}
			if c := p.NRGBAAt(6, 8); icon.Level < 3 && !icon.Paused && c.A > 20 {
				t.Errorf("%+v: the panel is not visible through the porthole: %v", icon, c)
			}
			for _, other := range all[n+1:] {
				other.Ink = ink
				if got := shapeDistance(p, other.Picture(size)); got < 0.02 {
					t.Errorf("%+v and %+v differ in %.3f of their pixels, want at least 0.02", icon, other, got)
				}
			}
		}
	}
}

// A transparent ring separates the overlay from the porthole, so that it can be
// recognised without colours.
func TestOverlayIsCutOut(t *testing.T) {
	for _, test := range []struct {
		icon Icon
		x, y int // between overlay and ring, at 64 px
	}{
		{Icon{Level: 4, Dot: true}, 33, 14},
		{Icon{Level: 4, Alert: true}, 48, 29},
	} {
		plain, cut := Icon{Level: 4}.Picture(64), test.icon.Picture(64)
		if a, b := plain.NRGBAAt(test.x, test.y).A, cut.NRGBAAt(test.x, test.y).A; a != 255 || b > 40 {
			t.Errorf("%+v: alpha at %d,%d is %d (without overlay %d), want nearly 0 (255)", test.icon, test.x, test.y, b, a)
		}
	}
}

func TestPNG(t *testing.T) {
	icon := Icon{Level: 2, Dot: true}
	data, err := icon.PNG()
	if err != nil {
		t.Fatal(err)
	}
	got, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if want := image.Rect(0, 0, 64, 64); got.Bounds() != want {
		t.Fatalf("bounds %v, want %v", got.Bounds(), want)
	}
	want := icon.Picture(64)
	for y := range 64 {
		for x := range 64 {
			if g, w := color.NRGBAModel.Convert(got.At(x, y)), want.NRGBAAt(x, y); g != w {
				t.Fatalf("pixel %d,%d is %v, want %v", x, y, g, w)
			}
		}
	}
}

func BenchmarkPNG(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := (Icon{Level: 2, Alert: true}).PNG(); err != nil {
			b.Fatal(err)
		}
	}
}

// coverage returns the share of p that is not transparent.
func coverage(p *image.NRGBA) float64 {
	sum := 0
	for i := 3; i < len(p.Pix); i += 4 {
		sum += int(p.Pix[i])
	}
	return float64(sum) / 255 / float64(len(p.Pix)/4)
}

// shapeDistance returns the share of pixels that differ for a viewer without colour
// vision: in opacity, or by a contrast of 3:1.
func shapeDistance(a, b *image.NRGBA) float64 {
	n := 0
	for y := range a.Rect.Dy() {
		for x := range a.Rect.Dx() {
			pa, pb := a.NRGBAAt(x, y), b.NRGBAAt(x, y)
			la, lb := luminance(pa), luminance(pb)
			if math.Abs(float64(pa.A)-float64(pb.A)) > 128 || pa.A > 128 && pb.A > 128 && contrast(la, lb) >= 3 {
				n++
			}
		}
	}
	return float64(n) / float64(len(a.Pix)/4)
}

// over blends c over an opaque colour.
func over(c, ground color.NRGBA) color.NRGBA {
	mix := func(c, g uint8, a uint8) uint8 { return uint8((int(c)*int(a) + int(g)*(255-int(a))) / 255) }
	return color.NRGBA{mix(c.R, ground.R, c.A), mix(c.G, ground.G, c.A), mix(c.B, ground.B, c.A), 255}
}

// luminance returns the relative luminance as WCAG 2 defines it.
func luminance(c color.NRGBA) float64 {
	linear := func(v uint8) float64 {
		if s := float64(v) / 255; s > 0.04045 {
			return math.Pow((s+0.055)/1.055, 2.4)
		} else {
			return s / 12.92
		}
	}
	return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
}

// contrast returns the WCAG 2 contrast ratio of two luminances.
func contrast(a, b float64) float64 { return (max(a, b) + 0.05) / (min(a, b) + 0.05) }
