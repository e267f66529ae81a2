package ports

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"fyne.io/fyne/v2/test"

	"porthole/monitor"
	"porthole/monitor/watch"
	"porthole/ui/uitest"
)

// tryDesk is the page of a new user with node on port 3000.
func tryDesk(t *testing.T) *desk {
	t.Helper()
	d := newDesk(t)
	d.SetStatus(Status{Notifications: true, Rules: watch.Default(), Welcome: true})
	d.see(uitest.Listening(3000, "node", 10))
	return d
}

// tapTry clicks the link that opens or closes the page.
func (d *desk) tapTry() { test.Tap(d.ports.welcome.try) }

// wantTry fails the test unless the welcome contains text and the link has the label.
func (d *desk) wantTry(what, text, label string) {
	d.T.Helper()
	w := d.ports.welcome
	if got := w.text.Segment.Text; !w.object.Visible() || !strings.Contains(got, text) || w.try.Text.Text != label {
		d.T.Errorf("%s: got the welcome %q with %q, want %q with %q", what, got, w.try.Text.Text, text, label)
	}
}

func TestTryIt(t *testing.T) {
	d := tryDesk(t)
	node, page := uitest.Listening(3000, "node", 10), uitest.Listening(62893, "porthole", 77)
	for round := range 2 {
		d.Asked = nil
		d.wantTry("offered", "62893", "Try it")
		d.tapTry()
		d.tapTry() // it is being opened already
		d.Want("requests", d.Asked, []string{"open a page on 62893"})
		d.TryPageChanged(true, nil)
		d.wantTry("open", "127.0.0.1:62893 for half a minute", "Close the page")

		unowned := *page
		unowned.ID, unowned.Owners = fmt.Sprint("page-", round), nil
		d.see(node, &unowned)
		d.Want("requests without an owner", d.Asked, []string{"open a page on 62893"})
		owned := unowned
		owned.Owners = page.Owners
		d.see(node, &owned)
		d.Want("requests before the row is painted", d.Asked, []string{"open a page on 62893"})
		d.Tick()
		d.Tick()
		d.Want("requests with the owner", d.Asked, []string{"open a page on 62893", "open " + owned.ID})
		if r, ok := d.ports.table.Selected(); !ok || r.listener.Port != 62893 {
			t.Errorf("round %d: got the selected row %+v, want that of the page", round, r)
		}

		d.tapTry()
		d.Want("requests after closing", d.Asked[2:], []string{"close the page"})
		d.TryPageChanged(false, nil)
		d.see(node)
		d.wantTry("closed", "closed again", "Try it")
	}
}

// The row may have appeared before the window knows that the page is open.
func TestTryItAfterTheRow(t *testing.T) {
	d := tryDesk(t)
	d.tapTry()
	page := uitest.Listening(62893, "porthole", 77)
	d.see(page)
	d.Want("requests", d.Asked, []string{"open a page on 62893"})
	d.TryPageChanged(true, nil)
	d.Tick()
	d.Want("requests", d.Asked, []string{"open a page on 62893", "open " + page.ID})
}

func TestTryItFails(t *testing.T) {
	d := tryDesk(t)
	d.tapTry()
	d.TryPageChanged(false, fmt.Errorf("wrapped: %w", ErrPortInUse))
	d.wantTry("bound by an unknown program", "used by another program", "Try it")
	d.see(uitest.Listening(62893, "python3", 99))
	d.tapTry()
	d.TryPageChanged(false, ErrPortInUse)
	d.wantTry("used by a server", "used by python3 (PID 99)", "Try it")
	foreign := uitest.Listening(62893, "", 0)
	foreign.Owners, foreign.User, foreign.OwnerUnknown = nil, "root", monitor.UnknownForeign
	d.see(foreign)
	d.tapTry()
	d.TryPageChanged(false, ErrPortInUse)
	d.wantTry("used by another user", "used by unknown (user root)", "Try it")
	d.tapTry()
	d.TryPageChanged(false, errors.New("no memory"))
	d.wantTry("failed", "See the log", "Try it")
	if text := d.ports.welcome.text.Segment.Text; strings.Contains(text, "no memory") {
		t.Errorf("got the raw error in %q", text)
	}
}
