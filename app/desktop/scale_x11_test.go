//go:build unix && !darwin

package desktop

import (
	"strings"
	"testing"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
)

func TestXftScale(t *testing.T) {
	if scale, ok := XftScale(); ok {
		t.Skipf("this machine's X server has scale %g", scale)
	}
	startX(t)
	if scale, ok := XftScale(); ok {
		t.Errorf("without resources: got %g, want none", scale)
	}
	x, err := xgb.NewConn()
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	// MATE's settings daemon sets 9 KB of colours before it.
	resources := strings.Repeat("*Box.background:\t#f6f5f4\n", 400) + "Xft.antialias:\t1\nXft.dpi:\t144\n"
	root := xproto.Setup(x).DefaultScreen(x).Root
	if err := xproto.ChangePropertyChecked(x, xproto.PropModeReplace, root, xproto.AtomResourceManager, xproto.AtomString, 8, uint32(len(resources)), []byte(resources)).Check(); err != nil {
		t.Fatal(err)
	}
	if scale, ok := XftScale(); !ok || scale != 1.5 {
		t.Errorf("got %g, %t, want 1.5", scale, ok)
	}
}

func TestXftScaleOfResources(t *testing.T) {
	for resources, want := range map[string]float64{
		"Xft.dpi:\t96\n": 1, "Xft.dpi: 192": 2, "Xft.dpi:\t120.5\n": 120.5 / 96,
		"": 0, "Xft.dpi:\n": 0, "Xft.dpi:\t-1\n": 0, "Xft.dpi:\t0\n": 0, "Xft.dpi:\t1e9\n": 0, "Xft.dpi:\tNaN\n": 0, "Other.Xft.dpi:\t192\n": 0,
	} {
		if got, ok := xftScale(resources); got != want || ok != (want != 0) {
			t.Errorf("%q: got %g, %t, want %g", resources, got, ok, want)
		}
	}
}
