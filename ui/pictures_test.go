package ui

import (
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/software"

	"porthole/monitor"
	"porthole/monitor/explain"
	"porthole/monitor/watch"
	"porthole/ui/probe"
	"porthole/ui/settings"
	"porthole/ui/stop"
	"porthole/ui/uitest"
)

// picture writes a picture of the window to the folder PORTHOLE_PICTURES.
func picture(t *testing.T, w fyne.Window, name string) {
	t.Helper()
	f, err := os.Create(filepath.Join(os.Getenv("PORTHOLE_PICTURES"), name+".png"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, capture(w)); err != nil {
		t.Fatal(err)
	}
}

// capture returns a picture of the window's content.
func capture(w fyne.Window) image.Image {
	for range 2 { // a wrapping text learns its height from its width. On the graphics card the next frame does this; the software driver has no frames.
		w.Content().Refresh()
	}
	return w.Canvas().Capture()
}

// TestPictures writes pictures of all pages to the folder PORTHOLE_PICTURES, for inspection and for
// the documentation. Fyne's software driver paints them like the graphics card, except for the
// edges of letters.
func TestPictures(t *testing.T) {
	folder := os.Getenv("PORTHOLE_PICTURES")
	if folder == "" {
		t.Skip("PORTHOLE_PICTURES is not set")
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, language := range []string{"en", "de"} {
		for _, theme := range []string{"dark", "light"} {
			for _, size := range []fyne.Size{DefaultSize, fyne.NewSize(900, 600), fyne.NewSize(1600, 1000)} {
				for _, scale := range []float32{1, 2} {
					if size != DefaultSize && language == "de" || size == DefaultSize && scale == 2 {
						continue
					}
					suffix := fmt.Sprintf("%s-%s-%.0f-%.0f", theme, language, size.Width, 100*scale)
					t.Run(suffix, func(t *testing.T) {
						if language == "de" {
							uitest.InGerman(t)
						}
						pictures(t, theme, suffix, size, scale)
					})
				}
			}
		}
	}
}

// scene returns a window that shows many different things at once, and its history.
func scene(t *testing.T, theme string, size fyne.Size, scale float32) (*desk, *uitest.FakeHistory) {
	at := time.Date(2026, 11, 24, 15, 53, 0, 0, time.UTC)
	r := uitest.SampleHistory(at)
	d := deskWith(t, r)
	rules := watch.Default()
	for _, ports := range []uint16{5432, 8080} {
		rules = append(rules, watch.Rule{Ports: monitor.Ports{{First: ports, Last: ports}}})
	}
	d.SetStatus(Status{User: "ada", Rules: rules, Health: monitor.Health{Interval: 250 * time.Millisecond},
		Settings: settings.Settings{Theme: theme, Notifications: true, HistoryDays: 90, HistoryEvents: 100000}})
	d.window.Canvas().(software.WindowlessCanvas).SetScale(scale)
	d.window.Resize(size)
	list := uitest.SampleListeners(at)
	d.see(list...)
	d.ports.Table().Select(list[len(list)-1].ID)
	counts := map[string]int{}
	for i, l := range list {
		counts[l.ID] = i % 4
	}
	d.ShowProbe(probe.Result{At: at, Counts: counts})
	r.Answer()
	return d, r
}

// pictures writes the pictures PAGE-SUFFIX.png of a workday.
func pictures(t *testing.T, theme, suffix string, size fyne.Size, scale float32) {
	w := newWorkday()
	d := deskWith(t, w.History)
	d.At = w.At
	d.SetStatus(Status{User: "ada", Rules: w.Watches, Health: monitor.Health{Interval: 250 * time.Millisecond},
		System:   explain.System{EphemeralPorts: monitor.Ports{{First: 32768, Last: 60999}}},
		Settings: settings.Settings{Theme: theme, StartAtLogin: true, Notifications: true, HistoryDays: 90, HistoryEvents: 100000}})
	scaled := func(w fyne.Window) { w.Canvas().(software.WindowlessCanvas).SetScale(scale) }
	scaled(d.window)
	d.window.Resize(size)
	d.see(w.Listeners...)
	d.ports.Table().Select(w.Selected.ID)
	probes := func(from, to int) { // one every two seconds, as in the program
		for n := from; n < to; n++ {
			d.At = w.At.Add(time.Duration(2*n) * time.Second)
			d.ShowProbe(w.probe(n))
		}
	}
	probes(0, 5)
	w.History.Answer()
	for _, page := range []string{PagePorts, PageHistory, PageWatches, PageSettings} {
		d.ShowPage(page)
		w.History.Answer()
		picture(t, d.window, page+"-"+suffix)
	}
	d.ShowPage(PagePorts)
	overlay := func(name string) {
		top := d.window.Canvas().Overlays().Top()
		if top == nil {
			t.Fatalf("%s: got no overlay", name)
		}
		picture(t, d.window, name+"-"+suffix)
		top.Hide()
	}
	selected, _ := d.ports.Table().Selected()
	d.ports.Table().OnMenu(selected, fyne.NewPos(220, 400))
	overlay("menu")
	processes := map[string]*monitor.Listener{"process": w.Selected}
	if size == DefaultSize { // once is enough: these do not depend on the window's size
		processes["warnings"] = w.Exposed
		uitest.Press(d.window, fyne.KeyDelete)
		d.stopProgress(stop.Update{Stage: stop.Ready, Targets: w.Selected.Owners, Listeners: []*monitor.Listener{w.Selected}, GracePeriod: 10 * time.Second})
		overlay("stop")
	}
	for name, l := range processes {
		d.OpenProcess(l)
		probes(5, 40) // the graph shows the last minute
		w.History.Answer()
		for id, p := range d.processes {
			scaled(p.Fyne())
			picture(t, p.Fyne(), name+"-"+suffix)
			p.Fyne().Close()
			delete(d.processes, id)
		}
	}
}
