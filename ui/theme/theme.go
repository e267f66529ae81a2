// Package theme defines Porthole's colours, fonts and sizes, light and dark.
package theme

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"porthole/ui/table"
)

// Colours in addition to Fyne's and the table's.
const (
	ColorOpen   fyne.ThemeColorName = "open"   // listening, without a problem
	ColorAlert  fyne.ThemeColorName = "alert"  // needs attention
	ColorClosed fyne.ThemeColorName = "closed" // no longer listening
	ColorPanel  fyne.ThemeColorName = "panel"  // bars and the details pane
	TintNew     fyne.ThemeColorName = "tintNew"
	TintChanged fyne.ThemeColorName = "tintChanged"
	TintClosed  fyne.ThemeColorName = "tintClosed"
)

// Theme is Porthole's theme. It follows the system's light or dark setting unless Fixed
// is set.
type Theme struct{ Fixed string } // "light", "dark", or ""

var dark = map[fyne.ThemeColorName]color.Color{
	theme.ColorNameBackground:          rgb(0x11181e),
	theme.ColorNameForeground:          rgb(0xe6edf3),
	theme.ColorNameButton:              rgb(0x212a33),
	theme.ColorNameDisabled:            rgb(0x6f7d8a),
	theme.ColorNameDisabledButton:      rgb(0x1a2129),
	theme.ColorNameError:               rgb(0xff6b61),
	theme.ColorNameFocus:               rgba(0x2dd4bf, 0x55),
	theme.ColorNameForegroundOnPrimary: rgb(0x06201d),
	theme.ColorNameHeaderBackground:    rgb(0x1a2129),
	theme.ColorNameHover:               rgba(0xffffff, 0x0b),
	theme.ColorNameHyperlink:           rgb(0x2dd4bf),
	theme.ColorNameInputBackground:     rgb(0x1a2129),
	theme.ColorNameInputBorder:         rgb(0x2b353f),
	theme.ColorNameMenuBackground:      rgb(0x1d252d),
	theme.ColorNameOverlayBackground:   rgb(0x1a2129),
	theme.ColorNamePlaceHolder:         rgb(0x8b98a5),
	theme.ColorNamePressed:             rgba(0xffffff, 0x18),
	theme.ColorNamePrimary:             rgb(0x2dd4bf),
	theme.ColorNameScrollBar:           rgba(0xffffff, 0x40),
	theme.ColorNameScrollBarBackground: rgba(0x000000, 0x00),
	theme.ColorNameSelection:           rgba(0x2dd4bf, 0x40),
	theme.ColorNameSeparator:           rgb(0x27303a),
	theme.ColorNameShadow:              rgba(0x000000, 0x66),
	theme.ColorNameSuccess:             rgb(0x3fb97f),
	theme.ColorNameWarning:             rgb(0xf0a81c),
	table.ColorMuted:                   rgb(0x94a1ae),
	table.ColorLine:                    rgb(0x222b34),
	table.ColorSelected:                rgb(0x1d3b40),
	table.ColorHeader:                  rgb(0x1a2129),
	ColorOpen:                          rgb(0x3fc488),
	ColorAlert:                         rgb(0xf0a81c),
	ColorClosed:                        rgb(0xff7b72),
	ColorPanel:                         rgb(0x1a2129),
	TintNew:                            rgb(0x18332b),
	TintChanged:                        rgb(0x3a3018),
	TintClosed:                         rgb(0x352026),
}

var light = map[fyne.ThemeColorName]color.Color{
	theme.ColorNameBackground:          rgb(0xf5f7f9),
	theme.ColorNameForeground:          rgb(0x15202b),
	theme.ColorNameButton:              rgb(0xe9edf1),
	theme.ColorNameDisabled:            rgb(0x76838f),
	theme.ColorNameDisabledButton:      rgb(0xeef1f4),
	theme.ColorNameError:               rgb(0xc2261d),
	theme.ColorNameFocus:               rgba(0x0b7d72, 0x55),
	theme.ColorNameForegroundOnPrimary: rgb(0xffffff),
	theme.ColorNameHeaderBackground:    rgb(0xffffff),
	theme.ColorNameHover:               rgba(0x000000, 0x0a),
	theme.ColorNameHyperlink:           rgb(0x0a766b),
	theme.ColorNameInputBackground:     rgb(0xffffff),
	theme.ColorNameInputBorder:         rgb(0xcfd6dd),
	theme.ColorNameMenuBackground:      rgb(0xffffff),
	theme.ColorNameOverlayBackground:   rgb(0xffffff),
	theme.ColorNamePlaceHolder:         rgb(0x5d6a77),
	theme.ColorNamePressed:             rgba(0x000000, 0x18),
	theme.ColorNamePrimary:             rgb(0x0b7d72),
	theme.ColorNameScrollBar:           rgba(0x000000, 0x40),
	theme.ColorNameScrollBarBackground: rgba(0x000000, 0x00),
	theme.ColorNameSelection:           rgba(0x0b7d72, 0x33),
	theme.ColorNameSeparator:           rgb(0xd9dfe5),
	theme.ColorNameShadow:              rgba(0x000000, 0x22),
	theme.ColorNameSuccess:             rgb(0x1b7f4b),
	theme.ColorNameWarning:             rgb(0x8f5c00),
	table.ColorMuted:                   rgb(0x586572),
	table.ColorLine:                    rgb(0xe4e8ec),
	table.ColorSelected:                rgb(0xd3efec),
	table.ColorHeader:                  rgb(0xffffff),
	ColorOpen:                          rgb(0x187345),
	ColorAlert:                         rgb(0x8f5c00),
	ColorClosed:                        rgb(0xb3241b),
	ColorPanel:                         rgb(0xffffff),
	TintNew:                            rgb(0xd6ebdf),
	TintChanged:                        rgb(0xf8ead0),
	TintClosed:                         rgb(0xf5dedd),
}

func rgb(v uint32) color.Color { return rgba(v, 0xff) }

func rgba(v uint32, a uint8) color.Color {
	return color.NRGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), a}
}

// Color implements fyne.Theme.
func (t Theme) Color(name fyne.ThemeColorName, variant fyne.ThemeVariant) color.Color {
	switch t.Fixed {
	case "light":
		variant = theme.VariantLight
	case "dark":
		variant = theme.VariantDark
	}
	palette := dark
	if variant == theme.VariantLight {
		palette = light
	}
	if c, ok := palette[name]; ok {
		return c
	}
	return theme.DefaultTheme().Color(name, variant)
}

// Font implements fyne.Theme.
func (Theme) Font(s fyne.TextStyle) fyne.Resource { return theme.DefaultTheme().Font(s) }

// LoadFonts starts loading the fonts of the first picture on another goroutine, so that
// it runs beside the start of the window system, which takes as long. The returned
// channel is closed when they are loaded. No text may be measured before.
func LoadFonts() <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, style := range []fyne.TextStyle{{}, {Bold: true}, {Monospace: true}} {
			fyne.MeasureText("x", theme.Size(theme.SizeNameText), style)
		}
	}()
	return done
}

// Icon implements fyne.Theme.
func (Theme) Icon(name fyne.ThemeIconName) fyne.Resource { return theme.DefaultTheme().Icon(name) }

// Size implements fyne.Theme. Most sizes are a little smaller than Fyne's.
func (Theme) Size(name fyne.ThemeSizeName) float32 {
	switch name {
	case theme.SizeNameText:
		return 13
	case theme.SizeNameCaptionText:
		return 11
	case theme.SizeNameHeadingText:
		return 20
	case theme.SizeNameSubHeadingText:
		return 16
	case theme.SizeNameInnerPadding:
		return 7
	case theme.SizeNameScrollBar:
		return 10
	case theme.SizeNameInputRadius, theme.SizeNameSelectionRadius:
		return 5
	}
	return theme.DefaultTheme().Size(name)
}
