package desktop

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/godbus/dbus/v5"
)

const notificationService = "org.freedesktop.Notifications"

// WatchNotifications calls present, on the caller's goroutine, with whether a
// notification service runs on the bus at address or would be started by the
// first notification: at once, and whenever one came or went, until ctx or the
// bus ends. It returns the error of a bus that cannot be asked.
func WatchNotifications(ctx context.Context, address string, present func(bool)) error {
	return watchSignals(ctx, address, [][]dbus.MatchOption{nameOwnerChanged(notificationService)}, func(ctx context.Context, c *dbus.Conn) error {
		has, err := hasNotifications(ctx, c)
		if err == nil {
			present(has)
		}
		return err
	})
}

func hasNotifications(ctx context.Context, c *dbus.Conn) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var has bool
	if err := c.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.NameHasOwner", 0, notificationService).Store(&has); err != nil {
		return false, fmt.Errorf("ask the bus for a notification service: %w", err)
	}
	var names []string
	if err := c.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.ListActivatableNames", 0).Store(&names); err != nil {
		return false, fmt.Errorf("ask the bus for a notification service: %w", err)
	}
	return has || slices.Contains(names, notificationService), nil
}
