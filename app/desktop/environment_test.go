package desktop

import "testing"

func TestEnvironment(t *testing.T) {
	for value, want := range map[string]Environment{
		"GNOME": GNOME, "ubuntu:GNOME": GNOME, "GNOME-Classic:GNOME": GNOME, "Budgie:GNOME": Budgie, "GNOME-Flashback:GNOME": Other, "Unity:Unity7:ubuntu": Other,
		"X-Cinnamon": Cinnamon, "KDE": KDE, "XFCE": Xfce, "LXQt": LXQt, "MATE": MATE, "LXDE": LXDE, "i3": I3, "sway": Wlroots, "sway:wlroots": Wlroots, "": Other, "Enlightenment": Other,
	} {
		if got := (Session{"XDG_CURRENT_DESKTOP": value}).Environment(); got != want {
			t.Errorf("%q: got %q, want %q", value, got, want)
		}
	}
}
