// Command ico renders an SVG to an ICO file, in the sizes that Windows uses: from
// title bars (16 pixels) to extra large icons (256 pixels), also at display scales of
// 125 and 150 %.
package main

import (
	"fmt"
	"image"
	"os"

	"github.com/fyne-io/oksvg"
	"github.com/sergeymakinen/go-ico"
	"github.com/srwiley/rasterx"
)

// sizes are the widths and heights of the icons in the file, in pixels.
var sizes = []int{16, 20, 24, 32, 40, 48, 64, 256}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: ico SVG ICO")
		os.Exit(2)
	}
	if err := write(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "ico:", err)
		os.Exit(1)
	}
}

// write renders an SVG file to an ICO file.
func write(from, to string) error {
	svg, err := oksvg.ReadIcon(from, oksvg.StrictErrorMode)
	if err != nil {
		return fmt.Errorf("read the icon: %w", err)
	}
	var pictures []image.Image
	for _, size := range sizes {
		m := image.NewRGBA(image.Rect(0, 0, size, size))
		svg.SetTarget(0, 0, float64(size), float64(size))
		svg.Draw(rasterx.NewDasher(size, size, rasterx.NewScannerGV(size, size, m, m.Rect)), 1)
		pictures = append(pictures, m)
	}
	f, err := os.Create(to)
	if err != nil {
		return err
	}
	if err := ico.EncodeAll(f, pictures); err != nil {
		_ = f.Close() // the first error is the one to report
		return fmt.Errorf("encode the icon: %w", err)
	}
	return f.Close()
}
