package ports

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"porthole/monitor/reply"
	"porthole/ui/uitest"
)

// shop is the reply of a web server.
var shop = reply.Reply{Address: "127.0.0.1:3000", Connected: true, Protocol: reply.HTTP, Status: "HTTP/1.1 200 OK", Title: "My shop", Framework: "Express", Evidence: "header X-Powered-By"}

// fact returns a value that the details pane shows.
func (d *desk) fact(label string) string {
	for _, f := range d.ports.details.model.facts {
		if f[0] == label {
			return f[1]
		}
	}
	return ""
}

// The port is asked when the user clicks, and the reply stays until the port closes.
func TestAskPort(t *testing.T) {
	d := newDesk(t)
	l := uitest.Listening(3000, "tool", 10)
	d.see(l)
	d.ports.table.Select(l.ID)
	pane := d.ports.details
	if d.Asked != nil || pane.ask.Text.Text != "What answers there?" || pane.browser.Importance == widget.HighImportance {
		t.Fatalf("before: got %v, link %q, browser %v", d.Asked, pane.ask.Text.Text, pane.browser.Importance)
	}
	pane.ask.Press()
	pane.ask.Press() // it is being asked
	d.Want("requests", d.Asked, []string{"what answers on 3000"})
	if got := pane.ask.Text.Text; got != "Asking…" {
		t.Errorf("got the link %q while asking", got)
	}
	d.AnswerPort(shop)
	if d.fact("Answer") != "127.0.0.1:3000 speaks HTTP" || d.fact("Page title") != "My shop" || d.fact("Framework") != "Express (header X-Powered-By)" {
		t.Errorf("got %q", pane.model.facts)
	}
	if pane.ask.Text.Text != "What answers there?" || pane.browser.Importance != widget.HighImportance {
		t.Errorf("after: got the link %q, browser %v; want the browser as the main action", pane.ask.Text.Text, pane.browser.Importance)
	}
	d.see()
	if d.fact("Answer") != "" || pane.ask.Visible() {
		t.Error("a closed port shows a reply or can be asked")
	}
}

// A reply in another protocol is a reason not to offer the browser first.
func TestReplyThatIsNotHTTP(t *testing.T) {
	d := newDesk(t)
	l := uitest.Listening(8080, "node", 10)
	l.Service = "Node.js"
	d.see(l)
	d.ports.table.Select(l.ID)
	pane := d.ports.details
	if pane.browser.Importance != widget.HighImportance {
		t.Fatal("the browser is not the main action of a known web server")
	}
	pane.ask.Press()
	d.AnswerPort(reply.Reply{Address: "127.0.0.1:8080", Protocol: reply.SSH, Banner: "SSH-2.0-x"})
	if pane.browser.Importance == widget.HighImportance || d.fact("Banner") != "SSH-2.0-x" {
		t.Errorf("got browser %v, facts %q", pane.browser.Importance, pane.model.facts)
	}
}

func TestAskPortInNarrowWindow(t *testing.T) {
	d := newDesk(t)
	d.Window.Resize(fyne.NewSize(700, 500))
	l := uitest.Listening(3000, "tool", 10)
	d.see(l)
	d.ports.table.Select(l.ID)
	d.ports.askPort(l)
	d.AnswerPort(shop)
	if text := uitest.CopyableOver(d.Window); !strings.HasPrefix(text, "Answer: 127.0.0.1:3000 speaks HTTP\nStatus: HTTP/1.1 200 OK\nPage title: My shop") {
		t.Errorf("got the overlay %q", text)
	}
}
