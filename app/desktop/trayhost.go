package desktop

import (
	"context"

	"github.com/godbus/dbus/v5"
)

const trayWatcherName = "org.kde.StatusNotifierWatcher"

// QueryTrayHost reports whether a panel on the bus at address shows tray icons.
func QueryTrayHost(ctx context.Context, address string) (bool, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c, err := connect(ctx, address)
	if err != nil {
		return false, err
	}
	return hasTrayHost(ctx, c), nil
}

// WatchTrayHost calls present with whether a panel shows tray icons
// (StatusNotifierItem specification): immediately and whenever that may have
// changed, on the caller's goroutine. It returns when ctx or the bus ends.
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
	return err != nil || !isBool || registered // a watcher without the property is assumed to have a host
}
