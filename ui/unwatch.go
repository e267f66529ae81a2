package ui

import (
	"image/color"
	"slices"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"porthole/monitor/watch"
)

// removedWatch is what ☆ took away, and what Undo brings back: the rules of one
// port, with their names, and their places.
type removedWatch struct {
	port   uint16
	rules  watch.Rules
	places []int
	until  time.Time
	notice string // what the status line said then: Undo stands behind it
}

// unwatch removes the simple watches of port; they can be brought back.
func (p *portsPage) unwatch(port uint16) {
	gone := removedWatch{port: port, until: p.now().Add(undoTime)}
	left := p.status.Rules.WithoutPort(port)
	for i, rule := range p.status.Rules {
		if !slices.ContainsFunc(left, rule.Equal) {
			gone.rules, gone.places = append(gone.rules, rule), append(gone.places, i)
		}
	}
	gone.notice = lang.L("Watch for {{.Port}} removed.", map[string]any{"Port": port})
	p.unwatched = gone
	p.actions.Unwatch(port)
	p.showNotice(gone.notice)
}

// undo brings back the watch that ☆ removed last.
func (p *portsPage) undo() {
	if !p.canUndo() {
		return
	}
	seen := p.status.Rules.WithoutPort(p.unwatched.port) // the agent may not have said yet that it is gone
	rules := slices.Clone(seen)
	for i, rule := range p.unwatched.rules {
		rules = slices.Insert(rules, min(p.unwatched.places[i], len(rules)), rule)
	}
	p.unwatched, p.noticeUntil = removedWatch{}, time.Time{}
	p.actions.SetWatches(seen, rules)
	p.showStatus()
	p.table.Focus() // the link, which goes, would keep the keyboard
}

func (p *portsPage) canUndo() bool { return p.live && p.now().Before(p.unwatched.until) }

// textLink is a word in a line that can be pressed.
type textLink struct {
	widget.BaseWidget
	pressable
	text *canvas.Text
	ring *framed
}

var (
	_ fyne.Tappable     = (*textLink)(nil)
	_ fyne.Focusable    = (*textLink)(nil)
	_ desktop.Hoverable = (*textLink)(nil)
	_ fyne.Accessible   = (*textLink)(nil)
)

func newTextLink(label string, tapped func()) *textLink {
	l := &textLink{text: caption(), ring: newFramed(theme.ColorNameHover, theme.ColorNamePrimary)}
	l.text.Text, l.text.TextStyle.Bold, l.text.Color = label, true, color.Transparent
	l.pressable = pressable{press: tapped, changed: l.paint, self: l}
	l.ExtendBaseWidget(l)
	l.paint()
	return l
}

func (l *textLink) paint() {
	setText(l.text, l.text.Text, theme.ColorNameHyperlink)
	l.ring.Hidden = !l.hover && !l.focus
	l.ring.line = theme.ColorNameHyperlink
	l.ring.Refresh()
}

// say changes the word.
func (l *textLink) say(label string) {
	if l.text.Text != label {
		l.text.Text = label
		l.BaseWidget.Refresh()
	}
}

// CreateRenderer is Fyne's.
func (l *textLink) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(container.NewStack(l.ring, container.New(layout.NewCustomPaddedLayout(0, 0, 5, 5), l.text)))
}

// Refresh is Fyne's, called when the theme changes.
func (l *textLink) Refresh() {
	l.paint()
	l.BaseWidget.Refresh()
}

// Cursor is Fyne's.
func (l *textLink) Cursor() desktop.Cursor { return desktop.PointerCursor }

// AccessibilityLabel is Fyne's.
func (l *textLink) AccessibilityLabel() string { return l.text.Text }

// AccessibilityRole is Fyne's.
func (l *textLink) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }
