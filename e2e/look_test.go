package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"porthole/e2e/desktop"
)

// tooltip waits until the tray's tooltip has part in it.
func (d *desk) tooltip(item desktop.Item, part string) {
	d.t.Helper()
	d.eventually("the tooltip", func() error {
		got, err := item.Tooltip(d.step())
		if err == nil && !strings.Contains(got, part) {
			err = fmt.Errorf("it says %q; want %q in it", got, part)
		}
		return err
	})
}

// menuHas waits until the tray's menu shows an entry.
func (d *desk) menuHas(item desktop.Item, label string) {
	d.t.Helper()
	d.eventually("the menu", func() error { return d.hasEntry(item, label) })
}

func (d *desk) hasEntry(item desktop.Item, label string) error {
	menu, err := item.Menu(d.step())
	if err != nil {
		return err
	}
	var labels []string
	for _, e := range menu {
		if e.Visible && !e.Separator {
			labels = append(labels, e.Label)
		}
	}
	if !slices.Contains(labels, label) {
		return fmt.Errorf("it has %q; want %q", labels, label)
	}
	return nil
}

func (d *desk) icon(item desktop.Item) image.Image {
	d.t.Helper()
	img, err := item.Icon(d.step())
	if err != nil {
		d.t.Fatalf("the icon: %v", err)
	}
	return img
}

func same(a, b image.Image) bool {
	var x, y bytes.Buffer
	return png.Encode(&x, a) == nil && png.Encode(&y, b) == nil && bytes.Equal(x.Bytes(), y.Bytes())
}

// screen is the desktop as it looks now.
func screen(d *desk) (image.Image, error) {
	path := filepath.Join(d.Dir(), "screen.png")
	if err := d.Screenshot(path); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return png.Decode(f)
}

// near allows for the rounding of a GL driver.
func near(c color.Color, want color.RGBA) bool {
	r, g, b, _ := c.RGBA()
	diff := func(a uint32, b uint8) uint32 { return max(a>>8, uint32(b)) - min(a>>8, uint32(b)) }
	return diff(r, want.R) < 6 && diff(g, want.G) < 6 && diff(b, want.B) < 6
}

// colored is the first place, from above and in the middle of the window, that
// has one of the colours. thick is how many rows of pixels must have it.
func (d *desk) colored(w desktop.Window, thick int, colors ...color.RGBA) image.Point {
	d.t.Helper()
	var at image.Point
	d.eventually(fmt.Sprintf("something of the colour %v", colors), func() error {
		img, err := screen(d)
		if err != nil {
			return err
		}
		frame, err := w.Geometry()
		if err != nil {
			return err
		}
		x, run := frame.Min.X+frame.Dx()/2, 0
		for y := frame.Min.Y + belowCards; y < frame.Max.Y; y++ {
			if !slices.ContainsFunc(colors, func(c color.RGBA) bool { return near(img.At(x, y), c) }) {
				run = 0
			} else if run++; run == thick {
				at = image.Pt(x, y).Sub(frame.Min)
				return nil
			}
		}
		return errors.New("there is none")
	})
	return at
}

// belowCards is where the table begins, in pixels from the top of the window.
const belowCards = 168

// clickWatch clicks the button that offers to watch a free port.
func (d *desk) clickWatch(w desktop.Window) {
	d.t.Helper()
	at := d.colored(w, 4, color.RGBA{0x2d, 0xd4, 0xbf, 255}, color.RGBA{0x0b, 0x7d, 0x72, 255})
	d.do("click the button", w.Click(at.X, at.Y))
}

// table is the part of the window where the rows are: below the cards, whose
// times pass, and left of the side pane.
func table(d *desk, w desktop.Window) (image.Image, error) {
	img, err := screen(d)
	if err != nil {
		return nil, err
	}
	frame, err := w.Geometry()
	if err != nil {
		return nil, err
	}
	inner := image.Rect(frame.Min.X, frame.Min.Y+belowCards, frame.Min.X+frame.Dx()/2, frame.Max.Y-60)
	sub, ok := img.(interface {
		SubImage(image.Rectangle) image.Image
	})
	if !ok {
		return nil, fmt.Errorf("a %T has no parts", img)
	}
	return sub.SubImage(inner), nil
}

// steady waits until the table looks the same twice.
func (d *desk) steady(w desktop.Window) image.Image {
	d.t.Helper()
	var last image.Image
	d.eventually("the window comes to rest", func() error {
		img, err := table(d, w)
		if err != nil {
			return err
		}
		rest := last != nil && same(last, img)
		last = img
		if !rest {
			time.Sleep(300 * time.Millisecond)
			return errors.New("it changes still")
		}
		return nil
	})
	return last
}

// differs is nil where the table does not look as before.
func differs(d *desk, w desktop.Window, before image.Image) error {
	now, err := table(d, w)
	if err == nil && same(before, now) {
		err = errors.New("the table looks as before")
	}
	return err
}
