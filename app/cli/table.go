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

// table prints cells in columns. The first row is the header.
type table struct {
	rows  [][]string
	color func(row, column int) string // SGR parameters such as "1" for bold (ECMA-48); "" for none
}

// print writes the table. Where it is wider than width, the widest columns are cut,
// with an ellipsis; 0 is no limit. Wide characters take two cells. styled adds colors.
func (t table) print(w io.Writer, width int, styled bool) error {
	widths := t.widths(width)
	var out strings.Builder
	for i, row := range t.rows {
		for j, cell := range row {
			cell = runewidth.Truncate(cell, widths[j], "…")
			padding := strings.Repeat(" ", widths[j]-runewidth.StringWidth(cell)+2)
			if sgr := t.color(i, j); styled && sgr != "" {
				cell = "\x1b[" + sgr + "m" + cell + "\x1b[0m"
			}
			out.WriteString(cell)
			if j < len(row)-1 {
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

// widths returns the width of each column in cells.
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
		widest := 0
		for j := range widths {
			if widths[j] > widths[widest] {
				widest = j
			}
		}
		if widths[widest] <= minColumn {
			break
		}
		widths[widest]--
	}
	return widths
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
