package stop

import (
	"slices"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"

	"porthole/monitor"
	"porthole/ui/table"
	uitheme "porthole/ui/theme"
	"porthole/ui/widgets"
	"porthole/ui/words"
)

// This file stops the processes and shows how that goes.

// terminate sends SIGTERM. Its button disappears, so that it is sent only once.
func (d *Dialog) terminate() {
	if d.last.ForceOnly {
		d.forceQuit()
		return
	}
	targets := d.targets()
	d.keepOthers()
	words := lang.L("SIGTERM sent. Porthole waits up to {{.Time}} for the exit.", map[string]any{"Time": words.ShortDuration(d.gracePeriod)})
	d.wait(lang.N("Stopping {{.Name}}…", len(targets), map[string]any{"Name": countOrName(targets)}), targets, words, d.warningButton(lang.L("Force quit now"), d.forceQuit))
	d.stop.Terminate(d.children != nil && d.children.On)
}

// runManager stops the processes through their manager. The command is visible next to
// its button.
func (d *Dialog) runManager(command string) {
	d.gracePeriod = max(d.gracePeriod, time.Second)
	d.wait(lang.L("Running the command…"), nil, command)
	d.stop.RunManager(command)
}

// forceQuit sends SIGKILL to the processes that are still running.
func (d *Dialog) forceQuit() {
	d.forced = true
	left := d.last.StillRunning
	if d.last.Stage == Ready {
		left = d.targets()
		d.keepOthers()
	}
	d.wait(lang.N("Force quitting {{.Name}}…", len(left), map[string]any{"Name": countOrName(left)}), left, lang.L("Ending the process immediately."))
	d.stop.ForceQuit()
}

// wait shows a progress bar while a signal or a command is pending.
func (d *Dialog) wait(title string, owners []monitor.Owner, words string, more ...fyne.CanvasObject) {
	d.sentAt = d.now()
	if len(owners) == 0 {
		d.showSentences(words)
	} else {
		d.showSentences(append(namesIfSeveral(owners), words)...)
	}
	d.bar = newProgressBar()
	d.body.Add(container.New(layout.NewCustomPaddedLayout(4, 4, 0, 0), d.bar.object))
	d.show(title, append([]fyne.CanvasObject{d.button(lang.L("Close"), d.Hide)}, more...)...)
}

// Tick must be called every second. It moves the progress bar.
func (d *Dialog) Tick() {
	if !d.sentAt.IsZero() {
		d.bar.set(float32(d.now().Sub(d.sentAt)) / float32(d.gracePeriod))
	}
}

// offerForce names the processes that are still running, and offers to force quit them.
func (d *Dialog) offerForce() {
	n := d.last
	words := lang.L("Still running after SIGTERM. Force quit ends it immediately; unsaved data is lost.")
	force := d.dangerButton(lang.L("Force quit"), d.forceQuit)
	buttons := []fyne.CanvasObject{d.button(lang.L("Keep running"), d.Hide), force}
	if d.forced {
		words = lang.L("Still running after SIGKILL. The system may be waiting for a device.")
		buttons = []fyne.CanvasObject{d.button(lang.L("Close"), d.Hide)}
	}
	d.showSentences(slices.Concat(namesIfSeveral(n.StillRunning), []string{words}, n.Problems)...)
	d.show(lang.N("{{.Name}} are still running", len(n.StillRunning), map[string]any{"Name": countOrName(n.StillRunning)}), buttons...)
}

// success shows what exited and whether the port is free.
func (d *Dialog) success() {
	n := d.last
	d.body.RemoveAll()
	if len(n.Targets) > 0 {
		d.body.Add(sentenceNote(exitedText(n.Targets)))
	}
	if len(n.Finishing) > 0 {
		d.body.Add(sentenceNote(lang.N("{{.Name}} closed the port and is still finishing.", len(n.Finishing), map[string]any{"Name": nameList(n.Finishing)})))
	}
	for _, s := range slices.Concat(n.StillOpen, n.InUse) {
		d.body.Add(sentenceNote(s))
	}
	buttons := []fyne.CanvasObject{d.button(lang.L("Close"), d.Hide)}
	if len(n.InUse) > 0 {
		d.addManagers()
		d.show(lang.L("Port in use again"), buttons...)
		return
	}
	command := ""
	if len(n.Targets) > 0 {
		command = restartCommand(n.Targets[0])
	}
	if command == "" && len(n.Targets) > 0 && n.Targets[0].Inside {
		d.body.Add(sentenceNote(lang.L("It ran inside a container or another mount namespace, so its command does not start it again here.")))
	}
	if n.Again != "" {
		d.body.Add(sentenceNote(n.Again))
		d.againNote = widgets.NewNote(true)
		d.body.Add(d.againNote.Object)
		d.again = d.button(lang.L("Start again"), d.startAgain)
		buttons = append(buttons, d.again)
	}
	if command != "" {
		d.restartNote = widgets.NewNote(true)
		d.restartNote.Set(lang.L("To start it again, copy its command and run it in a terminal."), table.ColorMuted)
		d.body.Add(d.restartNote.Object)
		buttons = append(buttons, d.button(lang.L("Copy command"), func() {
			d.actions.Copy(command)
			d.restartNote.Set(lang.L("Copied. Paste it into a terminal. The command is not shown here because it may contain a password."), uitheme.ColorOpen)
			d.resize()
		}))
	}
	d.show(lang.L("Stopped"), buttons...)
}
