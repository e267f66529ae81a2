package traffic

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"porthole/ui/table"
	uitheme "porthole/ui/theme"
	"porthole/ui/widgets"
)

// This file contains the choice between the sources.

// chooserWidth is the width of the choice, if the window is wide enough.
const chooserWidth = 600

// chooserBox offers the sources, each with one sentence.
func (w *Window) chooserBox() fyne.CanvasObject {
	heading := widgets.NewText(lang.L("How should the traffic be read?"), theme.ColorNameForeground)
	heading.TextSize = 17
	w.captureButton = widgets.NewButton(lang.L("Capture"), func() { w.choose(Capture) })
	w.elevatedButton = widgets.NewButton(lang.L("Allow…"), func() { w.choose(Elevated) })
	w.tapButton = widgets.NewButton(lang.L("Tap"), func() { w.choose(Tap) })
	w.openButton = widgets.NewButton(lang.L("Open file…"), w.openFile)
	w.captureButton.Importance = widget.HighImportance
	w.chooserNote = widgets.NewNote(true)
	var port map[string]any
	if w.listener != nil {
		port = map[string]any{"Port": w.listener.Port}
	}
	w.elevated = choice(w.elevatedButton, lang.L("Asks for an administrator's password for this capture only: dumpcap or tcpdump runs as root, Porthole does not."))
	w.elevated.Hide()
	box := container.New(layout.NewCustomPaddedVBoxLayout(14), container.NewCenter(widgets.Follow(heading, theme.ColorNameForeground)),
		choice(w.captureButton, lang.L("Shows what flows to {{.Port}} already. Your user must be allowed to capture packets.", port)),
		w.elevated,
		choice(w.tapButton, lang.L("Listens on a second port and forwards to {{.Port}}. Connect your client there; this needs no permission.", port)),
		choice(w.openButton, lang.L("Shows the requests in a HAR, pcapng or pcap file, also of other programs, in a window of its own.")),
		w.chooserNote.Object)
	w.choices = container.NewVScroll(container.New(centred(chooserWidth), box))
	return container.NewStack(widgets.NewRectangle(theme.ColorNameBackground, fyne.Size{}, 0), w.choices)
}

// choice returns a button with a sentence beside it.
func choice(b *widgets.Button, text string) *fyne.Container {
	note := widgets.NewNote(true)
	note.Set(text, table.ColorMuted)
	return container.New(beside{}, b, note.Object)
}

// beside puts a text beside a button, both of them centred vertically.
type beside struct{}

const (
	choiceWidth, choiceHeight = 130, 36
	choiceGap                 = 12
)

// MinSize implements fyne.Layout. The height depends on the width of the text.
func (beside) MinSize(o []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(2*choiceWidth, max(choiceHeight, o[1].MinSize().Height))
}

// Layout implements fyne.Layout.
func (beside) Layout(o []fyne.CanvasObject, s fyne.Size) {
	button, text := max(choiceWidth, o[0].MinSize().Width), fyne.Size{}
	for range 2 { // the height follows from the width
		text = fyne.NewSize(s.Width-button-choiceGap, o[1].MinSize().Height)
		o[1].Resize(text)
	}
	o[0].Resize(fyne.NewSize(button, choiceHeight))
	o[0].Move(fyne.NewPos(0, (s.Height-choiceHeight)/2))
	o[1].Move(fyne.NewPos(button+choiceGap, (s.Height-text.Height)/2))
}

// centred is a layout that centres an object with this width, or a smaller one.
type centred float32

// centredMargin is the least distance to the edges.
const centredMargin = 12

// MinSize implements fyne.Layout. The height depends on the last width.
func (c centred) MinSize(o []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(0, o[0].MinSize().Height+2*centredMargin)
}

// Layout implements fyne.Layout.
func (c centred) Layout(o []fyne.CanvasObject, s fyne.Size) {
	width := max(min(float32(c), s.Width-2*centredMargin), 0)
	for range 3 { // the text of a choice wraps, then the choice and then the box grow
		o[0].Resize(fyne.NewSize(width, o[0].MinSize().Height))
	}
	o[0].Move(fyne.NewPos((s.Width-width)/2, max((s.Height-o[0].Size().Height)/2, centredMargin)))
}

// choose starts a source, or offers the choice if it is "".
func (w *Window) choose(s Source) {
	w.source, w.problem, w.address, w.waiting = s, "", "", s != ""
	w.showChooser(s == "")
	if s == "" {
		w.showState()
		return
	}
	w.recording.Start(s, w.started)
	w.Focus()
	w.Refresh()
}

// started shows how the source began, or why it could not.
func (w *Window) started(r Started) {
	w.address, w.problem, w.waiting = r.Address, r.Problem, false
	if r.Problem != "" && w.path == "" && w.recording.Store().Stats().Exchanges == 0 {
		w.source, w.problem = "", ""
		widgets.ShowIf(w.elevated, r.Denied && w.recording.CanElevate())
		w.chooserNote.Set(r.Problem, uitheme.ColorAlert)
		w.showChooser(true)
		w.Focus()
	}
	w.showState()
	w.showEmpty()
}

// showChooser shows the choice in place of everything else, or ends that.
func (w *Window) showChooser(shown bool) {
	widgets.ShowIf(w.chooser, shown)
	widgets.ShowIf(w.top, !shown)
	widgets.ShowIf(w.split, !shown)
	widgets.Relayout(w.content)
	w.choices.Refresh()
}
