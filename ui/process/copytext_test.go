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

// newCommandWindow opens a process window with a long command.
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

// countHighlights returns the number of visible selection highlights of a text.
func countHighlights(text *widgets.CopyText) (n int) {
	all := test.WidgetRenderer(text).Objects()
	for _, o := range all[:len(all)-1] {
		if o.Visible() && o.Size().Width > 1 {
			n++
		}
	}
	return n
}

func TestCommandSelectionIsCopied(t *testing.T) {
	d, p := newCommandWindow(t)
	text := p.command
	if n := countHighlights(text); n != 0 {
		t.Fatalf("got %d highlights before a selection, want 0", n)
	}
	uitest.Drag(text, fyne.NewPos(0, 12), fyne.NewPos(300, 32))
	part := text.Selection()
	if !strings.HasPrefix(part, "node --flag value") || !strings.HasPrefix(text.Text, part) || part == text.Text {
		t.Fatalf("selected %q, want a part of the command from its start", part)
	}
	if n := countHighlights(text); n != 2 {
		t.Errorf("got %d highlights, want 2 (one for each line)", n)
	}
	for y := float32(9); y < 20; y++ { // all of the first line
		uitest.Drag(text, fyne.NewPos(0, y), fyne.NewPos(30, y))
		if got := text.Selection(); !strings.HasPrefix(got, "no") {
			t.Errorf("selected %q at y = %v, want a part of the first line", got, y)
		}
	}
	uitest.Drag(text, fyne.NewPos(0, 12), fyne.NewPos(300, 32))
	uitest.Shortcut(p.window, widgets.CopyKeys.Shortcut())
	d.Want("asked", d.Asked, []string{"copy " + part})
	text.TappedSecondary(&fyne.PointEvent{Position: fyne.NewPos(20, 12), AbsolutePosition: fyne.NewPos(60, 400)}) // Fyne's test helper would take the focus away
	d.ChooseIn(p.window, "Copy all")
	if got := d.App.Clipboard().Content(); got != text.Text {
		t.Errorf("Copy all: got %q, want the whole command", got)
	}
	text.SetText("npm start")
	if part := text.Selection(); part != "" || countHighlights(text) != 0 {
		t.Errorf("after the text changed: got selection %q, want none", part)
	}
}

func TestDoubleClickSelectsWord(t *testing.T) {
	_, p := newCommandWindow(t)
	e := &desktop.MouseEvent{Button: desktop.MouseButtonPrimary}
	e.Position = fyne.NewPos(20, 12)
	p.command.MouseDown(e)
	p.command.DoubleTapped(&fyne.PointEvent{Position: e.Position})
	if part := p.command.Selection(); part != "node" {
		t.Errorf("got selection %q, want node", part)
	}
}

// Fyne's own selectable label swallows all keys and is an invisible Tab stop.
func TestFocusedTextPassesKeysToWindow(t *testing.T) {
	d, p := newCommandWindow(t)
	c := p.window.Canvas()
	for range 30 {
		c.FocusNext()
		if _, ok := c.Focused().(*widgets.CopyText); ok {
			t.Fatal("Tab stops at a text, want it to be skipped")
		}
	}
	uitest.Drag(p.command, fyne.NewPos(0, 12), fyne.NewPos(100, 12))
	c.Focus(p.stopButton)
	if p.command.Selection() != "" || countHighlights(p.command) != 0 {
		t.Error("the text still shows its selection without the keyboard focus")
	}
	uitest.Drag(p.command, fyne.NewPos(0, 12), fyne.NewPos(100, 12))
	c.Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
	if len(d.processes) != 0 {
		t.Error("Esc with selected text did not close the window")
	}
}
