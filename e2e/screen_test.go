package e2e

import (
	"fmt"
	"image"
	"path/filepath"
	"testing"

	"porthole/e2e/desktop"
)

// On screens with a high resolution everything is larger and nothing is cut off. All
// other tests use scale 1.
func TestScales(t *testing.T) {
	longTest(t)
	opts := desktop.DefaultOptions()
	opts.Size = "2500x1600x24"
	d := startDesk(t, opts)
	d.serve(d.program("dense"), "/", "127.0.0.1:20011,[::1]:20011")
	for _, scale := range []float64{1.5, 3} {
		d.write(d.statePath(windowFile), `{"version":1,"window":{"width":800,"height":500}}`)
		agent := d.startWith([]string{fmt.Sprint("FYNE_SCALE=", scale)}, "show", "20011")
		window := d.mainWindow()
		d.eventually("the size", func() error { return wantSize(window, int(800*scale), int(500*scale)) })
		d.steady(window)
		d.do("take a picture", window.Screenshot(picturePath(t, fmt.Sprint("scale-", scale))))
		d.quit(agent)
	}
}

// The window follows the scale that an X11 desktop sets for texts, and fits on the screen.
func TestScaleOfTheDesktop(t *testing.T) {
	d := startDesk(t, desktop.DefaultOptions())
	resources := filepath.Join(t.TempDir(), "resources")
	d.write(resources, "Xft.dpi: 144\n")
	d.do("set the scale", d.Command("xrdb", "-merge", resources).Run())
	for _, c := range []struct{ saved, want image.Point }{
		{image.Pt(600, 400), image.Pt(900, 600)},
		{image.Pt(1200, 700), image.Point{}}, // as large as fits
	} {
		d.write(d.statePath(windowFile), fmt.Sprintf(`{"version":1,"window":{"width":%d,"height":%d,"position":{"x":50,"y":40}}}`, c.saved.X, c.saved.Y))
		agent := d.start()
		window := d.mainWindow()
		if c.want != (image.Point{}) {
			d.eventually("the size", func() error { return wantSize(window, c.want.X, c.want.Y) })
		}
		d.steady(window)
		frame, err := window.Geometry()
		d.do("measure it", err)
		if screen := image.Rect(0, 0, 1280, 800); !frame.In(screen) {
			t.Errorf("got the window at %v, want it in %v", frame, screen)
		}
		d.quit(agent)
	}
}

// When a monitor is unplugged, the window can still be used on the smaller screen.
func TestScreenBecomesSmaller(t *testing.T) {
	longTest(t)
	opts := desktop.DefaultOptions()
	opts.Size = "1600x1000x24"
	d := startDesk(t, opts)
	server := d.serve(d.program("seen"), "/", "127.0.0.1:20012")
	agent := d.start("show", "20012")
	d.item(agent)
	window := d.mainWindow()
	d.do("make it large", window.Resize(1500, 900))
	d.eventually("the size", func() error { return wantSize(window, 1500, 900) })
	d.steady(window)
	small := image.Pt(1024, 700)
	d.do("unplug the monitor", d.Resize(small))
	d.opensProcess(window, server, "seen")

	// Closed and opened again, it is on the screen.
	d.do("close it", window.Key("ctrl+w"))
	d.noMainWindow()
	d.wantStatus(d.start(), 0)
	window = d.mainWindow()
	d.steady(window)
	frame, err := window.Geometry()
	d.do("measure it", err)
	if !frame.In(image.Rectangle{Max: small}) {
		t.Errorf("got the window at %v; want it on a screen of %v", frame, small)
	}
	d.shot("small-screen")
	d.opensProcess(window, server, "seen")
}
