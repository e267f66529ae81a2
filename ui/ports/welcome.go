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
// watches, with an offer to try it. Once dismissed it does not return.
type welcome struct {
	text   *widgets.Note
	try    *widgets.Link // opens the page of tryPage, or closes it
	read   bool
	object fyne.CanvasObject
}

// newWelcome returns the line. try is called for the offer, done when the user has read the line.
func newWelcome(try, done func()) *welcome {
	w := &welcome{text: widgets.NewNote(true)}
	w.text.Size(theme.SizeNameText)
	w.try = widgets.NewLink(lang.L("Try it"), try)
	gotIt := widgets.NewLink(lang.L("Got it"), func() {
		w.read = true
		done()
	})
	row := container.NewBorder(nil, nil, nil, container.NewCenter(container.NewHBox(w.try, gotIt)), w.text.Object)
	w.object = container.New(layout.NewCustomPaddedVBoxLayout(0), widgets.Line(), widgets.Panel(row, 7))
	w.object.Hide()
	return w
}

// show shows or hides the line with the text of the page that was tried, or else of the status. It
// reports whether anything changed.
func (w *welcome) show(on bool, status Status, tried string) bool {
	on = on && !w.read
	port, watched := defaultPort(status.Rules)
	text := tried
	if text == "" {
		text = welcomeText(port, watched, status.NoTray)
	}
	if w.text.Segment.Text == text && w.object.Visible() == on && w.try.Visible() == watched {
		return false
	}
	w.text.Set(text, theme.ColorNameForeground)
	setVisible(w.try, watched)
	setVisible(w.object, on)
	return true
}

func setVisible(o fyne.CanvasObject, visible bool) {
	if visible {
		o.Show()
	} else {
		o.Hide()
	}
}

// defaultPort returns the port that is watched by default, and whether it still is.
func defaultPort(rules watch.Rules) (uint16, bool) {
	port, ok := watch.Default()[0].Ports.Single()
	return port, ok && rules.WatchesPort(port)
}

// welcomeText is the text before the user has tried anything.
func welcomeText(port uint16, watched, noTray bool) string {
	data := map[string]any{"Port": port}
	switch {
	case watched && noTray:
		return lang.L("Porthole watches port {{.Port}} by default and notifies you when a server opens it.", data)
	case watched:
		return lang.L("Porthole stays in the tray when you close this window. It watches port {{.Port}} by default and notifies you when a server opens it.", data)
	case noTray:
		return lang.L("Click the star next to a port to be notified when a server opens it.")
	}
	return lang.L("Porthole stays in the tray when you close this window. Click the star next to a port to be notified when a server opens it.")
}
