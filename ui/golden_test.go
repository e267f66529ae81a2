//go:build ci

// With the tag ci Fyne leaves the fonts of this machine alone, which differ from one
// to the next; what its own fonts do not have is a box then.

package ui

import (
	"runtime"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"porthole/monitor"
	"porthole/ui/uitest"
)

// TestGoldens compares the pages with their pictures in testdata/goldens, to the
// pixel. Where a change is meant, look at the one in testdata/failed, and take it.
func TestGoldens(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("letters are a little different on other processors")
	}
	for _, theme := range []string{"dark", "light"} {
		t.Run(theme, func(t *testing.T) {
			d, r := scene(t, theme, DefaultSize, 1)
			golden := func(name string, w fyne.Window) {
				t.Helper()
				test.AssertImageMatches(t, "goldens/"+name+"-"+theme+".png", capture(w))
			}
			everyMark(d)
			for _, page := range []string{PagePorts, PageHistory, PageWatches, PageSettings} {
				d.ShowPage(page)
				r.Answer()
				golden(page, d.window)
			}
			d.OpenProcess(d.Last.Listeners[len(d.Last.Listeners)-1])
			r.Answer()
			for _, p := range d.processes {
				golden("process", p.Fyne())
			}
		})
	}
}

// everyMark has one row of each mark, rows of one process together, one that the
// pointer is on, one of UDP and one of another address.
func everyMark(d *desk) {
	d.status.Settings.UDP, d.status.Settings.AllAddresses = true, true
	d.SetStatus(d.status)
	d.ports.ToggleGroup()
	list := uitest.LivelyListeners(d.At)
	var left []*monitor.Listener
	for _, l := range list {
		if l.Since.IsZero() {
			l.Since = d.At.Add(-26 * time.Hour) // no “≤”, which is of a font of the machine's
		}
		switch l.Port {
		case 5173:
			continue // has closed
		case 6379:
			changed := *l
			changed.Project = "cache"
			l = &changed
		}
		left = append(left, l)
	}
	udp := uitest.Listening(5353, "avahi-daemon", 700, "0.0.0.0")
	udp.ID, udp.Protocol = "udp-5353-700", monitor.UDP
	lan := uitest.Listening(9000, "node", 48101, "192.168.178.123")
	for _, l := range []*monitor.Listener{udp, lan} {
		l.Since = d.At.Add(-time.Hour)
	}
	opened := uitest.Listening(4000, "ruby", 52000)
	opened.Since = d.At
	left = append(left, udp, lan)
	d.see(append(list, udp, lan)...)
	d.At = d.At.Add(3 * time.Second)
	d.Tick()
	d.see(append(left, opened)...)
	test.MoveMouse(d.window.Canvas(), d.row(8))
}
