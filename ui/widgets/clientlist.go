package widgets

import (
	"image/color"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"

	"porthole/ui/table"
)

// ClientList lists clients with their connections and transfer rates, seen from the
// listener.
type ClientList struct {
	both   bool // show received and sent rates in two columns
	Lines  []clientLine
	Object *fyne.Container
}

// NewClientList returns an empty list. With both, it shows received and sent rates in
// two columns.
func NewClientList(both bool) *ClientList {
	l := &ClientList{both: both}
	l.Object = container.New(clientLayout{l})
	return l
}

// Show sets the clients, refreshes what changed, and reports whether the list's height
// changed.
func (l *ClientList) Show(lines []clientLine) (resized bool) {
	if slices.Equal(lines, l.Lines) {
		return false
	}
	resized = len(lines) != len(l.Lines)
	l.Lines = lines
	for len(l.Object.Objects) < len(lines)*clientCells {
		t := canvas.NewText("", color.Transparent)
		t.TextSize = theme.Size(theme.SizeNameText) - 1
		t.TextStyle.Monospace = len(l.Object.Objects)%clientCells == 0
		l.Object.Objects = append(l.Object.Objects, t)
	}
	l.Object.Objects = l.Object.Objects[:len(lines)*clientCells]
	if resized {
		l.Object.Refresh()
	} else {
		l.Object.Layout.Layout(l.Object.Objects, l.Object.Size())
	}
	return resized
}

// CutAt returns the whole name of the client at a position in Object if it is shortened, otherwise
// "".
func (l *ClientList) CutAt(at fyne.Position) string {
	i := int(at.Y / clientHeight)
	if i < 0 || i >= len(l.Lines) {
		return ""
	}
	if t, ok := l.Object.Objects[i*clientCells].(*canvas.Text); ok && t.Text != l.Lines[i][0] {
		return l.Lines[i][0]
	}
	return ""
}

// Sizes of a ClientList.
const (
	clientCells  = len(clientLine{})
	clientHeight = 20
	connsWidth   = 58
	speedWidth   = 74
)

// clientLayout places the numbers in columns at the right; the name takes the rest.
type clientLayout struct{ list *ClientList }

// MinSize implements fyne.Layout.
func (c clientLayout) MinSize([]fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(200, float32(len(c.list.Lines))*clientHeight)
}

// Layout implements fyne.Layout. It also sets the names, which are cut to the width.
func (c clientLayout) Layout(o []fyne.CanvasObject, s fyne.Size) {
	speeds := float32(speedWidth)
	if c.list.both {
		speeds *= 2
	}
	for i, line := range c.list.Lines {
		ends := []float32{s.Width - speeds - connsWidth, s.Width - speeds, s.Width - speeds + speedWidth, s.Width}
		if line[1] == "" {
			ends[0] = s.Width
		}
		for j, end := range ends {
			t, name := o[i*clientCells+j].(*canvas.Text), table.ColorMuted
			words := line[j]
			if j == 0 {
				name = theme.ColorNameForeground
				words = fitClient(words, end-4, t.TextSize, t.TextStyle)
			}
			SetText(t, words, name)
			size := t.MinSize()
			x := end - size.Width
			if j == 0 {
				x = 0
			}
			t.Move(fyne.NewPos(x, float32(i)*clientHeight+(clientHeight-size.Height)/2))
			t.Resize(size)
		}
	}
}

// fitClient shortens a client's name to the width, but never its PID.
func fitClient(client string, width, size float32, style fyne.TextStyle) string {
	if i := strings.LastIndexByte(client, ' '); i > 0 && strings.Trim(client[i+1:], "0123456789") == "" {
		pid := client[i:]
		return table.Fit(client[:i], width-fyne.MeasureText(pid, size, style).Width, size, style) + pid
	}
	return table.Fit(client, width, size, style)
}

// clientLine is one line: a name and up to three numbers to its right.
type clientLine = [4]string
