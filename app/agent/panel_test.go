package agent

import (
	"path/filepath"
	"testing"

	"porthole/app/desktop"
)

func TestInkOfTheTrayIcon(t *testing.T) {
	a, _ := newTestAgent(t, filepath.Join(t.TempDir(), "pause.json"))
	for _, c := range []struct {
		setting string
		panel   desktop.Style
		want    string
	}{{"", desktop.NoStyle, ""}, {"", desktop.Dark, "light"}, {"", desktop.Light, "dark"}, {"outlined", desktop.Dark, ""}, {"dark", desktop.Dark, "dark"}} {
		a.settings.TrayIcon, a.panel = c.setting, c.panel
		if got := a.trayState().Ink; got != c.want {
			t.Errorf("setting %q, panel %q: got %q, want %q", c.setting, c.panel, got, c.want)
		}
	}
}
