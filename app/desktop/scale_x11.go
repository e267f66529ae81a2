//go:build unix && !darwin

package desktop

import (
	"strconv"
	"strings"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
)

// normalDPI is the value of the resource Xft.dpi at scale 1.
const normalDPI = 96

// maxResources limits the resources of the X server, in bytes. MATE sets about 10 KB.
const maxResources = 1 << 20

// XftScale returns the scale that the desktop sets for the texts of all programs on the X server in the
// environment (DISPLAY, XAUTHORITY): the resource Xft.dpi (xrdb(1)) relative to 96 dots per inch, from 0.5 to 8. ok is false if
// it is not set.
func XftScale() (scale float64, ok bool) {
	x, err := xgb.NewConn()
	if err != nil {
		return 0, false
	}
	defer x.Close()
	resources, err := longProperty(x, xproto.Setup(x).DefaultScreen(x).Root, "RESOURCE_MANAGER", maxResources)
	if err != nil {
		return 0, false
	}
	return xftScale(string(resources))
}

// xftScale is XftScale for the text of the resources, one "name:<tab>value" in a line.
func xftScale(resources string) (float64, bool) {
	for line := range strings.Lines(resources) {
		name, value, _ := strings.Cut(line, ":")
		if name != "Xft.dpi" {
			continue
		}
		dpi, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if scale := dpi / normalDPI; err == nil && scale >= 0.5 && scale <= 8 {
			return scale, true
		}
	}
	return 0, false
}
