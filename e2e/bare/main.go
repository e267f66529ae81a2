//go:build cgo

// Command bare is the least Fyne program with a tray icon, through Fyne's own
// tray and without a window: what Porthole's agent is measured beside.
package main

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/app"
	"fyne.io/fyne/v2/driver/desktop"

	"porthole/assets"
)

func main() {
	a := app.NewWithID("io.github.porthole.bare")
	tray := a.(desktop.App)
	tray.SetSystemTrayIcon(fyne.NewStaticResource("porthole.svg", assets.Icon()))
	tray.SetSystemTrayMenu(fyne.NewMenu("bare", fyne.NewMenuItem("Quit", a.Quit)))
	a.Run()
}
