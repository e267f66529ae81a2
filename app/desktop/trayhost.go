package desktop

import (
	"context"
	"fmt"

	"github.com/godbus/dbus/v5"
)

const trayWatcher = "org.kde.StatusNotifierWatcher"

// WatchTrayHost calls present whenever it may have changed whether a panel
// shows tray icons (the StatusNotifierItem specification), the first time at
// once, until ctx or the bus ends.
func WatchTrayHost(ctx context.Context, address string, present func(bool)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c, err := connect(ctx, address)
	if err != nil {
		return err
	}
	if err := c.AddMatchSignal(dbus.WithMatchInterface("org.freedesktop.DBus"), dbus.WithMatchMember("NameOwnerChanged"),
		dbus.WithMatchArg(0, trayWatcher)); err != nil {
		return fmt.Errorf("watch for a tray: %w", err)
	}
	if err := c.AddMatchSignal(dbus.WithMatchInterface(trayWatcher)); err != nil {
		return fmt.Errorf("watch for a tray: %w", err)
	}
	signals := make(chan *dbus.Signal, 16)
	c.Signal(signals)
	for {
		present(hasTrayHost(ctx, c))
		select {
		case <-ctx.Done():
			return nil
		case _, ok := <-signals:
			if !ok {
				return nil
			}
		}
	}
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
