package desktop

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
)

// powerSaveCheck is how often WatchQuiet asks. A laptop that is unplugged can wait
// for it.
const powerSaveCheck = 30 * time.Second

// WatchPowerSave calls tell when it becomes true that the machine runs on battery
// or that the session is locked or idle, and when that is over, until ctx ends.
// What cannot be found out counts as not so.
func (s Session) WatchPowerSave(ctx context.Context, log *slog.Logger, tell func(quiet bool)) {
	away, err := s.sessionIdle(ctx)
	if err != nil {
		log.Info("whether the session is locked cannot be asked", "problem", err)
	}
	was := false
	ticker := time.NewTicker(powerSaveCheck)
	defer ticker.Stop()
	for {
		if quiet := onBattery(powerSupplies) || away(); quiet != was {
			was = quiet
			tell(quiet)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// powerSupplies is where Linux shows them (Documentation/ABI/testing/sysfs-class-power).
// Elsewhere there is no such folder, and nothing runs on battery.
const powerSupplies = "/sys/class/power_supply"

// onBattery reports whether a battery of the machine itself, not of a mouse, is
// discharging and no other supply is online.
func onBattery(folder string) bool {
	supplies, err := os.ReadDir(folder)
	if err != nil {
		return false
	}
	discharging := false
	for _, supply := range supplies {
		value := func(name string) string {
			b, _ := os.ReadFile(filepath.Join(folder, supply.Name(), name)) // "" where it has none
			return strings.TrimSpace(string(b))
		}
		switch {
		case value("scope") == "Device":
		case value("type") == "Battery":
			discharging = discharging || value("status") == "Discharging"
		case value("online") == "1":
			return false
		}
	}
	return discharging
}

// sessionIdle returns a question to logind: is the session locked, or idle? Its
// connection closes with ctx. The question is usable where there is an error.
func (s Session) sessionIdle(ctx context.Context) (func() bool, error) {
	no := func() bool { return false }
	id := s["XDG_SESSION_ID"]
	if id == "" {
		return no, nil
	}
	c, err := dbus.ConnectSystemBus(dbus.WithContext(ctx))
	if err != nil {
		return no, fmt.Errorf("connect to the system bus: %w", err)
	}
	var path dbus.ObjectPath
	if err := c.Object(logindName, "/org/freedesktop/login1").CallWithContext(ctx, logindName+".Manager.GetSession", 0, id).Store(&path); err != nil {
		_ = c.Close() // the error that matters is the call's
		return no, fmt.Errorf("ask logind for session %s: %w", id, err)
	}
	session := c.Object(logindName, path)
	return func() bool { return boolProperty(session, "LockedHint") || boolProperty(session, "IdleHint") }, nil
}

func boolProperty(session dbus.BusObject, name string) bool {
	v, err := session.GetProperty(logindName + ".Session." + name)
	if err != nil {
		return false // logind has gone, or the session has
	}
	is, _ := v.Value().(bool)
	return is
}
