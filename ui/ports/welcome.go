package ports

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"

	"porthole/monitor/watch"
	"porthole/ui/widgets"
)

// welcome is a line for new users: where Porthole is when its window is closed, and which port it
// watches. Once dismissed it does not return.
type welcome struct {
	text   *widgets.Note
	read   bool
	object fyne.CanvasObject
}

func newWelcome(done func()) *welcome {
	w := &welcome{text: widgets.NewNote(true)}
	w.text.Size(theme.SizeNameText)
	gotIt := widgets.NewLink(lang.L("Got it"), func() {
		w.read = true
		done()
	})
	row := container.NewBorder(nil, nil, nil, container.NewCenter(gotIt), w.text.Object)
	w.object = container.New(layout.NewCustomPaddedVBoxLayout(0), widgets.Line(), widgets.Panel(row, 7))
	w.object.Hide()
	return w
}

// show shows or hides the line. It reports whether anything changed.
func (w *welcome) show(on bool, rules watch.Rules) bool {
	on = on && !w.read
	text := lang.L("Porthole stays in the tray when you close this window. Click the star next to a port to be notified when a server opens it.")
	if first, ok := watch.Default()[0].Ports.Single(); ok && rules.WatchesPort(first) {
		text = lang.L("Porthole stays in the tray when you close this window. It watches port {{.Port}} by default and notifies you when a server opens it.", map[string]any{"Port": first})
	}
	if w.text.Segment.Text == text && w.object.Visible() == on {
		return false
	}
	w.text.Set(text, theme.ColorNameForeground)
	if on {
		w.object.Show()
	} else {
		w.object.Hide()
	}
	return true
}
