package desktop

import (
	"context"
	"fmt"
	"slices"
	"time"

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

// HasNotifications reports whether a notification service runs on the bus at
// address, or would be started by the first notification. It returns the error
// of a bus that cannot be asked.
func HasNotifications(ctx context.Context, address string) (bool, error) {
	const service = "org.freedesktop.Notifications"
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	c, err := connect(ctx, address)
	if err != nil {
		return false, err
	}
	var has bool
	if err := c.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.NameHasOwner", 0, service).Store(&has); err != nil {
		return false, fmt.Errorf("ask the bus for a notification service: %w", err)
	}
	var names []string
	if err := c.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.ListActivatableNames", 0).Store(&names); err != nil {
		return false, fmt.Errorf("ask the bus for a notification service: %w", err)
	}
	return has || slices.Contains(names, service), nil
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
