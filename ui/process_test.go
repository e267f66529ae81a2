package ui

import (
	"net/netip"
	"runtime"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"porthole/monitor"
)

// storyOf returns the window of one process that listens on 62893.
func storyOf(t *testing.T, service string, by monitor.ServiceBy, project, branch string) *processWindow {
	t.Helper()
	app := test.NewTempApp(t)
	app.Settings().SetTheme(Theme{})
	now := time.Date(2026, 11, 24, 15, 53, 0, 0, time.UTC)
	l := &monitor.Listener{ID: "1", Protocol: monitor.TCP, Port: 62893, Service: service, ServiceBy: by,
		Owners: []monitor.Owner{{PID: 47733, Start: 1, Name: "node", User: "you", Project: project, Branch: branch,
			StartedAt: now.Add(-12 * time.Minute), Command: []string{"node", "node_modules/.bin/vite"}}},
		Sockets: []monitor.HeldSocket{{Socket: monitor.Socket{Address: netip.MustParseAddr("127.0.0.1")}, Owners: []int{47733}}}}
	p := newProcessWindow(app, l, monitor.Snapshot{Listeners: []*monitor.Listener{l}}, &desk{}, nil, func() time.Time { return now })
	t.Cleanup(p.window.Close)
	return p
}

func TestTheProcessWindowSaysWhatItIs(t *testing.T) {
	for _, c := range []struct {
		service         string
		by              monitor.ServiceBy
		project, branch string
		want            string
	}{
		{"Vite", monitor.ByCommand, "acme-web", "main", "Vite of acme-web (git: main)"},
		{"Vite", monitor.ByCommand, "acme-web", "", "Vite of acme-web"},
		{"Redis", monitor.ByProgram, "", "main", "Redis"},
		{"hbci", monitor.ByPort, "acme-web", "main", "acme-web (git: main)"}, // the port alone is a guess
		{"hbci", monitor.ByPort, "", "", ""},
		{"", "", "a\u202eb\n", "x\x1b[31m", "a b (git: x [31m)"},
	} {
		p := storyOf(t, c.service, c.by, c.project, c.branch)
		if p.what.Text != c.want || p.what.Visible() != (c.want != "") {
			t.Errorf("%+v: %q, shown %v", c, p.what.Text, p.what.Visible())
		}
	}
}

func TestTheProcessWindowOffersWhatCanBeDone(t *testing.T) {
	p := storyOf(t, "Vite", monitor.ByCommand, "acme-web", "main")
	d := p.actions.(*desk)
	labels := func() (all []string) {
		for _, o := range p.buttons().(*fyne.Container).Objects {
			b := o.(*keyButton)
			all = append(all, b.Text)
			b.OnTapped()
		}
		return all
	}
	p.row.Addresses = []netip.Addr{netip.MustParseAddr("127.0.0.1")}
	d.t = t
	d.want("buttons", labels(), []string{"Open in browser", "Copy URL", "Copy command"}) // its folder is not known
	d.want("asked", d.asked, []string{"browse 127.0.0.1:62893", "copy http://127.0.0.1:62893/", "copy node node_modules/.bin/vite"})
	p.row.Protocol, p.owner.Folder, p.owner.Command, d.asked = monitor.UDP, "/src", nil, nil
	d.want("buttons of UDP", labels(), []string{"Open folder"})
	d.want("asked", d.asked, []string{"folder /src"})
}

// Process windows that were closed are forgotten, and end what they began. Their
// memory is measured by make cost: Fyne's software driver keeps every widget.
func TestProcessWindowsLeaveNothingBehind(t *testing.T) {
	d := newDesk(t)
	l := listening(3000, "node", 10)
	d.see(l)
	before, wanted := runtime.NumGoroutine(), len(d.Wanted().Processes)
	for range 200 {
		d.OpenProcess(l)
		d.Tick()
		d.processes["10 7"].window.Close()
	}
	if len(d.processes) != 0 {
		t.Errorf("%d process windows are open", len(d.processes))
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines before, %d after", before, after)
	}
	if got := len(d.Wanted().Processes); got != wanted {
		t.Errorf("%d processes are looked at; want %d, as before", got, wanted)
	}
}
