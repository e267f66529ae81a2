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
	"porthole/monitor/history"
	"porthole/monitor/watch"
)

// lively are the listeners of a machine that somebody works on, with what is long
// and what is odd among them.
func lively(at time.Time) []*monitor.Listener {
	with := func(l *monitor.Listener, project, service string, up time.Duration) *monitor.Listener {
		l.Project, l.Service, l.ServiceBy = project, service, monitor.ByCommand
		if up > 0 {
			l.Since = at.Add(-up)
		}
		for i := range l.Owners {
			l.Owners[i].Project, l.Owners[i].StartedAt = project, at.Add(-30*time.Hour)
			l.Owners[i].Folder, l.Owners[i].Program = "/home/ada/src/"+project, "/usr/bin/"+l.Owners[i].Name
			l.Owners[i].Parents = []monitor.Parent{{PID: 812, Name: "bash"}, {PID: 640, Name: "gnome-terminal-server"}, {PID: 1, Name: "systemd"}}
		}
		return l
	}
	web := with(listening(62893, "node", 48213, "127.0.0.1", "::1"), "acme-web", "Vite", 12*time.Minute)
	web.Owners[0].Branch = "feature/checkout-with-three-payment-providers"
	web.Owners[0].Command = []string{"node", "/home/ada/src/acme-web/node_modules/.bin/vite", "--port", "62893", "--token", "s3cret", "--host", "localhost", "--strictPort"}
	return []*monitor.Listener{
		listening(22, "", 0, "0.0.0.0", "::"),
		listening(631, "", 0, "127.0.0.1", "::1"),
		with(listening(3000, "node", 48101), "shop-api", "Express", 2*time.Hour),
		with(listening(5173, "node", 48199), "admin-ui", "Vite", 40*time.Second),
		with(listening(5432, "postgres", 911, "127.0.0.1", "::1"), "", "PostgreSQL", 0),
		with(listening(6379, "redis-server", 934), "", "Redis", 0),
		with(listening(8000, "python3", 50121, "0.0.0.0"), "notes-with-a-name-that-goes-on-and-on", "Django", 5*time.Minute),
		with(listening(8080, "java", 50999, "0.0.0.0", "::"), "warehouse", "Spring Boot", 26*time.Hour),
		with(listening(9229, "node", 48101), "shop-api", "Node.js inspector", 2*time.Hour),
		with(listening(49152, "a-program-of-a-very-long-name", 51000), "", "", 0),
		web,
	}
}

// livelyDays are what such a machine did yesterday and today.
func livelyDays(at time.Time) *remembers {
	r := &remembers{}
	for i := range 60 {
		l := lively(at)[i%11]
		e := history.Event{ID: int64(i + 1), At: at.Add(time.Duration(i-60) * 31 * time.Minute), Kind: monitor.Opened, Port: l.Port, Addresses: l.Addresses, Exposure: l.Exposure, Listener: fmt.Sprint(l.ID, i/2)}
		if o, ok := l.Principal(); ok {
			e.Owner = history.Owner{PID: o.PID, Name: o.Name, User: o.User, Project: o.Project, Service: l.Service, Command: o.Command}
		}
		switch i % 5 {
		case 1:
			e.Kind, e.OpenedAt, e.Duration = monitor.Closed, e.At.Add(-7*time.Minute), 7*time.Minute
		case 3:
			e.Kind, e.OwnerBefore = monitor.OwnerChanged, &history.Owner{PID: 77, Name: "postgres", User: "ada"}
		}
		r.events = append(r.events, e)
	}
	return r
}

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
func scene(t *testing.T, theme string, size fyne.Size, scale float32) (*desk, *remembers) {
	at := time.Date(2026, 11, 24, 15, 53, 0, 0, time.UTC)
	r := livelyDays(at)
	d := deskWith(t, r)
	rules := watch.Default()
	for _, ports := range []uint16{5432, 8080} {
		rules = append(rules, watch.Rule{Ports: monitor.Ports{{First: ports, Last: ports}}})
	}
	d.SetStatus(Status{User: "ada", Rules: rules, Health: monitor.Health{Interval: 250 * time.Millisecond},
		Settings: Settings{Theme: theme, Notifications: true, HistoryDays: 90, HistoryEvents: 100000}})
	d.window.Canvas().(software.WindowlessCanvas).SetScale(scale)
	d.window.Resize(size)
	list := lively(at)
	d.see(list...)
	d.ports.table.Select(list[len(list)-1].ID)
	counts := map[string]int{}
	for i, l := range list {
		counts[l.ID] = i % 4
	}
	d.ShowProbe(ProbeResult{At: at, Counts: counts})
	r.answer()
	return d, r
}

func pictures(t *testing.T, theme string, size fyne.Size, scale float32) {
	d, r := scene(t, theme, size, scale)
	name := func(page string) string { return fmt.Sprintf("%s-%s-%.0f-%.0f", page, theme, size.Width, 100*scale) }
	for _, page := range []string{PagePorts, PageHistory, PageWatches, PageSettings} {
		d.ShowPage(page)
		r.answer()
		picture(t, d.window, name(page))
	}
	d.ShowPage(PagePorts)
	d.ports.menu(d.ports.table.Rows()[3], fyne.NewPos(180, 260))
	picture(t, d.window, name("menu"))
	d.window.Canvas().Overlays().Top().Hide()
	d.OpenProcess(d.last.Listeners[len(d.last.Listeners)-1])
	r.answer()
	for _, p := range d.processes {
		p.window.Canvas().(software.WindowlessCanvas).SetScale(scale)
		picture(t, p.window, name("process"))
	}
}
