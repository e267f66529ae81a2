package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"porthole/ui/table"
)

// page is one tab of the window.
type page struct {
	name    string // for State
	label   string
	content fyne.CanvasObject
	focus   func() // gives the keyboard to what it is for
	onShown func() // called when it comes to be seen; may be nil
}

// tabs shows one page at a time under a bar of their names.
type tabs struct {
	pages    []page
	buttons  []*tab
	current  int
	stack    *fyne.Container
	object   fyne.CanvasObject
	placed   bool   // it is on a window
	onChange func() // called when another page is shown; may be nil
}

func newTabs(pages ...page) *tabs {
	t := &tabs{pages: pages, stack: container.New(onTop{})}
	bar := container.New(layout.NewCustomPaddedHBoxLayout(4))
	for i, p := range pages {
		b := newTab(p.label, func() { t.show(i) })
		t.buttons = append(t.buttons, b)
		bar.Add(b)
		p.content.Hide()
		t.stack.Add(p.content)
	}
	top := container.New(layout.NewCustomPaddedVBoxLayout(0),
		container.NewStack(newThemed(colorPanel, fyne.Size{}, 0), container.New(layout.NewCustomPaddedLayout(0, 0, 8, 8), bar)), line())
	t.object = container.New(noGaps{}, top, t.stack, newThemed(colorPanel, fyne.Size{}, 0))
	t.show(0)
	return t
}

// onTop lays out the page that is shown, and no other: Fyne's stack would lay out
// them all at the start, where nobody waits for the others.
type onTop struct{}

// MinSize is Fyne's.
func (onTop) MinSize(o []fyne.CanvasObject) (s fyne.Size) {
	for _, x := range o {
		if x.Visible() {
			s = s.Max(x.MinSize())
		}
	}
	return s
}

// Layout is Fyne's.
func (onTop) Layout(o []fyne.CanvasObject, s fyne.Size) {
	for _, x := range o {
		if x.Visible() {
			x.Resize(s)
		}
	}
}

// show brings page i to the front, with the keyboard in it once it is on a
// window.
func (t *tabs) show(i int) {
	t.pages[t.current].content.Hide()
	t.current = i
	for k, b := range t.buttons {
		b.choose(k == i)
	}
	p := t.pages[i]
	p.content.Show()
	p.content.Resize(t.stack.Size())
	if p.onShown != nil {
		p.onShown()
	}
	if t.placed {
		p.focus()
	}
	if t.onChange != nil {
		t.onChange()
	}
}

// open shows the page of that name, where there is one.
func (t *tabs) open(name string) {
	for i, p := range t.pages {
		if p.name == name {
			t.show(i)
		}
	}
}

func (t *tabs) name() string { return t.pages[t.current].name }

// step shows the page that is n further on, around the end.
func (t *tabs) step(n int) { t.show((t.current + n + len(t.pages)) % len(t.pages)) }

// tab is a page's name in the bar.
type tab struct {
	widget.BaseWidget
	pressable
	text   *canvas.Text
	under  *themed
	ground *themed
	chosen bool
}

var (
	_ fyne.Tappable     = (*tab)(nil)
	_ fyne.Focusable    = (*tab)(nil)
	_ desktop.Hoverable = (*tab)(nil)
	_ fyne.Accessible   = (*tab)(nil)
)

func newTab(label string, tapped func()) *tab {
	b := &tab{text: canvas.NewText(label, theme.Color(theme.ColorNameForeground))}
	b.pressable = pressable{press: tapped, changed: b.paint, self: b}
	b.under = newThemed(theme.ColorNamePrimary, fyne.NewSize(1, 2), 0)
	b.ground = newThemed(theme.ColorNameHover, fyne.Size{}, 4)
	b.ExtendBaseWidget(b)
	b.paint()
	return b
}

func (b *tab) choose(chosen bool) {
	if b.chosen != chosen {
		b.chosen = chosen
		b.paint()
	}
}

func (b *tab) paint() {
	name := table.ColorMuted
	if b.chosen {
		name = theme.ColorNameForeground
	}
	b.under.Hidden = !b.chosen
	b.ground.Hidden = !b.hover && !b.focus
	b.ring(b.ground, theme.ColorNamePrimary)
	b.ground.Refresh()
	b.under.Refresh()
	setText(b.text, b.text.Text, name)
}

// CreateRenderer is Fyne's.
func (b *tab) CreateRenderer() fyne.WidgetRenderer {
	words := container.New(layout.NewCustomPaddedLayout(9, 7, 10, 10), b.text)
	return widget.NewSimpleRenderer(container.NewStack(b.ground, container.New(noGaps{}, newThemed(theme.ColorNameHover, fyne.Size{}, 0), words, b.under)))
}

// Refresh is Fyne's, called when the theme changes.
func (b *tab) Refresh() {
	b.paint()
	b.BaseWidget.Refresh()
}

// AccessibilityLabel is Fyne's.
func (b *tab) AccessibilityLabel() string { return b.text.Text }

// AccessibilityRole is Fyne's.
func (b *tab) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }
