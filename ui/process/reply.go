package process

import (
	"net/netip"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"porthole/monitor/reply"
	"porthole/monitor/service"
	"porthole/ui/table"
	"porthole/ui/widgets"
	"porthole/ui/words"
)

// This file shows what answers on the port of the process, which is asked only when the user
// wants it.

// replyBox shows the last reply.
type replyBox struct {
	facts  *fyne.Container
	object fyne.CanvasObject // hidden without a reply
	button *widgets.Button
	asked  string       // ID of the listener that was asked last; "" if the answer is not wanted any more
	known  *reply.Reply // of the listener with that ID; nil if there is none yet
}

func newReplyBox() *replyBox {
	b := &replyBox{facts: container.New(widgets.LabelledRows{Label: 96})}
	b.object = widgets.Section(lang.L("What answers there"), b.facts)
	b.object.Hide()
	return b
}

// askPort asks what answers on the listener of the window.
func (p *Window) askPort() {
	b, l := p.reply, p.listener
	b.asked = l.ID
	b.button.SetText(lang.L("Asking…"))
	widgets.SetEnabled(b.button, false)
	p.actions.AskPort(l, func(r reply.Reply) {
		if b.asked != l.ID {
			return // the window was closed, or the port
		}
		b.known = &r
		b.show(words.Reply(r))
		p.endAsking()
		b.object.Show()
		p.showBrowser()
		p.body.Refresh()
	})
}

// endAsking makes the button ready for the next request.
func (p *Window) endAsking() {
	p.reply.button.SetText(lang.L("What answers there?"))
	widgets.SetEnabled(p.reply.button, true)
}

// show fills the box with labels and values.
func (b *replyBox) show(facts [][2]string) {
	b.facts.RemoveAll()
	for _, f := range facts {
		b.facts.Add(widgets.Follow(canvas.NewText(f[0], theme.Color(table.ColorMuted)), table.ColorMuted))
		b.facts.Add(widgets.NewMono(f[1]))
	}
}

// showReply shows the button while the port can be asked, and drops the reply of a port that has
// closed.
func (p *Window) showReply() {
	b := p.reply
	_, ok := reply.Address(p.listener, netip.Addr{})
	p.setShown(ok && !p.disconnected && len(p.listeners) > 0, b.button)
	if b.asked != "" && (len(p.listeners) == 0 || p.listener.ID != b.asked) {
		b.asked, b.known = "", nil
		p.endAsking()
		p.setShown(false, b.object)
	}
	p.showBrowser()
}

// showBrowser makes the browser the main action for what speaks HTTP.
func (p *Window) showBrowser() {
	web := service.SpeaksHTTP(p.listener)
	if p.reply.known != nil {
		web = words.Web(*p.reply.known, web)
	}
	importance := widget.MediumImportance
	if web {
		importance = widget.HighImportance
	}
	if p.browser.Importance != importance {
		p.browser.Importance = importance
		p.browser.Refresh()
	}
}
