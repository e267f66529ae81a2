// Package assets holds the icons, translations and licence texts that are built
// into the program.
package assets

import _ "embed"

//go:generate go run gen/main.go

var (
	//go:embed icons/tray-level-0.svg
	level0 []byte
	//go:embed icons/tray-level-1.svg
	level1 []byte
	//go:embed icons/tray-level-2.svg
	level2 []byte
	//go:embed icons/tray-level-3.svg
	level3 []byte
	//go:embed icons/tray-level-4.svg
	level4 []byte
	//go:embed icons/tray-dot.svg
	dot []byte
	//go:embed icons/tray-alert.svg
	alert []byte
	//go:embed icons/tray-paused.svg
	paused []byte
	//go:embed icons/porthole.svg
	icon []byte
	//go:embed licence.txt
	licence string
	//go:embed licences.txt
	licences string
	//go:embed icons/window.png
	window []byte
)

// TrayLevel returns the SVG of the porthole with water up to n quarters. n is
// clamped to 0…4.
func TrayLevel(n int) []byte {
	levels := [...][]byte{level0, level1, level2, level3, level4}
	return levels[min(max(n, 0), len(levels)-1)]
}

// TrayDot returns the SVG of the dot that marks an unseen event. It is drawn
// over a TrayLevel. Its first shape is not drawn: it is cut out of the picture
// below, as a gap around the dot.
func TrayDot() []byte { return dot }

// TrayAlert returns the SVG of the triangle that marks an owner or exposure
// change that the user has not seen. Its first shape is cut out, as in TrayDot.
func TrayAlert() []byte { return alert }

// TrayPaused returns the SVG of the porthole with two bars: notifications are
// paused.
func TrayPaused() []byte { return paused }

// Icon returns the application's icon as SVG.
func Icon() []byte { return icon }

// WindowIcon returns Icon as a PNG of 128×128 pixels. A PNG is used because Fyne
// renders an SVG again for each window, which takes a third of a second. It is
// small because Fyne passes every pixel to the window system: 512×512 pixels are
// a megabyte.
func WindowIcon() []byte { return window }

// Licence returns the text of Porthole's own licence (MIT). It equals the file
// LICENSE at the root of the repository, which go:embed cannot reach from here.
func Licence() string { return licence }

// Licences returns the modules that are linked into the program: one line each,
// "MODULE<tab>LICENCE". The complete texts are in the packages.
func Licences() string { return licences }
