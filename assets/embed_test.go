package assets_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"testing"

	"github.com/fyne-io/oksvg"
	"github.com/srwiley/rasterx"

	"porthole/assets"
)

func TestPNGsMatchTheSVGIcon(t *testing.T) {
	packaged, err := os.ReadFile("icon.png")
	if err != nil {
		t.Fatal(err)
	}
	svg, err := oksvg.ReadIconStream(bytes.NewReader(assets.Icon()), oksvg.StrictErrorMode)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		picture []byte
		size    int
	}{{"icon.png", packaged, 512}, {"icons/window.png", assets.WindowIcon(), 128}} {
		svg.SetTarget(0, 0, float64(c.size), float64(c.size))
		want := image.NewRGBA(image.Rect(0, 0, c.size, c.size))
		svg.Draw(rasterx.NewDasher(c.size, c.size, rasterx.NewScannerGV(c.size, c.size, want, want.Rect)), 1)
		got, err := png.Decode(bytes.NewReader(c.picture))
		if err != nil {
			t.Fatal(err)
		}
		if got.Bounds() != want.Rect {
			t.Fatalf("%s: got bounds %v, want %v", c.name, got.Bounds(), want.Rect)
		}
		for y := range c.size {
			for x := range c.size {
				if g, w := rgba(got.At(x, y)), rgba(want.At(x, y)); !near(g, w) {
					t.Fatalf("%s at %d,%d: got %v, want %v as in porthole.svg: run go generate ./assets", c.name, x, y, g, w)
				}
			}
		}
	}
}

func TestTrayPicturesAreDistinctSVGs(t *testing.T) {
	pictures := map[string][]byte{"dot": assets.TrayDot(), "alert": assets.TrayAlert(), "paused": assets.TrayPaused()}
	for n := range 5 {
		pictures[string(rune('0'+n))] = assets.TrayLevel(n)
	}
	seen := map[string]string{}
	for name, svg := range pictures {
		if _, err := oksvg.ReadIconStream(bytes.NewReader(svg), oksvg.StrictErrorMode); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if other, ok := seen[string(svg)]; ok {
			t.Errorf("%s: got the same picture as %s, want distinct ones", name, other)
		}
		seen[string(svg)] = name
	}
	for n, want := range map[int]int{-1: 0, 5: 4} {
		if !bytes.Equal(assets.TrayLevel(n), assets.TrayLevel(want)) {
			t.Errorf("TrayLevel(%d): got another picture than TrayLevel(%d)", n, want)
		}
	}
}

func TestLicenceIsTheRootLicence(t *testing.T) {
	want, err := os.ReadFile("../LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	if got := assets.Licence(); got != string(want) {
		t.Errorf("assets/licence.txt differs from LICENSE: cp LICENSE assets/licence.txt\ngot:\n%s", got)
	}
}

func rgba(c color.Color) color.RGBA { return color.RGBAModel.Convert(c).(color.RGBA) }

// near reports whether two colours are equal up to rounding: a PNG's colours are
// not premultiplied, and some processors use fused multiply-add.
func near(a, b color.RGBA) bool {
	for _, d := range [...]int{int(a.R) - int(b.R), int(a.G) - int(b.G), int(a.B) - int(b.B), int(a.A) - int(b.A)} {
		if d < -3 || d > 3 {
			return false
		}
	}
	return true
}
