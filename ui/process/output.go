package process

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"

	"porthole/ui/widgets"
)

// This file shows the end of the log of a process that Porthole started again.

// outputBox shows the last lines of the log.
type outputBox struct {
	text   *widgets.CopyText
	object fyne.CanvasObject // hidden if there is no log
	button *widgets.Button   // opens the log; hidden with it
	asked  bool              // an answer is awaited
	none   bool              // the process has no such log
}

func newOutputBox() *outputBox {
	b := &outputBox{text: widgets.NewMono("")}
	b.object = widgets.Section(lang.L("Output"), b.text)
	b.object.Hide()
	return b
}

// showOutput shows the current end of the log. It asks for it only while it may exist, and
// once at a time.
func (p *Window) showOutput() {
	b := p.output
	if b.asked || b.none || p.owner.Output == "" {
		return
	}
	b.asked = true
	p.actions.Output(p.owner, func(text string) {
		if !b.asked {
			return // the window was closed
		}
		b.asked = false
		if text == "" {
			b.none = true
			return
		}
		if text != b.text.Text {
			b.text.SetText(text)
			p.body.Refresh() // it may have more lines
		}
		p.setShown(true, b.object, b.button)
	})
}
