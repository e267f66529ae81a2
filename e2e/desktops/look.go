//go:build linux

package main

import (
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
)

// cell is the size in pixels of the squares in which changes searches.
const square = 8

// changes returns the parts of the screen in which two pictures differ, one rectangle for each
// group of changed squares that are less than two squares apart.
func changes(a, b *image.RGBA) []image.Rectangle {
	size := a.Bounds().Intersect(b.Bounds()).Max
	columns, rows := (size.X+square-1)/square, (size.Y+square-1)/square
	boxes := make([]image.Rectangle, columns*rows)
	for y := range size.Y {
		for x := range size.X {
			if differ(a.Pix[a.PixOffset(x, y):], b.Pix[b.PixOffset(x, y):]) {
				i := y/square*columns + x/square
				boxes[i] = boxes[i].Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	var groups []image.Rectangle
	for i := range boxes {
		if boxes[i].Empty() {
			continue
		}
		group, todo := image.Rectangle{}, []int{i}
		for len(todo) > 0 {
			at := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			if boxes[at].Empty() {
				continue
			}
			group = group.Union(boxes[at])
			boxes[at] = image.Rectangle{}
			for dy := -2; dy <= 2; dy++ {
				for dx := -2; dx <= 2; dx++ {
					if c, r := at%columns+dx, at/columns+dy; c >= 0 && c < columns && r >= 0 && r < rows {
						todo = append(todo, r*columns+c)
					}
				}
			}
		}
		groups = append(groups, group)
	}
	return groups
}

// differ reports whether two pixels differ visibly.
func differ(p, q []byte) bool {
	for i := range 3 {
		if d := int(p[i]) - int(q[i]); d > 12 || d < -12 {
			return true
		}
	}
	return false
}

// same reports whether a part of the screen looks the same in two pictures.
func same(a, b *image.RGBA, part image.Rectangle) bool {
	different := 0
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			if differ(a.Pix[a.PixOffset(x, y):], b.Pix[b.PixOffset(x, y):]) {
				different++
			}
		}
	}
	return different*50 < part.Dx()*part.Dy()
}

// brightness is the mean brightness of a part of the screen, from 0 to 255.
func brightness(img *image.RGBA, part image.Rectangle) int {
	part = part.Intersect(img.Bounds())
	sum, n := 0, 0
	for y := part.Min.Y; y < part.Max.Y; y += 3 {
		for x := part.Min.X; x < part.Max.X; x += 3 {
			sum += int(color.GrayModel.Convert(img.At(x, y)).(color.Gray).Y)
			n++
		}
	}
	return sum / max(n, 1)
}

// count returns how many pixels of a part of the screen have nearly this colour.
func count(img *image.RGBA, part image.Rectangle, c color.RGBA) (n int) {
	part = part.Intersect(img.Bounds())
	want := []byte{c.R, c.G, c.B}
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			if !differ(img.Pix[img.PixOffset(x, y):], want) {
				n++
			}
		}
	}
	return n
}

// largest returns the largest rectangle; empty if there is none.
func largest(all []image.Rectangle) (big image.Rectangle) {
	for _, r := range all {
		if r.Dx()*r.Dy() > big.Dx()*big.Dy() {
			big = r
		}
	}
	return big
}

// save writes a picture into the records. A failure is not worth a failed check.
func save(img image.Image, name string) {
	f, err := os.Create(filepath.Join(records, name+".png"))
	if err != nil {
		return
	}
	_ = png.Encode(f, img)
	_ = f.Close()
}

// countBrass returns how many pixels of a part of the screen have the colours of the brass ring in
// Porthole's icon, which desktops scale.
func countBrass(img *image.RGBA, part image.Rectangle) (n int) {
	part = part.Intersect(img.Bounds())
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			c := img.RGBAAt(x, y)
			if c.R > 110 && c.R > c.G+15 && c.G > c.B+25 {
				n++
			}
		}
	}
	return n
}
