// Package tooltip shows a short text beside the pointer when it rests on an icon, a cut
// text or a control. Nothing runs and nothing is painted while no tooltip is due.
//
// Everything must be called on Fyne's goroutine.
package tooltip

import (
	"image/color"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Delay is how long the pointer rests before a tooltip appears.
const Delay = 600 * time.Millisecond

// After calls do on Fyne's goroutine after d, unless cancel is called before. The program
// replaces it to end the calls with its window.
var After = func(d time.Duration, do func()) (cancel func()) {
	timer := time.AfterFunc(d, func() { fyne.Do(do) })
	return func() { timer.Stop() }
}

// Sizes of a tooltip in device-independent pixels.
const (
	padding    = 7
	maxWidth   = 420
	maxLines   = 8
	rightOf    = 10 // the pointer
	belowOf    = 18
	screenEdge = 4
)

// layer is the top of a window's content, where its tooltip is shown. It takes no clicks
// and no pointer.
type layer struct {
	object *fyne.Container
	ground *canvas.Rectangle
}

// free is a layout that leaves its objects where they are and needs no space.
type free struct{}

// MinSize implements fyne.Layout.
func (free) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.Size{} }

// Layout implements fyne.Layout.
func (free) Layout([]fyne.CanvasObject, fyne.Size) {}

// layered is the layout of a window's content and its layer.
type layered struct{ layer *layer }

// MinSize implements fyne.Layout.
func (layered) MinSize(o []fyne.CanvasObject) fyne.Size { return o[0].MinSize() }

// Layout implements fyne.Layout.
func (layered) Layout(o []fyne.CanvasObject, s fyne.Size) {
	for _, x := range o {
		x.Resize(s)
	}
}

// Layer returns the content of a window with room for tooltips above it.
func Layer(content fyne.CanvasObject) *fyne.Container {
	l := &layer{ground: canvas.NewRectangle(color.Transparent)}
	l.object = container.New(free{}, l.ground)
	l.object.Hide()
	return container.New(layered{l}, content, l.object)
}

// layerOf returns the layer of the window that o is in; nil if there is none.
func layerOf(o fyne.CanvasObject) (*layer, fyne.Canvas) {
	c := fyne.CurrentApp().Driver().CanvasForObject(o)
	if c == nil {
		return nil, nil
	}
	if content, ok := c.Content().(*fyne.Container); ok {
		if l, ok := content.Layout.(layered); ok {
			return l.layer, c
		}
	}
	return nil, nil
}

// pointed is what the pointer is on. There is one pointer.
var pointed struct {
	on     fyne.CanvasObject
	text   string
	at     fyne.Position
	cancel func()
	shown  *layer
}

// Point reports that the pointer is at a position of the window, on something that text
// describes; "" if nothing does. The tooltip appears after Delay.
func Point(on fyne.CanvasObject, text string, at fyne.Position) {
	p := &pointed
	if p.on == on && p.text == text {
		if p.shown == nil {
			p.at = at
		}
		return
	}
	Hide()
	p.on, p.text, p.at = on, text, at
	if text != "" {
		p.cancel = After(Delay, func() {
			if p.on == on && p.text == text {
				show()
			}
		})
	}
}

// Leave reports that the pointer has left on.
func Leave(on fyne.CanvasObject) {
	if pointed.on == on {
		Hide()
		pointed.on = nil
	}
}

// Hide hides the tooltip and cancels one that is due, for example after a click. It does
// not appear again until the pointer is on something different.
func Hide() {
	p := &pointed
	if p.cancel != nil {
		p.cancel()
		p.cancel = nil
	}
	if p.shown != nil {
		p.shown.object.Hide()
		p.shown = nil
	}
}

// Reset forgets what the pointer is on, for example when its window closes.
func Reset() {
	Hide()
	pointed.on, pointed.text = nil, ""
}

// Shown returns the text of the visible tooltip; "" if there is none.
func Shown() string {
	if pointed.shown == nil {
		return ""
	}
	return pointed.text
}

// show shows the text beside the pointer.
func show() {
	p := &pointed
	l, c := layerOf(p.on)
	if l == nil || c.Overlays().Top() != nil {
		return
	}
	lines := wrap(p.text, min(maxWidth, c.Size().Width-2*padding-2*screenEdge))
	l.ground.FillColor, l.ground.StrokeColor = theme.Color(theme.ColorNameOverlayBackground), theme.Color(theme.ColorNameSeparator)
	l.ground.StrokeWidth, l.ground.CornerRadius = 1, 5
	l.object.Objects = l.object.Objects[:1]
	size := fyne.NewSize(0, padding)
	var texts []*canvas.Text
	for _, line := range lines {
		text := canvas.NewText(line, theme.Color(theme.ColorNameForeground))
		text.TextSize = theme.Size(theme.SizeNameCaptionText) + 1
		text.Resize(text.MinSize())
		text.Move(fyne.NewPos(padding, size.Height))
		size.Width, size.Height = max(size.Width, text.MinSize().Width), size.Height+text.MinSize().Height
		texts = append(texts, text)
		l.object.Objects = append(l.object.Objects, text)
	}
	size = size.AddWidthHeight(2*padding, padding)
	at := place(p.at, size, c.Size())
	l.ground.Resize(size)
	l.ground.Move(at)
	for _, text := range texts {
		text.Move(text.Position().Add(at))
	}
	l.object.Show()
	l.object.Refresh()
	p.shown = l
}

// place returns where a tooltip of a size goes: below the pointer, or above it if there is
// no room, and inside the window.
func place(pointer fyne.Position, size, window fyne.Size) fyne.Position {
	at := pointer.AddXY(rightOf, belowOf)
	if at.Y+size.Height > window.Height-screenEdge {
		at.Y = pointer.Y - size.Height - screenEdge
	}
	at.X = min(at.X, window.Width-size.Width-screenEdge)
	return fyne.NewPos(max(at.X, screenEdge), max(at.Y, screenEdge))
}

// wrap breaks text into lines of at most width; further lines than maxLines are left out.
func wrap(text string, width float32) (lines []string) {
	size := theme.Size(theme.SizeNameCaptionText) + 1
	fits := func(s string) bool { return fyne.MeasureText(s, size, fyne.TextStyle{}).Width <= width }
	for _, paragraph := range strings.Split(text, "\n") {
		line := ""
		for _, word := range strings.Fields(paragraph) {
			for !fits(word) { // such as a long path
				head := []rune(word)
				for len(head) > 1 && !fits(string(head)) {
					head = head[:len(head)*3/4]
				}
				if line != "" {
					lines, line = append(lines, line), ""
				}
				if len(head) == len([]rune(word)) {
					break
				}
				lines, word = append(lines, string(head)), string([]rune(word)[len(head):])
			}
			switch {
			case line == "":
				line = word
			case fits(line + " " + word):
				line += " " + word
			default:
				lines, line = append(lines, line), word
			}
		}
		lines = append(lines, line)
	}
	if len(lines) > maxLines {
		lines = append(lines[:maxLines-1], "…")
	}
	return lines
}

// Area is a part of a window that has a tooltip, such as a text that may be cut.
type Area struct {
	widget.BaseWidget
	content fyne.CanvasObject
	text    func(at fyne.Position) string
}

var _ desktop.Hoverable = (*Area)(nil)

// NewArea returns content with a tooltip. text returns it; "" for none.
func NewArea(content fyne.CanvasObject, text func() string) *Area {
	return NewAreaAt(content, func(fyne.Position) string { return text() })
}

// NewAreaAt returns content with a tooltip that depends on the position in it, such as its row.
func NewAreaAt(content fyne.CanvasObject, text func(at fyne.Position) string) *Area {
	a := &Area{content: content, text: text}
	a.ExtendBaseWidget(a)
	return a
}

// CreateRenderer implements fyne.Widget.
func (a *Area) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(a.content) }

// MouseIn implements desktop.Hoverable.
func (a *Area) MouseIn(e *desktop.MouseEvent) { a.MouseMoved(e) }

// MouseMoved implements desktop.Hoverable.
func (a *Area) MouseMoved(e *desktop.MouseEvent) {
	if e != nil {
		Point(a, a.text(e.Position), e.AbsolutePosition)
	}
}

// MouseOut implements desktop.Hoverable.
func (a *Area) MouseOut() { Leave(a) }
