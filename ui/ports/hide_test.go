package ports

import (
	"fmt"
	"slices"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"porthole/monitor"
	"porthole/monitor/label"
	"porthole/ui/uitest"
	"porthole/ui/widgets"
)

// hidden returns a listener that the user has hidden.
func hidden(port uint16, name string, pid int, addresses ...string) *monitor.Listener {
	l := uitest.Listening(port, name, pid, addresses...)
	l.Hidden = true
	return l
}

func TestHiddenRows(t *testing.T) {
	d := newDesk(t)
	node := uitest.Listening(3000, "node", 10)
	d.see(node)
	segment := d.ports.quick.segments[quickHidden]
	if segment.Visible() {
		t.Error("the quick filter Hidden is visible although nothing is hidden")
	}
	d.see(node, hidden(631, "cupsd", 5), hidden(8080, "java", 20, "0.0.0.0"))
	d.Want("rows", d.rows(), []string{"3000"})
	if got, want := d.ports.left.Text, "1 listener +2 hidden · 0 of 1 watched open · 1 exposed to the network"; got != want {
		t.Errorf("got status line %q, want %q", got, want)
	}
	if !segment.Visible() || segment.Text.Text != "Hidden 2" {
		t.Errorf("got quick filter %q, visible %v; want Hidden 2", segment.Text.Text, segment.Visible())
	}
	for q, want := range map[quickFilter][]string{quickExposed: {"8080"}, quickHidden: {"631", "8080"}, quickAll: {"3000"}} {
		d.ports.setQuick(q)
		d.Want(fmt.Sprint("rows of quick filter ", q), d.rows(), want)
	}
	d.ports.setQuick(quickAll)
	d.ports.entry.SetText("631")
	d.Want("rows of a port", d.rows(), []string{"631"})
	d.ports.entry.SetText("cups")
	d.Want("rows of a word", d.rows(), nil)
	if got := d.ports.empty.Title.Text + " " + d.ports.empty.More.Text; got != "Nothing matches “Hidden” shows 1 port" {
		t.Errorf("in place of the table: got %q", got)
	}
	d.ports.entry.SetText("")
	d.ShowPort(631)
	if r, ok := d.ports.table.Selected(); !ok || r.port != "631" {
		t.Error("ShowPort does not show a hidden row")
	}
}

func TestHideAndUndo(t *testing.T) {
	d := newDesk(t)
	l := uitest.Listening(631, "cupsd", 5)
	l.Unit = "cups.service"
	d.see(l, uitest.Listening(3000, "node", 10))
	item := d.ports.hideItem(l)
	var offered []string
	for _, child := range item.ChildMenu.Items {
		offered = append(offered, child.Label)
	}
	d.Want("offers", offered, []string{"Port 631 of cupsd", "Everything of cupsd", "Everything of cups.service"})
	item.ChildMenu.Items[0].Action()
	rule := label.Rules{Hidden: label.Hide(l)[:1]}
	d.Want("requests", d.Asked, []string{fmt.Sprintf("labels +%+v -%+v", rule, label.Rules{})})
	if got := d.ports.left.Text; got != "Hidden: Port 631 of cupsd" || !d.ports.undoLink.Visible() {
		t.Errorf("got status line %q, Undo visible %v", got, d.ports.undoLink.Visible())
	}
	d.Asked = nil
	test.Tap(d.ports.undoLink)
	d.Want("requests by Undo", d.Asked, []string{fmt.Sprintf("labels +%+v -%+v", label.Rules{}, rule)})

	d.Asked = nil
	d.SetStatus(Status{Labels: label.Rules{Hidden: append(rule.Hidden, label.Hidden{Program: "node"})}})
	again := *l
	again.Hidden = true
	d.ports.hideItem(&again).Action()
	uitest.Shortcut(d.Window, widgets.UndoKeys.Shortcut())
	d.Want("requests by Show again and Undo", d.Asked, []string{fmt.Sprintf("labels +%+v -%+v", label.Rules{}, rule), fmt.Sprintf("labels +%+v -%+v", rule, label.Rules{})})
	d.Disconnect()
	d.Asked = nil
	d.ports.hideItem(l).ChildMenu.Items[0].Action()
	d.Want("requests without an agent", d.Asked, nil)
}

// What becomes hidden leaves the table, and what becomes exposed comes back.
func TestHiddenChanges(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(631, "cupsd", 5), uitest.Listening(3000, "node", 10))
	before := d.Last.Listeners[0]
	change := func(hide bool) {
		after := *before
		after.Hidden = hide
		d.Last.Listeners = []*monitor.Listener{&after, d.Last.Listeners[1]}
		d.Update(monitor.Update{Snapshot: d.Last, Events: []monitor.Event{{Kind: monitor.Updated, Listener: &after, Before: before}}, Ready: true})
		before = &after
	}
	change(true)
	d.Want("hidden", d.rows(), []string{"3000"})
	change(false)
	d.Want("shown again", d.rows(), []string{"631", "3000"})
}

func TestLabelDialog(t *testing.T) {
	d := newDesk(t)
	l := uitest.Listening(3000, "node", 10)
	l.Project = "shop"
	d.see(l)
	d.ports.table.Select(l.ID)
	edit := func(name, note string, keys ...fyne.KeyName) {
		t.Helper()
		d.Asked = nil
		uitest.Press(d.Window, LabelKeys.Key)
		d.WantText("Label 3000", "port 3000", "Save")
		for i, text := range []string{name, note} {
			if i > 0 {
				d.Window.Canvas().FocusNext()
			}
			entry := d.Window.Canvas().Focused().(*widgets.FormEntry)
			entry.SetText("")
			test.Type(entry, text)
		}
		for _, key := range keys {
			uitest.Press(d.Window, key)
		}
		if d.Window.Canvas().Overlays().Top() != nil {
			t.Fatal("the dialog is still open")
		}
	}
	shop := label.OfPort(l)
	shop.Name, shop.Note = "shop", "ask Ann"
	added := fmt.Sprintf("labels +%+v -%+v", label.Rules{Labels: []label.Label{shop}}, label.Rules{})
	edit(" shop\u202e", "ask  Ann", fyne.KeyReturn)
	d.Want("requests", d.Asked, []string{added})
	edit("shop", "", fyne.KeyEscape)
	d.Want("requests after Esc", d.Asked, nil)
	edit("", "a note without a name", fyne.KeyReturn)
	d.Want("requests without a name", d.Asked, nil)

	d.SetStatus(Status{Labels: label.Rules{Labels: []label.Label{shop}}})
	edit("shop", "ask Ann", fyne.KeyReturn)
	d.Want("requests without a change", d.Asked, nil)
	edit("", "", fyne.KeyReturn)
	d.Want("requests by an empty name", d.Asked, []string{fmt.Sprintf("labels +%+v -%+v", label.Rules{}, label.Rules{Labels: []label.Label{shop}})})
	d.Asked = nil
	uitest.Shortcut(d.Window, widgets.UndoKeys.Shortcut())
	d.Want("requests by Undo", d.Asked, []string{added})

	uitest.Press(d.Window, LabelKeys.Key)
	d.Asked = nil
	d.Choose("Remove label")
	d.Want("requests by Remove", d.Asked, []string{fmt.Sprintf("labels +%+v -%+v", label.Rules{}, label.Rules{Labels: []label.Label{shop}})})
}

func TestLabelColumn(t *testing.T) {
	d := newDesk(t)
	d.Window.Resize(fyne.NewSize(1600, 600))
	l := uitest.Listening(3000, "node", 10)
	d.see(l)
	if slices.Contains(d.labels(), "Label") {
		t.Error("the column Label is shown without labels")
	}
	labelled := *l
	labelled.Label, labelled.Note = "shop front", "ask Ann"
	d.see(&labelled, uitest.Listening(8080, "java", 20))
	if !slices.Contains(d.labels(), "Label") {
		t.Error("the column Label is not shown")
	}
	for _, text := range []string{"front", "ann"} {
		d.ports.entry.SetText(text)
		d.Want("rows of "+text, d.rows(), []string{"3000 changed"})
	}
}

// The dialog offers the port and the service, and keeps what was written by hand.
func TestLabelScopes(t *testing.T) {
	l := uitest.Listening(3000, "node", 10)
	l.Project = "shop"
	service, _ := label.OfService(l)
	byHand := label.Label{On: uitest.Rule(t, "3000-3009", "node"), Name: "x"}
	for _, test := range []struct {
		was  label.Label
		want []string
	}{
		{label.Label{}, []string{"port 3000", "node of shop on any port"}},
		{label.Label{On: service.On, Name: "x"}, []string{"node of shop on any port", "port 3000"}},
		{byHand, []string{"3000-3009 node", "node of shop on any port", "port 3000"}},
	} {
		d := &labelDialog{was: test.was}
		var got []string
		for i, option := range d.addScopes(l) {
			got = append(got, option.Label)
			if option.Value != fmt.Sprint(i) {
				t.Errorf("got value %q of option %d", option.Value, i)
			}
		}
		if !slices.Equal(got, test.want) || test.was.Name != "" && !d.scopes[0].On.Equal(test.was.On) {
			t.Errorf("label %+v: got %q for %+v, want %q", test.was, got, d.scopes, test.want)
		}
	}
}
