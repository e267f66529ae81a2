package theme

import (
	"image/color"
	"math"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"porthole/ui/table"
	"porthole/ui/uitest"
)

// grounds lists the backgrounds on which each text colour is used, with the contrast that
// it needs.
var grounds = []struct {
	text    fyne.ThemeColorName
	least   float64
	grounds []fyne.ThemeColorName
}{
	{theme.ColorNameForeground, uitest.Readable, []fyne.ThemeColorName{theme.ColorNameBackground, ColorPanel, table.ColorHeader, table.ColorSelected, TintNew, TintChanged, TintClosed,
		theme.ColorNameButton, theme.ColorNameInputBackground, theme.ColorNameMenuBackground, theme.ColorNameOverlayBackground}},
	{table.ColorMuted, uitest.Readable, []fyne.ThemeColorName{theme.ColorNameBackground, ColorPanel, table.ColorHeader, table.ColorSelected, TintNew, TintChanged, theme.ColorNameInputBackground}},
	{ColorAlert, uitest.Readable, []fyne.ThemeColorName{theme.ColorNameBackground, ColorPanel, table.ColorSelected, TintNew, TintChanged}},
	{ColorOpen, uitest.Readable, []fyne.ThemeColorName{theme.ColorNameBackground, ColorPanel, table.ColorSelected, TintNew}},
	{table.ColorMuted, uitest.Visible, []fyne.ThemeColorName{TintClosed}},                                // the star of a closed port
	{ColorAlert, uitest.Visible, []fyne.ThemeColorName{TintClosed}},                                      // the same, watched
	{theme.ColorNameForeground, uitest.Readable, []fyne.ThemeColorName{theme.ColorNameHeaderBackground}}, // dialogs
	{theme.ColorNameDisabled, uitest.Visible, []fyne.ThemeColorName{table.ColorHeader, theme.ColorNameInputBackground}},
	{ColorClosed, uitest.Readable, []fyne.ThemeColorName{theme.ColorNameBackground, ColorPanel, table.ColorSelected, TintClosed}},
	{theme.ColorNameForegroundOnPrimary, uitest.Readable, []fyne.ThemeColorName{theme.ColorNamePrimary}},
	{theme.ColorNamePlaceHolder, uitest.Readable, []fyne.ThemeColorName{theme.ColorNameInputBackground, theme.ColorNameBackground}},
	{theme.ColorNameError, uitest.Readable, []fyne.ThemeColorName{theme.ColorNameBackground, ColorPanel, theme.ColorNameOverlayBackground}},
	{theme.ColorNameHyperlink, uitest.Readable, []fyne.ThemeColorName{theme.ColorNameBackground, ColorPanel}},
	{theme.ColorNamePrimary, uitest.Visible, []fyne.ThemeColorName{theme.ColorNameBackground, ColorPanel, table.ColorSelected}}, // the focus ring
	{theme.ColorNameDisabled, uitest.Visible, []fyne.ThemeColorName{theme.ColorNameBackground, ColorPanel, theme.ColorNameButton}},
}

// veiled lists texts on a background with a translucent colour over it: for hover, the
// keyboard focus and the selection.
var veiled = []struct {
	veil          fyne.ThemeColorName
	texts, ground []fyne.ThemeColorName
}{
	{theme.ColorNameHover, []fyne.ThemeColorName{theme.ColorNameForeground, table.ColorMuted, ColorOpen, ColorAlert, ColorClosed, theme.ColorNameHyperlink},
		[]fyne.ThemeColorName{theme.ColorNameBackground, ColorPanel}},
	{theme.ColorNameHover, []fyne.ThemeColorName{theme.ColorNameForeground, theme.ColorNameError}, []fyne.ThemeColorName{theme.ColorNameButton}},
	{theme.ColorNameHover, []fyne.ThemeColorName{theme.ColorNameForegroundOnPrimary}, []fyne.ThemeColorName{theme.ColorNamePrimary}},
	{theme.ColorNameHover, []fyne.ThemeColorName{theme.ColorNameForeground}, []fyne.ThemeColorName{theme.ColorNameMenuBackground, theme.ColorNameInputBackground}},
	{theme.ColorNameFocus, []fyne.ThemeColorName{theme.ColorNameForeground}, []fyne.ThemeColorName{theme.ColorNameButton, theme.ColorNameInputBackground, theme.ColorNameMenuBackground, theme.ColorNameBackground, ColorPanel}},
	{theme.ColorNameSelection, []fyne.ThemeColorName{theme.ColorNameForeground}, []fyne.ThemeColorName{theme.ColorNameInputBackground, theme.ColorNameBackground, ColorPanel}},
}

func TestThemeFollowsSystemUnlessFixed(t *testing.T) {
	for _, name := range []fyne.ThemeColorName{theme.ColorNameBackground, theme.ColorNameForeground} {
		for fixed, want := range map[string][2]color.Color{"": {dark[name], light[name]}, "dark": {dark[name], dark[name]}, "light": {light[name], light[name]}} {
			fixedTheme := Theme{Fixed: fixed}
			if got := [2]color.Color{fixedTheme.Color(name, theme.VariantDark), fixedTheme.Color(name, theme.VariantLight)}; got != want {
				t.Errorf("%s with Fixed %q on a dark and a light system: got %v, want %v", name, fixed, got, want)
			}
		}
	}
}

func TestContrastUnderTranslucentColors(t *testing.T) {
	for name, variant := range map[string]fyne.ThemeVariant{"dark": theme.VariantDark, "light": theme.VariantLight} {
		for _, v := range veiled {
			for _, text := range v.texts {
				for _, ground := range v.ground {
					under := over(Theme{}.Color(v.veil, variant), Theme{}.Color(ground, variant))
					if got := uitest.Contrast(Theme{}.Color(text, variant), under); got < uitest.Readable {
						t.Errorf("%s: %s on %s under %s: got contrast %.2f, want at least %.1f", name, text, ground, v.veil, got, uitest.Readable)
					}
				}
			}
		}
	}
}

// over blends a translucent colour over an opaque one.
func over(veil, ground color.Color) color.Color {
	r, g, b, a := veil.RGBA() // multiplied by a already
	x, y, z, _ := ground.RGBA()
	mix := func(v, w uint32) uint16 { return uint16(v + w*(0xffff-a)/0xffff) }
	return color.RGBA64{mix(r, x), mix(g, y), mix(b, z), 0xffff}
}

func TestTextContrast(t *testing.T) {
	for name, variant := range map[string]fyne.ThemeVariant{"dark": theme.VariantDark, "light": theme.VariantLight} {
		for _, g := range grounds {
			for _, ground := range g.grounds {
				if got := uitest.Contrast(Theme{}.Color(g.text, variant), Theme{}.Color(ground, variant)); got < g.least {
					t.Errorf("%s: %s on %s: got contrast %.2f, want at least %.1f", name, g.text, ground, got, g.least)
				}
			}
		}
	}
	if got := uitest.Contrast(color.Black, color.White); math.Abs(got-21) > 0.01 {
		t.Errorf("black on white: got contrast %.2f, want 21", got)
	}
}
