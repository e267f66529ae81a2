package notify

import (
	"errors"
	"fmt"
	"strings"

	"github.com/godbus/dbus/v5"
)

// Reasons why notifications are not shown, each with a fix. These texts are for
// the log; package agent translates them for the user.
var (
	ErrNoService  = errors.New("no notification daemon is running: install one, for example dunst, mako or xfce4-notifyd")
	ErrNoResponse = errors.New("the notification daemon does not respond: quit it, and the desktop starts it again")
	ErrNoBus      = errors.New("no session bus was found: start Porthole from the desktop, or set DBUS_SESSION_BUS_ADDRESS")
)

// wrapCallError wraps the error of a D-Bus call. The result is ErrNoService if no
// daemon owns the name and none can be activated.
func wrapCallError(err error) error {
	var busErr dbus.Error
	if errors.As(err, &busErr) {
		name := strings.TrimPrefix(busErr.Name, "org.freedesktop.DBus.Error.")
		if name == "ServiceUnknown" || name == "NameHasNoOwner" || strings.HasPrefix(name, "Spawn.") {
			return fmt.Errorf("%w (%w)", ErrNoService, err)
		}
	}
	return fmt.Errorf("call the notification daemon: %w", err)
}
