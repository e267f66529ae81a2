package traffic

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"

	"porthole/monitor/traffic"
	"porthole/ui/widgets"
)

// This file contains the shortcuts.

// The shortcuts of the window.
var (
	filterKeys  = widgets.Ctrl(fyne.KeyF)
	pauseKeys   = widgets.Ctrl(fyne.KeyP)
	clearKeys   = widgets.Ctrl(fyne.KeyL)
	saveKeys    = widgets.Ctrl(fyne.KeyS)
	openKeys    = widgets.Ctrl(fyne.KeyO)
	replayKeys  = widgets.Ctrl(fyne.KeyR)
	curlKeys    = widgets.Ctrl(fyne.KeyU)
	secretsKeys = widgets.Ctrl(fyne.KeyH)
	findKeys    = widgets.Chord{Key: fyne.KeyF3}
)

func (w *Window) keys() widgets.KeyGroup {
	return widgets.KeyGroup{Title: lang.L("Traffic"), Bindings: []widgets.Binding{
		{Label: lang.L("Filter"), Keys: []widgets.Chord{filterKeys}, Do: func() { w.entry.Take() }},
		{Label: lang.L("Find in the message"), Keys: []widgets.Chord{findKeys}, Do: w.findNext},
		{Label: lang.L("Send again"), Keys: []widgets.Chord{replayKeys}, Do: w.sendAgain},
		{Label: lang.L("Copy as curl"), Keys: []widgets.Chord{curlKeys}, Do: w.copyCurl},
		{Label: lang.L("Copy body"), Keys: []widgets.Chord{widgets.CopyKeys}, Do: func() { w.copyBody(traffic.ToClient) }},
		{Label: lang.L("Show or hide secrets"), Keys: []widgets.Chord{secretsKeys}, Do: w.toggleSecrets},
		{Label: lang.L("Pause or resume"), Keys: []widgets.Chord{pauseKeys}, Do: w.togglePause},
		{Label: lang.L("Clear"), Keys: []widgets.Chord{clearKeys}, Do: w.clear},
		{Label: lang.L("Save"), Keys: []widgets.Chord{saveKeys}, Do: w.save},
		{Label: lang.L("Open file"), Keys: []widgets.Chord{openKeys}, Do: w.openFile},
		widgets.Binding{Label: lang.L("Close window"), Keys: []widgets.Chord{{Key: fyne.KeyEscape}, widgets.Ctrl(fyne.KeyW)}, Do: w.window.Close}.Also(),
		widgets.Binding{Label: lang.L("Quit Porthole"), Keys: []widgets.Chord{widgets.Ctrl(fyne.KeyQ)}, Do: w.actions.Quit}.Also(),
	}}
}

// key handles a key that no widget handled.
func (w *Window) key(e *fyne.KeyEvent) { w.window.Canvas().OnTypedKey()(e) }
