package ports

import (
	"testing"

	"fyne.io/fyne/v2"

	"porthole/ui/uitest"
)

// A menu takes the place of the toolbar in a narrow window, and the details that of the table.
func TestCompactPage(t *testing.T) {
	d := newDesk(t)
	l := uitest.Listening(3000, "node", 10)
	d.see(l)
	d.ports.table.Select(l.ID)
	type parts struct{ toolbar, menu, cards, table, details bool }
	want := func(what string, size fyne.Size, want parts) {
		t.Helper()
		d.ports.Content.Resize(size)
		p := d.ports
		got := parts{p.quick.object.Visible() && p.switches.Visible(), p.filters.Visible(), p.cards.object.Visible(), p.middle.Objects[0].Visible(), p.details.visible()}
		if got != want {
			t.Errorf("%s: got %+v, want %+v", what, got, want)
		}
	}
	small, wide := fyne.NewSize(480, 283), fyne.NewSize(1180, 700)
	want("small", small, parts{menu: true, table: true})
	want("narrow", fyne.NewSize(480, 600), parts{menu: true, cards: true, table: true})
	want("wide", wide, parts{toolbar: true, cards: true, table: true, details: true})
	want("small again", small, parts{menu: true, table: true})
	d.ports.openDetails()
	want("small, with details", small, parts{menu: true, details: true})
	want("made wide", wide, parts{toolbar: true, cards: true, table: true, details: true})
	want("made small", small, parts{menu: true, table: true})
	d.ports.openDetails()
	d.ports.details.back.Tapped(nil)
	want("went back", small, parts{menu: true, table: true})
	if d.ports.HideDetails() {
		t.Error("HideDetails reports that it did something although no details were shown")
	}
	d.ports.setQuick(quickExposed)
	if got, want := d.ports.filters.Text, "Exposed 0"; got != want {
		t.Errorf("got button %q, want %q", got, want)
	}
}
