package ui

import (
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"porthole/monitor"
	model "porthole/monitor/traffic"
	"porthole/monitor/watch"
	"porthole/ui/settings"
	"porthole/ui/stop"
	uitheme "porthole/ui/theme"
	"porthole/ui/traffic"
	"porthole/ui/uitest"
)

func TestMain(m *testing.M) { uitest.Main(m) }

// desk is the whole window on Fyne's software driver.
type desk struct {
	*Window
	uitest.Desk
	stopProgress func(stop.Update) // sends progress to the open stop dialog
}

func newDesk(t *testing.T) *desk { return deskWith(t, nil) }

// deskWith is newDesk with a history.
func deskWith(t testing.TB, history History) *desk {
	t.Helper()
	d := silentDesk(t, history)
	d.SetStatus(Status{Settings: settings.Settings{Notifications: true}, Rules: watch.Default(), Health: monitor.Health{Interval: 250 * time.Millisecond}})
	return d
}

// silentDesk is deskWith before the agent has sent anything.
func silentDesk(t testing.TB, history History) *desk {
	t.Helper()
	d := &desk{Desk: uitest.NewDesk(t, uitheme.Theme{})}
	d.Window = NewWindow(d.App, d, history, d.Now)
	d.Desk.Window = d.window
	d.window.Resize(fyne.NewSize(1000, 600))
	d.Show()
	return d
}

// Stop records the processes to stop. Afterwards d.stopProgress sends progress to the dialog.
func (d *desk) Stop(q stop.Request, progress func(stop.Update)) stop.Stopping {
	d.stopProgress = progress
	return d.Stopping(q.Owners)
}

// recording is the traffic of a listener in tests. It has no source.
type recording struct {
	desk  *desk
	store *model.Store
}

func (d *desk) RecordTraffic(l *monitor.Listener, _ func()) traffic.Recording {
	d.Ask("record the traffic of %d", l.Port)
	return recording{d, model.NewStore(model.Limits{})}
}

func (d *desk) ReadTraffic(path string, _ func()) traffic.Recording {
	d.Ask("read the traffic in %s", path)
	return recording{d, model.NewStore(model.Limits{})}
}

func (r recording) Store() *model.Store                                        { return r.store }
func (r recording) Undecoded() int64                                           { return 0 }
func (r recording) Start(s traffic.Source, _ func(traffic.Started))            { r.desk.Ask("%s", s) }
func (r recording) CanElevate() bool                                           { return false }
func (r recording) Packets() int64                                             { return 0 }
func (r recording) SavePackets(string, func(problem string))                   {}
func (r recording) Clear()                                                     {}
func (r recording) SetPaused(bool)                                             {}
func (r recording) Replay(*model.Exchange, func(*model.Exchange, string))      {}
func (r recording) Save(string, []*model.Exchange, bool, func(problem string)) {}
func (r recording) Close()                                                     { r.desk.Ask("stop recording") }

// see shows the window the next snapshot, like the monitor.
func (d *desk) see(listeners ...*monitor.Listener) { d.Update(d.Next(listeners...)) }

// rows returns the ports of the table's rows in order, with their marks.
func (d *desk) rows() []string {
	var out []string
	for _, r := range d.ports.Table().Rows() {
		text, _, _ := strings.Cut(r.AccessibleText(), ", ")
		if mark := r.Mark().Text; mark != "" {
			port, _, _ := strings.Cut(strings.TrimPrefix(r.AccessibleText(), mark+", "), ", ")
			text = port + " " + mark
		}
		out = append(out, text)
	}
	return out
}

// selected returns the port of the selected row; "" if there is none.
func (d *desk) selected() string {
	if r, ok := d.ports.Table().Selected(); ok {
		port, _, _ := strings.Cut(strings.TrimPrefix(r.AccessibleText(), r.Mark().Text+", "), ", ")
		return port
	}
	return ""
}

// focusables returns the widgets that Tab focuses, in order.
func (d *desk) focusables() (all []fyne.Focusable) {
	c := d.window.Canvas()
	for c.FocusNext(); !slices.Contains(all, c.Focused()); c.FocusNext() {
		all = append(all, c.Focused())
	}
	return all
}

// row returns the position of row i on the canvas.
func (d *desk) row(i int) fyne.Position {
	return fyne.NewPos(200, d.ports.Table().Top()+float32(i)*32+16)
}

// setSettings shows the window a status with settings s.
func (d *desk) setSettings(s settings.Settings) {
	d.SetStatus(Status{Rules: watch.Default(), Health: monitor.Health{Interval: 250 * time.Millisecond}, Settings: s})
}
