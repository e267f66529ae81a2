package process

import (
	"testing"

	"fyne.io/fyne/v2/widget"

	"porthole/monitor/reply"
	"porthole/ui/uitest"
	"porthole/ui/widgets"
)

func TestAskPort(t *testing.T) {
	d := newDesk(t)
	l := uitest.Listening(3000, "tool", 10)
	d.showSnapshot(l)
	d.OpenProcess(l)
	p := d.processes[Key(l)]
	if p.reply.object.Visible() || p.browser.Importance == widget.HighImportance {
		t.Fatal("before: the window shows a reply")
	}
	p.reply.button.OnTapped()
	if p.reply.button.Text != "Asking…" || !p.reply.button.Disabled() {
		t.Errorf("while asking: got the button %q, disabled %v", p.reply.button.Text, p.reply.button.Disabled())
	}
	d.AnswerPort(reply.Reply{Address: "127.0.0.1:3000", Connected: true, Protocol: reply.HTTP, Status: "HTTP/1.1 200 OK", Title: "My shop"})
	var got []string
	for _, o := range p.reply.facts.Objects {
		if value, ok := o.(*widgets.CopyText); ok {
			got = append(got, value.Text)
		}
	}
	d.Want("values", got, []string{"127.0.0.1:3000 speaks HTTP", "HTTP/1.1 200 OK", "My shop"})
	if p.reply.button.Disabled() || p.browser.Importance != widget.HighImportance {
		t.Errorf("after: got the button disabled %v, browser %v", p.reply.button.Disabled(), p.browser.Importance)
	}
	p.reply.button.OnTapped()
	late := d.AnswerPort
	d.showSnapshot()
	if p.reply.object.Visible() || p.reply.button.Visible() || p.browser.Importance == widget.HighImportance {
		t.Error("the window shows the reply of a port that has closed, or asks it")
	}
	if late(reply.Reply{Protocol: reply.HTTP}); p.reply.object.Visible() {
		t.Error("a late reply is shown")
	}
}
