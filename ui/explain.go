package ui

import (
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/widget"

	"porthole/monitor"
	"porthole/monitor/explain"
)

// explanation says in one paragraph what the addresses and the port of l mean. Of
// one that has closed the port is left.
func explanation(l *monitor.Listener, gone bool, s explain.System) string {
	now := []*monitor.Listener{l}
	if gone {
		now = nil
	}
	var words []string
	for _, s := range explain.NewFacts(explain.Target{Port: l.Port}, now, s).Sentences() {
		words = append(words, lang.L(s.Text, s.Data))
	}
	return strings.Join(words, " ")
}

// explain explains the selected port: in the side pane, where a second time folds
// that up again, or over the window where there is no pane.
func (p *portsPage) explain() {
	r, ok := p.table.Selected()
	switch {
	case !ok:
	case p.details.object.Visible():
		p.unfold(!p.details.unfolded)
	default:
		showExplanation(p.content, explanation(r.listener, r.mark == closed, p.status.System))
	}
}

// unfold shows the explanation in the side pane, or no longer.
func (p *portsPage) unfold(on bool) {
	p.details.unfolded = on
	p.showDetails()
	if on && p.details.object.Visible() {
		p.details.revealExplanation()
	}
}

// maxExplained is how many ports of a process are explained at once.
const maxExplained = 5

// showExplanations explains the ports of a process, over its window.
func (p *processWindow) showExplanations() {
	var paragraphs []string
	for _, l := range p.rows {
		paragraphs = append(paragraphs, explanation(l, false, p.status().System))
	}
	if len(paragraphs) == 0 {
		paragraphs = []string{explanation(p.row, true, p.status().System)}
	}
	paragraphs = slices.Compact(paragraphs)
	showExplanation(p.body, paragraphs[:min(len(paragraphs), maxExplained)]...)
}

// showExplanation shows paragraphs over the window that from is in, with the keyboard on
// Close.
func showExplanation(from fyne.CanvasObject, paragraphs ...string) {
	canvas := fyne.CurrentApp().Driver().CanvasForObject(from)
	if canvas == nil || canvas.Overlays().Top() != nil {
		return // it is asked for already, or something else is
	}
	const width = 440
	text := newCopyText(strings.Join(paragraphs, "\n\n"))
	text.Wrapping = fyne.TextWrapWord
	text.Resize(fyne.NewSize(width, 0)) // wrapping needs the width first
	scroll := container.NewVScroll(text)
	scroll.SetMinSize(fyne.NewSize(width, text.MinSize().Height).Min(canvas.Size().Subtract(fyne.NewSize(60, 120))))
	var popUp *widget.PopUp
	hide := func() { popUp.Hide() }
	done := newKeyButton(lang.L("Close"), hide, hide)
	done.scroll = scroll
	content := container.NewVBox(scroll, container.NewHBox(layout.NewSpacer(), done))
	popUp = widget.NewModalPopUp(container.New(layout.NewCustomPaddedLayout(12, 12, 12, 12), content), canvas)
	popUp.Show()
	canvas.Focus(done)
}
