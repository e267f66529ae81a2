package ui

import (
	"image"
	"testing"

	"porthole/ui/settings"
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
	if uitest.DifferingPixels(picture("ports", "light"), picture("ports", "dark")) == 0 {
		t.Error("light and dark look the same")
	}
}
