package desktop

import (
	"context"

	"github.com/godbus/dbus/v5"
)

const trayWatcher = "org.kde.StatusNotifierWatcher"

// WatchTrayHost calls present whenever it may have changed whether a panel
// shows tray icons (the StatusNotifierItem specification), the first time at
// once, until ctx or the bus ends.
func WatchTrayHost(ctx context.Context, address string, present func(bool)) error {
	return follow(ctx, address, [][]dbus.MatchOption{ownerOf(trayWatcher), {dbus.WithMatchInterface(trayWatcher)}}, func(ctx context.Context, c *dbus.Conn) error {
		present(hasTrayHost(ctx, c))
		return nil
	})
}

func hasTrayHost(ctx context.Context, c *dbus.Conn) bool {
	var has bool
	err := c.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.NameHasOwner", 0, trayWatcher).Store(&has)
	if err != nil || !has {
		return false
	}
	var host dbus.Variant
	err = c.Object(trayWatcher, "/StatusNotifierWatcher").CallWithContext(ctx, "org.freedesktop.DBus.Properties.Get", 0,
		trayWatcher, "IsStatusNotifierHostRegistered").Store(&host)
	registered, isBool := host.Value().(bool)
	return err != nil || !isBool || registered // who does not say is believed to show icons
}
