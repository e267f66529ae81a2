// Package stop is the dialog that confirms and shows the stopping of processes.
//
// Everything must be called on Fyne's goroutine.
package stop

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"porthole/monitor"
	"porthole/ui/table"
	uitheme "porthole/ui/theme"
	"porthole/ui/widgets"
	"porthole/ui/words"
)

// Sizes and limits of the dialog.
const (
	dialogWidth   = 460 // if the window is wide enough
	maxBodyHeight = 340 // of the text; a longer text scrolls
	frameHeight   = 130 // of the title, the buttons and the padding
	toggleGap     = 8   // between a switch and its process
	scrollBar     = 10  // room for it beside the text
	maxNamed      = 3   // processes named in one sentence
)

// Dialog asks for confirmation before processes are stopped, and shows the progress. Only
// one can be open at a time. Create it with Open.
type Dialog struct {
	window      fyne.Window
	actions     Actions
	now         func() time.Time
	onClose     func() // called once the dialog is closed
	onStopped   func(Stopped)
	stop        Stopping
	last        Update
	sentAt      time.Time     // when the last signal was sent; zero if none is pending
	gracePeriod time.Duration // how long to wait after sentAt
	forced      bool

	popUp       *widget.PopUp
	title       *canvas.Text
	body        *fyne.Container
	scroll      *container.Scroll
	buttons     *fyne.Container
	children    *widgets.Toggle
	chosen      []*widgets.Toggle // one for each target, if there are several
	bar         *progressBar
	restartNote *widgets.Note
	releaseKeys func() // returns the keys to the window
	closed      bool
}

// Stopped are processes that exited because the user stopped them.
type Stopped struct {
	Owners []monitor.Owner
	At     time.Time
	Forced bool
}

// Open shows the dialog for a request over a window without other pop-ups. onStopped is
// called with processes that exited because the user stopped them, onClose when the
// dialog is closed.
func Open(window fyne.Window, q Request, actions Actions, now func() time.Time, onStopped func(Stopped), onClose func()) *Dialog {
	d := &Dialog{window: window, actions: actions, now: now, onStopped: onStopped, onClose: onClose}
	d.open()
	d.stop = actions.Stop(q, d.update)
	return d
}

// Window returns the window that the dialog is over.
func (d *Dialog) Window() fyne.Window { return d.window }

// open shows the dialog without content, which arrives with the first update.
func (d *Dialog) open() {
	d.title = widgets.NewText(lang.L("Stop?"), theme.ColorNameForeground)
	d.title.TextSize, d.title.TextStyle.Bold = theme.Size(theme.SizeNameSubHeadingText), true
	d.body = container.New(layout.NewCustomPaddedVBoxLayout(8))
	d.scroll = container.NewVScroll(container.New(layout.NewCustomPaddedLayout(0, 0, 0, scrollBar), d.body))
	d.buttons = container.NewHBox()
	content := container.New(layout.NewCustomPaddedVBoxLayout(10), widgets.Follow(d.title, theme.ColorNameForeground), d.scroll, d.buttons)
	d.popUp = widget.NewModalPopUp(container.New(layout.NewCustomPaddedLayout(12, 10, 16, 12), content), d.window.Canvas())
	d.show(lang.L("Stop?"), d.button(lang.L("Cancel"), d.Hide))
	d.popUp.Show()
	d.focusFirst()
	d.releaseKeys = widgets.CaptureKeys(d.window.Canvas(), d.Hide)
}

func (d *Dialog) button(label string, do func()) *widgets.Button {
	b := widgets.NewKeyButton(label, do, d.Hide)
	b.Scroll = d.scroll
	return b
}

func (d *Dialog) dangerButton(label string, do func()) *widgets.Button {
	b := d.button(label, do)
	b.Importance = widget.DangerImportance
	return b
}

// warningButton returns a button with a red label, for what is not the expected next step.
func (d *Dialog) warningButton(label string, do func()) *widgets.Button {
	b := widgets.NewDangerButton(label, do, d.Hide)
	b.Scroll = d.scroll
	return b
}

// show replaces the title and the buttons. The first button changes nothing; it gains the
// keyboard focus.
func (d *Dialog) show(title string, buttons ...fyne.CanvasObject) {
	widgets.SetText(d.title, table.Fit(title, d.width(), d.title.TextSize, d.title.TextStyle), theme.ColorNameForeground)
	d.buttons.Objects = append([]fyne.CanvasObject{layout.NewSpacer()}, buttons...)
	d.resize()
	d.focusFirst()
}

func (d *Dialog) focusFirst() {
	if f, ok := d.buttons.Objects[1].(fyne.Focusable); ok && d.popUp.Visible() {
		d.window.Canvas().Focus(f)
	}
}

// width returns the width of the text.
func (d *Dialog) width() float32 {
	return max(min(dialogWidth, d.window.Canvas().Size().Width-60-scrollBar), 200)
}

// resize fits the dialog to the height of its text at its width.
func (d *Dialog) resize() {
	width, room := d.width(), d.window.Canvas().Size().Height-frameHeight
	for range 2 { // wrapping needs the width first; nested texts need that of their frame
		d.body.Resize(fyne.NewSize(width, d.body.MinSize().Height))
	}
	d.scroll.SetMinSize(fyne.NewSize(width+scrollBar, min(d.body.MinSize().Height, maxBodyHeight, max(room, 40))))
	d.buttons.Refresh()
	d.body.Refresh()
	size := d.popUp.Content.MinSize()
	d.popUp.Resize(size)
	rest := d.window.Canvas().Size().Subtract(size) // Fyne centres a pop-up only when it is first shown
	d.popUp.Move(fyne.NewPos(max(rest.Width/2, 0), max(rest.Height/2, 0)))
	d.popUp.Refresh()
}

// showSentences replaces the body with sentences.
func (d *Dialog) showSentences(sentences ...string) {
	d.body.RemoveAll()
	for _, s := range sentences {
		d.body.Add(sentenceNote(s))
	}
}

func sentenceNote(s string) fyne.CanvasObject {
	n := widgets.NewNote(true)
	n.Size(theme.SizeNameText)
	n.Set(s, theme.ColorNameForeground)
	return n.Object
}

// Hide closes the dialog. It does not undo a signal that was sent.
func (d *Dialog) Hide() {
	if d.closed {
		return
	}
	d.closed = true
	if d.stop != nil {
		d.stop.Close()
	}
	d.popUp.Hide()
	d.releaseKeys()
	d.onClose()
}

// update shows the progress of the stop.
func (d *Dialog) update(n Update) {
	if d.closed {
		return
	}
	d.last, d.sentAt = n, time.Time{}
	switch n.Stage {
	case Ready:
		d.confirm()
	case AlreadyExited:
		d.showSentences(lang.L("The process exited on its own. No signal was sent."))
		d.show(lang.L("Already exited"), d.button(lang.L("Close"), d.Hide))
	case Refused:
		d.showSentences(n.Problems...)
		if len(n.Targets) > 0 {
			d.reportStopped()
			d.body.Add(sentenceNote(exitedText(n.Targets)))
		}
		d.addManagers()
		d.show(lang.L("Not stopped"), d.button(lang.L("Close"), d.Hide))
	case StillRunning:
		d.reportStopped()
		d.offerForce()
	case Done:
		d.reportStopped()
		d.success()
	}
}

// reportStopped reports the processes that exited because the user stopped them.
func (d *Dialog) reportStopped() {
	if owners := slices.Concat(d.last.Targets, d.last.Finishing); len(owners) > 0 {
		d.onStopped(Stopped{owners, d.now(), d.forced})
	}
}

// confirm names the processes to stop and what stops with them.
func (d *Dialog) confirm() {
	n := d.last
	d.gracePeriod = max(n.GracePeriod, time.Second)
	d.body.RemoveAll()
	d.body.Add(d.targetLines(n.Targets))
	for _, note := range n.Notes { // above the facts, whose command lines may be long
		d.body.Add(sentenceNote(note))
	}
	d.addManagers()
	facts := container.New(widgets.LabelledRows{Label: 92})
	add := func(label string, lines []string) {
		if len(lines) > 0 {
			facts.Add(widgets.Follow(widgets.NewText(label, table.ColorMuted), table.ColorMuted))
			facts.Add(widgets.NewMono(strings.Join(lines, "\n")))
		}
	}
	add(lang.L("Command"), distinctLines(n.Targets, func(o monitor.Owner) string { return monitor.Clean(words.Command(o), 200) }))
	add(lang.L("Folder"), distinctLines(n.Targets, func(o monitor.Owner) string { return words.Path(o.Folder, 200, o) }))
	add(lang.L("Project"), distinctLines(n.Targets, func(o monitor.Owner) string { return monitor.Clean(o.Project, 60) }))
	add(lang.L("Closes"), closingLines(n))
	add(lang.L("May also exit"), childLines(n))
	d.body.Add(container.New(layout.NewCustomPaddedLayout(-4, 0, -widgets.Overlap-1, 0), facts))
	if n.ForceOnly {
		d.body.Add(sentenceNote(lang.L("This system can only force quit the process. Unsaved data is lost.")))
	}
	d.children = nil
	if n.Children > 0 {
		label := lang.N("Also stop its {{.Count}} child processes", n.Children, map[string]any{"Count": words.Number(n.Children)})
		d.children = widgets.NewToggle(label, func(bool) {}, func() {})
		d.children.Self = d.children // Esc closes the dialog
		words := widgets.NewText(label, theme.ColorNameForeground)
		d.body.Add(container.New(layout.NewCustomPaddedHBoxLayout(8), container.NewCenter(d.children), widgets.Follow(words, theme.ColorNameForeground)))
	}
	d.show(stopTitle(n.Targets), d.button(lang.L("Cancel"), d.Hide), d.dangerButton(lang.L("Stop"), d.terminate))
}

// targetToggle returns the switch that selects whether o is stopped. One is always on.
func (d *Dialog) targetToggle(o monitor.Owner) *widgets.Toggle {
	label := lang.L("Stop {{.Name}}", map[string]any{"Name": nameList([]monitor.Owner{o})})
	var t *widgets.Toggle
	t = widgets.NewToggle(label, func(bool) {
		if len(d.targets()) == 0 {
			t.Set(true)
		}
		widgets.SetText(d.title, table.Fit(stopTitle(d.targets()), d.width(), d.title.TextSize, d.title.TextStyle), theme.ColorNameForeground)
	}, func() {})
	t.Self = t // Esc closes the dialog
	t.Set(true)
	d.chosen = append(d.chosen, t)
	return t
}

// targets returns the processes that the user chose to stop.
func (d *Dialog) targets() (chosen []monitor.Owner) {
	for i, o := range d.last.Targets {
		if len(d.chosen) != len(d.last.Targets) || d.chosen[i].On {
			chosen = append(chosen, o)
		}
	}
	return chosen
}

// keepOthers excludes the processes that the user chose to keep.
func (d *Dialog) keepOthers() {
	chosen := d.targets()
	kept := slices.DeleteFunc(slices.Clone(d.last.Targets), func(o monitor.Owner) bool { return slices.ContainsFunc(chosen, o.Same) })
	if len(kept) > 0 {
		d.stop.Keep(kept)
	}
}

func stopTitle(targets []monitor.Owner) string {
	if len(targets) == 1 {
		return lang.L("Stop {{.Name}}?", map[string]any{"Name": targetName(targets[0])})
	}
	return lang.N("Stop {{.Count}} processes?", len(targets), map[string]any{"Count": words.Number(len(targets))})
}

// targetLines returns lines about the processes to stop, with a switch for each if there are several.
func (d *Dialog) targetLines(targets []monitor.Owner) fyne.CanvasObject {
	d.chosen = nil
	if len(targets) == 1 {
		return d.targetLine(targets[0], d.width())
	}
	lines := container.New(layout.NewCustomPaddedVBoxLayout(8))
	for _, o := range targets {
		toggle := d.targetToggle(o)
		room := d.width() - toggle.MinSize().Width - toggleGap
		lines.Add(container.New(layout.NewCustomPaddedHBoxLayout(toggleGap), container.NewCenter(toggle), d.targetLine(o, room)))
	}
	return container.New(layout.NewCustomPaddedLayout(2, 0, 2, 0), lines) // room for the edges of the switches
}

// targetLine returns name and facts of a process, on one line if they fit into room, otherwise on
// two.
func (d *Dialog) targetLine(o monitor.Owner, room float32) fyne.CanvasObject {
	parts := []string{words.PID(o.PID)}
	if o.User != "" {
		parts = append(parts, lang.L("user {{.User}}", map[string]any{"User": monitor.Clean(o.User, 40)}))
	}
	if !o.StartedAt.IsZero() {
		parts = append(parts, lang.L("since {{.Time}}", map[string]any{"Time": words.MomentAs(o.StartedAt, d.now(), "15:04")}))
	}
	about := widgets.NewCaption()
	about.Text = table.Fit(strings.Join(parts, " · "), room, about.TextSize, about.TextStyle)
	name := widgets.NewText("", theme.ColorNameForeground)
	name.TextStyle.Bold = true
	name.Text = table.Fit(targetName(o), room, theme.TextSize(), name.TextStyle)
	title, facts := widgets.Follow(name, theme.ColorNameForeground), widgets.Follow(about, table.ColorMuted)
	if name.MinSize().Width+theme.Padding()+about.MinSize().Width > room {
		return container.New(layout.NewCustomPaddedVBoxLayout(0), title, facts)
	}
	return container.NewHBox(title, container.New(layout.NewCustomPaddedLayout(2, 0, 0, 0), facts))
}

func targetName(o monitor.Owner) string {
	if name := monitor.Clean(o.Name, 60); name != "" {
		return name
	}
	return lang.L("process {{.PID}}", map[string]any{"PID": o.PID})
}

// closingLines returns the addresses that close with the processes to stop.
func closingLines(n Update) (lines []string) {
	for _, l := range n.Listeners {
		for _, s := range l.Sockets {
			if !slices.ContainsFunc(n.Targets, func(o monitor.Owner) bool { return slices.Contains(s.Owners, o.PID) }) {
				continue
			}
			line := words.AddressPort(s, l.Port)
			if l.Protocol == monitor.UDP {
				line += " UDP"
			}
			if !slices.Contains(lines, line) {
				lines = append(lines, line)
			}
		}
	}
	return lines
}

// distinctLines returns the texts of the first maxNamed targets, without duplicates.
func distinctLines(targets []monitor.Owner, text func(monitor.Owner) string) (lines []string) {
	for _, o := range targets {
		if line := text(o); line != "" && !slices.Contains(lines, line) && len(lines) < maxNamed {
			lines = append(lines, line)
		}
	}
	return lines
}

// childLines returns one line for each child process that listens.
func childLines(n Update) (lines []string) {
	for _, c := range n.ListeningChildren {
		lines = append(lines, fmt.Sprintf("%s (%d) · %s", targetName(c.Owner), c.Owner.PID, words.Port(c.Listener.Protocol, c.Listener.Port)))
	}
	return lines
}

// addManagers shows what manages the processes, with the command that stops them properly.
func (d *Dialog) addManagers() {
	for _, m := range d.last.Managers {
		words := container.New(layout.NewCustomPaddedVBoxLayout(0), container.New(layout.NewCustomPaddedLayout(0, 0, widgets.Overlap+1, 0), sentenceNote(m.Description)))
		if m.Command != "" {
			buttons := container.NewHBox(d.button(lang.L("Copy"), func() { d.actions.Copy(m.Command) }))
			if m.CanRun {
				buttons.Add(d.dangerButton(lang.L("Run"), func() { d.runManager(m.Command) }))
			}
			words.Add(container.NewBorder(nil, nil, nil, container.NewCenter(buttons), widgets.NewMono(m.Command)))
		}
		text := container.New(layout.NewCustomPaddedLayout(6, 4, 4, 6), words)
		bar := container.NewBorder(nil, nil, widgets.NewRectangle(uitheme.ColorAlert, fyne.NewSize(4, 1), 0), nil, text)
		d.body.Add(container.NewStack(widgets.NewRectangle(uitheme.TintChanged, fyne.Size{}, 3), bar))
	}
}

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

func exitedText(owners []monitor.Owner) string {
	return lang.N("{{.Name}} exited.", len(owners), map[string]any{"Name": nameList(owners)})
}

// countOrName returns the text for processes in a title: the name of one, or their number.
func countOrName(owners []monitor.Owner) string {
	if len(owners) == 1 {
		return nameList(owners)
	}
	return lang.N("{{.Count}} processes", len(owners), map[string]any{"Count": words.Number(len(owners))})
}

// namesIfSeveral returns a sentence with the names of several processes, which the title
// only counts.
func namesIfSeveral(owners []monitor.Owner) []string {
	if len(owners) == 1 {
		return nil
	}
	return []string{nameList(owners)}
}

// nameList returns the names and PIDs of the first maxNamed processes, and how many follow.
func nameList(owners []monitor.Owner) string {
	var names []string
	for _, o := range owners[:min(len(owners), maxNamed)] {
		names = append(names, fmt.Sprintf("%s (%d)", targetName(o), o.PID))
	}
	text := strings.Join(names, ", ")
	if more := len(owners) - maxNamed; more > 0 {
		text = lang.N("{{.Names}} and {{.Count}} more", more, map[string]any{"Names": text, "Count": words.Number(more)})
	}
	return text
}
