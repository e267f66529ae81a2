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
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c, err := connect(ctx, address)
	if err != nil {
		return err
	}
	if err := c.AddMatchSignal(dbus.WithMatchInterface("org.freedesktop.DBus"), dbus.WithMatchMember("NameOwnerChanged"),
		dbus.WithMatchArg(0, notificationService)); err != nil {
		return fmt.Errorf("watch for a notification service: %w", err)
	}
	signals := make(chan *dbus.Signal, 16)
	c.Signal(signals)
	for {
		has, err := hasNotifications(ctx, c)
		if err != nil {
			return err
		}
		present(has)
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
