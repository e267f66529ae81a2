package settings

import (
	"cmp"
	"strconv"

	"fyne.io/fyne/v2/lang"

	"porthole/ui/widgets"
)

// ZoomSteps are the zooms in percent that the page and the keys offer. Fyne rounds to tenths.
var ZoomSteps = []int{80, 90, 100, 110, 120, 130, 150, 170, 200}

// NextZoom returns the next step from a zoom in a direction, 1 or -1.
func NextZoom(zoom, direction int) int {
	next := zoom
	for _, step := range ZoomSteps {
		if direction > 0 && step > zoom {
			return step
		}
		if direction < 0 && step < zoom {
			next = step
		}
	}
	return next
}

// ZoomValue returns a zoom as the value of its setting; "" for the default.
func ZoomValue(zoom int) string {
	if zoom == 100 {
		return ""
	}
	return strconv.Itoa(zoom)
}

func (p *Page) zoomRow() *settingRow {
	keys := widgets.ZoomInKeys.String() + ", " + widgets.ZoomOutKeys.String() + ", " + widgets.ZoomResetKeys.String()
	r := newSettingRow("zoom", lang.L("Zoom"), lang.L("Size of everything in the window; also with {{.Keys}}", map[string]any{"Keys": keys}))
	var options []widgets.Option
	for _, step := range ZoomSteps {
		options = append(options, widgets.Option{Value: ZoomValue(step), Label: strconv.Itoa(step) + " %"})
	}
	p.choice(r, options, func(s Settings) widgets.Option {
		zoom := cmp.Or(s.Zoom, 100)
		return widgets.Option{Value: ZoomValue(zoom), Label: strconv.Itoa(zoom) + " %"}
	})
	return r
}
