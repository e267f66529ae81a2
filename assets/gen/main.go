//go:build ignore

// Gen renders icons/porthole.svg to icon.png (512×512 pixels, for packages) and to
// icons/window.png (128×128 pixels, for windows). Run it with go generate ./assets
// after changing the SVG.
package main

import (
	"image"
	"image/png"
	"log"
	"os"

	"github.com/fyne-io/oksvg"
	"github.com/srwiley/rasterx"
)

func main() {
	svg, err := oksvg.ReadIcon("icons/porthole.svg", oksvg.StrictErrorMode)
	if err != nil {
		log.Fatal(err)
	}
	for name, size := range map[string]int{"icon.png": 512, "icons/window.png": 128} {
		svg.SetTarget(0, 0, float64(size), float64(size))
		m := image.NewRGBA(image.Rect(0, 0, size, size))
		svg.Draw(rasterx.NewDasher(size, size, rasterx.NewScannerGV(size, size, m, m.Bounds())), 1)
		f, err := os.Create(name)
		if err != nil {
			log.Fatal(err)
		}
		enc := png.Encoder{CompressionLevel: png.BestCompression}
		if err := enc.Encode(f, m); err != nil {
			log.Fatal(err)
		}
		if err := f.Close(); err != nil {
			log.Fatal(err)
		}
	}
}
