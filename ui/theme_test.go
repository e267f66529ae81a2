package ui

import (
	"image/color"
	"math"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"porthole/ui/table"
)

// readable and visible are WCAG 2.1's least contrast of text (1.4.3, AA) and of
// parts that are no text or not in use (1.4.11).
const (
	readable = 4.5
	visible  = 3
)

// grounds are what each colour of text stands on.
var grounds = []struct {
	text    fyne.ThemeColorName
	least   float64
	grounds []fyne.ThemeColorName
}{
	{theme.ColorNameForeground, readable, []fyne.ThemeColorName{theme.ColorNameBackground, colorPanel, table.ColorHeader, table.ColorSelected, tintNew, tintChanged, tintClosed,
		theme.ColorNameButton, theme.ColorNameInputBackground, theme.ColorNameMenuBackground, theme.ColorNameOverlayBackground}},
	{table.ColorMuted, readable, []fyne.ThemeColorName{theme.ColorNameBackground, colorPanel, table.ColorHeader, table.ColorSelected, tintNew, tintChanged, theme.ColorNameInputBackground}},
	{colorAlert, readable, []fyne.ThemeColorName{theme.ColorNameBackground, colorPanel, table.ColorSelected, tintNew, tintChanged}},
	{colorOpen, readable, []fyne.ThemeColorName{theme.ColorNameBackground, colorPanel, table.ColorSelected, tintNew}},
	{table.ColorMuted, visible, []fyne.ThemeColorName{tintClosed}},                                // the star of what has closed
	{colorAlert, visible, []fyne.ThemeColorName{tintClosed}},                                      // the same, watched
	{theme.ColorNameForeground, readable, []fyne.ThemeColorName{theme.ColorNameHeaderBackground}}, // dialogs
	{theme.ColorNameDisabled, visible, []fyne.ThemeColorName{table.ColorHeader, theme.ColorNameInputBackground}},
	{colorClosed, readable, []fyne.ThemeColorName{theme.ColorNameBackground, colorPanel, table.ColorSelected, tintClosed}},
	{theme.ColorNameForegroundOnPrimary, readable, []fyne.ThemeColorName{theme.ColorNamePrimary}},
	{theme.ColorNamePlaceHolder, readable, []fyne.ThemeColorName{theme.ColorNameInputBackground, theme.ColorNameBackground}},
	{theme.ColorNameError, readable, []fyne.ThemeColorName{theme.ColorNameBackground, colorPanel, theme.ColorNameOverlayBackground}},
	{theme.ColorNameHyperlink, readable, []fyne.ThemeColorName{theme.ColorNameBackground, colorPanel}},
	{theme.ColorNamePrimary, visible, []fyne.ThemeColorName{theme.ColorNameBackground, colorPanel, table.ColorSelected}}, // the line of what has the keyboard
	{theme.ColorNameDisabled, visible, []fyne.ThemeColorName{theme.ColorNameBackground, colorPanel, theme.ColorNameButton}},
}

// veiled are what stands on a ground with a veil over it: under the pointer, with the
// keyboard, selected.
var veiled = []struct {
	veil          fyne.ThemeColorName
	texts, ground []fyne.ThemeColorName
}{
	{theme.ColorNameHover, []fyne.ThemeColorName{theme.ColorNameForeground, table.ColorMuted, colorOpen, colorAlert, colorClosed, theme.ColorNameHyperlink},
		[]fyne.ThemeColorName{theme.ColorNameBackground, colorPanel}},
	{theme.ColorNameHover, []fyne.ThemeColorName{theme.ColorNameForeground, theme.ColorNameError}, []fyne.ThemeColorName{theme.ColorNameButton}},
	{theme.ColorNameHover, []fyne.ThemeColorName{theme.ColorNameForegroundOnPrimary}, []fyne.ThemeColorName{theme.ColorNamePrimary}},
	{theme.ColorNameHover, []fyne.ThemeColorName{theme.ColorNameForeground}, []fyne.ThemeColorName{theme.ColorNameMenuBackground, theme.ColorNameInputBackground}},
	{theme.ColorNameFocus, []fyne.ThemeColorName{theme.ColorNameForeground}, []fyne.ThemeColorName{theme.ColorNameButton, theme.ColorNameInputBackground, theme.ColorNameMenuBackground, theme.ColorNameBackground, colorPanel}},
	{theme.ColorNameSelection, []fyne.ThemeColorName{theme.ColorNameForeground}, []fyne.ThemeColorName{theme.ColorNameInputBackground, theme.ColorNameBackground, colorPanel}},
}

func TestTheThemeIsAsTheSystemsUnlessItIsFixed(t *testing.T) {
	for _, name := range []fyne.ThemeColorName{theme.ColorNameBackground, theme.ColorNameForeground} {
		for fixed, want := range map[string][2]color.Color{"": {dark[name], light[name]}, "dark": {dark[name], dark[name]}, "light": {light[name], light[name]}} {
			look := Theme{Fixed: fixed}
			if got := [2]color.Color{look.Color(name, theme.VariantDark), look.Color(name, theme.VariantLight)}; got != want {
				t.Errorf("%s of %q in a dark and in a light system: %v; want %v", name, fixed, got, want)
			}
		}
	}
}

func TestTextCanBeReadThroughVeils(t *testing.T) {
	for name, variant := range map[string]fyne.ThemeVariant{"dark": theme.VariantDark, "light": theme.VariantLight} {
		for _, v := range veiled {
			for _, text := range v.texts {
				for _, ground := range v.ground {
					under := over(Theme{}.Color(v.veil, variant), Theme{}.Color(ground, variant))
					if got := contrast(Theme{}.Color(text, variant), under); got < readable {
						t.Errorf("%s: %s on %s under %s has a contrast of %.2f; want %.1f", name, text, ground, v.veil, got, readable)
					}
				}
			}
		}
	}
}

// over lays a colour that lets others through on one that does not.
func over(veil, ground color.Color) color.Color {
	r, g, b, a := veil.RGBA() // multiplied by a already
	x, y, z, _ := ground.RGBA()
	mix := func(v, w uint32) uint16 { return uint16(v + w*(0xffff-a)/0xffff) }
	return color.RGBA64{mix(r, x), mix(g, y), mix(b, z), 0xffff}
}

func TestTextCanBeRead(t *testing.T) {
	for name, variant := range map[string]fyne.ThemeVariant{"dark": theme.VariantDark, "light": theme.VariantLight} {
		for _, g := range grounds {
			for _, ground := range g.grounds {
				if got := contrast(Theme{}.Color(g.text, variant), Theme{}.Color(ground, variant)); got < g.least {
					t.Errorf("%s: %s on %s has a contrast of %.2f; want %.1f", name, g.text, ground, got, g.least)
				}
			}
		}
	}
	if got := contrast(color.Black, color.White); math.Abs(got-21) > 0.01 {
		t.Errorf("black on white has %.2f; want 21", got)
	}
}

// contrast is WCAG 2.1's ratio of two opaque colours, from 1 to 21.
func contrast(a, b color.Color) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// luminance is WCAG 2.1's relative luminance.
func luminance(c color.Color) float64 {
	r, g, b, _ := c.RGBA()
	linear := func(v uint32) float64 {
		s := float64(v) / 0xffff
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
}
