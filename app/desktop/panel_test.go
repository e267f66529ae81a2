package desktop

import (
	"context"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"porthole/internal/fakebus"
)

func TestWatchStyle(t *testing.T) {
	address := fakebus.Start(t)
	ctx, cancel := context.WithCancel(t.Context())
	styles, ended := make(chan Style, 8), make(chan error, 1)
	go func() { ended <- WatchStyle(ctx, address, func(s Style) { styles <- s }) }()
	want := func(what string, want Style) {
		t.Helper()
		for limit := time.After(time.Minute); ; {
			select {
			case got := <-styles:
				if got == want {
					return
				}
			case <-limit:
				t.Fatalf("%s: the style is not %q", what, want)
			}
		}
	}
	want("without a portal", NoStyle)
	portal, scheme := fakebus.Dial(t, address), make(chan uint32, 1)
	scheme <- 1
	if err := portal.ExportMethodTable(map[string]any{"Read": func(_, _ string) (dbus.Variant, *dbus.Error) {
		now := <-scheme
		scheme <- now
		return dbus.MakeVariant(dbus.MakeVariant(now)), nil
	}}, portalPath, settingsPortal); err != nil {
		t.Fatal(err)
	}
	fakebus.Own(t, portal, portalName)
	want("a portal started", Dark)
	<-scheme
	scheme <- 2
	if err := portal.Emit(portalPath, settingsPortal+".SettingChanged", "org.freedesktop.appearance", "color-scheme", dbus.MakeVariant(uint32(2))); err != nil {
		t.Fatal(err)
	}
	want("the setting changed", Light)
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("after the end of the context: got %v, want nil", err)
	}
}

func TestPanel(t *testing.T) {
	for names, want := range map[string][2]Style{"KDE": {Dark, Light}, "GNOME": {Dark, Dark}, "ubuntu:GNOME": {}, "XFCE": {}, "": {}} {
		s := Session{"XDG_CURRENT_DESKTOP": names}
		if got := [2]Style{s.Panel(Dark), s.Panel(Light)}; got != want {
			t.Errorf("%q: got %q, want %q", names, got, want)
		}
	}
}
