package desktop

import (
	"context"
	"fmt"

	"github.com/godbus/dbus/v5"
)

// nameOwnerChanged matches the signal that a name on the bus came, went or changed hands.
func nameOwnerChanged(name string) []dbus.MatchOption {
	return []dbus.MatchOption{dbus.WithMatchInterface("org.freedesktop.DBus"), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, name)}
}

// watchSignals looks at once, and whenever one of the signals came, until ctx or the
// bus at address ends, or look fails. It calls look on the caller's goroutine.
func watchSignals(ctx context.Context, address string, signals [][]dbus.MatchOption, look func(context.Context, *dbus.Conn) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c, err := connect(ctx, address)
	if err != nil {
		return err
	}
	for _, match := range signals {
		if err := c.AddMatchSignal(match...); err != nil {
			return fmt.Errorf("ask the bus for its signals: %w", err)
		}
	}
	came := make(chan *dbus.Signal, 16)
	c.Signal(came)
	for {
		if err := look(ctx, c); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case _, ok := <-came:
			if !ok {
				return nil
			}
		}
	}
}
