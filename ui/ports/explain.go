package ports

import (
	"strings"

	"fyne.io/fyne/v2"

	"porthole/ui/widgets"
	"porthole/ui/words"
)

// Explain shows or hides the explanation of the selected port in the details pane. If the window is
// too narrow for the pane, it shows the explanation in an overlay.
func (p *Page) Explain() {
	r, ok := p.table.Selected()
	switch {
	case !ok:
	case p.details.visible():
		p.unfold(!p.details.unfolded)
	default:
		widgets.ShowText(p.Content, p.explanation(r))
	}
}

// explanation explains the addresses and the port of r, and what keeps a closed port from being
// bound.
func (p *Page) explanation(r *portRow) string {
	system := p.status.System
	system.Firewall = p.probe.Firewall
	text := words.Explanation(r.listener, r.mark == closed, system)
	if r.mark != closed {
		return text
	}
	return strings.TrimSpace(text + " " + words.Uses(p.answer(r.listener.Port), p.status.System))
}

// unfold shows or hides the explanation in the details pane.
func (p *Page) unfold(on bool) {
	p.details.unfolded = on
	p.showDetails()
	if on && p.details.visible() {
		p.details.revealExplanation()
	}
}

// revealExplanation scrolls down to show as much of the explanation as fits.
func (p *detailsPane) revealExplanation() {
	// Lays out now instead of in Fyne's next frame. The first time that takes several passes: the text
	// wraps only when each container around it has its width.
	const passes = 8
	for range passes {
		before := p.explanationBox.Position()
		p.scroll.Content.Refresh()
		p.scroll.Refresh()
		if wrapped := p.explanationBox.Size().Height >= p.explanation.MinSize().Height; wrapped && p.explanationBox.Position() == before {
			break
		}
	}
	const margin = 12
	from := p.explanationBox.Position().Y - p.explain.Size().Height
	to := p.explanationBox.Position().Y + p.explanationBox.Size().Height + 2*margin // one margin above the whole text, one below this box
	if y := min(from, to-p.scroll.Size().Height); y > p.scroll.Offset.Y {
		p.scroll.ScrollToOffset(fyne.NewPos(0, y))
	}
}
