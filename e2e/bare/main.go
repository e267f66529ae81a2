//go:build cgo

// Command bare is the minimal Fyne program that Porthole is compared with. It has a tray
// icon through Fyne's own tray and no window. "bare window" has a window with the size
// and the background of Porthole's instead.
package main

import (
	"image/color"
	"os"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/app"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"

	"porthole/assets"
	"porthole/ui"
)

func main() {
	a := app.NewWithID("io.github.porthole.bare")
	if len(os.Args) > 1 && os.Args[1] == "window" {
		w := a.NewWindow("bare")
		w.SetPadded(false)
		w.SetContent(canvas.NewRectangle(color.RGBA{0x1d, 0x3b, 0x40, 255})) // the background of Porthole's selected row
		w.Resize(ui.DefaultSize)
		w.ShowAndRun()
		return
	}
	tray := a.(desktop.App)
	tray.SetSystemTrayIcon(fyne.NewStaticResource("porthole.svg", assets.Icon()))
	tray.SetSystemTrayMenu(fyne.NewMenu("bare", fyne.NewMenuItem("Quit", a.Quit)))
	a.Run()
}
