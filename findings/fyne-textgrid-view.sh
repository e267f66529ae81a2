#!/bin/sh
# Does Fyne's TextGrid make objects only for the rows in view?
#
# Packages: fyne.io/fyne/v2 v2.8.1 with its test driver.
# Expected: a TextGrid of 2,000 rows in a scroll container that shows 20 of them has objects for
#   about 20 rows, as Fyne's List and Table have. Its documentation does not say otherwise.
# Behaviour: it has three objects (background, character, underline) for each character of all
#   2,000 rows (and for the empty places up to its width), in view or not, and makes them when it is
#   resized or refreshed; the canvas walks them all for each frame. With its own scrolling (TextGrid.Scroll) it makes those of the rows in
#   view only.
# Output seen:
#   in a scroll container: objects of all 2000 rows
#   with its own scrolling: objects of fewer than 50 rows
# Exits with 1 if that changes.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >go.mod <<'EOF'
module finding
go 1.26
require fyne.io/fyne/v2 v2.8.1
EOF
cat >main.go <<'EOF'
package main

import (
	"fmt"
	"os"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"
)

const rows, columns = 2000, 60

// letters counts the characters that are objects in o.
func letters(o fyne.CanvasObject) (n int) {
	switch o := o.(type) {
	case *canvas.Text:
		return 1
	case *fyne.Container:
		for _, child := range o.Objects {
			n += letters(child)
		}
	case fyne.Widget:
		for _, child := range test.WidgetRenderer(o).Objects() {
			n += letters(child)
		}
	}
	return n
}

func main() {
	test.NewApp()
	text := strings.TrimSuffix(strings.Repeat(strings.Repeat("x", columns)+"\n", rows), "\n")
	show := func(o fyne.CanvasObject) int {
		w := test.NewWindow(o)
		w.Resize(fyne.NewSize(700, 400))
		defer w.Close()
		return letters(o) / columns
	}
	whole := widget.NewTextGridFromString(text)
	whole.Scroll = fyne.ScrollNone
	all := show(container.NewVScroll(whole))
	own := widget.NewTextGridFromString(text)
	own.Scroll = fyne.ScrollVerticalOnly
	few := show(own)
	if all >= rows {
		fmt.Printf("in a scroll container: objects of all %d rows\n", rows)
	}
	if few < 50 {
		fmt.Println("with its own scrolling: objects of fewer than 50 rows")
	}
	if all < rows || few >= 50 {
		fmt.Println("this has changed:", all, few)
		os.Exit(1)
	}
}
EOF
go mod tidy >tidy.log 2>&1 || { cat tidy.log; exit 1; }
CGO_ENABLED=0 go run -tags no_emoji .
