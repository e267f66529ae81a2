// Package stop is the dialog that confirms and shows the stopping of processes.
//
// Everything must be called on Fyne's goroutine.
package stop

import (
	"slices"
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
	"porthole/ui/widgets"
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
	again       *widgets.Button // starts the process again; nil if it can't be
	againNote   *widgets.Note   // what came of that
	releaseKeys func()          // returns the keys to the window
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
