package process

import (
	"image"
	"image/color"
	"math"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"

	"porthole/monitor/connection"
)

// spark is a small line chart of the last minute, with the newest value at the right.
type spark struct {
	values []float64
	raster *canvas.Raster
}

// Sizes of a spark. The chart is scaled so that its highest value reaches the top, but
// its full height is at least sparkMinScale, so that a trickle stays near the bottom.
const (
	sparkHeight   = 30
	sparkMinScale = 1000 // bytes per second
)

func newSpark() *spark {
	s := &spark{}
	s.raster = canvas.NewRaster(s.draw)
	s.raster.SetMinSize(fyne.NewSize(60, sparkHeight))
	return s
}

// setValues sets the values, and redraws the chart if it looks different.
func (s *spark) setValues(values []float64) {
	before := s.values
	s.values = slices.Clone(values)
	if needsRepaint(before, values) {
		s.raster.Refresh()
	}
}

// needsRepaint reports whether values must be painted. A line of zeros is not repainted
// for another zero: that it is a second longer does not justify painting the whole window.
func needsRepaint(before, values []float64) bool {
	if len(before) > 1 && slices.Max(before) == 0 && len(values) > 1 && slices.Max(values) == 0 {
		return false
	}
	return !slices.Equal(before, values)
}

// draw paints each column of pixels from where the line enters it to where it leaves
// it. Partly covered pixels at the ends are translucent.
func (s *spark) draw(w, h int) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	if len(s.values) < 2 || w < 2 || h < 4 {
		return img
	}
	ink := color.NRGBAModel.Convert(theme.Color(theme.ColorNamePrimary)).(color.NRGBA)
	const half = 0.9 // of the line's thickness, in pixels
	top := max(slices.Max(s.values), sparkMinScale)
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
