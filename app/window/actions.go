//go:build cgo

package window

import (
	"os"
	"os/exec"
	"time"

	"porthole/app/doctor"
	"porthole/app/link"
	"porthole/monitor/watch"
	"porthole/ui"
)

// actions is what the window asks for: here, or of the agent.
type actions struct{ p *program }

func (a actions) Watch(port uint16)   { a.p.say(link.Message{Kind: link.Watch, Port: port}) }
func (a actions) Unwatch(port uint16) { a.p.say(link.Message{Kind: link.Unwatch, Port: port}) }
func (a actions) SetWatches(seen, rules watch.Rules) {
	a.p.say(link.Message{Kind: link.Watches, Base: seen, Watches: rules})
}
func (a actions) Welcomed()         { a.p.say(link.Message{Kind: link.Welcomed}) }
func (a actions) Resume()           { a.p.say(link.Message{Kind: link.Resume}) }
func (a actions) TestNotification() { a.p.say(link.Message{Kind: link.Test}) }
func (a actions) Set(key, value string) {
	a.p.say(link.Message{Kind: link.Set, Key: key, Value: value})
}
func (a actions) LookAtSettings()  { a.p.say(link.Message{Kind: link.Look}) }
func (a actions) Refresh()         { a.p.say(link.Message{Kind: link.Refresh}) }
func (a actions) Copy(text string) { a.p.app.Clipboard().SetContent(text) }

// CopyDiagnostics copies what "porthole doctor" prints.
func (a actions) CopyDiagnostics() {
	a.p.work.Go(func() {
		report := doctor.Examine(a.p.ctx, doctor.Options{Version: a.p.version, Window: Built}).String()
		a.p.do(func() {
			a.Copy(report)
			a.p.window.Answered(ui.KeyDiagnostics, "")
		})
	})
}

func (a actions) Pause(d time.Duration) {
	a.p.say(link.Message{Kind: link.Pause, Seconds: int(d / time.Second)})
}

// Close closes the window as its button does.
func (a actions) Close() { a.p.close() }

// Quit ends Porthole; where the agent is gone that is this window.
func (a actions) Quit() {
	if !a.p.live {
		a.p.app.Quit()
		return
	}
	a.p.say(link.Message{Kind: link.Quit})
}

// Restart starts an agent, which brings a window of its own, also where the
// settings say that a start is hidden.
func (a actions) Restart() {
	program, err := os.Executable()
	if err == nil {
		cmd := exec.Command(program, "--hidden=false")
		detach(cmd)
		if err = cmd.Start(); err == nil {
			err = cmd.Process.Release()
		}
	}
	if err != nil {
		a.p.log.Error("Porthole could not be started again", "problem", err)
		return
	}
	a.p.app.Quit()
}
