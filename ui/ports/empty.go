package ports

import (
	"fyne.io/fyne/v2/lang"

	"porthole/monitor/history"
	"porthole/ui/words"
)

// lastOwner is who had the port that the filter asks for.
type lastOwner struct {
	port   uint16 // 0: not asked
	tenure history.Tenure
	known  bool
}

func (p *Page) showEmpty(rows int) {
	if rows > 0 || p.filter.Port() == 0 {
		p.lastOwner = lastOwner{} // to be asked anew: who closed it is remembered since
	}
	switch {
	case rows > 0:
		p.empty.Hide()
	case p.matching > 0:
		p.empty.Show(lang.L("Nothing matches"), lang.N("All shows {{.Count}} ports", p.matching, map[string]any{"Count": words.Number(p.matching)}))
	case !p.live:
		p.empty.Show(lang.L("Porthole is not watching"), lang.L("What listens now is not known"))
	case p.status.Health.Problem != "":
		p.empty.Show(lang.L("The ports cannot be read just now"), lang.L("It is tried again; until then nobody knows what listens"))
	case !p.ready:
		p.empty.Show(lang.L("Looking…"), "")
	case p.filter.Port() != 0:
		port := p.filter.Port()
		text := lang.L("{{.Port}} is free", map[string]any{"Port": port})
		more, offer := lang.L("Nothing listens there on loopback"), lang.L("Watch {{.Port}}", map[string]any{"Port": port})
		if p.status.Rules.WatchesPort(port) {
			more, offer = lang.L("You watch it: a notification comes when it opens"), ""
		}
		p.empty.ShowWith(text, p.lastOwnerText(port), more, offer)
	case p.filter.Above:
		p.empty.Show(lang.L("Nothing matches"), lang.L("No port is above 65535, and no process shown here has this PID"))
	case !p.filter.Empty():
		p.empty.Show(lang.L("Nothing matches"), lang.L("Words are ANDed; a range is 3000-3999; Esc clears"))
	default:
		p.empty.Show(lang.L("Nothing listens on loopback"), lang.L("What opens a port appears here at once"))
	}
}

// lastOwnerText says who had the port last, or asks; "" where nothing is known.
func (p *Page) lastOwnerText(port uint16) string {
	if p.lastOwner.port == port {
		if !p.lastOwner.known {
			return ""
		}
		return words.LastOwner(p.lastOwner.tenure, p.now())
	}
	p.lastOwner = lastOwner{port: port}
	if p.history != nil {
		p.history.LastOwner(port, func(spell history.Tenure, known bool, err error) {
			if p.lastOwner.port == port {
				p.lastOwner.tenure, p.lastOwner.known = spell, known && err == nil
				p.showEmpty(p.table.Len())
			}
		})
	}
	return ""
}
