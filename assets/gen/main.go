//go:build ignore

// Gen draws icons/porthole.svg into icon.png. Run it by go generate ./assets
// after the SVG changed.
package main

import (
	"image"
	"image/png"
	"log"
	"os"

	"github.com/fyne-io/oksvg"
	"github.com/srwiley/rasterx"
)

const size = 512

func main() {
	svg, err := oksvg.ReadIcon("icons/porthole.svg", oksvg.StrictErrorMode)
	if err != nil {
		log.Fatal(err)
	}
	svg.SetTarget(0, 0, size, size)
	m := image.NewRGBA(image.Rect(0, 0, size, size))
	svg.Draw(rasterx.NewDasher(size, size, rasterx.NewScannerGV(size, size, m, m.Bounds())), 1)

	f, err := os.Create("icon.png")
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
