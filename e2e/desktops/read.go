//go:build linux

package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// word is a word that tesseract has read on the screen.
type word struct {
	text  string
	place image.Rectangle
}

// magnified is how much larger tesseract sees the screen: it reads letters of 20 to 40 pixels best.
const magnified = 3

// Page segmentation modes of tesseract(1).
const (
	modePage   = "3"  // finds blocks of text
	modeSparse = "11" // finds as much text as possible, in no order
)

// read returns the words in a part of the screen. Some are found twice: no mode finds all.
func read(img *image.RGBA, part image.Rectangle) ([]word, error) {
	part = part.Intersect(img.Bounds())
	gray := image.NewGray(image.Rect(0, 0, part.Dx()*magnified, part.Dy()*magnified))
	for y := range gray.Rect.Dy() {
		for x := range gray.Rect.Dx() {
			gray.SetGray(x, y, color.Gray{Y: smooth(img, part, float64(x)/magnified, float64(y)/magnified)})
		}
	}
	words, err := tesseract(gray, part.Min, modePage)
	if err != nil {
		return nil, err
	}
	if brightness(img, part) < 128 {
		for i := range gray.Pix {
			gray.Pix[i] = 255 - gray.Pix[i]
		}
	}
	more, err := tesseract(gray, part.Min, modeSparse)
	return append(words, more...), err
}

// tesseract reads a magnified picture whose corner is at origin on the screen.
func tesseract(gray *image.Gray, origin image.Point, mode string) ([]word, error) {
	var encoded bytes.Buffer
	if err := png.Encode(&encoded, gray); err != nil {
		return nil, fmt.Errorf("read the screen: %w", err)
	}
	c := exec.Command("tesseract", "stdin", "stdout", "--psm", mode, "--dpi", "200", "tsv")
	c.Env = append(os.Environ(), "OMP_THREAD_LIMIT=1")
	c.Stdin = &encoded
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("read the screen with tesseract: %w", err)
	}
	return parseWords(string(out), origin), nil
}

// smooth interpolates between the pixels of part around x, y.
func smooth(img *image.RGBA, part image.Rectangle, x, y float64) uint8 {
	x0, y0 := int(x), int(y)
	at := func(x, y int) float64 {
		i := img.PixOffset(part.Min.X+min(x, part.Dx()-1), part.Min.Y+min(y, part.Dy()-1))
		return 0.3*float64(img.Pix[i]) + 0.59*float64(img.Pix[i+1]) + 0.11*float64(img.Pix[i+2])
	}
	fx, fy := x-float64(x0), y-float64(y0)
	top := at(x0, y0)*(1-fx) + at(x0+1, y0)*fx
	bottom := at(x0, y0+1)*(1-fx) + at(x0+1, y0+1)*fx
	return uint8(top*(1-fy) + bottom*fy)
}

// parseWords reads the output of "tesseract tsv": a header and lines with twelve columns, of which
// the seventh to tenth are left, top, width and height, and the last is the text.
func parseWords(tsv string, origin image.Point) (words []word) {
	for line := range strings.Lines(tsv) {
		columns := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if len(columns) != 12 || strings.TrimSpace(columns[11]) == "" {
			continue
		}
		var n [4]int
		bad := false
		for i := range n {
			var err error
			n[i], err = strconv.Atoi(columns[6+i])
			bad = bad || err != nil
		}
		if bad {
			continue
		}
		r := image.Rect(n[0]/magnified, n[1]/magnified, (n[0]+n[2])/magnified, (n[1]+n[3])/magnified)
		words = append(words, word{columns[11], r.Add(origin)})
	}
	return words
}

// text is all words.
func text(words []word) string {
	var all []string
	for _, w := range words {
		all = append(all, w.text)
	}
	return strings.Join(all, " ")
}

// find returns the place of a phrase: words that follow each other in one line.
func find(words []word, phrase string) (image.Rectangle, bool) {
	want := strings.Fields(phrase)
	for i := 0; i+len(want) <= len(words); i++ {
		place, matches := image.Rectangle{}, true
		for n, w := range want {
			matches = matches && alike(words[i+n].text, w)
			place = place.Union(words[i+n].place)
		}
		if matches {
			return place, true
		}
	}
	return image.Rectangle{}, false
}

// alike compares words as tesseract reads them: it adds punctuation for the edges of buttons.
func alike(got, want string) bool {
	trim := func(s string) string { return strings.ToLower(strings.Trim(s, ".,:;|[](){}<>«»'\"-_=~ ")) }
	return trim(got) == trim(want)
}

// center is the middle of a rectangle.
func center(r image.Rectangle) image.Point { return r.Min.Add(r.Size().Div(2)) }
