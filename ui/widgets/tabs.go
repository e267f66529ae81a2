package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"porthole/ui/table"
	uitheme "porthole/ui/theme"
	"porthole/ui/tooltip"
)

// Tab is one tab of the window.
type Tab struct {
	Name    string // identifies the page in the saved state
	Label   string
	Content fyne.CanvasObject
	Focus   func() // focuses the page's main widget
	OnShown func() // called when the page becomes visible; may be nil
}

// Tabs shows one page at a time below a bar with the names of all pages.
type Tabs struct {
	Pages    []Tab
	Buttons  []*TabButton
	Current  int
	stack    *fyne.Container
	Object   fyne.CanvasObject
	Placed   bool   // the tabs are on a window
	OnChange func() // called when another page is shown; may be nil
}

// NewTabs returns tabs that show the first page.
func NewTabs(pages ...Tab) *Tabs {
	t := &Tabs{Pages: pages, stack: container.New(onTop{})}
	bar := container.New(layout.NewCustomPaddedHBoxLayout(4))
	for i, p := range pages {
		b := newTabButton(p.Label, func() { t.Show(i) })
		t.Buttons = append(t.Buttons, b)
		bar.Add(b)
		p.Content.Hide()
		t.stack.Add(p.Content)
	}
	top := container.New(layout.NewCustomPaddedVBoxLayout(0),
		container.NewStack(NewRectangle(uitheme.ColorPanel, fyne.Size{}, 0), container.New(layout.NewCustomPaddedLayout(0, 0, 8, 8), bar)), Line())
	t.Object = container.New(TopMiddleBottom{}, top, t.stack, NewRectangle(uitheme.ColorPanel, fyne.Size{}, 0))
	t.Show(0)
	return t
}

// onTop lays out only the visible page. Fyne's stack layout would lay out all of them
// at the start, which delays the first picture.
type onTop struct{}

// MinSize implements fyne.Layout.
func (onTop) MinSize(o []fyne.CanvasObject) (s fyne.Size) {
	for _, x := range o {
		if x.Visible() {
			s = s.Max(x.MinSize())
		}
	}
	return s
}

// Layout implements fyne.Layout.
func (onTop) Layout(o []fyne.CanvasObject, s fyne.Size) {
	for _, x := range o {
		if x.Visible() {
			x.Resize(s)
		}
	}
}

// Show shows page i, and focuses it if the tabs are on a window.
func (t *Tabs) Show(i int) {
	tooltip.Reset() // the pointer is on another page now
	t.Pages[t.Current].Content.Hide()
	t.Current = i
	for k, b := range t.Buttons {
		b.choose(k == i)
	}
	p := t.Pages[i]
	p.Content.Show()
	p.Content.Resize(t.stack.Size())
	if p.OnShown != nil {
		p.OnShown()
	}
	if t.Placed {
		p.Focus()
	}
	if t.OnChange != nil {
		t.OnChange()
	}
}

// Open shows the page of that name, if there is one.
func (t *Tabs) Open(name string) {
	for i, p := range t.Pages {
		if p.Name == name {
			t.Show(i)
		}
	}
}

// Name returns the name of the visible page.
func (t *Tabs) Name() string { return t.Pages[t.Current].Name }

// Step shows the page n places further on; it wraps around.
func (t *Tabs) Step(n int) { t.Show((t.Current + n + len(t.Pages)) % len(t.Pages)) }

// TabButton shows a page's name in the bar.
type TabButton struct {
	widget.BaseWidget
	Pressable
	text   *canvas.Text
	under  *Rectangle
	Ground *Rectangle
	chosen bool
}

var (
	_ fyne.Tappable     = (*TabButton)(nil)
	_ fyne.Focusable    = (*TabButton)(nil)
	_ desktop.Hoverable = (*TabButton)(nil)
	_ fyne.Accessible   = (*TabButton)(nil)
)

func newTabButton(label string, tapped func()) *TabButton {
	b := &TabButton{text: NewText(label, theme.ColorNameForeground)}
	b.Pressable = Pressable{Press: tapped, Changed: b.paint, Self: b}
	b.under = NewRectangle(theme.ColorNamePrimary, fyne.NewSize(1, 2), 0)
	b.Ground = NewRectangle(theme.ColorNameHover, fyne.Size{}, 4)
	b.ExtendBaseWidget(b)
	b.paint()
	return b
}

func (b *TabButton) choose(chosen bool) {
	if b.chosen != chosen {
		b.chosen = chosen
		b.paint()
	}
}

func (b *TabButton) paint() {
	name := table.ColorMuted
	if b.chosen {
		name = theme.ColorNameForeground
	}
	b.under.Hidden = !b.chosen
	b.Ground.Hidden = !b.Hovered && !b.Focused
	b.ring(b.Ground, theme.ColorNamePrimary)
	b.Ground.Refresh()
	b.under.Refresh()
	SetText(b.text, b.text.Text, name)
}

// CreateRenderer implements fyne.Widget.
func (b *TabButton) CreateRenderer() fyne.WidgetRenderer {
	words := container.New(layout.NewCustomPaddedLayout(9, 7, 10, 10), b.text)
	return widget.NewSimpleRenderer(container.NewStack(b.Ground, container.New(TopMiddleBottom{}, NewRectangle(theme.ColorNameHover, fyne.Size{}, 0), words, b.under)))
}

// Refresh implements fyne.CanvasObject. Fyne calls it when the theme changes.
func (b *TabButton) Refresh() {
	b.paint()
	b.BaseWidget.Refresh()
}

// AccessibilityLabel implements fyne.Accessible.
func (b *TabButton) AccessibilityLabel() string { return b.text.Text }

// AccessibilityRole implements fyne.Accessible.
func (b *TabButton) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }
