package desktop

import (
	"context"
	"fmt"

	"github.com/godbus/dbus/v5"
)

// connect opens a private connection to the bus at address that closes when ctx ends.
func connect(ctx context.Context, address string) (*dbus.Conn, error) {
	c, err := dbus.Connect(address, dbus.WithContext(ctx))
	if err != nil {
		return nil, fmt.Errorf("connect to the bus at %s: %w", address, err)
	}
	return c, nil
}

// PingBus returns an error if the bus at address does not answer before ctx ends.
func PingBus(ctx context.Context, address string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c, err := connect(ctx, address)
	if err != nil {
		return err
	}
	if err := c.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.GetId", 0).Err; err != nil {
		return fmt.Errorf("query the bus at %s: %w", address, err)
	}
	return nil
}

// nameOwnerChanged matches the signal that the owner of a bus name has changed.
func nameOwnerChanged(name string) []dbus.MatchOption {
	return []dbus.MatchOption{dbus.WithMatchInterface("org.freedesktop.DBus"), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, name)}
}

// watchSignals calls check immediately and after each of the signals, on the
// caller's goroutine. It returns nil when ctx or the bus at address ends, and the
// error if check fails.
func watchSignals(ctx context.Context, address string, signals [][]dbus.MatchOption, check func(context.Context, *dbus.Conn) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c, err := connect(ctx, address)
	if err != nil {
		return err
	}
	for _, match := range signals {
		if err := c.AddMatchSignal(match...); err != nil {
			return fmt.Errorf("subscribe to signals: %w", err)
		}
	}
	received := make(chan *dbus.Signal, 16)
	c.Signal(received)
	for {
		if err := check(ctx, c); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case _, ok := <-received:
			if !ok {
				return nil
			}
		}
	}
}
