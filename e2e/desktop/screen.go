package desktop

import (
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"os"
	"path/filepath"
)

// Shows reports whether a colour is anywhere on the screen, which has 24 bits. It
// takes a millisecond, a picture a tenth of a second.
func (d *Desktop) Shows(c color.RGBA) (bool, error) {
	pixels, _, err := d.pixels()
	if err != nil {
		return false, err
	}
	for ; len(pixels) >= 4; pixels = pixels[4:] {
		if pixels[0] == c.B && pixels[1] == c.G && pixels[2] == c.R {
			return true, nil
		}
	}
	return false, nil
}

// Pixels returns what a part of the screen shows, four bytes a pixel, as quickly as
// Shows.
func (d *Desktop) Pixels(r image.Rectangle) ([]byte, error) {
	pixels, line, err := d.pixels()
	if err != nil {
		return nil, err
	}
	var part []byte
	for y := r.Min.Y; y < r.Max.Y; y++ {
		from, to := y*line+4*r.Min.X, y*line+4*r.Max.X
		if from < 0 || to > len(pixels) {
			return nil, fmt.Errorf("look at %v of the screen: that is not all on it", r)
		}
		part = append(part, pixels[from:to]...)
	}
	return part, nil
}

// pixels are those of the whole screen, with so many bytes in a line.
func (d *Desktop) pixels() (_ []byte, line int, _ error) {
	// The file is a picture of xwd's: numbers of 32 bits, big-endian, of which the
	// first is the header's size, the thirteenth the bytes in a line, and the twentieth
	// how many colours of 12 bytes follow (X11/XWDFile.h). Then come the pixels.
	b, err := os.ReadFile(filepath.Join(d.dir, "runtime", "Xvfb_screen0"))
	if err != nil {
		return nil, 0, fmt.Errorf("look at the screen: %w", err)
	}
	if len(b) < 80 {
		return nil, 0, fmt.Errorf("look at the screen: %d bytes are no picture", len(b))
	}
	begin := binary.BigEndian.Uint32(b) + 12*binary.BigEndian.Uint32(b[76:])
	return b[min(int(begin), len(b)):], int(binary.BigEndian.Uint32(b[48:])), nil
}
