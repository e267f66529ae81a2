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

// powerSaveCheck is the interval at which WatchPowerSave checks. Saving power may
// start this late after a laptop is unplugged.
const powerSaveCheck = 30 * time.Second

// WatchPowerSave calls report whenever it changes whether to save power, until ctx
// ends: the machine runs on battery, or the session is locked or idle. It starts
// from false. What cannot be determined counts as false.
func (s Session) WatchPowerSave(ctx context.Context, log *slog.Logger, report func(save bool)) {
	idle, err := s.sessionIdle(ctx)
	if err != nil {
		log.Info("can't determine whether the session is locked or idle", "error", err)
	}
	reported := false
	ticker := time.NewTicker(powerSaveCheck)
	defer ticker.Stop()
	for {
		if save := onBattery(powerSupplies) || idle(); save != reported {
			reported = save
			report(save)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// powerSupplies is the directory of the power supplies on Linux
// (Documentation/ABI/testing/sysfs-class-power). It does not exist on other systems.
const powerSupplies = "/sys/class/power_supply"

// onBattery reports whether a battery of the machine (not of a mouse, for example)
// is discharging and no other supply is online.
func onBattery(dir string) bool {
	supplies, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	discharging := false
	for _, supply := range supplies {
		value := func(name string) string {
			b, _ := os.ReadFile(filepath.Join(dir, supply.Name(), name)) // "" if it does not exist
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

// sessionIdle returns a function that asks logind whether the session is locked or
// idle. Its connection closes when ctx ends. The function is usable even if there
// is an error.
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
		_ = c.Close() // the error of the call matters more
		return no, fmt.Errorf("query logind for session %s: %w", id, err)
	}
	session := c.Object(logindName, path)
	return func() bool { return boolProperty(session, "LockedHint") || boolProperty(session, "IdleHint") }, nil
}

// boolProperty returns a property of a logind session, false if it cannot be read.
func boolProperty(session dbus.BusObject, name string) bool {
	v, err := session.GetProperty(logindName + ".Session." + name)
	if err != nil {
		return false // logind or the session has ended
	}
	is, _ := v.Value().(bool)
	return is
}
