//go:build linux

package desktop

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
)

// Picture returns the whole screen, without the mouse pointer. It takes about five
// milliseconds.
func (d *Desktop) Picture() (*image.RGBA, error) {
	x := d.xServer()
	if x == nil {
		return nil, errors.New("take a picture: this desktop has no X server")
	}
	// The root window has the screen's current size: see Resize.
	screen, err := x.geometry(x.root)
	if err != nil {
		return nil, fmt.Errorf("take a picture: %w", err)
	}
	img, err := x.picture(screen)
	if err != nil {
		return nil, fmt.Errorf("take a picture: %w", err)
	}
	return img, nil
}

// Screenshot writes a picture of the whole screen as a PNG file.
func (d *Desktop) Screenshot(path string) error {
	img, err := d.Picture()
	if err != nil {
		return err
	}
	return writePNG(path, img)
}

// writePNG replaces a file in one step: several desktops may write it at once.
func writePNG(path string, img image.Image) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("write a picture: %w", err)
	}
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	err = errors.Join(encoder.Encode(f, img), f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("write a picture: %w", err)
	}
	return nil
}

// Shows reports whether the screen shows a colour anywhere. It takes a millisecond
// and does not interrupt the X server. The screen must have 24 bits per pixel.
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

// Pixels returns the pixels of a part of the screen, four bytes each. It is as fast
// as Shows.
func (d *Desktop) Pixels(r image.Rectangle) ([]byte, error) {
	pixels, line, err := d.pixels()
	if err != nil {
		return nil, err
	}
	var part []byte
	for y := r.Min.Y; y < r.Max.Y; y++ {
		from, to := y*line+4*r.Min.X, y*line+4*r.Max.X
		if from < 0 || to > len(pixels) {
			return nil, fmt.Errorf("read %v of the screen: it is not all on the screen", r)
		}
		part = append(part, pixels[from:to]...)
	}
	return part, nil
}

// pixels returns the pixels of the whole screen and the length of a line in bytes.
func (d *Desktop) pixels() (_ []byte, line int, _ error) {
	// The file has the format of xwd(1): a header of big-endian 32-bit numbers, of
	// which the first is the header's size, the thirteenth the length of a line in
	// bytes, and the twentieth the number of colours, 12 bytes each, that precede the
	// pixels (X11/XWDFile.h).
	b, err := os.ReadFile(filepath.Join(d.dir, "runtime", "Xvfb_screen0"))
	if err != nil {
		return nil, 0, fmt.Errorf("read the screen: %w", err)
	}
	if len(b) < 80 {
		return nil, 0, fmt.Errorf("read the screen: the file has %d bytes; want a picture", len(b))
	}
	begin := binary.BigEndian.Uint32(b) + 12*binary.BigEndian.Uint32(b[76:])
	return b[min(int(begin), len(b)):], int(binary.BigEndian.Uint32(b[48:])), nil
}
