//go:build linux

package main

import (
	"image"
	"image/color"
	"slices"
	"testing"
)

func blank() *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, 200, 100))
	fill(img, img.Bounds(), color.RGBA{40, 40, 40, 255})
	return img
}

func fill(img *image.RGBA, part image.Rectangle, c color.RGBA) {
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			img.SetRGBA(x, y, c)
		}
	}
}

func TestChanges(t *testing.T) {
	before, after := blank(), blank()
	icon, popup := image.Rect(180, 80, 190, 91), image.Rect(10, 5, 90, 45)
	fill(after, icon, color.RGBA{255, 255, 255, 255})
	fill(after, popup, color.RGBA{200, 0, 0, 255})
	fill(after, image.Rect(120, 50, 121, 51), color.RGBA{45, 45, 45, 255}) // not visible
	got := changes(before, after)
	if want := []image.Rectangle{popup, icon}; !slices.Equal(got, want) {
		t.Errorf("changes = %v, want %v", got, want)
	}
	if got := changes(before, before); len(got) > 0 {
		t.Errorf("a picture differs from itself in %v", got)
	}
}

func TestSame(t *testing.T) {
	before, after := blank(), blank()
	part := image.Rect(0, 0, 20, 20)
	fill(after, image.Rect(0, 0, 2, 2), color.RGBA{255, 255, 255, 255}) // 1 %, such as a clock that moves a shadow
	if !same(before, after, part) {
		t.Error("one percent makes a difference")
	}
	fill(after, image.Rect(0, 0, 10, 10), color.RGBA{255, 255, 255, 255})
	if same(before, after, part) {
		t.Error("a quarter makes no difference")
	}
}

func TestParseWords(t *testing.T) {
	const tsv = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext\n" +
		"4\t1\t1\t1\t1\t0\t30\t30\t300\t30\t-1\t\n" +
		"5\t1\t1\t1\t1\t1\t30\t30\t60\t30\t96.0\t[Stop\n" +
		"5\t1\t1\t1\t1\t2\t120\t30\t90\t30\t91.5\twatching]\n"
	words := parseWords(tsv, image.Pt(100, 200))
	if got := text(words); got != "[Stop watching]" {
		t.Fatalf("text = %q", got)
	}
	place, ok := find(words, "Stop watching")
	if want := image.Rect(110, 210, 170, 220); !ok || place != want {
		t.Errorf("find = %v, %t, want %v", place, ok, want)
	}
	if _, ok := find(words, "Show"); ok {
		t.Error("found a word that is not there")
	}
}
