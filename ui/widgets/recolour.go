package widgets

import (
	"image/color"
	"runtime"
	"sync"
	"weak"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
)

// themed holds the theme colours of the texts and rectangles that SetText, NewText and Fill have
// coloured, until the garbage collector frees them. Fyne's own objects keep the colour that they
// were given when the theme changes, which may be at any time: the desktop reports light or
// dark after the first picture.
var themed = struct {
	sync.Mutex
	texts map[weak.Pointer[canvas.Text]]fyne.ThemeColorName
	rects map[weak.Pointer[canvas.Rectangle]]fyne.ThemeColorName
}{texts: map[weak.Pointer[canvas.Text]]fyne.ThemeColorName{}, rects: map[weak.Pointer[canvas.Rectangle]]fyne.ThemeColorName{}}

// remember stores the theme colour of an object in names, which is one of themed's maps.
func remember[T any](names map[weak.Pointer[T]]fyne.ThemeColorName, object *T, name fyne.ThemeColorName) {
	themed.Lock()
	defer themed.Unlock()
	key := weak.Make(object)
	if _, known := names[key]; !known {
		runtime.AddCleanup(object, func(key weak.Pointer[T]) {
			themed.Lock()
			defer themed.Unlock()
			delete(names, key)
		}, key)
	}
	names[key] = name
}

// living returns a copy of names with pointers.
func living[T any](names map[weak.Pointer[T]]fyne.ThemeColorName) map[*T]fyne.ThemeColorName {
	themed.Lock()
	defer themed.Unlock()
	all := make(map[*T]fyne.ThemeColorName, len(names))
	for key, name := range names {
		if object := key.Value(); object != nil {
			all[object] = name
		}
	}
	return all
}

// Recolour gives everything that SetText, NewText and Fill have coloured the colours of
// the current theme. It must be called on Fyne's goroutine after each change of the theme.
func Recolour() {
	for t, name := range living(themed.texts) {
		if c := theme.Color(name); t.Color != c {
			t.Color = c
			t.Refresh()
		}
	}
	for r, name := range living(themed.rects) {
		if c := colorOf(name); r.FillColor != c {
			r.FillColor = c
			r.Refresh()
		}
	}
}

// colorOf returns the theme's colour of that name; transparent for "".
func colorOf(name fyne.ThemeColorName) color.Color {
	if name == "" {
		return color.Transparent
	}
	return theme.Color(name)
}

// NewText returns a text in the theme's colour of that name.
func NewText(text string, name fyne.ThemeColorName) *canvas.Text {
	t := canvas.NewText(text, theme.Color(name))
	remember(themed.texts, t, name)
	return t
}
