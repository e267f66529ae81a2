// Package pictures writes pictures of the window for inspection and for the documentation. It has
// only a test, because Fyne's test driver paints them.
package pictures

import (
	"fmt"
	"image/png"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/driver/software"
	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/monitor/explain"
	"porthole/monitor/inuse"
	"porthole/monitor/watch"
	"porthole/ui"
	"porthole/ui/probe"
	"porthole/ui/settings"
	"porthole/ui/stop"
	uitheme "porthole/ui/theme"
	"porthole/ui/traffic"
	"porthole/ui/uitest"
)

func TestMain(m *testing.M) { uitest.Main(m) }

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
			for _, size := range []fyne.Size{ui.DefaultSize, ui.MinimumSize, fyne.NewSize(900, 600), fyne.NewSize(1600, 1000)} {
				for _, scale := range []float32{1, 2} {
					if !isWanted(language, size, scale) {
						continue
					}
					suffix := fmt.Sprintf("%s-%s-%.0f-%.0f", theme, language, size.Width, 100*scale)
					t.Run(suffix, func(t *testing.T) {
						if language == "de" {
							uitest.InGerman(t)
						}
						writePictures(t, theme, suffix, size, scale)
					})
				}
			}
		}
	}
}

// desk is the window of a workday, whose actions are recorded.
type desk struct {
	*ui.Window
	uitest.Desk
	stopProgress func(stop.Update) // sends progress to the open stop dialog
}

func newDesk(t *testing.T, w *workday, theme string, size fyne.Size, scale float32) *desk {
	d := &desk{Desk: uitest.NewDesk(t, uitheme.Theme{})}
	d.At = w.At
	d.Window = ui.NewWindow(d.App, d, w.History, d.Now)
	d.Desk.Window = d.Fyne()
	d.Show()
	d.SetStatus(status(theme, w.Watches))
	setScale(d.Fyne(), scale)
	d.Fyne().Resize(size)
	d.Update(d.Next(w.Listeners...))
	return d
}

// status returns the status of a running agent with these watches.
func status(theme string, rules watch.Rules) ui.Status {
	return ui.Status{User: "ada", Rules: rules, Health: monitor.Health{Interval: 250 * time.Millisecond},
		System:   explain.System{EphemeralPorts: monitor.Ports{{First: 32768, Last: 60999}}},
		Settings: settings.Settings{Theme: theme, StartAtLogin: true, Notifications: true, GracePeriod: watch.DefaultGrace, HistoryDays: 90, HistoryEvents: 100000}}
}

// RecordTraffic records nothing: no picture shows traffic.
func (d *desk) RecordTraffic(*monitor.Listener, func()) traffic.Recording { return nil }

// ReadTraffic reads nothing.
func (d *desk) ReadTraffic(string, func()) traffic.Recording { return nil }

// Stop takes the place of Desk's: only the dialog's first stage is shown.
func (d *desk) Stop(q stop.Request, progress func(stop.Update)) stop.Stopping {
	d.stopProgress = progress
	return d.Stopping(q.Owners)
}

func setScale(w fyne.Window, scale float32) {
	w.Canvas().(software.WindowlessCanvas).SetScale(scale)
}

// write writes a picture of a window to the folder PORTHOLE_PICTURES.
func write(t *testing.T, w fyne.Window, name string) {
	t.Helper()
	f, err := os.Create(filepath.Join(os.Getenv("PORTHOLE_PICTURES"), name+".png"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, uitest.Capture(w)); err != nil {
		t.Fatal(err)
	}
}

// isWanted reports whether to write pictures of a size: the default and the smallest in every
// language, one scale each; others in English in both scales.
func isWanted(language string, size fyne.Size, scale float32) bool {
	switch size {
	case ui.DefaultSize:
		return scale == 1
	case ui.MinimumSize:
		return scale == 2
	}
	return language == "en"
}

// wholeSettings is the height of a window that shows the Settings page without scrolling.
const wholeSettings = 1600

// writePictures writes the pictures PAGE-SUFFIX.png of a workday.
func writePictures(t *testing.T, theme, suffix string, size fyne.Size, scale float32) {
	w := newWorkday()
	d := newDesk(t, w, theme, size, scale)
	probes := func(from, to int) { // one every two seconds, as in the program
		for n := from; n < to; n++ {
			d.At = w.At.Add(time.Duration(2*n) * time.Second)
			d.ShowProbe(w.probe(n))
		}
	}
	probes(0, 5)
	w.History.Answer()
	for _, page := range []string{ui.PagePorts, ui.PageHistory, ui.PageWatches, ui.PageSettings} {
		d.ShowPage(page)
		if page == ui.PagePorts {
			d.ShowPort(w.Selected.Port)
		}
		w.History.Answer()
		write(t, d.Fyne(), page+"-"+suffix)
		if page == ui.PageWatches {
			uitest.Press(d.Fyne(), fyne.KeyReturn)
			write(t, d.Fyne(), "watchform-"+suffix)
			uitest.Press(d.Fyne(), fyne.KeyEscape)
		}
	}
	if size == ui.DefaultSize {
		d.Fyne().Resize(fyne.NewSize(size.Width, wholeSettings))
		write(t, d.Fyne(), "settings-all-"+suffix)
		d.Fyne().Resize(size)
	}
	d.ShowPage(ui.PagePorts)
	problem := status(theme, w.Watches)
	problem.Problems, problem.CanDismiss = []string{lang.L("The settings file was edited, so your unsaved changes to the watches were discarded. If you still need them, make them again.")}, true
	d.SetStatus(problem)
	write(t, d.Fyne(), "problem-"+suffix)
	d.SetStatus(status(theme, w.Watches))
	writeTaken(t, d, w, theme, suffix)
	overlay := func(name string) {
		t.Helper()
		top := d.Fyne().Canvas().Overlays().Top()
		if top == nil {
			t.Fatalf("%s: got no overlay", name)
		}
		write(t, d.Fyne(), name+"-"+suffix)
		top.Hide()
	}
	uitest.Press(d.Fyne(), desktop.KeyMenu)
	overlay("menu")
	if size == ui.MinimumSize || size == ui.DefaultSize {
		uitest.Press(d.Fyne(), fyne.KeyDelete)
		writeStops(t, d, w, suffix)
	}
	processes := map[string]*monitor.Listener{"process": w.Selected}
	if size == ui.DefaultSize { // once is enough: these do not depend on the window's size
		processes["warnings"] = w.Exposed
		uitest.Press(d.Fyne(), fyne.KeyDelete)
		d.stopProgress(stop.Update{Stage: stop.Ready, Targets: w.Selected.Owners, Listeners: []*monitor.Listener{w.Selected}, GracePeriod: 10 * time.Second})
		overlay("stop")
	}
	for name, l := range processes {
		d.OpenProcess(l)
		probes(5, 40) // the graph shows the last minute
		w.History.Answer()
		for _, p := range d.App.Driver().AllWindows() {
			if p != d.Fyne() && p.Content() != nil { // the test driver keeps empty windows
				setScale(p, scale)
				write(t, p, name+"-"+suffix)
				p.Close()
			}
		}
	}
}

// writeStops writes pictures of the open stop dialog with much text: several owners, long command
// lines and managers, before the stop and afterwards. It closes the dialog.
func writeStops(t *testing.T, d *desk, w *workday, suffix string) {
	t.Helper()
	first := w.Selected.Owners[0]
	first.Name, first.User, first.Project = "payments-settlement-worker", "postgres-replication", "a-project-with-quite-a-long-name"
	first.Command = []string{"/usr/bin/python3", "-m", "uvicorn", "payments.application:create_app", "--factory", "--host", "127.0.0.1", "--port", "62893", "--reload", "--log-config", "/srv/payments/etc/logging/production-with-a-long-name.yaml"}
	first.Folder = "/home/ada/projects/customers/european-payments-company/worktrees/feature-checkout-in-three-steps/services/payments"
	owners := []monitor.Owner{first, first, first}
	owners[1].PID, owners[2].PID = first.PID+1, first.PID+2
	owners[1].Command = append(owners[1].Command[:len(owners[1].Command):len(owners[1].Command)], "--workers", "4")
	manager := func(text, name, command string, run bool) stop.Manager {
		return stop.Manager{Description: lang.L(text, map[string]any{"Name": name, "Policy": "Restart=on-failure"}), Command: command, CanRun: run}
	}
	u := stop.Update{Stage: stop.Ready, Targets: owners, Listeners: []*monitor.Listener{w.Selected}, GracePeriod: 10 * time.Second, Children: 12,
		ListeningChildren: []stop.Child{{Owner: first, Listener: w.Exposed}},
		Managers: []stop.Manager{
			manager("The process belongs to the systemd unit {{.Name}}, which starts it again ({{.Policy}}). To stop it properly, run:", "payments-settlement-worker@production.service", "systemctl --user stop payments-settlement-worker@production.service", true),
			manager("The process was started by a loop in {{.Name}}, which may start it again. To stop the loop, run:", "bash", "kill 48100", false),
		}}
	picture := func(name string) {
		t.Helper()
		write(t, d.Fyne(), name+"-"+suffix)
	}
	d.stopProgress(u)
	picture("stop-long")
	u.Stage, u.Targets, u.StillRunning = stop.StillRunning, owners[:1], owners[1:]
	u.Problems = []string{lang.L("Can't stop {{.Name}}. See the log for details.", map[string]any{"Name": "payments-settlement-worker (48102)"})}
	d.stopProgress(u)
	picture("stop-running")
	u.Stage = stop.Refused
	d.stopProgress(u)
	picture("stop-refused")
	d.Fyne().Canvas().Overlays().Top().Hide()
}

// writeTaken writes a picture of the page of a watched port that is bound without listening, beside
// cards of other ports that can't be bound.
func writeTaken(t *testing.T, d *desk, w *workday, theme, suffix string) {
	t.Helper()
	single := func(port uint16, name string) watch.Rule {
		return watch.Rule{Name: name, Ports: monitor.Ports{{First: port, Last: port}}}
	}
	d.SetStatus(status(theme, watch.Rules{single(7000, "Media"), single(9090, ""), single(43110, "")}))
	vacant := map[uint16]inuse.Answer{}
	add := func(u inuse.Use) {
		u.Protocol = monitor.TCP
		vacant[u.Local.Port()] = inuse.Answer{Port: u.Local.Port(), Uses: append(vacant[u.Local.Port()].Uses, u)}
	}
	at := netip.MustParseAddrPort
	python := []monitor.Owner{{PID: 51377, Name: "python3"}}
	add(inuse.Use{Kind: inuse.Listening, Local: at("192.168.7.2:7000"), Owners: python})
	add(inuse.Use{Kind: inuse.TimeWait, State: "TIME_WAIT", Local: at("127.0.0.1:9090"), Remote: at("127.0.0.1:5000"), Expires: 41 * time.Second})
	add(inuse.Use{Kind: inuse.Connected, State: "ESTABLISHED", Local: at("127.0.0.1:43110"), Remote: at("127.0.0.1:8001"), Owners: python})
	d.ShowPort(43110)
	d.ShowProbe(probe.Result{Vacant: vacant})
	w.History.Answer()
	write(t, d.Fyne(), "taken-"+suffix)
	uitest.Press(d.Fyne(), fyne.KeyEscape)
	d.SetStatus(status(theme, w.Watches))
}
