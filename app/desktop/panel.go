package desktop

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
)

// Style is the style that a desktop prefers.
type Style string

// The styles.
const (
	Dark    Style = "dark"
	Light   Style = "light"
	NoStyle Style = "" // none, or it is not known
)

// settingsPortal is the portal for the settings of the desktop (XDG Desktop Portal
// documentation, org.freedesktop.portal.Settings).
const settingsPortal = "org.freedesktop.portal.Settings"

// WatchStyle calls report with the style that the desktop on the bus at address prefers
// (org.freedesktop.appearance, color-scheme): immediately and whenever it may have changed, on
// the caller's goroutine. It does not start the portal. It returns nil when ctx or the bus ends,
// and an error if the bus cannot be queried.
func WatchStyle(ctx context.Context, address string, report func(Style)) error {
	changed := []dbus.MatchOption{dbus.WithMatchInterface(settingsPortal), dbus.WithMatchMember("SettingChanged"), dbus.WithMatchArg(0, "org.freedesktop.appearance")}
	return watchSignals(ctx, address, [][]dbus.MatchOption{nameOwnerChanged(portalName), changed}, func(ctx context.Context, c *dbus.Conn) error {
		style, err := readStyle(ctx, c)
		if err == nil {
			report(style)
		}
		return err
	})
}

// readStyle asks a portal that is running.
func readStyle(ctx context.Context, c *dbus.Conn) (Style, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var value dbus.Variant
	// Read and not ReadOne, which only version 2 has: its value is a variant in a variant.
	err := c.Object(portalName, portalPath).CallWithContext(ctx, settingsPortal+".Read", dbus.FlagNoAutoStart, "org.freedesktop.appearance", "color-scheme").Store(&value)
	var refused dbus.Error
	if errors.As(err, &refused) || errors.Is(err, context.DeadlineExceeded) { // no portal, or it does not know
		return NoStyle, nil
	}
	if err != nil {
		return NoStyle, fmt.Errorf("query the portal for the style of the desktop: %w", err)
	}
	if inner, ok := value.Value().(dbus.Variant); ok {
		value = inner
	}
	switch value.Value() {
	case uint32(1):
		return Dark, nil
	case uint32(2):
		return Light, nil
	}
	return NoStyle, nil
}

// Panel returns the style of the panel if the desktop prefers a style: that of Plasma's panel
// follows it, and GNOME's is always dark, except for Ubuntu's. Of others it is not known.
func (s Session) Panel(prefers Style) Style {
	switch s.Environment() {
	case KDE:
		return prefers
	case GNOME:
		if !strings.Contains(strings.ToLower(s["XDG_CURRENT_DESKTOP"]), "ubuntu") {
			return Dark
		}
	}
	return NoStyle
}
