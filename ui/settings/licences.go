package settings

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"porthole/assets"
	"porthole/ui/widgets"
)

// showLicences shows what Porthole is built of and under which licences, over
// the window that from is in. Close has the keyboard, then what had it before.
func showLicences(from fyne.CanvasObject) {
	canvas := fyne.CurrentApp().Driver().CanvasForObject(from)
	if canvas == nil || canvas.Overlays().Top() != nil {
		return // it is asked for already, or something else is
	}
	var modules, kinds []string
	for line := range strings.Lines(assets.Licences()) {
		module, kind, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		modules, kinds = append(modules, module), append(kinds, kind)
	}
	table := container.New(layout.NewCustomPaddedHBoxLayout(22), lines(modules), lines(kinds))
	words := widgets.NewNote(false).Whole()
	words.Set(lang.L("The full texts are installed in /usr/share/doc/porthole/licences.gz"), theme.ColorNameForeground)
	scroll := container.NewVScroll(table)
	scroll.SetMinSize(table.MinSize().Min(canvas.Size().Subtract(fyne.NewSize(60, 160))))
	var popUp *widget.PopUp
	hide := func() { popUp.Hide() }
	done := widgets.NewKeyButton(lang.L("Close"), hide, hide)
	done.Scroll = scroll
	content := container.NewVBox(words.Object, scroll, container.NewHBox(layout.NewSpacer(), done))
	popUp = widget.NewModalPopUp(container.New(layout.NewCustomPaddedLayout(14, 12, 16, 16), content), canvas)
	popUp.Show()
	canvas.Focus(done)
}

// lines are texts below each other in one widget.
func lines(texts []string) fyne.CanvasObject { return widget.NewLabel(strings.Join(texts, "\n")) }
