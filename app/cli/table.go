package cli

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/mattn/go-runewidth"
)

// minColumn is the width below which no column is cut, in terminal cells.
const minColumn = 8

// kept is how many columns a narrow terminal shows at least.
const kept = exposureColumn + 1

// table prints cells in columns. The first row is the header.
type table struct {
	rows  [][]string
	heads map[int]string               // lines before rows, by the index of the row
	color func(row, column int) string // SGR parameters such as "1" for bold (ECMA-48); "" for none
}

// print writes the table. Where it is wider than width, the widest columns are cut,
// with an ellipsis, and if that does not suffice, the last columns left out; 0 is no
// limit. Wide characters take two cells. styled adds colors.
func (t table) print(w io.Writer, width int, styled bool) error {
	widths := t.widths(width)
	var out strings.Builder
	for i, row := range t.rows {
		if head, ok := t.heads[i]; ok {
			if width > 0 {
				head = runewidth.Truncate(head, width, "…")
			}
			if styled {
				head = "\x1b[1m" + head + "\x1b[0m"
			}
			out.WriteString("\n" + head + "\n")
		}
		for j, cell := range row[:len(widths)] {
			cell = runewidth.Truncate(cell, widths[j], "…")
			padding := strings.Repeat(" ", widths[j]-runewidth.StringWidth(cell)+2)
			if sgr := t.color(i, j); styled && sgr != "" {
				cell = "\x1b[" + sgr + "m" + cell + "\x1b[0m"
			}
			out.WriteString(cell)
			if j < len(widths)-1 {
				out.WriteString(padding)
			}
		}
		out.WriteByte('\n')
	}
	if _, err := io.WriteString(w, out.String()); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	return nil
}

// widths returns the width in cells of each column that fits. The first column, the port,
// is never cut.
func (t table) widths(limit int) []int {
	widths := make([]int, len(t.rows[0]))
	total := 2 * (len(widths) - 1)
	for j := range widths {
		for _, row := range t.rows {
			widths[j] = max(widths[j], runewidth.StringWidth(row[j]))
		}
		total += widths[j]
	}
	for ; limit > 0 && total > limit; total-- {
		widest := 1
		for j := range widths[1:] {
			if widths[j+1] > widths[widest] {
				widest = j + 1
			}
		}
		switch {
		case widths[widest] > minColumn:
			widths[widest]--
			continue
		case len(widths) <= kept:
			return widths
		}
		return t.first(len(widths) - 1).widths(limit)
	}
	return widths
}

// first returns the table with only the first n columns.
func (t table) first(n int) table {
	rows := make([][]string, len(t.rows))
	for i, row := range t.rows {
		rows[i] = row[:n]
	}
	return table{rows: rows, heads: t.heads, color: t.color}
}

// terminalStyle returns the width of the terminal that w writes to, and whether to use
// colors. A file or pipe has no width and no colors. COLUMNS sets the width, NO_COLOR
// (no-color.org) switches colors off.
func terminalStyle(w io.Writer) (width int, styled bool) {
	f, ok := w.(*os.File)
	if !ok {
		return 0, false
	}
	width = terminalWidth(f)
	if width == 0 {
		return 0, false
	}
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		width = n
	}
	return width, os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}
