package desktop

import (
	"context"

	"github.com/godbus/dbus/v5"
)

const trayWatcherName = "org.kde.StatusNotifierWatcher"

// WatchTrayHost calls present whenever it may have changed whether a panel
// shows tray icons (the StatusNotifierItem specification), the first time at
// once, until ctx or the bus ends.
func WatchTrayHost(ctx context.Context, address string, present func(bool)) error {
	return watchSignals(ctx, address, [][]dbus.MatchOption{nameOwnerChanged(trayWatcherName), {dbus.WithMatchInterface(trayWatcherName)}}, func(ctx context.Context, c *dbus.Conn) error {
		present(hasTrayHost(ctx, c))
		return nil
	})
}

func hasTrayHost(ctx context.Context, c *dbus.Conn) bool {
	var has bool
	err := c.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.NameHasOwner", 0, trayWatcherName).Store(&has)
	if err != nil || !has {
		return false
	}
	var host dbus.Variant
	err = c.Object(trayWatcherName, "/StatusNotifierWatcher").CallWithContext(ctx, "org.freedesktop.DBus.Properties.Get", 0,
		trayWatcherName, "IsStatusNotifierHostRegistered").Store(&host)
	registered, isBool := host.Value().(bool)
	return err != nil || !isBool || registered // who does not say is believed to show icons
}
