package ui

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"porthole/monitor"
	"porthole/ui/table"
	"porthole/ui/uitest"
)

func TestDoubleClickOpensProcess(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(3000, "node", 10), uitest.Listening(8080, "python3", 20))
	test.TapCanvas(d.window.Canvas(), d.row(1))
	if len(d.processes) != 0 {
		t.Fatal("a single click opened a process window")
	}
	for range 3 {
		test.TapCanvas(d.window.Canvas(), d.row(1))
	}
	if len(d.processes) != 1 {
		t.Fatalf("got %d process windows, want 1", len(d.processes))
	}
	for _, p := range d.processes {
		if p.Fyne().Title() != "python3 20 – Porthole" {
			t.Errorf("got title %q", p.Fyne().Title())
		}
	}
}

func TestNotADoubleClick(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(3000, "node", 10), uitest.Listening(8080, "python3", 20))
	test.TapCanvas(d.window.Canvas(), d.row(0))
	test.TapCanvas(d.window.Canvas(), d.row(1))
	time.Sleep(d.App.Driver().DoubleTapDelay() + 20*time.Millisecond)
	test.TapCanvas(d.window.Canvas(), d.row(1))
	if len(d.processes) != 0 {
		t.Fatalf("got %d process windows, want 0", len(d.processes))
	}
}

func TestDoubleClickWhileRowsMove(t *testing.T) {
	d := newDesk(t)
	a := uitest.Listening(3000, "node", 10)
	d.see(a)
	test.TapCanvas(d.window.Canvas(), d.row(0))
	d.see(uitest.Listening(80, "nginx", 5), a)
	test.TapCanvas(d.window.Canvas(), d.row(0))
	for key, p := range d.processes {
		if p.Owner().PID != 10 {
			t.Errorf("%s: opened %d, want 10", key, p.Owner().PID)
		}
	}
	if len(d.processes) != 1 {
		t.Fatalf("got %d process windows, want 1", len(d.processes))
	}
}

func TestTableKeys(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(3000, "node", 10), uitest.Listening(8080, "python3", 20), uitest.Listening(9000, "java", 30))
	for _, step := range []struct {
		key  fyne.KeyName
		want string
	}{{fyne.KeyHome, "3000"}, {fyne.KeyDown, "8080"}, {fyne.KeyEnd, "9000"}, {fyne.KeyUp, "8080"}, {fyne.KeyHome, "3000"}, {fyne.KeyPageDown, "9000"}} {
		d.window.Canvas().Focused().TypedKey(&fyne.KeyEvent{Name: step.key})
		if d.selected() != step.want {
			t.Fatalf("after %s: got %s, want %s", step.key, d.selected(), step.want)
		}
	}
	d.window.Canvas().Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if len(d.processes) != 1 {
		t.Fatal("Enter opened no process window")
	}
	d.window.Canvas().Focused().TypedRune('j') // letters filter
	d.Want("filtered", d.rows(), []string{"9000"})
	d.window.Canvas().Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
	d.Want("cleared", d.rows(), []string{"3000", "8080", "9000"})
	d.ports.Table().Focus()
	d.window.Canvas().Focused().TypedRune('8') // digits select the row of a port
	if d.selected() != "8080" || d.ports.FilterField().Text != "" {
		t.Errorf("after 8: got selection %s and filter %q, want 8080 and no filter", d.selected(), d.ports.FilterField().Text)
	}
}

func TestHostileNamesAreCleaned(t *testing.T) {
	d := newDesk(t)
	l := uitest.Listening(3000, "a\nb\x1b[31m\u202eevil<b>", 10)
	l.Project = "p\tq"
	d.see(l)
	if got := d.ports.Table().Rows()[0].AccessibleText(); !strings.Contains(got, ", a b [31m evil<b>, ") || !strings.Contains(got, ", p q, ") {
		t.Errorf("got row %q", got)
	}
	d.OpenProcess(l)
	for _, p := range d.processes {
		if p.Fyne().Title() != "a b [31m evil<b> 10 – Porthole" {
			t.Errorf("got title %q", p.Fyne().Title())
		}
	}
}

func TestOpenProcessOfUnknownOwner(t *testing.T) {
	d := newDesk(t)
	l := uitest.Listening(22, "", 0, "0.0.0.0")
	l.User = "root"
	d.see(l)
	if got := d.ports.Table().Rows()[0].AccessibleText(); !strings.Contains(got, ", unknown (user root), —, ") {
		t.Errorf("got row %q", got)
	}
	d.OpenProcess(l)
	for _, p := range d.processes {
		if p.Fyne().Title() != "unknown (user root) – Porthole" {
			t.Errorf("got title %q", p.Fyne().Title())
		}
	}
}

func TestRestoreState(t *testing.T) {
	d := newDesk(t)
	d.see(uitest.Listening(3000, "node", 10), uitest.Listening(8080, "python3", 20))
	d.ports.FilterField().SetText("py")
	d.ports.Table().Sort("pid", true)
	d.ports.Table().Select("tcp-8080-20")
	d.window.Resize(fyne.NewSize(1234, 567))
	d.ShowPage(PageWatches)
	state := d.State()
	next := newDesk(t)
	next.Restore(state)
	if size := next.window.Canvas().Size(); size != fyne.NewSize(1234, 567) || next.Page() != PageWatches {
		t.Errorf("restored window: got page %s and size %v", next.Page(), size)
	}
	next.see(uitest.Listening(3000, "node", 10), uitest.Listening(8080, "python3", 20))
	next.Want("rows", next.rows(), []string{"8080"})
	if next.selected() != "8080" {
		t.Errorf("got selection %s, want 8080", next.selected())
	}
	if column, down := next.ports.Table().Sorting(); column != "pid" || !down {
		t.Errorf("got sorting by %s, descending %v; want pid, true", column, down)
	}
}

func TestRestoreColumnsAndGroups(t *testing.T) {
	d := newDesk(t)
	all := []*monitor.Listener{uitest.Listening(3000, "node", 10), uitest.Listening(8080, "python3", 20), uitest.Listening(9229, "node", 10)}
	d.see(all...)
	at := func(x float32) fyne.Position { return fyne.NewPos(x, d.ports.Table().Top()-table.RowHeight/2) }
	test.Drag(d.window.Canvas(), at(34+30+72), 50, 0) // the right edge of the Port column
	test.TapSecondaryAt(tableHeader(t, d), fyne.NewPos(50, 10))
	d.Choose("User")
	test.TapSecondaryAt(tableHeader(t, d), fyne.NewPos(50, 10))
	d.Choose("Group by process")
	d.Want("grouped", d.rows(), []string{"3000", "9229", "8080"})
	b, err := json.Marshal(d.State())
	if err != nil {
		t.Fatal(err)
	}
	var state State
	if err := json.Unmarshal(b, &state); err != nil {
		t.Fatal(err)
	}
	if got := state.Columns; got.Widths["port"] != 122 || !slices.Equal(got.Hidden, []string{"user"}) {
		t.Errorf("got columns %+v, want Port 122 wide and User hidden", got)
	}
	next := newDesk(t)
	next.Restore(state)
	next.see(all...)
	next.Want("rows of the next window", next.rows(), []string{"3000", "9229", "8080"})
	if got := next.ports.Table().Columns(); !reflect.DeepEqual(got, state.Columns) {
		t.Errorf("restored window: got columns %+v, want %+v", got, state.Columns)
	}
	next.ports.ToggleGroup()
	next.Want("not grouped", next.rows(), []string{"3000", "8080", "9229"})
}

// tableHeader returns the header of the Ports table.
func tableHeader(t *testing.T, d *desk) fyne.SecondaryTappable {
	t.Helper()
	body := test.WidgetRenderer(d.ports.Table()).Objects()[0]
	return body.(*fyne.Container).Objects[0].(fyne.SecondaryTappable)
}

// On a busy machine the second click must reach the row of the first click, and a click the row
// under the pointer, although rows come and go.
func TestDoubleClickInBusyTable(t *testing.T) {
	d := newDesk(t)
	all := []*monitor.Listener{uitest.Listening(3000, "node", 10), uitest.Listening(5000, "java", 11), uitest.Listening(8080, "python3", 20)}
	d.see(all...)
	for i := range 10 {
		name := strings.Split(strings.TrimPrefix(d.ports.Table().Rows()[i%3].AccessibleText(), "new, "), ", ")[1]
		test.TapCanvas(d.window.Canvas(), d.row(i%3))
		if i%2 == 0 { // a port opens above
			d.see(append([]*monitor.Listener{uitest.Listening(uint16(100+i), "nc", 100+i)}, all...)...)
		}
		d.Update(d.ChangeOwner(len(d.Last.Listeners)-1, 500+i))
		d.see(all...)
		test.TapCanvas(d.window.Canvas(), d.row(i%3))
		if len(d.processes) != 1 {
			t.Fatalf("round %d: got %d process windows, want 1", i, len(d.processes))
		}
		for _, p := range d.processes {
			if !strings.HasPrefix(p.Fyne().Title(), name+" ") {
				t.Errorf("round %d: opened %s, want %s, the row of the first click", i, p.Fyne().Title(), name)
			}
			p.Fyne().Close()
		}
		d.At = d.At.Add(3 * time.Second)
		d.Tick()
	}
}

func TestOnPageChanged(t *testing.T) {
	d := newDesk(t)
	var pages []string
	d.OnPageChanged(func() { pages = append(pages, d.Page()) })
	d.tabs.Open(PageHistory)
	d.tabs.Step(1)
	d.ShowPort(3000)
	d.Want("pages", pages, []string{PageHistory, PageWatches, PagePorts})
}
