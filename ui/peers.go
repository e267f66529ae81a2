package ui

import (
	"cmp"
	"image"
	"image/color"
	"math"
	"slices"
	"strconv"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"

	"porthole/monitor"
	"porthole/monitor/connection"
	"porthole/ui/table"
)

// clientRow is one client with all its connections.
type clientRow struct {
	name  string
	order int // PIDs first, then what is hidden, then other machines
	pid   int
	count int
	rate  connection.Rate
}

// clientRows puts the connections of each client together.
func clientRows(all []connection.Conn, meter *connection.Meter) []clientRow {
	var rows []clientRow
	at := map[string]int{}
	for _, p := range all {
		r := clientOf(p)
		i, ok := at[r.name]
		if !ok {
			i = len(rows)
			at[r.name], rows = i, append(rows, r)
		}
		rate := meter.Rate(p.ID)
		rows[i].count++
		rows[i].rate.Received += rate.Received
		rows[i].rate.Sent += rate.Sent
	}
	slices.SortStableFunc(rows, func(a, b clientRow) int {
		return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(a.pid, b.pid), cmp.Compare(a.name, b.name))
	})
	return rows
}

// clientOf names the other end: its process, whose it is, or its address.
func clientOf(p connection.Conn) clientRow {
	switch name := monitor.Clean(p.Client.Name, 40); {
	case p.Client.PID != 0 && name == "":
		return clientRow{name: lang.L("process {{.PID}}", map[string]any{"PID": p.Client.PID}), pid: p.Client.PID}
	case p.Client.PID != 0:
		return clientRow{name: name + " " + strconv.Itoa(p.Client.PID), pid: p.Client.PID}
	case p.User != "":
		return clientRow{name: lang.L("{{.User}}'s process (hidden)", map[string]any{"User": monitor.Clean(p.User, 40)}), order: 1}
	}
	return clientRow{name: p.Remote.Addr().String(), order: 2}
}

// Speed puts bytes a second into words, in powers of a thousand: "0 B/s",
// "1.2 kB/s", "41 kB/s".
func Speed(bytes float64) string {
	n := func(v float64) map[string]any {
		digits := 0
		if v < 9.95 {
			digits = 1
		}
		return map[string]any{"N": formatFloat(v, digits)}
	}
	switch {
	case bytes < 999.5:
		return lang.L("{{.N}} B/s", map[string]any{"N": formatFloat(max(bytes, 0), 0)})
	case bytes < 999.5e3:
		return lang.L("{{.N}} kB/s", n(bytes/1e3))
	case bytes < 999.5e6:
		return lang.L("{{.N}} MB/s", n(bytes/1e6))
	}
	return lang.L("{{.N}} GB/s", n(bytes/1e9))
}

func connectionsTitle(n int) string {
	return lang.L("Connected now ({{.Count}})", map[string]any{"Count": formatInt(n)})
}

// maxClients is how many clients are listed; the rest is counted.
const maxClients = 8

// clientList lists clients: name, connections, and how fast, from the listener's
// view.
type clientList struct {
	both   bool // each way on its own, where there is room
	lines  [][]string
	object *fyne.Container
}

func newClientList(both bool) *clientList {
	l := &clientList{both: both}
	l.object = container.New(clientLines{l})
	return l
}

// show changes only what differs, and reports whether it takes another height.
// speeds says that rates are known.
func (l *clientList) show(rows []clientRow, speeds bool) (resized bool) {
	var lines [][]string
	for _, r := range rows[:min(len(rows), maxClients)] {
		line := []string{r.name, lang.N("{{.Count}} conns", r.count, map[string]any{"Count": formatInt(r.count)}), "", ""}
		switch {
		case speeds && l.both:
			line[2], line[3] = "↓"+Speed(r.rate.Received), "↑"+Speed(r.rate.Sent)
		case speeds:
			line[2] = Speed(r.rate.Total())
		}
		lines = append(lines, line)
	}
	if more := len(rows) - maxClients; more > 0 {
		lines = append(lines, []string{lang.N("+ {{.Count}} more", more, map[string]any{"Count": formatInt(more)}), "", "", ""})
	}
	if len(rows) == 0 {
		lines = [][]string{{lang.L("Nobody"), "", "", ""}}
	}
	if slices.EqualFunc(lines, l.lines, slices.Equal) {
		return false
	}
	resized = len(lines) != len(l.lines)
	l.lines = lines
	for len(l.object.Objects) < len(lines)*clientCells {
		t := canvas.NewText("", color.Transparent)
		t.TextSize = theme.Size(theme.SizeNameText) - 1
		t.TextStyle.Monospace = len(l.object.Objects)%clientCells == 0
		l.object.Objects = append(l.object.Objects, t)
	}
	l.object.Objects = l.object.Objects[:len(lines)*clientCells]
	if resized {
		l.object.Refresh()
	} else {
		l.object.Layout.Layout(l.object.Objects, l.object.Size())
	}
	return resized
}

// Sizes of a clientList.
const (
	clientCells  = 4
	clientHeight = 20
	connsWidth   = 58
	speedWidth   = 74
)

// clientLines gives the numbers their columns at the right and the name the rest.
type clientLines struct{ list *clientList }

// MinSize is Fyne's.
func (c clientLines) MinSize([]fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(200, float32(len(c.list.lines))*clientHeight)
}

// Layout is Fyne's. It writes the words too, which depend on the room.
func (c clientLines) Layout(o []fyne.CanvasObject, s fyne.Size) {
	speeds := float32(speedWidth)
	if c.list.both {
		speeds *= 2
	}
	for i, line := range c.list.lines {
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
			setText(t, words, name)
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

// fitClient cuts a client's name where there is no room for it, not its PID.
func fitClient(client string, width, size float32, style fyne.TextStyle) string {
	if i := strings.LastIndexByte(client, ' '); i > 0 && strings.Trim(client[i+1:], "0123456789") == "" {
		pid := client[i:]
		return table.Fit(client[:i], width-fyne.MeasureText(pid, size, style).Width, size, style) + pid
	}
	return table.Fit(client, width, size, style)
}

// spark is a small line of the last minute, the newest at the right.
type spark struct {
	values []float64
	raster *canvas.Raster
}

// sparkHeight is how high a spark is; its highest value reaches to the top, but
// what is below a kilobyte a second stays near the ground.
const (
	sparkHeight = 30
	sparkLeast  = 1000
)

func newSpark() *spark {
	s := &spark{}
	s.raster = canvas.NewRaster(s.draw)
	s.raster.SetMinSize(fyne.NewSize(60, sparkHeight))
	return s
}

// show draws values where they look otherwise than those before.
func (s *spark) show(values []float64) {
	before := s.values
	s.values = slices.Clone(values)
	if differ(before, values) {
		s.raster.Refresh()
	}
}

// differ reports whether values are to be painted anew. The line of those before, in
// which nothing went, stays as it is while nothing goes: that it is a second longer
// is not worth a picture of the whole window.
func differ(before, values []float64) bool {
	if len(before) > 1 && slices.Max(before) == 0 && len(values) > 1 && slices.Max(values) == 0 {
		return false
	}
	return !slices.Equal(before, values)
}

// draw paints each column of pixels from where the line enters it to where it
// leaves it, its ends as thin as what they cover.
func (s *spark) draw(w, h int) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	if len(s.values) < 2 || w < 2 || h < 4 {
		return img
	}
	ink := color.NRGBAModel.Convert(theme.Color(theme.ColorNamePrimary)).(color.NRGBA)
	const half = 0.9 // of the line's thickness, in pixels
	top := max(slices.Max(s.values), sparkLeast)
	step := float64(w-1) / float64(connection.HistoryLength-1)
	begin := float64(w-1) - step*float64(len(s.values)-1)
	height := func(x float64) float64 {
		at := min(max((x-begin)/step, 0), float64(len(s.values)-1))
		i := min(int(at), len(s.values)-2)
		v := s.values[i] + (s.values[i+1]-s.values[i])*(at-float64(i))
		return half + (1-v/top)*(float64(h)-2*half)
	}
	for x := max(int(begin), 0); x < w; x++ {
		a, b := height(float64(x)), height(float64(x+1))
		low, high := min(a, b)-half, max(a, b)+half
		for y := max(int(low), 0); y < min(int(math.Ceil(high)), h); y++ {
			cover := min(high, float64(y+1)) - max(low, float64(y))
			c := ink
			c.A = uint8(float64(ink.A) * min(max(cover, 0), 1))
			img.SetNRGBA(x, y, c)
		}
	}
	return img
}
