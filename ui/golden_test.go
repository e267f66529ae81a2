//go:build ci

// With the build tag ci Fyne ignores the fonts of the machine, which differ between machines.
// Characters that Fyne's own fonts lack are painted as boxes.

package ui

import (
	"runtime"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"porthole/monitor"
	"porthole/monitor/connection"
	"porthole/ui/uitest"
)

// TestGoldens compares the pages with their pictures in testdata/goldens, pixel by pixel. If a
// change is intended, check the picture in testdata/failed and copy it to testdata/goldens.
func TestGoldens(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("text is rendered slightly differently on other processors")
	}
	for _, theme := range []string{"dark", "light"} {
		t.Run(theme, func(t *testing.T) {
			d, r := scene(t, theme, DefaultSize, 1)
			golden := func(name string, w fyne.Window) {
				t.Helper()
				test.AssertImageMatches(t, "goldens/"+name+"-"+theme+".png", uitest.Capture(w))
			}
			everyMark(d)
			for _, page := range []string{PagePorts, PageHistory, PageWatches, PageSettings} {
				d.ShowPage(page)
				r.Answer()
				golden(page, d.window)
			}
			d.ShowPage(PagePorts)
			newUser(d)
			golden("welcome", d.window)
			d.OpenProcess(d.Last.Listeners[len(d.Last.Listeners)-1])
			r.Answer()
			for _, p := range d.processes {
				golden("process", p.Fyne())
			}
			small, r := scene(t, theme, MinimumSize, 1)
			everyMark(small)
			for _, page := range []string{PagePorts, PageHistory, PageWatches, PageSettings} {
				small.ShowPage(page)
				r.Answer()
				golden(page+"-small", small.window)
			}
		})
	}
}

// newUser shows the welcome with the page that a new user has opened.
func newUser(d *desk) {
	d.status.Welcome = true
	d.SetStatus(d.status)
	for _, text := range uitest.Texts(d.window.Content()) {
		if text.Text == "Try it" {
			test.TapCanvas(d.window.Canvas(), fyne.CurrentApp().Driver().AbsolutePositionForObject(text).AddXY(3, 3))
		}
	}
	d.TryPageChanged(true, nil)
}

// everyMark shows rows with each mark, a group of rows of one process, a hovered row, a UDP row and
// a row with the address of another interface.
func everyMark(d *desk) {
	d.status.Settings.UDP, d.status.Settings.AllAddresses = true, true
	d.SetStatus(d.status)
	d.ports.ToggleGroup()
	list := uitest.SampleListeners(d.At)
	var left []*monitor.Listener
	for _, l := range list {
		if l.Since.IsZero() {
			l.Since = d.At.Add(-26 * time.Hour) // avoids “≤”, which would come from a font of the machine
		}
		switch l.Port {
		case 5173:
			continue // this one closes
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
	if l := d.ports.Detailed(); l != nil {
		counted := connection.Amount{Connections: 1204, Received: 412_000, Sent: 12_000_000}
		d.ShowTotals(map[string]connection.Totals{l.ID: {Amount: counted, SinceOpened: true, LastMinute: connection.LastMinute{Amount: connection.Amount{Connections: 38}}}})
	}
}
