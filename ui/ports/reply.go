package ports

import (
	"fmt"
	"net/netip"
	"strings"

	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/monitor/reply"
	"porthole/ui/widgets"
	"porthole/ui/words"
)

// This file shows what answers on a port, which is asked only when the user wants it.

// replyKey identifies a listener with its owner: another owner is another server.
func replyKey(l *monitor.Listener) string {
	o, _ := l.Principal()
	return fmt.Sprint(l.ID, " ", o.PID, " ", o.Start)
}

// mayAsk reports whether r can be asked what answers there.
func (p *Page) mayAsk(r *portRow) bool {
	_, ok := reply.Address(r.listener, netip.Addr{})
	return ok && r.mark != closed && p.live
}

// askPort asks what answers on l and shows the reply in the details pane, or in an overlay if the
// window is too narrow for the pane.
func (p *Page) askPort(l *monitor.Listener) {
	key := replyKey(l)
	if !p.stillOpen(l) || p.asking[key] {
		return
	}
	p.asking[key] = true
	p.showDetails()
	p.actions.AskPort(l, func(r reply.Reply) {
		delete(p.asking, key)
		p.replies[key] = r
		p.showDetails()
		if !p.details.object.Visible() {
			widgets.ShowText(p.Content, replyText(r))
		}
	})
}

// replyText returns a reply as lines of text.
func replyText(r reply.Reply) string {
	var lines []string
	for _, f := range words.Reply(r) {
		lines = append(lines, f[0]+": "+f[1])
	}
	return strings.Join(lines, "\n")
}

// addReply adds to m what is known from a reply of the listener of r.
func (p *Page) addReply(m *detailsModel, r *portRow) {
	key := replyKey(r.listener)
	if p.mayAsk(r) {
		m.ask = lang.L("What answers there?")
		if p.asking[key] {
			m.ask = lang.L("Asking…")
		}
	}
	if known, ok := p.replies[key]; ok && r.mark != closed {
		m.facts = append(m.facts, words.Reply(known)...)
		m.web = words.Web(known, m.web)
	}
}
