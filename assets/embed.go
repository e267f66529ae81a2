// Package assets holds the pictures and the translations that are built into
// the program.
package assets

import "embed"

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
	//go:embed licences.txt
	licences string
	//go:embed icons/window.png
	window []byte
)

// Translations holds the words of each language as translations/LANGUAGE.json,
// in the form that fyne's lang.AddTranslationsFS reads.
//
//go:embed translations
var Translations embed.FS

// TrayLevel returns the SVG of the porthole with water up to n quarters. An n
// outside 0…4 is taken as the nearest of them.
func TrayLevel(n int) []byte {
	levels := [...][]byte{level0, level1, level2, level3, level4}
	return levels[min(max(n, 0), len(levels)-1)]
}

// TrayDot returns the SVG of the dot that is laid over a porthole where
// something changed. Its first shape is not drawn but cut out of what lies
// beneath.
func TrayDot() []byte { return dot }

// TrayAlert returns the SVG of the triangle that is laid over a porthole where
// something needs a look. Its first shape is as in TrayDot.
func TrayAlert() []byte { return alert }

// TrayPaused returns the SVG of the porthole with two bars.
func TrayPaused() []byte { return paused }

// Icon returns the application's icon as SVG.
func Icon() []byte { return icon }

// WindowIcon returns Icon as a PNG of 128×128 pixels. Fyne draws an SVG anew for
// each window, which takes a third of a second, and hands every pixel to the window
// system: of 512×512 they are a megabyte.
func WindowIcon() []byte { return window }

// Licences returns the modules that are linked into the program and the kind of
// each one's licence, a line each with a tab between. The whole texts are in the
// packages.
func Licences() string { return licences }
