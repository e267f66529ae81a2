//go:build bench && linux

package bench

import (
	"encoding/xml"
	"fmt"
	"math"
	"strings"
	"time"
)

// Sizes in the units of the picture.
const (
	pictureWidth = 940
	nameWidth    = 236
	plotWidth    = 610
	rowHeight    = 15 // of one load
	rowsTop      = 98
	gap          = 14 // between two contestants
)

// The picture follows the reader's light or dark theme if the viewer supports it.
const pictureStyle = `
text{font:13px system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;fill:#1f2328}
.title{font-size:17px;font-weight:600}.small{font-size:11px;fill:#59636e}.we{font-weight:600;fill:#0b66a8}
.paper{fill:#fff}.grid{stroke:#d8dee4}.bar{stroke-width:2;stroke-linecap:round}
.l0{fill:#8c959f;stroke:#8c959f}.l1{fill:#2da44e;stroke:#2da44e}.l2{fill:#bf8700;stroke:#bf8700}.l3{fill:#cf222e;stroke:#cf222e}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.small{fill:#9198a1}.we{fill:#6cb6ff}.paper{fill:#0d1117}.grid{stroke:#2f353d}
.l0{fill:#9198a1;stroke:#9198a1}.l1{fill:#3fb950;stroke:#3fb950}.l2{fill:#d29922;stroke:#d29922}.l3{fill:#f85149;stroke:#f85149}}`

// picture draws the CPU time of each contestant at each load on a logarithmic
// scale.
func (m *measurements) picture() string {
	least, most := math.Inf(1), math.Inf(-1)
	for _, r := range m.results {
		for _, c := range r.contestants {
			least, most = min(least, log10(c.cpu())), max(most, log10(c.cpu()))
		}
	}
	least, most = math.Floor(least), math.Ceil(most)
	x := func(v float64) float64 { return nameWidth + plotWidth*(v-least)/(most-least) }
	height := rowsTop + len(contestants)*(len(m.results)*rowHeight+gap) + 22
	bottom := float64(height - 26)

	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img">`, pictureWidth, height, pictureWidth, height)
	fmt.Fprintf(&b, "<title>CPU time to list listening sockets</title><style>%s</style>", pictureStyle)
	fmt.Fprintf(&b, `<rect class="paper" width="%d" height="%d" rx="8"/>`, pictureWidth, height)
	text := func(x, y float64, class, anchor, words string) {
		fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" class="%s" text-anchor="%s">`, x, y, class, anchor)
		_ = xml.EscapeText(&b, []byte(words)) // a Builder does not fail
		b.WriteString("</text>\n")
	}
	text(20, 30, "title", "start", "CPU time to list listening sockets (logarithmic scale)")
	text(20, 50, "small", "start", fmt.Sprintf("%s · %s · median of %d rounds", m.begun.Format(time.DateOnly), machine(), rounds))
	left := 20.0
	for i, r := range m.results {
		words := fmt.Sprintf("%s listeners, %s connections", number(float64(r.listeners)), number(float64(r.connections)))
		fmt.Fprintf(&b, `<circle cx="%.1f" cy="67" r="4.5" class="l%d"/>`, left+5, i)
		text(left+15, 71, "small", "start", words)
		left += 34 + 5.6*float64(len(words)) // about the width in any font
	}
	for v := least; v <= most; v++ {
		fmt.Fprintf(&b, `<line class="grid" x1="%.1f" x2="%.1f" y1="%d" y2="%.1f"/>`, x(v), x(v), rowsTop-10, bottom)
		text(x(v), bottom+16, "small", "middle", tick(v))
	}
	y := float64(rowsTop)
	for _, name := range contestants {
		class := ""
		if name == ourPoll {
			class = "we"
		}
		text(nameWidth-14, y+float64(len(m.results)*rowHeight)/2+4, class, "end", name)
		for i, r := range m.results {
			cpu := r.contestants[name].cpu()
			to, middle := x(log10(cpu)), y+rowHeight/2.0
			fmt.Fprintf(&b, `<line class="bar l%d" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" opacity=".45"/>`, i, x(least), to, middle, middle)
			fmt.Fprintf(&b, `<circle class="l%d" cx="%.1f" cy="%.1f" r="4"/>`, i, to, middle)
			text(to+10, middle+4, "small", "start", duration(cpu))
			y += rowHeight
		}
		y += gap
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func log10(d time.Duration) float64 { return math.Log10(float64(d)) }

// tick returns the label of a power of ten of nanoseconds.
func tick(power float64) string {
	units := []string{"ns", "µs", "ms", "s"}
	unit := min(int(power)/3, len(units)-1)
	return fmt.Sprintf("%.0f %s", math.Pow10(int(power)-3*unit), units[unit])
}
