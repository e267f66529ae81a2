//go:build ci

// With the build tag ci Fyne ignores the fonts of the machine, which differ between machines.

package traffic

import (
	"runtime"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"porthole/ui/uitest"
)

// TestGoldens compares the window with its pictures in testdata/goldens, pixel by pixel. If a
// change is intended, check the picture in testdata/failed and copy it to testdata/goldens.
func TestGoldens(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("text is rendered slightly differently on other processors")
	}
	local := time.Local
	time.Local = time.UTC
	t.Cleanup(func() { time.Local = local })
	golden := func(name string, w *Window) {
		t.Helper()
		test.AssertImageMatches(t, "goldens/"+name+".png", uitest.Capture(w.window))
	}
	narrow := fyne.NewSize(480, 320)
	for _, theme := range []string{"dark", "light"} {
		w, f := open(t, theme)
		f.elevate = true
		golden("choice-"+theme, w)
		w.choose(Capture)
		f.started(Started{Problem: "Your user may not capture packets. Join the group “wireshark” (and install dumpcap), or use a tap, which needs no permission.", Denied: true})
		golden("denied-"+theme, w)
		w.choose(Tap)
		f.started(Started{Address: "127.0.0.1:62893"})
		golden("empty-"+theme, w)
		sample(w, f)
		w.table.Select("3")
		golden("json-"+theme, w)
		w.table.Select("2")
		golden("image-"+theme, w)
		w.table.Select("4")
		w.sendAgain()
		e := exchange(9, "GET", "/api/items/99", 200, "text/plain", "fine\n")
		f.replied(&e, "")
		golden("replay-"+theme, w)
		w.window.Resize(narrow)
		w.table.Select("3")
		golden("narrow-"+theme, w)
	}
	uitest.InGerman(t)
	w, f := open(t, "light")
	golden("choice-german", w)
	w.window.Resize(narrow)
	golden("choice-narrow-german", w)
	sample(w, f)
	w.table.Select("5")
	golden("narrow-german", w)
	w.window.Resize(fyne.NewSize(800, 520))
	w.fileButton.OnTapped()
	golden("menu-german", w)
}
