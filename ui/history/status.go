package history

import (
	"time"

	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"

	"porthole/ui/table"
	uitheme "porthole/ui/theme"
	"porthole/ui/widgets"
	"porthole/ui/words"
)

// notify shows a sentence in the status line for historyNoticeTime.
func (p *Page) notify(notice string) {
	p.notice, p.noticed = notice, p.now()
	p.showState()
}

// showState updates everything except the lines of the list.
func (p *Page) showState() {
	p.showEmpty()
	for _, b := range []*widgets.Button{p.export, p.more} {
		if p.history == nil && !b.Disabled() {
			b.Disable()
		}
	}
	left, name := p.notice, theme.ColorNameForeground
	switch {
	case !p.failed.IsZero() && len(p.events) > 0:
		left, name = lang.L("Can't read the history. See the log for details."), uitheme.ColorAlert
	case left == "" && !p.chart.from.IsZero():
		count := map[string]any{"Count": words.Number(p.chart.sum())}
		left = lang.N("{{.Count}} events in the last 24 hours", p.chart.sum(), count)
		if p.chart.filtered {
			left = lang.N("{{.Count}} matching events in the last 24 hours", p.chart.sum(), count)
		}
		name = table.ColorMuted
	}
	widgets.SetText(p.left, left, name)
	right := ""
	if !p.live {
		right = lang.L("not monitoring")
	}
	widgets.SetText(p.right, right, table.ColorMuted)
	text := lang.N("{{.Count}} new", p.newCount, map[string]any{"Count": words.Number(p.newCount)})
	if p.gap {
		text = lang.N("{{.Count}}+ new", p.newCount, map[string]any{"Count": words.Number(p.newCount)})
	}
	if showButton(p.pill, text, p.newCount > 0) {
		p.pills.Refresh()
	}
	text = ""
	if !p.until.IsZero() {
		text = words.MomentAs(p.until.Add(-time.Hour), p.now(), "15:04") + "–" + p.until.In(p.now().Location()).Format("15:04")
	}
	if showButton(p.back, text, text != "") {
		p.bar.Refresh()
	}
}

// showButton updates the button if it differs, and reports whether it did.
func showButton(b *widgets.Button, text string, shown bool) bool {
	if b.Hidden == !shown && (b.Text == text || !shown) {
		return false
	}
	if shown {
		b.SetText(text)
		b.Show()
	} else {
		b.Hide()
	}
	return true
}

func (p *Page) showEmpty() {
	port := p.filter.Port()
	switch {
	case len(p.events) > 0:
		p.empty.Hide()
	case p.history == nil:
		p.empty.Show(lang.L("History is not available"), "")
	case !p.failed.IsZero():
		p.empty.Show(lang.L("Can't read the history"), lang.L("Porthole will try again. See the log for details."))
	case !p.answered:
		p.empty.Show(lang.L("Loading…"), "")
	case port != 0:
		p.empty.Show(lang.L("No history for {{.Port}}", map[string]any{"Port": port}), "")
	case !p.filter.Empty():
		p.empty.Show(lang.L("Nothing matches"), lang.L("All words must match. Ranges like 3000-3999 work. Esc clears the filter."))
	case !p.until.IsZero():
		p.empty.Show(lang.L("No earlier events"), "")
	default:
		p.empty.Show(lang.L("No events yet"), lang.L("Ports that open, close or change owner or exposure are listed here"))
	}
}
