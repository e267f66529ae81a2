package desktop

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/prop"
)

func TestWhatTheServicesOfABusSayOfThemselves(t *testing.T) {
	address := bareBus(t)
	if err := PingBus(t.Context(), address); err != nil {
		t.Errorf("AskBus: %v", err)
	}
	if _, err := QueryNotifications(t.Context(), address); !errors.Is(err, ErrNoNotifications) {
		t.Errorf("without a service: %v, want ErrNoNotifications", err)
	}
	if has, err := QueryTrayHost(t.Context(), address); has || err != nil {
		t.Errorf("without a panel: %v, %v", has, err)
	}
	c, err := dbus.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	services(t, c)
	want := NotificationServer{Name: "fake", Version: "1.5", Actions: true}
	if n, err := QueryNotifications(t.Context(), address); n != want || err != nil {
		t.Errorf("AskNotifications: %+v, %v, want %+v", n, err, want)
	}
	if has, err := QueryTrayHost(t.Context(), address); !has || err != nil {
		t.Errorf("with a panel: %v, %v", has, err)
	}
}

// services shows a notification service and a panel on c's bus.
func services(t *testing.T, c *dbus.Conn) {
	t.Helper()
	methods := map[string]any{
		"GetServerInformation": func() (string, string, string, string, *dbus.Error) { return "fake", "vendor", "1.5", "1.2", nil },
		"GetCapabilities":      func() ([]string, *dbus.Error) { return []string{"body", "actions"}, nil },
	}
	if err := c.ExportMethodTable(methods, "/org/freedesktop/Notifications", notificationService); err != nil {
		t.Fatal(err)
	}
	if _, err := prop.Export(c, "/StatusNotifierWatcher", prop.Map{trayWatcherName: {"IsStatusNotifierHostRegistered": {Value: true}}}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{notificationService, trayWatcherName} {
		if _, err := c.RequestName(name, dbus.NameFlagDoNotQueue); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAServiceThatIsSilentIsNotWaitedForForEver(t *testing.T) {
	address := bareBus(t)
	c, err := dbus.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	silent := map[string]any{"GetServerInformation": func() (string, string, string, string, *dbus.Error) {
		<-t.Context().Done()
		return "", "", "", "", nil
	}}
	if err := c.ExportMethodTable(silent, "/org/freedesktop/Notifications", notificationService); err != nil {
		t.Fatal(err)
	}
	if _, err := c.RequestName(notificationService, dbus.NameFlagDoNotQueue); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if n, err := QueryNotifications(ctx, address); err == nil {
		t.Errorf("a silent service said %+v", n)
	}
}
