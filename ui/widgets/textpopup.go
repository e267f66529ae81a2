package widgets

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/widget"
)

// ShowText shows paragraphs over the window that contains from, with the keyboard focus
// on the Close button.
func ShowText(from fyne.CanvasObject, paragraphs ...string) {
	canvas := fyne.CurrentApp().Driver().CanvasForObject(from)
	if canvas == nil || canvas.Overlays().Top() != nil {
		return // this or another pop-up is open
	}
	const width = 440
	text := NewCopyText(strings.Join(paragraphs, "\n\n"))
	text.Wrapping = fyne.TextWrapWord
	text.Resize(fyne.NewSize(width, 0)) // wrapping needs the width first
	scroll := container.NewVScroll(text)
	scroll.SetMinSize(fyne.NewSize(width, text.MinSize().Height).Min(canvas.Size().Subtract(fyne.NewSize(60, 120))))
	var popUp *widget.PopUp
	hide := func() { popUp.Hide() }
	done := NewKeyButton(lang.L("Close"), hide, hide)
	done.Scroll = scroll
	content := container.NewVBox(scroll, container.NewHBox(layout.NewSpacer(), done))
	popUp = widget.NewModalPopUp(container.New(layout.NewCustomPaddedLayout(12, 12, 12, 12), content), canvas)
	popUp.Show()
	canvas.Focus(done)
}
