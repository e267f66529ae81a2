package ui

import (
	"image"
	"testing"

	"fyne.io/fyne/v2"

	"porthole/ui/settings"
	uitheme "porthole/ui/theme"
	"porthole/ui/uitest"
)

func TestThemeChangeRecoloursEverything(t *testing.T) {
	picture := func(name string, themes ...string) image.Image {
		d := newDesk(t)
		for _, theme := range themes {
			d.setSettings(settings.Settings{Notifications: true, Theme: theme})
			d.see(uitest.Listening(3000, "node", 10), uitest.Listening(8080, "python3", 20, "0.0.0.0"), uitest.Listening(62893, "vite", 40))
			d.ShowPage(name)
		}
		d.window.Canvas().Unfocus()
		return d.window.Canvas().Capture()
	}
	for _, name := range []string{"ports", "history", "watches", "settings"} {
		for _, theme := range []string{"light", "dark"} {
			other := map[string]string{"light": "dark", "dark": "light"}[theme]
			want, got := picture(name, theme), picture(name, other, theme)
			if n := uitest.DifferingPixels(want, got); n > 0 {
				t.Errorf("%s: after changing from %s to %s, %d pixels differ from a window that started in that theme", name, other, theme, n)
			}
		}
	}
	// The desktop reports its theme after the first picture: nothing but Fyne's settings change.
	late := func(name, first, then string, listeners bool) image.Image {
		d := newDesk(t)
		app := fyne.CurrentApp()
		app.Settings().SetTheme(uitheme.Theme{Fixed: first})
		d.status.Settings = settings.Settings{Notifications: true, Theme: first}
		d.SetStatus(d.status)
		if listeners {
			d.see(uitest.Listening(3000, "node", 10), uitest.Listening(8080, "python3", 20, "0.0.0.0"), uitest.Listening(62893, "vite", 40))
			d.ports.Table().Select(d.Last.Listeners[0].ID)
		} else {
			d.see()
		}
		d.ShowPage(name)
		if then != first {
			app.Settings().SetTheme(uitheme.Theme{Fixed: then})
			d.status.Settings.Theme = then // only the Settings page shows it
			d.SetStatus(d.status)
		}
		d.window.Canvas().Unfocus()
		return d.window.Canvas().Capture()
	}
	for _, name := range []string{"ports", "history", "watches", "settings"} {
		for _, listeners := range []bool{false, true} {
			if !listeners && name != "ports" {
				continue
			}
			if n := uitest.DifferingPixels(late(name, "light", "light", listeners), late(name, "dark", "light", listeners)); n > 0 {
				t.Errorf("%s, with listeners: %v: the desktop's light theme comes late: %d pixels differ", name, listeners, n)
			}
		}
	}
	if uitest.DifferingPixels(picture("ports", "light"), picture("ports", "dark")) == 0 {
		t.Error("light and dark look the same")
	}
}
