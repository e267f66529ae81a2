package ports

import (
	"slices"
	"strings"

	"fyne.io/fyne/v2/lang"

	"porthole/monitor/history"
	"porthole/ui/words"
)

// lastOwner is the last owner of the port in the filter.
type lastOwner struct {
	port   uint16 // 0: not looked up
	tenure history.Tenure
	known  bool
}

func (p *Page) showEmpty(rows int) {
	if rows > 0 || p.filter.Port() == 0 {
		p.lastOwner = lastOwner{} // look it up again next time: the history has the latest close by then
	}
	switch {
	case rows > 0:
		p.empty.Hide()
	case p.matching > 0:
		p.empty.Show(lang.L("Nothing matches"), lang.N("“All” shows {{.Count}} ports", p.matching, map[string]any{"Count": words.Number(p.matching)}))
	case !p.live:
		p.empty.Show(lang.L("Porthole is not monitoring"), lang.L("Open ports are unknown"))
	case p.status.Health.Problem != "":
		p.empty.Show(lang.L("Can't read the ports"), lang.L("Porthole will try again. Until then, open ports are unknown."))
	case !p.ready:
		p.empty.Show(lang.L("Loading…"), "")
	case p.portAddresses(p.filter.Port()) != "": // at another address than the filter's
		p.empty.Show(lang.L("Nothing listens on {{.At}}", map[string]any{"At": p.filter.Target().String()}),
			lang.L("The same port is in use on {{.At}}.", map[string]any{"At": p.portAddresses(p.filter.Port())}))
	case p.filter.Port() != 0:
		port := p.filter.Port()
		text := lang.L("{{.Port}} is free", map[string]any{"Port": port})
		more, offer := lang.L("Nothing listens on this port on loopback"), lang.L("Watch {{.Port}}", map[string]any{"Port": port})
		if p.status.Rules.WatchesPort(port) {
			more, offer = lang.L("Watched: you will be notified when it opens"), ""
		}
		p.empty.ShowWith(text, p.lastOwnerText(port), more, offer)
	case p.filter.Above:
		p.empty.Show(lang.L("Nothing matches"), lang.L("Port numbers end at 65535, and no process shown here has this PID"))
	case !p.filter.Empty():
		p.empty.Show(lang.L("Nothing matches"), lang.L("All words must match. Ranges like 3000-3999 work. Esc clears the filter."))
	default:
		p.empty.Show(lang.L("Nothing listens on loopback"), lang.L("Open ports appear here immediately"))
	}
}

// portAddresses returns the addresses of the rows of port that are open: "127.0.0.1:3000". It
// returns "" if there are none.
func (p *Page) portAddresses(port uint16) string {
	var texts []string
	for _, r := range p.rows {
		if r.listener.Port != port || r.mark == closed || port == 0 {
			continue
		}
		for _, s := range r.listener.Sockets {
			if text := words.AddressPort(s, port); !slices.Contains(texts, text) {
				texts = append(texts, text)
			}
		}
	}
	return strings.Join(texts, ", ")
}

// lastOwnerText returns the last owner of port as text. It starts the lookup if needed. It returns
// "" while the owner is unknown.
func (p *Page) lastOwnerText(port uint16) string {
	if p.lastOwner.port == port {
		if !p.lastOwner.known {
			return ""
		}
		return words.LastOwner(p.lastOwner.tenure, p.now())
	}
	p.lastOwner = lastOwner{port: port}
	if p.history != nil {
		p.history.LastOwner(port, func(tenure history.Tenure, known bool, err error) {
			if p.lastOwner.port == port {
				p.lastOwner.tenure, p.lastOwner.known = tenure, known && err == nil
				p.showEmpty(p.table.Len())
			}
		})
	}
	return ""
}
