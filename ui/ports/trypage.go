package ports

import (
	"errors"
	"fmt"

	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/ui/words"
)

// ErrPortInUse is the reason for OpenTryPage if another program uses the port.
var ErrPortInUse = errors.New("the port is in use")

// tryPage is the page with which a new user tries Porthole. A process of Porthole opens it on the
// port that is watched by default, and takes it away after half a minute.
type tryPage struct {
	state    tryState
	selected bool // its row was selected
	opened   bool // its process was opened
}

// tryState is the state of the page.
type tryState int

const (
	tryNone    tryState = iota // it has not been tried
	tryOpening                 // it is being opened
	tryOpen                    // it accepts connections
	tryClosed                  // it was open, and is gone
	tryInUse                   // it was not opened: another program uses the port
	tryFailed                  // it was not opened; the log has the reason
)

// tryIt opens the page, or closes it if it is open.
func (p *Page) tryIt() {
	switch p.try.state {
	case tryOpening:
	case tryOpen:
		p.actions.CloseTryPage()
	default:
		port, ok := defaultPort(p.status.Rules)
		if !ok {
			return
		}
		p.try = tryPage{state: tryOpening}
		p.actions.OpenTryPage(port, p.setTryPage)
	}
}

// setTryPage shows that the page is open, or that it is not, and why.
func (p *Page) setTryPage(open bool, err error) {
	switch {
	case open:
		p.try.state = tryOpen
	case err == nil:
		p.try.state = tryClosed
	case errors.Is(err, ErrPortInUse):
		p.try.state = tryInUse
	default:
		p.try.state = tryFailed
	}
	p.showTried()
	p.showWelcome()
}

// showTried selects the row of the page that was opened, once.
func (p *Page) showTried() {
	if p.try.state != tryOpen || p.try.selected {
		return
	}
	if l := p.tried(); l != nil && len(l.Owners) > 0 {
		p.try.selected = true
		p.ShowPort(l.Port)
	}
}

// openTried opens the process of the page, once. The row has been painted by then: a new window
// takes long, and would come before it.
func (p *Page) openTried() {
	if p.try.state != tryOpen || !p.try.selected || p.try.opened {
		return
	}
	if l := p.tried(); l != nil {
		p.try.opened = true
		p.open(l)
	}
}

// tried returns the listener that has the port of the page; nil if there is none.
func (p *Page) tried() *monitor.Listener {
	port, _ := defaultPort(p.status.Rules)
	for r := range p.rows.on(port) {
		if l := r.listener; l.Protocol != monitor.UDP && l.AcceptsLoopback() {
			return l
		}
	}
	return nil
}

// tryText describes the page; "" if it has not been tried.
func (p *Page) tryText() string {
	port, _ := defaultPort(p.status.Rules)
	data := map[string]any{"Port": port}
	switch p.try.state {
	case tryOpen:
		return lang.L("A page is open on 127.0.0.1:{{.Port}} for half a minute. Porthole sends a notification and shows the port in a card, a row, and the window of its process.", data)
	case tryClosed:
		return lang.L("The page on 127.0.0.1:{{.Port}} is closed again. Porthole reports that too and keeps both events in its history.", data)
	case tryInUse:
		data["Who"] = p.userOf()
		return lang.L("Can't open a page on port {{.Port}}, because it is used by {{.Who}}.", data)
	case tryFailed:
		return lang.L("Can't open a page on port {{.Port}}. See the log for details.", data)
	}
	return ""
}

// userOf names the process that has the port of the page.
func (p *Page) userOf() string {
	l := p.tried()
	if l == nil { // for example only for an outgoing connection
		return lang.L("another program")
	}
	if o, ok := l.Principal(); ok {
		return fmt.Sprintf("%s (%s)", words.Owner(l), words.PID(o.PID))
	}
	return words.Owner(l)
}

// tryLabel is the label of the link that opens or closes the page.
func (p *Page) tryLabel() string {
	if p.try.state == tryOpen {
		return lang.L("Close the page")
	}
	return lang.L("Try it")
}
