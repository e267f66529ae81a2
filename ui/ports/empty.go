package ports

import (
	"errors"
	"slices"
	"strings"

	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/monitor/inuse"
	"porthole/ui/widgets"
	"porthole/ui/words"
)

// showEmpty shows why the table has no rows, or hides that if it has rows.
func (p *Page) showEmpty(rows int) {
	port := p.filter.Port()
	switch {
	case rows > 0:
		p.empty.Hide()
	case p.matching > 0:
		p.empty.Show(lang.L("Nothing matches"), lang.N("“All” shows {{.Count}} ports", p.matching, map[string]any{"Count": words.Number(p.matching)}))
	case p.concealed > 0 && p.live && p.quick.chosen != quickHidden:
		p.empty.Show(lang.L("Nothing matches"), lang.N("“Hidden” shows {{.Count}} ports", p.concealed, map[string]any{"Count": words.Number(p.concealed)}))
	case !p.live:
		p.empty.Show(lang.L("Porthole is not monitoring"), lang.L("Open ports are unknown"))
	case p.status.Health.Problem != "":
		p.empty.Show(lang.L("Can't read the ports"), lang.L("Porthole will try again. Until then, open ports are unknown."))
	case !p.ready:
		p.empty.Show(lang.L("Loading…"), "")
	case p.portAddresses(port) != "": // at another address than the filter's
		p.empty.ShowMessage(widgets.EmptyMessage{
			Title:  lang.L("Nothing listens on {{.At}}", map[string]any{"At": p.filter.Target().String()}),
			More:   lang.L("The same port is in use on {{.At}}.", map[string]any{"At": p.portAddresses(port)}),
			Button: lang.L("Show it"),
		})
	case port != 0:
		p.empty.ShowMessage(p.vacancy(port))
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
	for r := range p.rows.on(port) {
		for _, s := range r.listener.Sockets {
			if text := words.AddressPort(s, port); !slices.Contains(texts, text) {
				texts = append(texts, text)
			}
		}
	}
	return strings.Join(texts, ", ")
}

// vacancy describes a port that no row has.
func (p *Page) vacancy(port uint16) widgets.EmptyMessage {
	a := p.answer(port)
	m := widgets.EmptyMessage{Title: words.Availability(a), Reason: words.Uses(a, p.status.System)}
	if !a.ListensElsewhere() {
		m.Last = p.lastOwnerOr(lang.L("Never seen open"), monitor.TCP, p.now(), monitor.Ports{{First: port, Last: port}})
	}
	if p.hidesOtherAddress(port) {
		m.Button = lang.L("Show it")
	}
	if p.status.Rules.WatchesPort(port) {
		m.More = lang.L("Watched: you will be notified when it opens")
	} else if m.Button == "" && !errors.Is(a.Err, errNotAsked) { // the reasons would move the button under the pointer
		m.Button = lang.L("Watch {{.Port}}", map[string]any{"Port": port})
	}
	if a.State() == inuse.Unknown && !errors.Is(a.Err, errNotAsked) && m.More == "" {
		m.More = lang.L("Whether a server can bind the port is unknown")
	}
	return m
}

// hidesOtherAddress reports whether a process listens on port at an address that the page does not
// show.
func (p *Page) hidesOtherAddress(port uint16) bool {
	return !p.status.AllAddresses && p.answer(port).ListensElsewhere()
}

// pressEmpty does what the button in place of the table offers: it shows who listens on the port of
// the filter at another address, or watches the port.
func (p *Page) pressEmpty() {
	port := p.filter.Port()
	switch {
	case p.portAddresses(port) != "":
		p.ShowPort(port)
	case p.hidesOtherAddress(port):
		p.toggle("all_addresses", false)
		p.setQuick(quickAll)
		p.ShowPort(port) // the row is selected when it arrives, as the only match
	default:
		p.actions.Watch(port)
	}
	p.table.Focus() // the button disappears and would keep the focus
}
