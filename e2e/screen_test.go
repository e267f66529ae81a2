package e2e

import (
	"fmt"
	"image"
	"path/filepath"
	"testing"

	"porthole/e2e/desktop"
)

// On dense screens all is larger, and nothing is cut off. All other tests are at
// scale 1.
func TestScales(t *testing.T) {
	long(t)
	opts := desktop.DefaultOptions()
	opts.Size = "2500x1600x24"
	d := boot(t, opts)
	d.serve(d.program("dense"), "/", "127.0.0.1:20011,[::1]:20011")
	for _, scale := range []float64{1.5, 3} {
		d.write(filepath.Join(filepath.Dir(d.logPath()), "window.json"), `{"version":1,"window":{"width":800,"height":500}}`)
		agent := d.startWith([]string{fmt.Sprint("FYNE_SCALE=", scale)}, "show", "20011")
		window := d.window("Porthole")
		d.eventually("it is so large", func() error { return sized(window, int(800*scale), int(500*scale)) })
		d.steady(window)
		d.do("picture it", window.Screenshot(picture(t, fmt.Sprint("scale-", scale))))
		d.wantStatus(d.start("quit"), 0)
		d.wantStatus(agent, 0)
	}
}

// A screen is unplugged: what is left is smaller than the window was.
func TestAScreenThatGoes(t *testing.T) {
	long(t)
	opts := desktop.DefaultOptions()
	opts.Size = "1600x1000x24"
	d := boot(t, opts)
	server := d.serve(d.program("seen"), "/", "127.0.0.1:20012")
	agent := d.start("show", "20012")
	d.item(agent)
	window := d.window("Porthole")
	d.do("make it large", window.Resize(1500, 900))
	d.eventually("it is large", func() error { return sized(window, 1500, 900) })
	d.steady(window)
	small := image.Pt(1024, 700)
	d.do("unplug the screen", d.Resize(small))
	d.opensProcess(window, server, "seen")

	// Hidden and shown again it is where it can be reached.
	d.do("close it", window.Key("ctrl+w"))
	d.noWindow("Porthole")
	d.wantStatus(d.start(), 0)
	window = d.window("Porthole")
	d.steady(window)
	frame, err := window.Geometry()
	d.do("measure it", err)
	if !frame.In(image.Rectangle{Max: small}) {
		t.Errorf("the window is at %v of a screen of %v", frame, small)
	}
	d.shot("small-screen")
	d.opensProcess(window, server, "seen")
}
