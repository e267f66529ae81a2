package table

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// Dense returns the theme for lists whose rows touch.
func Dense() fyne.Theme { return dense{} }

// dense is the theme inside the table, without padding between rows.
type dense struct{}

func (dense) Color(n fyne.ThemeColorName, v fyne.ThemeVariant) (c color.Color) {
	return fyne.CurrentApp().Settings().Theme().Color(n, v)
}

func (dense) Font(s fyne.TextStyle) fyne.Resource {
	return fyne.CurrentApp().Settings().Theme().Font(s)
}

func (dense) Icon(n fyne.ThemeIconName) fyne.Resource {
	return fyne.CurrentApp().Settings().Theme().Icon(n)
}

func (dense) Size(n fyne.ThemeSizeName) float32 {
	if n == theme.SizeNamePadding {
		return 0
	}
	return fyne.CurrentApp().Settings().Theme().Size(n)
}
