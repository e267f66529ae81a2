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

// licencesRow returns the row with Porthole's licence and those of its modules.
func (p *Page) licencesRow() *settingRow {
	r := newSettingRow("licences", lang.L("Licences"), lang.L("MIT licence, © 2026 the Porthole authors; includes third-party software"))
	r.show = func(Settings) {}
	button := newSettingButton(lang.L("Show licences"), nil, func() { p.reveal(r) })
	button.OnTapped = func() { showLicences(button) }
	r.focusTarget, r.control, r.worksOffline = button, button, true
	return r
}

// showLicences shows Porthole's own licence and those of its modules over the window that
// contains from. The Close button gains the keyboard focus, and returns it when closed.
func showLicences(from fyne.CanvasObject) {
	canvas := fyne.CurrentApp().Driver().CanvasForObject(from)
	if canvas == nil || canvas.Overlays().Top() != nil {
		return // this or another dialog is open
	}
	var modules, kinds []string
	for line := range strings.Lines(assets.Licences()) {
		module, kind, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		modules, kinds = append(modules, module), append(kinds, kind)
	}
	table := container.New(layout.NewCustomPaddedHBoxLayout(22), lines(modules), lines(kinds))
	words := widgets.NewNote(false).WithoutEllipsis()
	words.Set(lang.L("The full texts are installed in /usr/share/doc/porthole/licences.gz"), theme.ColorNameForeground)
	title := widget.NewLabel(lang.L("Third-party software in Porthole"))
	title.TextStyle.Bold = true
	all := container.NewVBox(widget.NewLabel(strings.TrimSpace(assets.Licence())), title, table)
	scroll := container.NewVScroll(all)
	scroll.SetMinSize(all.MinSize().Min(canvas.Size().Subtract(fyne.NewSize(60, 160))))
	var popUp *widget.PopUp
	hide := func() { popUp.Hide() }
	done := widgets.NewKeyButton(lang.L("Close"), hide, hide)
	done.Scroll = scroll
	content := container.NewVBox(words.Object, scroll, container.NewHBox(layout.NewSpacer(), done))
	popUp = widget.NewModalPopUp(container.New(layout.NewCustomPaddedLayout(14, 12, 16, 16), content), canvas)
	popUp.Show()
	canvas.Focus(done)
}

// lines returns one widget with one line for each text.
func lines(texts []string) fyne.CanvasObject { return widget.NewLabel(strings.Join(texts, "\n")) }
