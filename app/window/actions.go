//go:build cgo

package window

import (
	"os"
	"os/exec"
	"time"

	"porthole/app/desktop"
	"porthole/app/doctor"
	"porthole/app/ipc"
	"porthole/monitor"
	"porthole/monitor/label"
	"porthole/monitor/launch"
	"porthole/monitor/watch"
	"porthole/ui/settings"
)

// actions implements ui.Actions, in this process or through the agent.
type actions struct{ p *program }

func (a actions) Watch(port uint16)   { a.p.send(ipc.Message{Kind: ipc.Watch, Port: port}) }
func (a actions) Unwatch(port uint16) { a.p.send(ipc.Message{Kind: ipc.Unwatch, Port: port}) }
func (a actions) SetWatches(base, rules watch.Rules) {
	a.p.send(ipc.Message{Kind: ipc.SetWatches, Base: base, Watches: rules})
}
func (a actions) ChangeLabels(add, remove label.Rules) {
	a.p.send(ipc.Message{Kind: ipc.ChangeLabels, Added: add, Removed: remove})
}
func (a actions) DismissWelcome() { a.p.send(ipc.Message{Kind: ipc.DismissWelcome}) }
func (a actions) AcceptExposed(l *monitor.Listener) {
	a.p.send(ipc.Message{Kind: ipc.AcceptExposed, Key: l.ID})
}
func (a actions) DismissProblems()  { a.p.send(ipc.Message{Kind: ipc.DismissProblems}) }
func (a actions) Resume()           { a.p.send(ipc.Message{Kind: ipc.Resume}) }
func (a actions) TestNotification() { a.p.send(ipc.Message{Kind: ipc.TestNotification}) }
func (a actions) Set(key, value string) {
	a.p.send(ipc.Message{Kind: ipc.Set, Key: key, Value: value})
}
func (a actions) ReloadSettings()  { a.p.send(ipc.Message{Kind: ipc.ReloadSettings}) }
func (a actions) Refresh()         { a.p.send(ipc.Message{Kind: ipc.Refresh}) }
func (a actions) Copy(text string) { a.p.app.Clipboard().SetContent(text) }

// CopyDiagnostics copies the output of "porthole doctor".
func (a actions) CopyDiagnostics() {
	a.p.work.Go(func() {
		report := doctor.Examine(a.p.ctx, doctor.Options{Version: a.p.version, HasWindow: Built}).String()
		a.p.do(func() {
			a.Copy(report)
			a.p.window.ShowSettingResult(settings.KeyDiagnostics, "")
		})
	})
}

func (a actions) Pause(d time.Duration) {
	a.p.send(ipc.Message{Kind: ipc.Pause, Seconds: int(d / time.Second)})
}

// Close closes the window as its close button does.
func (a actions) Close() { a.p.close() }

// Quit quits Porthole. Without an agent it closes this window.
func (a actions) Quit() {
	if !a.p.connected {
		a.p.app.Quit()
		return
	}
	a.p.send(ipc.Message{Kind: ipc.Quit})
}

// StartAgent starts a new agent with its own window, even if it starts hidden
// according to the settings, and closes this window.
func (a actions) StartAgent() {
	program, err := os.Executable()
	if err == nil {
		cmd := exec.Command(program, "--hidden=false")
		cmd.Env = desktop.ChildEnviron()
		launch.Detach(cmd)
		if err = cmd.Start(); err == nil {
			err = cmd.Process.Release()
		}
	}
	if err != nil {
		a.p.log.Error("can't start Porthole again", "error", err)
		return
	}
	a.p.app.Quit()
}
