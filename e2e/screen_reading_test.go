package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"slices"
	"strings"
	"time"

	"porthole/e2e/desktop"
	"porthole/ui/tray"
)

// Colours of the interface, in the dark theme and in the light one.
var (
	accents      = []color.RGBA{{0x2d, 0xd4, 0xbf, 255}, {0x0b, 0x7d, 0x72, 255}}
	selectedRows = []color.RGBA{{0x1d, 0x3b, 0x40, 255}, {0xd3, 0xef, 0xec, 255}}
	dangers      = []color.RGBA{{0xff, 0x6b, 0x61, 255}, {0xc2, 0x26, 0x1d, 255}}
	warnings     = []color.RGBA{{0xf0, 0xa8, 0x1c, 255}, {0x8f, 0x5c, 0, 255}}
)

// accent is a colour that every page of Porthole's dark window shows, and nothing else
// on the desktop.
var accent = accents[0]

// Places in the window, in pixels.
const (
	belowCards = 168 // from the top to the table
	headerY    = 183 // of the table's header, below the cards

	detailsPane = 320 // its width

	portX    = 34 + 30 + 20 // of the first columns, after ★ and ⚠: Port, Process
	processX = 34 + 30 + 72 + 20
	portEdge = 34 + 30 + 72 // between the two
)

// atLogin is the switch for the start at login on the Settings page.
var atLogin = image.Rect(898, 380, 940, 405)

// screen returns the desktop as it is now.
func screen(d *desk) (*image.RGBA, error) { return d.Picture() }

// same reports whether two pictures have the same size and pixels.
func same(a, b *image.RGBA) bool {
	if a.Rect != b.Rect {
		return false
	}
	for y := a.Rect.Min.Y; y < a.Rect.Max.Y; y++ {
		line := func(p *image.RGBA) []byte {
			from := p.PixOffset(p.Rect.Min.X, y)
			return p.Pix[from : from+4*p.Rect.Dx()]
		}
		if !bytes.Equal(line(a), line(b)) {
			return false
		}
	}
	return true
}

// near compares colours with a tolerance for the rounding of a GL driver.
func near(c color.Color, want color.RGBA) bool {
	r, g, b, _ := c.RGBA()
	diff := func(a uint32, b uint8) uint32 { return max(a>>8, uint32(b)) - min(a>>8, uint32(b)) }
	return diff(r, want.R) < 6 && diff(g, want.G) < 6 && diff(b, want.B) < 6
}

func nearAny(c color.Color, want []color.RGBA) bool {
	return slices.ContainsFunc(want, func(w color.RGBA) bool { return near(c, w) })
}

// windowPicture returns the screen and where the window's content is on it.
func windowPicture(d *desk, w desktop.Window) (*image.RGBA, image.Rectangle, error) {
	img, err := screen(d)
	if err != nil {
		return nil, image.Rectangle{}, err
	}
	frame, err := w.Geometry()
	return img, frame.Intersect(img.Rect), err
}

// table returns a picture of the table's rows. It leaves out the cards, whose
// durations change, and the details pane.
func table(d *desk, w desktop.Window) (*image.RGBA, error) {
	img, frame, err := windowPicture(d, w)
	if err != nil {
		return nil, err
	}
	rows := image.Rect(frame.Min.X, frame.Min.Y+belowCards, frame.Min.X+frame.Dx()/2, frame.Max.Y-60)
	return img.SubImage(rows).(*image.RGBA), nil
}

// steady waits until the table has not changed for 300 ms, and returns its picture.
func (d *desk) steady(w desktop.Window) *image.RGBA {
	d.t.Helper()
	var last *image.RGBA
	var since time.Time
	d.eventually("the window stops changing", func() error {
		img, err := table(d, w)
		if err != nil {
			return err
		}
		if last == nil || !same(last, img) {
			last, since = img, time.Now()
		}
		if time.Since(since) < 300*time.Millisecond {
			return errors.New("it still changes")
		}
		return nil
	})
	return last
}

// differs returns nil if the table does not look as before.
func differs(d *desk, w desktop.Window, before *image.RGBA) error {
	now, err := table(d, w)
	if err == nil && same(before, now) {
		err = errors.New("the table looks as before")
	}
	return err
}

// waitChanged waits until the table does not look as before.
func (d *desk) waitChanged(what string, w desktop.Window, before *image.RGBA) {
	d.t.Helper()
	d.eventually(what, func() error { return differs(d, w, before) })
}

// find returns the first point from above, in the middle of the window or of the part
// beside the details pane, that has one of the colours. thick is the number of rows of pixels that must have it.
func (d *desk) find(w desktop.Window, thick int, colors []color.RGBA) image.Point {
	d.t.Helper()
	var at image.Point
	d.eventually(fmt.Sprintf("something in one of the colours %v", colors), func() error {
		img, frame, err := windowPicture(d, w)
		if err != nil {
			return err
		}
		for _, x := range []int{frame.Min.X + frame.Dx()/2, frame.Min.X + (frame.Dx()-detailsPane)/2} {
			run := 0
			for y := frame.Min.Y + belowCards; y < frame.Max.Y; y++ {
				if !nearAny(img.RGBAAt(x, y), colors) {
					run = 0
				} else if run++; run == thick {
					at = image.Pt(x, y).Sub(frame.Min)
					return nil
				}
			}
		}
		return errors.New("nothing has one")
	})
	return at
}

// selectedRow returns a point on the process name of the selected row.
func (d *desk) selectedRow(w desktop.Window) image.Point {
	d.t.Helper()
	at := d.find(w, 2, selectedRows)
	return at.Add(image.Pt(-at.X/2, 8)) // away from the row's edge and from the columns without a process
}

// filterRows filters the table and selects its first row. A busy window may show the row seconds
// after the notification, so the keys are pressed again until it is selected.
func (d *desk) filterRows(w desktop.Window, text string) {
	d.t.Helper()
	d.do("go to the filter", w.Key("ctrl+f"))
	d.do("filter", w.Type(text))
	d.eventually("the first row is selected", func() error {
		if err := w.Key("Down", "Home"); err != nil {
			return err
		}
		d.steady(w)
		for _, c := range selectedRows {
			if shown, err := d.Shows(c); err != nil || shown {
				return err
			}
		}
		return errors.New("no row is selected")
	})
}

// clickWatch clicks the button that offers to watch a free port.
func (d *desk) clickWatch(w desktop.Window) {
	d.t.Helper()
	d.steady(w) // the button moves when the page has learned why the port is free
	at := d.find(w, 4, accents)
	d.do("click the button", w.Click(at.X, at.Y))
}

// hasDangerButton waits until the window has a red button, or has none.
func (d *desk) hasDangerButton(w desktop.Window, want bool) {
	d.t.Helper()
	const width = 20 // pixels: wider than a stroke of red text
	d.eventually(fmt.Sprintf("a red button: %t", want), func() error {
		img, frame, err := windowPicture(d, w)
		if err != nil {
			return err
		}
		found := false
		for y := frame.Min.Y; y < frame.Max.Y; y++ {
			run := 0
			for x := frame.Min.X; x < frame.Max.X; x++ {
				if run++; !nearAny(img.RGBAAt(x, y), dangers) {
					run = 0
				}
				found = found || run >= width
			}
		}
		if found != want {
			return fmt.Errorf("got %t", found)
		}
		return nil
	})
}

// hasWarning waits until the window has a bar of warnings, or has none.
func (d *desk) hasWarning(w desktop.Window, want bool) {
	d.t.Helper()
	d.eventually(fmt.Sprintf("a bar of warnings: %t", want), func() error {
		got, err := warningBar(d, w)
		if err == nil && got != want {
			err = fmt.Errorf("got %t", got)
		}
		return err
	})
}

// warningBar reports whether the window has a bar of warnings. Its left edge has a
// colour of its own.
func warningBar(d *desk, w desktop.Window) (bool, error) {
	img, frame, err := windowPicture(d, w)
	if err != nil {
		return false, err
	}
	run := 0
	for y := frame.Min.Y; y < frame.Max.Y; y++ {
		if nearAny(img.RGBAAt(frame.Min.X+2, y), warnings) {
			run++
			continue
		}
		if run >= 12 {
			return true, nil
		}
		run = 0
	}
	return false, nil
}

// hasStartAtLogin waits until the switch for the start at login is on, or off.
func (d *desk) hasStartAtLogin(w desktop.Window, want bool) {
	d.t.Helper()
	d.eventually(fmt.Sprintf("start at login: %t", want), func() error {
		img, frame, err := windowPicture(d, w)
		if err != nil {
			return err
		}
		on := false
		for y := atLogin.Min.Y; y < atLogin.Max.Y; y++ {
			for x := atLogin.Min.X; x < atLogin.Max.X; x++ {
				on = on || near(img.RGBAAt(frame.Min.X+x, frame.Min.Y+y), accent)
			}
		}
		if on != want {
			return fmt.Errorf("got %t", on)
		}
		return nil
	})
}

// wantSize returns an error if the window's content does not have that size.
func wantSize(w desktop.Window, width, height int) error {
	frame, err := w.Geometry()
	if err == nil && (frame.Dx() != width || frame.Dy() != height) {
		err = fmt.Errorf("got %v; want %d × %d", frame.Size(), width, height)
	}
	return err
}

// tooltip waits until the tray's tooltip contains a text.
func (d *desk) tooltip(item desktop.Item, part string) {
	d.t.Helper()
	d.eventually("the tooltip", func() error {
		got, err := item.Tooltip(d.step())
		if err == nil && !strings.Contains(got, part) {
			err = fmt.Errorf("got %q; want %q in it", got, part)
		}
		return err
	})
}

// menuHas waits until the tray's menu has an entry.
func (d *desk) menuHas(item desktop.Item, label string) {
	d.t.Helper()
	d.eventually("the menu", func() error {
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
			return fmt.Errorf("got %q; want %q", labels, label)
		}
		return nil
	})
}

// icon returns the tray icon.
func (d *desk) icon(item desktop.Item) image.Image {
	d.t.Helper()
	img, err := item.Icon(d.step())
	if err != nil {
		d.t.Fatalf("the icon: %v", err)
	}
	return img
}

// wantIcon waits until the tray shows an icon.
func (d *desk) wantIcon(item desktop.Item, want tray.Icon) {
	d.t.Helper()
	d.eventually(fmt.Sprintf("the icon %+v", want), func() error {
		got, err := item.Icon(d.step())
		if err != nil {
			return err
		}
		for _, level := range []int{0, 1, 2, 3, 4} {
			for _, mark := range []tray.Icon{{}, {Dot: true}, {Alert: true}} {
				for _, paused := range []bool{false, true} {
					icon := tray.Icon{Level: level, Dot: mark.Dot, Alert: mark.Alert, Paused: paused}
					if picture := icon.Picture(got.Bounds().Dx()); similar(got, picture) {
						if similar(want.Picture(got.Bounds().Dx()), picture) {
							return nil
						}
						return fmt.Errorf("got %+v", icon)
					}
				}
			}
		}
		return errors.New("got an icon that is not Porthole's")
	})
}

// similar compares the transparency of two pictures, and the colours where they are
// opaque. A tray may store any colour where a picture is transparent.
func similar(a, b image.Image) bool {
	if a.Bounds() != b.Bounds() {
		return false
	}
	close := func(x, y uint8) bool { return max(x, y)-min(x, y) <= 4 }
	for y := a.Bounds().Min.Y; y < a.Bounds().Max.Y; y++ {
		for x := a.Bounds().Min.X; x < a.Bounds().Max.X; x++ {
			p, q := color.NRGBAModel.Convert(a.At(x, y)).(color.NRGBA), color.NRGBAModel.Convert(b.At(x, y)).(color.NRGBA)
			if !close(p.A, q.A) || p.A == 255 && !(close(p.R, q.R) && close(p.G, q.G) && close(p.B, q.B)) {
				return false
			}
		}
	}
	return true
}
