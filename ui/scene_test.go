package ui

import (
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
		Settings: settings.Settings{Theme: theme, Notifications: true, GracePeriod: watch.DefaultGrace, HistoryDays: 90, HistoryEvents: 100000}})
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
