package desktop

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// ErrNoNotifications means that no notification service runs on the bus and
// none would be started by a notification.
var ErrNoNotifications = errors.New("no notification service")

// NotificationServer is what a notification service says of itself.
type NotificationServer struct {
	Name, Version string
	Actions       bool // a notification may have buttons, and be clicked
}

// QueryNotifications asks the notification service on the bus at address what it
// is; one that can be started is. Without one the error is ErrNoNotifications.
func QueryNotifications(ctx context.Context, address string) (n NotificationServer, _ error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c, err := connect(ctx, address)
	if err != nil {
		return n, err
	}
	has, err := hasNotifications(ctx, c)
	if err != nil {
		return n, err
	}
	if !has {
		return n, ErrNoNotifications
	}
	var vendor, specification string
	service := c.Object(notificationService, "/org/freedesktop/Notifications")
	if err := service.CallWithContext(ctx, notificationService+".GetServerInformation", 0).Store(&n.Name, &vendor, &n.Version, &specification); err != nil {
		return n, fmt.Errorf("ask the notification service what it is: %w", err)
	}
	var can []string
	if err := service.CallWithContext(ctx, notificationService+".GetCapabilities", 0).Store(&can); err != nil {
		return n, fmt.Errorf("ask the notification service what it can do: %w", err)
	}
	n.Actions = slices.Contains(can, "actions")
	return n, nil
}

// PingBus asks the bus at address for its id: does one answer there?
func PingBus(ctx context.Context, address string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c, err := connect(ctx, address)
	if err != nil {
		return err
	}
	if err := c.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.GetId", 0).Err; err != nil {
		return fmt.Errorf("ask the bus at %s for its id: %w", address, err)
	}
	return nil
}

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
