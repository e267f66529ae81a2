package assets_test

import (
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"io/fs"
	"os"
	"testing"

	"fyne.io/fyne/v2/lang"
	"github.com/fyne-io/oksvg"
	"github.com/srwiley/rasterx"

	"porthole/assets"
)

func TestPicturesAreTheIconDrawn(t *testing.T) {
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
			t.Fatalf("%s is %v, want %v", c.name, got.Bounds(), want.Rect)
		}
		for y := range c.size {
			for x := range c.size {
				if g, w := rgba(got.At(x, y)), rgba(want.At(x, y)); !near(g, w) {
					t.Fatalf("%s at %d,%d is %v, porthole.svg %v: run go generate ./assets", c.name, x, y, g, w)
				}
			}
		}
	}
}

func TestTrayPicturesAreThere(t *testing.T) {
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
			t.Errorf("%s is the same picture as %s", name, other)
		}
		seen[string(svg)] = name
	}
	for n, want := range map[int]int{-1: 0, 5: 4} {
		if !bytes.Equal(assets.TrayLevel(n), assets.TrayLevel(want)) {
			t.Errorf("TrayLevel(%d) is not TrayLevel(%d)", n, want)
		}
	}
}

func TestTranslationsLoad(t *testing.T) {
	files, err := fs.Glob(assets.Translations, "translations/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("translations: %v, %v", files, err)
	}
	for _, file := range files {
		data, err := assets.Translations.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(data) {
			t.Errorf("%s is no JSON", file)
		}
	}
	if err := lang.AddTranslationsFS(assets.Translations, "translations"); err != nil {
		t.Error(err)
	}
}

func rgba(c color.Color) color.RGBA { return color.RGBAModel.Convert(c).(color.RGBA) }

// near allows for rounding: a PNG's colours are not premultiplied, and some
// processors multiply and add in one step.
func near(a, b color.RGBA) bool {
	for _, d := range [...]int{int(a.R) - int(b.R), int(a.G) - int(b.G), int(a.B) - int(b.B), int(a.A) - int(b.A)} {
		if d < -3 || d > 3 {
			return false
		}
	}
	return true
}
