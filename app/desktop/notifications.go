package desktop

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/godbus/dbus/v5"
)

const notificationService = "org.freedesktop.Notifications"

// ErrNoNotifications means that no notification daemon is running and none can be
// activated.
var ErrNoNotifications = errors.New("no notification daemon")

// NotificationServer describes a notification daemon.
type NotificationServer struct {
	Name, Version string
	Actions       bool // it supports buttons and clicks
}

// QueryNotifications returns the notification daemon on the bus at address, which
// it activates if needed. The error is ErrNoNotifications if there is none.
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
		return n, fmt.Errorf("query the notification daemon: %w", err)
	}
	var capabilities []string
	if err := service.CallWithContext(ctx, notificationService+".GetCapabilities", 0).Store(&capabilities); err != nil {
		return n, fmt.Errorf("query the capabilities of the notification daemon: %w", err)
	}
	n.Actions = slices.Contains(capabilities, "actions")
	return n, nil
}

// WatchNotifications calls present with whether a notification daemon is running on
// the bus at address or can be activated: immediately and whenever one starts or
// ends, on the caller's goroutine. It returns nil when ctx or the bus ends, and an
// error if the bus cannot be queried.
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
		return false, fmt.Errorf("query the bus for a notification daemon: %w", err)
	}
	var names []string
	if err := c.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.ListActivatableNames", 0).Store(&names); err != nil {
		return false, fmt.Errorf("query the bus for a notification daemon: %w", err)
	}
	return has || slices.Contains(names, notificationService), nil
}
