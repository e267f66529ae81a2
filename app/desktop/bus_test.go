package desktop

import (
	"testing"

	"github.com/godbus/dbus/v5/prop"

	"porthole/internal/fakebus"
)

func TestPingBus(t *testing.T) {
	if err := PingBus(t.Context(), fakebus.Start(t)); err != nil {
		t.Errorf("running bus: got error %v", err)
	}
	if err := PingBus(t.Context(), "unix:path="+t.TempDir()+"/none"); err == nil {
		t.Error("no bus: got no error")
	}
}

func TestQueryTrayHost(t *testing.T) {
	address := fakebus.Start(t)
	if has, err := QueryTrayHost(t.Context(), address); has || err != nil {
		t.Errorf("no panel: got %t, error %v; want false", has, err)
	}
	c := fakebus.Dial(t, address)
	if _, err := prop.Export(c, "/StatusNotifierWatcher", prop.Map{trayWatcherName: {"IsStatusNotifierHostRegistered": {Value: true}}}); err != nil {
		t.Fatal(err)
	}
	fakebus.Own(t, c, trayWatcherName)
	if has, err := QueryTrayHost(t.Context(), address); !has || err != nil {
		t.Errorf("panel: got %t, error %v; want true", has, err)
	}
}
