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
	"porthole/monitor/watch"
	"porthole/ui/probe"
	"porthole/ui/settings"
	"porthole/ui/uitest"
)

// picture leaves what a window shows in the folder PORTHOLE_PICTURES.
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

// capture is what a window shows.
func capture(w fyne.Window) image.Image {
	for range 2 { // what wraps learns its height from its width: on the graphics card with the next frame, which there is none of here
		w.Content().Refresh()
	}
	return w.Canvas().Capture()
}

// TestPictures leaves pictures of all pages, to be looked at. Fyne's software
// driver paints them as the graphics card does, but for the edges of letters.
func TestPictures(t *testing.T) {
	folder := os.Getenv("PORTHOLE_PICTURES")
	if folder == "" {
		t.Skip("PORTHOLE_PICTURES names no folder for them")
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, theme := range []string{"dark", "light"} {
		for _, size := range []fyne.Size{fyne.NewSize(900, 600), fyne.NewSize(1600, 1000)} {
			for _, scale := range []float32{1, 2} {
				t.Run(fmt.Sprintf("%s-%.0fx%.0f-%.0f", theme, size.Width, size.Height, 100*scale), func(t *testing.T) {
					pictures(t, theme, size, scale)
				})
			}
		}
	}
}

// scene is a window in which much is seen at once, and what it remembers.
func scene(t *testing.T, theme string, size fyne.Size, scale float32) (*desk, *uitest.FakeHistory) {
	at := time.Date(2026, 11, 24, 15, 53, 0, 0, time.UTC)
	r := uitest.LivelyHistory(at)
	d := deskWith(t, r)
	rules := watch.Default()
	for _, ports := range []uint16{5432, 8080} {
		rules = append(rules, watch.Rule{Ports: monitor.Ports{{First: ports, Last: ports}}})
	}
	d.SetStatus(Status{User: "ada", Rules: rules, Health: monitor.Health{Interval: 250 * time.Millisecond},
		Settings: settings.Settings{Theme: theme, Notifications: true, HistoryDays: 90, HistoryEvents: 100000}})
	d.window.Canvas().(software.WindowlessCanvas).SetScale(scale)
	d.window.Resize(size)
	list := uitest.LivelyListeners(at)
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

func pictures(t *testing.T, theme string, size fyne.Size, scale float32) {
	d, r := scene(t, theme, size, scale)
	name := func(page string) string { return fmt.Sprintf("%s-%s-%.0f-%.0f", page, theme, size.Width, 100*scale) }
	for _, page := range []string{PagePorts, PageHistory, PageWatches, PageSettings} {
		d.ShowPage(page)
		r.Answer()
		picture(t, d.window, name(page))
	}
	d.ShowPage(PagePorts)
	d.ports.Table().OnMenu(d.ports.Table().Rows()[3], fyne.NewPos(180, 260))
	picture(t, d.window, name("menu"))
	d.window.Canvas().Overlays().Top().Hide()
	d.OpenProcess(d.Last.Listeners[len(d.Last.Listeners)-1])
	r.Answer()
	for _, p := range d.processes {
		p.Fyne().Canvas().(software.WindowlessCanvas).SetScale(scale)
		picture(t, p.Fyne(), name("process"))
	}
}
