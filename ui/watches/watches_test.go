package watches

import (
	"fmt"
	"image"
	"image/color"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/theme"

	"porthole/monitor"
	"porthole/monitor/watch"
	"porthole/ui/table"
	uitheme "porthole/ui/theme"
	"porthole/ui/uitest"
	"porthole/ui/widgets"
)

// watchDesk is the page in a window. It records the rules of each request, and the rules that the
// page had seen before it.
type watchDesk struct {
	uitest.Desk
	watches    *Page
	sent, seen []watch.Rules
}

func (d *watchDesk) SetWatches(seen, r watch.Rules) {
	d.seen, d.sent = append(d.seen, seen), append(d.sent, r)
}

// blankDesk returns a desk before the rules are known.
func blankDesk(t *testing.T) *watchDesk {
	t.Helper()
	d := &watchDesk{Desk: uitest.NewDesk(t, uitheme.Theme{})}
	d.watches = New(d, d.Now, d.Key)
	d.Host(d.watches.Content, fyne.NewSize(1000, 600), func() {})
	return d
}

func newWatchDesk(t *testing.T, rules ...watch.Rule) *watchDesk {
	t.Helper()
	d := blankDesk(t)
	d.see()
	d.setRules(rules...)
	d.setVisible(true)
	return d
}

// see shows the page the next snapshot.
func (d *watchDesk) see(listeners ...*monitor.Listener) {
	d.watches.Update(d.Next(listeners...).Snapshot)
}

// setRules shows the page the agent's rules.
func (d *watchDesk) setRules(rules ...watch.Rule) { d.watches.SetRules(rules) }

// setVisible shows or hides the page.
func (d *watchDesk) setVisible(visible bool) {
	if !visible {
		d.watches.Content.Hide()
		return
	}
	d.watches.Content.Show()
	d.watches.OnShown()
	d.watches.Focus()
}

// A change that cannot be saved is reported where it was made.
func TestProblemsAreShown(t *testing.T) {
	d := newWatchDesk(t, rule(t, "3000", ""))
	before := d.watches.list.Size().Height
	d.watches.ShowProblems([]string{"Can't save the watches"}, false)
	if texts := uitest.Texts(d.watches.warning.Object); !slices.ContainsFunc(texts, func(c *canvas.Text) bool { return c.Text == "Can't save the watches" }) {
		t.Errorf("got the texts %v in the warning", texts)
	}
	if now := d.watches.list.Size().Height; !d.watches.warning.Object.Visible() || now >= before {
		t.Errorf("list height %v before, %v now; warning visible: %t", before, now, d.watches.warning.Object.Visible())
	}
	d.watches.ShowProblems(nil, false)
	if d.watches.warning.Object.Visible() || d.watches.list.Size().Height != before {
		t.Errorf("the warning stays")
	}
}

// key sends keys to the focused widget.
func (d *watchDesk) key(names ...fyne.KeyName) {
	d.T.Helper()
	for _, name := range names {
		f := d.Window.Canvas().Focused()
		if f == nil {
			d.T.Fatalf("%s: nothing is focused", name)
		}
		f.TypedKey(&fyne.KeyEvent{Name: name})
	}
}

// text types text into the focused widget.
func (d *watchDesk) text(s string) {
	for _, r := range s {
		d.Window.Canvas().Focused().TypedRune(r)
	}
}

// alt presses Alt and an arrow key. The test canvas has no shortcuts, so it calls what the window
// would call.
func (d *watchDesk) alt(key fyne.KeyName) {
	d.watches.MoveSelected(map[fyne.KeyName]int{fyne.KeyUp: -1, fyne.KeyDown: 1}[key])
}

// list describes each rule briefly: in parentheses if it is off, with a star if it is selected.
func list(rules watch.Rules, selected int) []string {
	out := []string{}
	for i, r := range rules {
		s := r.Name + r.Ports.String() + r.Match.String()
		if r.Off {
			s = "(" + s + ")"
		}
		if i == selected {
			s += "*"
		}
		out = append(out, s)
	}
	return out
}

func (d *watchDesk) shows(what string, want ...string) {
	d.T.Helper()
	d.Want(what, list(d.watches.rules, d.watches.selected), want)
}

func (d *watchDesk) lastSent(what string, want ...string) {
	d.T.Helper()
	if len(d.sent) == 0 {
		d.T.Fatalf("%s: got no request", what)
	}
	d.Want(what+", asked for", list(d.sent[len(d.sent)-1], -1), want)
}

func rule(t *testing.T, ports, match string) (r watch.Rule) {
	t.Helper()
	r, errs := typed{ports: ports, match: match, notifyOn: watch.DefaultEvents}.rule(watch.DefaultEvents)
	if errs != (ruleErrors{}) {
		t.Fatal(errs)
	}
	return r
}

// at returns the position of o's centre on the canvas.
func at(o fyne.CanvasObject) fyne.Position {
	p := fyne.CurrentApp().Driver().AbsolutePositionForObject(o)
	return p.AddXY(o.Size().Width/2, o.Size().Height/2)
}

// rowOf returns the row that shows rule i.
func (d *watchDesk) rowOf(i int) *ruleRow {
	d.T.Helper()
	for _, r := range d.watches.list.rows {
		if r.index == i {
			return r
		}
	}
	d.T.Fatalf("no row shows rule %d", i)
	return nil
}

func TestViewOf(t *testing.T) {
	named := rule(t, "3000-3010, 80", "vite shop")
	named.Name, named.NotifyOn = "the\u202e shop\n", watch.OnOpen|watch.OnExposed
	for _, c := range []struct {
		rule watch.Rule
		want string
	}{
		{rule(t, "62893", ""), "|62893||"},
		{rule(t, "62893", "node"), "|62893|only “node”|"},
		{rule(t, "", "node\tshop"), "||“node shop” on any port|"},
		{named, "the shop|80, 3000-3010|only “vite shop”|notifies only when it opens, is exposed to the network"},
	} {
		v := viewOf(c.rule)
		if got := strings.Join([]string{v.title, v.ports, v.pattern, v.events}, "|"); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestStateOf(t *testing.T) {
	node, python := uitest.Listening(3000, "node", 10), uitest.Listening(3001, "python3", 20, "0.0.0.0")
	node.Project = "acme-web"
	evil := uitest.Listening(4000, "a\nb\u202e", 30)
	s := monitor.Apply(monitor.Snapshot{}, uitest.OpenedEvents(time.Time{}, []*monitor.Listener{node, python, evil}))
	off := rule(t, "3000", "")
	off.Off = true
	for _, c := range []struct {
		rule watch.Rule
		want ruleState
	}{
		{off, ruleState{"off", "", table.ColorMuted, false}},
		{rule(t, "3000", ""), ruleState{"● open", "node · acme-web", uitheme.ColorOpen, true}},
		{rule(t, "3001", ""), ruleState{"◐ exposed to the network", "python3", uitheme.ColorAlert, true}},
		{rule(t, "3000-3001", ""), ruleState{"◐ 1 of 2 exposed to the network", "3001 python3, 3000 node · acme-web", uitheme.ColorAlert, true}},
		{rule(t, "3000, 4000", ""), ruleState{"● 2 open", "3000 node · acme-web, 4000 a b", uitheme.ColorOpen, true}},
		{rule(t, "", "node"), ruleState{"● open", "3000 node · acme-web", uitheme.ColorOpen, true}},
		{rule(t, "", "java"), ruleState{"○ not running", "", table.ColorMuted, false}},
		{rule(t, "5432", ""), ruleState{"○ closed", "", table.ColorMuted, false}},
		{rule(t, "5432", "postgres"), ruleState{"○ closed", "", table.ColorMuted, false}},
		{rule(t, "3000", "postgres"), ruleState{"○ used by another process", "node · acme-web", table.ColorMuted, false}},
	} {
		if got := stateOf(c.rule, s); got != c.want {
			t.Errorf("%+v: got %+v, want %+v", c.rule, got, c.want)
		}
	}
	if s.Listeners[0] != node {
		t.Error("stateOf changed the snapshot")
	}
}

func TestUpdateRepaintsOnlyChangedRows(t *testing.T) {
	d := newWatchDesk(t, rule(t, "3000", ""), rule(t, "4000", ""))
	idle := d.rowOf(1).painted
	d.see(uitest.Listening(3000, "node", 10))
	if got := d.rowOf(0); got.mark.Text+got.text.Text != "●open" || got.more.Text != "node" {
		t.Errorf("got row %q, %q", got.text.Text, got.more.Text)
	}
	if r := d.rowOf(1); r.mark.Text+r.text.Text != "○closed" || d.rowOf(1).painted != idle {
		t.Errorf("got other row %q", d.rowOf(1).text.Text)
	}
	marked := "not painted again"
	d.rowOf(0).text.Text, d.rowOf(1).text.Text = marked, marked
	d.see(uitest.Listening(3000, "node", 10), uitest.Listening(5000, "java", 20))
	if d.rowOf(0).text.Text != marked || d.rowOf(1).text.Text != marked {
		t.Error("rows with the same texts were repainted")
	}
}

func TestOnShownCatchesUp(t *testing.T) {
	d := newWatchDesk(t, rule(t, "3000", ""))
	d.setVisible(false)
	d.see(uitest.Listening(3000, "node", 10))
	if got := d.watches.views[0].state.text; got != "○ closed" {
		t.Errorf("a hidden page computed %q", got)
	}
	d.setVisible(true)
	if got := d.rowOf(0).mark.Text + d.rowOf(0).text.Text; got != "●open" {
		t.Errorf("got row %q", got)
	}
}

func TestKeys(t *testing.T) {
	d := newWatchDesk(t, rule(t, "1", ""), rule(t, "2", ""), rule(t, "3", ""))
	d.shows("initially", "1*", "2", "3")
	d.key(fyne.KeyDown, fyne.KeySpace)
	d.lastSent("Space", "1", "(2)", "3")
	d.key(fyne.KeySpace)
	d.lastSent("Space again, before the agent answers", "1", "2", "3")
	d.alt(fyne.KeyDown)
	d.lastSent("Alt+Down", "1", "3", "2")
	d.shows("Alt+Down", "1", "3", "2*")
	d.alt(fyne.KeyDown) // already the last
	d.alt(fyne.KeyUp)
	d.alt(fyne.KeyUp)
	d.shows("Alt+Up twice", "2*", "1", "3")
	d.key(fyne.KeyEnd, fyne.KeyDelete)
	d.shows("Delete", "2", "1*")
	if n := len(d.sent); n != 6 {
		t.Errorf("got %d requests, want 6", n)
	}
}

func TestButtons(t *testing.T) {
	d := newWatchDesk(t, rule(t, "1", ""), rule(t, "2", ""), rule(t, "3", ""))
	click := func(i, button int) {
		t.Helper()
		b := d.rowOf(i).on
		if button >= 0 {
			b = d.rowOf(i).buttons[button]
		}
		test.TapCanvas(d.Window.Canvas(), at(b))
	}
	click(1, -1)
	d.lastSent("the check box", "1", "(2)", "3")
	click(0, 1) // already the first
	click(2, 1)
	d.lastSent("up", "1", "3", "(2)")
	click(0, 2)
	d.lastSent("down", "3", "1", "(2)")
	click(1, 3)
	d.shows("delete", "3", "(2)*")
	click(0, 0)
	if !d.watches.form.open() || d.watches.form.ports.Text != "3" {
		t.Errorf("edit: got form open %v with %q", d.watches.form.open(), d.watches.form.ports.Text)
	}
	if len(d.sent) != 4 {
		t.Errorf("got %d requests, want 4", len(d.sent))
	}
}

func TestClicks(t *testing.T) {
	d := newWatchDesk(t, rule(t, "1", ""), rule(t, "2", ""))
	place := fyne.NewPos(200, at(d.rowOf(1)).Y)
	test.TapCanvas(d.Window.Canvas(), place)
	d.shows("click", "1", "2*")
	if d.watches.form.open() {
		t.Error("a single click opened the form")
	}
	test.TapCanvas(d.Window.Canvas(), place)
	if !d.watches.form.open() {
		t.Error("a double click did not open the form")
	}
}

func TestDoubleClickWhenRulesChange(t *testing.T) {
	d := newWatchDesk(t, rule(t, "1", ""), rule(t, "2", ""))
	place := fyne.NewPos(200, at(d.rowOf(1)).Y)
	test.TapCanvas(d.Window.Canvas(), place)
	d.setRules(rule(t, "1", ""), rule(t, "3", ""))
	test.TapCanvas(d.Window.Canvas(), place)
	if d.watches.form.open() {
		t.Error("the form edits the rule that replaced the clicked one")
	}
}

func TestHints(t *testing.T) {
	d := newWatchDesk(t, rule(t, "1", ""), rule(t, "2", ""))
	test.MoveMouse(d.Window.Canvas(), at(d.rowOf(0).buttons[3]))
	d.see(uitest.Listening(1, "node", 1)) // must not change the hint
	if got := d.watches.hint.Segment.Text; got != "Delete (Del)" {
		t.Errorf("pointer on a button: got hint %q", got)
	}
	test.MoveMouse(d.Window.Canvas(), fyne.NewPos(1, 1))
	if got := d.watches.hint.Segment.Text; !strings.HasPrefix(got, "Enter: edit") {
		t.Errorf("pointer elsewhere: got hint %q", got)
	}
	d.watches.edit(0)
	if got := d.watches.hint.Segment.Text; got != "Enter: save · Esc: cancel" {
		t.Errorf("form open: got hint %q", got)
	}
	d.key(fyne.KeyEscape)
	if got := d.watches.hint.Segment.Text; !strings.HasPrefix(got, "Enter: edit") {
		t.Errorf("form closed: got hint %q", got)
	}
	if got := d.rowOf(0).buttons[3].AccessibilityLabel(); got != "Delete (Del)" {
		t.Errorf("got accessibility label %q", got)
	}
}

func TestUndoDelete(t *testing.T) {
	d := newWatchDesk(t, rule(t, "1", ""), rule(t, "2", ""), rule(t, "3", ""))
	d.key(fyne.KeyDown, fyne.KeyDelete, fyne.KeyDelete) // as if the key was held down
	d.shows("deleted", "1*")
	if u := d.watches.undoing; !u.object.Visible() || u.text.Segment.Text != "Deleted “3”" {
		t.Errorf("got undo bar %q, visible %v", u.text.Segment.Text, u.object.Visible())
	}
	d.setRules(rule(t, "1", "")) // the agent's answer
	test.TapCanvas(d.Window.Canvas(), at(d.watches.undoing.button))
	d.shows("first Undo", "1", "3*")
	d.watches.Undo()
	d.lastSent("second Undo", "1", "2", "3")
	if d.watches.undoing.object.Visible() {
		t.Error("the undo bar is still visible")
	}
}

func TestUndoExpires(t *testing.T) {
	d := newWatchDesk(t, rule(t, "1", ""), rule(t, "2", ""), rule(t, "3", ""))
	d.key(fyne.KeyDelete)
	d.At = d.At.Add(widgets.UndoTime - time.Second)
	d.watches.Tick()
	if !d.watches.undoing.object.Visible() {
		t.Error("the undo bar disappeared too early")
	}
	d.At = d.At.Add(time.Second)
	d.watches.Tick()
	if d.watches.undoing.object.Visible() {
		t.Error("the undo bar did not disappear")
	}
	d.key(fyne.KeyDelete, fyne.KeySpace)
	if d.watches.undoing.object.Visible() {
		t.Error("the undo bar is visible after another change")
	}
	d.watches.Undo()
	d.shows("nothing to undo", "(3)*")
}

func TestAddByKeyboard(t *testing.T) {
	d := newWatchDesk(t, rule(t, "1", ""))
	d.key(fyne.KeyInsert)
	d.text("3000-3010 80")
	d.Window.Canvas().FocusNext()
	d.text("vite shop")
	d.Window.Canvas().FocusNext()
	d.text("the shop")
	d.Window.Canvas().FocusNext()
	d.text(" ") // turns off "opens"
	d.key(fyne.KeyReturn)
	d.lastSent("saved", "1", "the shop80, 3000-3010vite shop")
	if got := d.sent[0][1].NotifyOn; got != watch.DefaultEvents&^watch.OnOpen {
		t.Errorf("got events %b", got)
	}
	d.shows("saved", "1", "the shop80, 3000-3010vite shop*")
	if d.watches.form.open() || d.Window.Canvas().Focused() != d.watches.list {
		t.Error("the form is open, or the list is not focused")
	}
}

func TestFormShowsErrors(t *testing.T) {
	missing := "Enter ports, a process, or both"
	for _, c := range []struct{ ports, match, wantPorts, wantMatch string }{
		{"70000", "", `"70000": a port is a number from 1 to 65535`, ""},
		{"0", "", `"0": a port is a number from 1 to 65535`, ""},
		{",", "", `",": a port is a number from 1 to 65535`, ""},
		{"http", "", `"http": a port is a number from 1 to 65535`, ""},
		{"3000-2000", "", `"3000-2000": a range goes from the lower port to the higher one`, ""},
		{"80", "node sh[op", "", `"sh[op" at character 6: missing closing ]`},
		{"", "(", "", `"(" at character 1: missing closing )`},
		{" ", " \t", missing, ""},
		{"80", "node", "", ""},
		{"", "node", "", ""},
	} {
		d := newWatchDesk(t, rule(t, "1", ""))
		test.Tap(d.watches.add)
		f := d.watches.form
		d.text(c.ports)
		d.Window.Canvas().FocusNext()
		d.text(c.match)
		errorText := func(n *widgets.Note) string {
			if n.Segment.Style.ColorName == "error" {
				return n.Segment.Text
			}
			return ""
		}
		if ports, match := errorText(f.portsNote), errorText(f.matchNote); ports != c.wantPorts || match != c.wantMatch {
			t.Errorf("%q, %q: got errors %q, %q, want %q, %q", c.ports, c.match, ports, match, c.wantPorts, c.wantMatch)
		}
		wrong := c.wantPorts+c.wantMatch != ""
		if f.saveButton.Disabled() != wrong {
			t.Errorf("%q, %q: Save is disabled: %v", c.ports, c.match, f.saveButton.Disabled())
		}
		d.key(fyne.KeyReturn)
		if saved := len(d.sent) > 0; saved == wrong {
			t.Errorf("%q, %q: Enter saved: %v", c.ports, c.match, saved)
		}
	}
}

func TestEmptyForm(t *testing.T) {
	d := newWatchDesk(t, rule(t, "1", ""))
	test.Tap(d.watches.add)
	n := d.watches.form.portsNote.Segment
	if n.Text != "Enter ports, a process, or both" || n.Style.ColorName != table.ColorMuted || !d.watches.form.saveButton.Disabled() {
		t.Errorf("initially: got %q in %s", n.Text, n.Style.ColorName)
	}
	d.key(fyne.KeyReturn)
	if n.Style.ColorName != "error" || len(d.sent) > 0 {
		t.Errorf("after Enter: got colour %s and requests %v", n.Style.ColorName, d.sent)
	}
}

func TestFormRejectsDuplicatesAndNoEvents(t *testing.T) {
	d := newWatchDesk(t, rule(t, "1", ""))
	test.Tap(d.watches.add)
	f := d.watches.form
	d.text("1")
	if got := f.notifyNote.Segment.Text; got != "This watch already exists" || !f.saveButton.Disabled() {
		t.Errorf("duplicate: got %q", got)
	}
	d.text("2")
	if f.saveButton.Disabled() {
		t.Error("can't save port 12")
	}
	for _, c := range f.notify {
		if c.Checked { // by default, events about clients are not
			test.TapCanvas(d.Window.Canvas(), at(c).SubtractXY(c.Size().Width/2-15, 0))
		}
	}
	if got := f.notifyNote.Segment.Text; !strings.HasPrefix(got, "Select at least one event") || !f.saveButton.Disabled() {
		t.Errorf("no events: got %q", got)
	}
}

func TestEdit(t *testing.T) {
	off := rule(t, "2", "node")
	off.Off, off.Name, off.NotifyOn = true, "two", watch.OnClose
	d := newWatchDesk(t, rule(t, "1", ""), off, rule(t, "3", ""))
	d.key(fyne.KeyDown, fyne.KeyReturn)
	if got, want := d.watches.form.typed(), (typed{ports: "2", match: "node", name: "two", notifyOn: watch.OnClose}); got != want {
		t.Errorf("got input %+v, want %+v", got, want)
	}
	if d.watches.form.saveButton.Disabled() {
		t.Error("the rule being edited counts as a duplicate of itself")
	}
	d.watches.form.name.SetText("second")
	d.key(fyne.KeyEscape)
	if d.watches.form.open() || len(d.sent) > 0 || d.Window.Canvas().Focused() != d.watches.list {
		t.Fatal("Esc did not close the form")
	}
	d.key(fyne.KeyReturn)
	d.watches.form.name.SetText("zwei")
	test.Tap(d.watches.form.saveButton)
	d.lastSent("saved", "1", "(zwei2node)", "3")
	if got := d.sent[0][1].NotifyOn; got != watch.OnClose {
		t.Errorf("got events %b", got)
	}
}

func TestFormKeepsInputWhenRulesChange(t *testing.T) {
	one, two := rule(t, "1", ""), rule(t, "2", "")
	two.Off = true
	for _, c := range []struct {
		what string
		now  watch.Rules
		want []string
	}{
		{"moved", watch.Rules{rule(t, "9", ""), two, one}, []string{"9", "(25)", "1"}},
		{"switched on", watch.Rules{one, rule(t, "2", "")}, []string{"1", "25"}},
		{"gone", watch.Rules{one}, []string{"1", "25"}},
		{"none", watch.Rules{}, []string{"25"}},
	} {
		d := newWatchDesk(t, one, two)
		d.key(fyne.KeyDown, fyne.KeyReturn, fyne.KeyEnd)
		d.text("5")
		d.setRules(c.now...)
		d.see(uitest.Listening(2, "node", 10))
		if got := d.watches.form.ports.Text; got != "25" || !d.watches.form.open() {
			t.Errorf("%s: got ports %q in the form", c.what, got)
		}
		d.key(fyne.KeyReturn)
		d.lastSent(c.what, c.want...)
	}
}

func TestFormKeepsInputOnSecondEdit(t *testing.T) {
	d := newWatchDesk(t, rule(t, "1", ""), rule(t, "2", ""))
	d.key(fyne.KeyReturn, fyne.KeyEnd)
	d.text("7")
	test.TapCanvas(d.Window.Canvas(), at(d.rowOf(1).buttons[0]))
	if got := d.watches.form.ports.Text; got != "17" || d.watches.form.aside.Segment.Text == "" {
		t.Errorf("got ports %q in the form and note %q", got, d.watches.form.aside.Segment.Text)
	}
}

func TestLateAnswerKeepsNewerChange(t *testing.T) {
	one, two := rule(t, "1", ""), rule(t, "2", "")
	d := newWatchDesk(t, one, two)
	d.key(fyne.KeySpace)
	d.setRules(one, two) // sent before the agent received the request
	d.shows("after an older status", "(1)*", "2")
	d.key(fyne.KeyDelete)
	d.setRules(d.sent[0]...)
	d.shows("after the answer to the first request", "2*")
	d.setRules(d.sent[1]...)
	d.setRules(one, two, rule(t, "3", "")) // changed by another program
	d.shows("changed on disk", "1", "2*", "3")
}

func TestRequestIncludesRulesSeen(t *testing.T) {
	d := newWatchDesk(t, rule(t, "80", ""), rule(t, "81", ""))
	d.key(fyne.KeyDown, fyne.KeySpace, fyne.KeyDelete)
	d.Want("seen by the first request", list(d.seen[0], -1), []string{"80", "81"})
	d.Want("seen by the second request", list(d.seen[1], -1), []string{"80", "(81)"})
	d.lastSent("both requests", "80")
	d.setRules(rule(t, "70", ""), rule(t, "80", "")) // merged with a change of the settings file
	d.shows("merged", "70", "80*")
}

func TestRefusedChangeIsReverted(t *testing.T) {
	one := rule(t, "1", "")
	d := newWatchDesk(t, one)
	d.key(fyne.KeySpace)
	d.At = d.At.Add(answerTime)
	d.setRules(one)
	d.shows("after answerTime", "1*")
}

func TestSelectionFollowsRule(t *testing.T) {
	d := newWatchDesk(t, rule(t, "1", ""), rule(t, "2", ""))
	d.key(fyne.KeyDown)
	d.setRules(rule(t, "9", ""), rule(t, "8", ""), rule(t, "2", ""))
	d.shows("moved in the file", "9", "8", "2*")
	d.setRules(rule(t, "9", ""))
	d.shows("deleted in the file", "9*")
	d.setRules()
	d.key(fyne.KeyDown, fyne.KeyDelete, fyne.KeyReturn)
	if len(d.sent) > 0 {
		t.Errorf("got requests %v, want none", d.sent)
	}
}

func TestNoWatches(t *testing.T) {
	d := newWatchDesk(t)
	e := d.watches.empty
	if !e.Object.Visible() || e.Title.Text != "No watches" || !strings.Contains(e.More.Text, "Add a watch") {
		t.Errorf("got %q, %q", e.Title.Text, e.More.Text)
	}
	d.key(fyne.KeyReturn) // the focused button adds a watch
	d.text("1")
	d.key(fyne.KeyReturn)
	d.shows("first watch", "1*")
	if got := d.sent[0][0].NotifyOn; got != 0 {
		t.Errorf("got events %b, want 0 (all)", got)
	}
	if e.Object.Visible() {
		t.Error("the empty state is still visible")
	}
}

func TestReadOnlyWithoutRulesOrAgent(t *testing.T) {
	try := func(d *watchDesk) {
		t.Helper()
		p := d.watches
		d.key(fyne.KeySpace, fyne.KeyDelete, fyne.KeyInsert)
		d.alt(fyne.KeyDown)
		p.addRule()
		p.edit(0)
		p.Undo()
		if p.form.open() || len(d.sent) > 0 || !p.add.Disabled() {
			t.Errorf("got form open %v, requests %v, Add disabled %v; want false, none, true", p.form.open(), d.sent, p.add.Disabled())
		}
	}
	d := blankDesk(t)
	d.watches.Focus()
	try(d)
	d = newWatchDesk(t, rule(t, "1", ""), rule(t, "2", ""))
	d.watches.Disconnect()
	try(d)
	for _, b := range append(d.rowOf(0).buttons, d.rowOf(0).on) {
		test.TapCanvas(d.Window.Canvas(), at(b))
	}
	try(d)
}

func TestFormAfterDisconnect(t *testing.T) {
	d := newWatchDesk(t, rule(t, "1", ""))
	d.key(fyne.KeyReturn, fyne.KeyEnd)
	d.text("7")
	d.watches.Disconnect()
	f := d.watches.form
	if f.ports.Text != "17" || !f.saveButton.Disabled() || !f.ports.Disabled() {
		t.Errorf("got ports %q, Save disabled %v; want 17, true", f.ports.Text, f.saveButton.Disabled())
	}
	d.key(fyne.KeyReturn)
	if len(d.sent) > 0 {
		t.Errorf("got requests %v, want none", d.sent)
	}
	test.Tap(f.cancelButton)
	if f.open() {
		t.Error("can't close the form")
	}
}

// lightTheme is Porthole's light theme, regardless of the system's variant.
type lightTheme struct{ uitheme.Theme }

func (o lightTheme) Color(n fyne.ThemeColorName, _ fyne.ThemeVariant) color.Color {
	return o.Theme.Color(n, theme.VariantLight)
}

func TestPageFollowsTheme(t *testing.T) {
	picture := func(before, after fyne.Theme) image.Image {
		d := newWatchDesk(t)
		d.App.Settings().SetTheme(before)
		off := rule(t, "2", "node")
		off.Off = true
		d.setRules(rule(t, "1", ""), off)
		d.see(uitest.Listening(1, "node", 10, "0.0.0.0"))
		d.key(fyne.KeyReturn)
		d.Window.Canvas().Focus(d.watches.list) // the cursor of a field would blink
		_ = d.Window.Canvas().Capture()
		d.App.Settings().SetTheme(after)
		return d.Window.Canvas().Capture()
	}
	want, got := picture(lightTheme{}, lightTheme{}), picture(uitheme.Theme{}, lightTheme{})
	if !reflect.DeepEqual(got, want) {
		t.Error("a page that was dark differs from one that was always light")
	}
}

func TestScrollToSelectedRule(t *testing.T) {
	var rules watch.Rules
	for i := range 200 {
		rules = append(rules, rule(t, fmt.Sprint(i+1), ""))
	}
	d := newWatchDesk(t, rules...)
	d.key(fyne.KeyEnd)
	if got := d.rowOf(199).texts[0].Text; got != "200" {
		t.Errorf("got %q in the last row, want 200", got)
	}
	if n := len(d.watches.list.rows); n > 40 {
		t.Errorf("got %d rows for 200 rules, want at most 40", n)
	}
	d.key(fyne.KeyDelete)
	if got := d.rowOf(198).texts[0].Text; got != "199" {
		t.Errorf("after Delete: got %q in the last row, want 199", got)
	}
	want := slices.Clone(rules[:199])
	if !slices.EqualFunc(d.sent[0], want, watch.Rule.Equal) {
		t.Error("the wrong rule was deleted")
	}
	d.key(fyne.KeyHome)
	for range 20 {
		d.alt(fyne.KeyDown)
	}
	top, bottom := at(d.watches.list).Y-d.watches.list.Size().Height/2, at(d.watches.list).Y+d.watches.list.Size().Height/2
	if y := at(d.rowOf(20)).Y; d.rowOf(20).texts[0].Text != "1" || y < top || y > bottom {
		t.Errorf("row 20: got %q at %v, want the moved rule between %v and %v", d.rowOf(20).texts[0].Text, y, top, bottom)
	}
}

func TestTooltipOfCutRule(t *testing.T) {
	const name = "A name of a watch that does not fit into a narrow window"
	d := newWatchDesk(t, watch.Rule{Name: name, Ports: monitor.Ports{{First: 3000, Last: 3000}}})
	row := d.rowOf(0)
	at := func() fyne.Position { return fyne.CurrentApp().Driver().AbsolutePositionForObject(row).AddXY(100, 10) }
	if got := uitest.ShowTooltip(d.Window, at()); got != "" {
		t.Errorf("wide window: got tooltip %q, want none", got)
	}
	d.Window.Resize(fyne.NewSize(480, 600))
	if got := uitest.ShowTooltip(d.Window, at()); !strings.Contains(got, name) {
		t.Errorf("narrow window: got tooltip %q, want the whole name", got)
	}
}

func TestUrgencyAndSoundOfWatch(t *testing.T) {
	d := newWatchDesk(t, rule(t, "1", ""))
	d.key(fyne.KeyReturn)
	f := d.watches.form
	d.Window.Canvas().Focus(f.notify[len(f.notify)-1])
	d.Window.Canvas().FocusNext()
	if d.Window.Canvas().Focused() != f.urgency {
		t.Fatal("Tab does not lead from the events to the urgency")
	}
	d.key(fyne.KeyRight, fyne.KeyRight) // low, critical
	d.Window.Canvas().FocusNext()
	d.key(fyne.KeyRight) // none
	d.key(fyne.KeyReturn)
	if len(d.sent) != 1 {
		t.Fatalf("got requests %v, want one", d.sent)
	}
	if got := d.sent[0][0]; got.Urgency != watch.Critical || got.Sound != watch.NoSound {
		t.Errorf("got urgency %q, sound %q, want critical and none", got.Urgency, got.Sound)
	}
	if got, want := d.watches.views[0].events, "critical urgency · silent"; got != want {
		t.Errorf("got row text %q, want %q", got, want)
	}
}

func TestReactionFromSettingsFileIsKept(t *testing.T) {
	from := rule(t, "1", "")
	from.Urgency, from.Sound = watch.Normal, "trash-empty"
	from.Run, from.Post = []string{"/bin/true"}, "https://example.org/"
	d := newWatchDesk(t, from)
	d.key(fyne.KeyReturn)
	f := d.watches.form
	if f.urgency.Selected != "Normal" || f.sound.Selected != "trash-empty" {
		t.Errorf("got urgency %q, sound %q, want Normal and trash-empty", f.urgency.Selected, f.sound.Selected)
	}
	f.name.SetText("mine")
	d.key(fyne.KeyReturn)
	want := from
	want.Name = "mine"
	if len(d.sent) != 1 || !d.sent[0][0].Equal(want) {
		t.Errorf("got %+v, want only another name than %+v", d.sent, from)
	}
	d.key(fyne.KeyReturn)
	f.sound.SetSelected("Bell")
	f.urgency.SetSelected("Low")
	d.key(fyne.KeyEscape, fyne.KeyInsert)
	if f.sound.Value() != "" || f.urgency.Value() != "" {
		t.Errorf("a new watch has sound %q, urgency %q, want the defaults", f.sound.Value(), f.urgency.Value())
	}
}

// At 200 % on a screen of 1280 by 800 pixels, a window has this size.
func TestFormInShortWindow(t *testing.T) {
	for _, language := range []string{"en", "de"} {
		t.Run(language, func(t *testing.T) {
			if language == "de" {
				uitest.InGerman(t)
			}
			d := newWatchDesk(t, rule(t, "1", ""))
			d.Window.Resize(fyne.NewSize(1400, 364))
			d.key(fyne.KeyReturn)
			d.Window.Resize(fyne.NewSize(640, 364)) // below the tabs
			f, c := d.watches.form, d.Window.Canvas()
			inside := func(what string, o fyne.CanvasObject, area fyne.CanvasObject) {
				t.Helper()
				driver := fyne.CurrentApp().Driver()
				top, from := driver.AbsolutePositionForObject(o), driver.AbsolutePositionForObject(area)
				if end := top.Add(o.Size()); top.Y < from.Y || end.Y > from.Y+area.Size().Height || end.X > from.X+area.Size().Width {
					t.Errorf("%s is at %v to %v, outside of %v with size %v", what, top, end, from, area.Size())
				}
			}
			for _, o := range []fyne.Focusable{f.ports, f.match, f.name, f.notify[0], f.notify[3], f.urgency, f.sound, f.ports} {
				c.Focus(o)
				inside(fmt.Sprintf("%T with the focus", o), o.(fyne.CanvasObject), f.scroll)
			}
			inside("the notes", f.fields.Objects[0], f.scroll)
			for i, row := range f.fields.Objects {
				if row.Size().Height < row.MinSize().Height {
					t.Errorf("row %d has a height of %v, want %v", i, row.Size().Height, row.MinSize().Height)
				}
			}
			inside("Save", f.saveButton, d.watches.Content)
			inside("the title", f.title.Object, d.watches.Content)
			if got := d.watches.Content.MinSize().Height; got > 364 {
				t.Errorf("got minimum height %v, want at most 364", got)
			}
			d.Window.Resize(fyne.NewSize(1000, 700))
			if f.scroll.Size().Height < f.fields.MinSize().Height {
				t.Errorf("in a tall window the fields have a height of %v, want %v", f.scroll.Size().Height, f.fields.MinSize().Height)
			}
		})
	}
}

// The form has the path of the health check, and says what is wrong with it.
func TestHealthCheckInForm(t *testing.T) {
	from := rule(t, "3000", "")
	from.Health = "/health"
	d := newWatchDesk(t, from)
	if got, want := d.watches.views[0].events, "checks /health"; got != want {
		t.Errorf("got row text %q, want %q", got, want)
	}
	d.key(fyne.KeyReturn)
	f := d.watches.form
	if f.health.Text != "/health" {
		t.Errorf("got the path %q, want /health", f.health.Text)
	}
	for _, wrong := range []string{"health", "http://192.0.2.1/", "/a b"} {
		f.health.SetText(wrong)
		if _, errs := f.check(); errs.health == "" || !f.saveButton.Disabled() {
			t.Errorf("%q: got no error", wrong)
		}
		d.key(fyne.KeyReturn)
		if len(d.sent) > 0 || d.Window.Canvas().Focused() != f.health {
			t.Fatalf("%q: got requests %v, want none and the focus on the path", wrong, d.sent)
		}
	}
	f.ports.SetText("53/udp")
	f.health.SetText("/")
	if _, errs := f.check(); errs.health == "" {
		t.Error("UDP: got no error")
	}
	f.ports.SetText("3000")
	f.health.SetText(" /ready ")
	d.key(fyne.KeyReturn)
	if len(d.sent) != 1 || d.sent[0][0].Health != "/ready" {
		t.Errorf("got %+v, want the path /ready", d.sent)
	}
}
