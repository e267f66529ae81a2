package process

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"porthole/ui/uitest"
	"porthole/ui/widgets"
)

// newCommandWindow is a process window with a long command, and that.
func newCommandWindow(t *testing.T) (*desk, *Window) {
	t.Helper()
	d := newDesk(t)
	l := uitest.Listening(3000, "node", 10)
	l.Owners[0].Command = append([]string{"node"}, strings.Fields(strings.Repeat("--flag value ", 40))...)
	d.showSnapshot(l)
	d.OpenProcess(l)
	p := d.processes[Key(l)]
	p.window.Resize(fyne.NewSize(760, 704))
	return d, p
}

// countHighlights are the places in which a text shows that it is selected.
func countHighlights(text *widgets.CopyText) (n int) {
	all := test.WidgetRenderer(text).Objects()
	for _, o := range all[:len(all)-1] {
		if o.Visible() && o.Size().Width > 1 {
			n++
		}
	}
	return n
}

func TestTheMouseSelectsAPartOfACommandAndCtrlCCopiesIt(t *testing.T) {
	d, p := newCommandWindow(t)
	text := p.command
	if n := countHighlights(text); n != 0 {
		t.Fatalf("%d places are marked before anything was selected", n)
	}
	uitest.Drag(text, fyne.NewPos(0, 12), fyne.NewPos(300, 32))
	part := text.Selection()
	if !strings.HasPrefix(part, "node --flag value") || !strings.HasPrefix(text.Text, part) || part == text.Text {
		t.Fatalf("selected %q", part)
	}
	if n := countHighlights(text); n != 2 {
		t.Errorf("%d places are marked; want those in two lines", n)
	}
	for y := float32(9); y < 20; y++ { // all of the first line
		uitest.Drag(text, fyne.NewPos(0, y), fyne.NewPos(30, y))
		if got := text.Selection(); !strings.HasPrefix(got, "no") {
			t.Errorf("selected %q, %v below the top; want a part of the first line", got, y)
		}
	}
	uitest.Drag(text, fyne.NewPos(0, 12), fyne.NewPos(300, 32))
	uitest.Shortcut(p.window, widgets.CopyKeys.Shortcut())
	d.Want("asked", d.Asked, []string{"copy " + part})
	text.TappedSecondary(&fyne.PointEvent{Position: fyne.NewPos(20, 12), AbsolutePosition: fyne.NewPos(60, 400)}) // the helper of Fyne's test takes the focus away
	d.ChooseIn(p.window, "Copy all")
	if got := d.App.Clipboard().Content(); got != text.Text {
		t.Errorf("Copy all copied %q", got)
	}
	text.SetText("npm start")
	if part := text.Selection(); part != "" || countHighlights(text) != 0 {
		t.Errorf("another text has %q selected", part)
	}
}

func TestADoubleClickSelectsAWord(t *testing.T) {
	_, p := newCommandWindow(t)
	e := &desktop.MouseEvent{Button: desktop.MouseButtonPrimary}
	e.Position = fyne.NewPos(20, 12)
	p.command.MouseDown(e)
	p.command.DoubleTapped(&fyne.PointEvent{Position: e.Position})
	if part := p.command.Selection(); part != "node" {
		t.Errorf("selected %q; want node", part)
	}
}

// Fyne's own text keeps every key from the window, and is an unseen Tab stop.
func TestATextThatHasTheKeyboardLeavesItToTheWindow(t *testing.T) {
	d, p := newCommandWindow(t)
	c := p.window.Canvas()
	for range 30 {
		c.FocusNext()
		if _, ok := c.Focused().(*widgets.CopyText); ok {
			t.Fatal("Tab stops at a text")
		}
	}
	uitest.Drag(p.command, fyne.NewPos(0, 12), fyne.NewPos(100, 12))
	c.Focus(p.stopButton)
	if p.command.Selection() != "" || countHighlights(p.command) != 0 {
		t.Error("a text shows that it is selected while something else has the keyboard")
	}
	uitest.Drag(p.command, fyne.NewPos(0, 12), fyne.NewPos(100, 12))
	c.Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
	if len(d.processes) != 0 {
		t.Error("Esc does not close the window while its text is selected")
	}
}
