package notify

import (
	"errors"
	"fmt"
	"strings"

	"github.com/godbus/dbus/v5"
)

// Why notifications are not shown, each with what helps. The user is told in the
// words of the interface; these are for the log.
var (
	ErrNoService  = errors.New("no notification service runs: install one, such as dunst, mako or xfce4-notifyd")
	ErrNoResponse = errors.New("the notification service does not answer: end it, and the desktop starts it anew")
	ErrNoBus      = errors.New("there is no session bus: start Porthole from the desktop, or set DBUS_SESSION_BUS_ADDRESS")
)

// wrapCallError wraps what the bus says of a call: that nobody is there, or
// can be started, is ErrNoService.
func wrapCallError(err error) error {
	var refused dbus.Error
	if errors.As(err, &refused) {
		name := strings.TrimPrefix(refused.Name, "org.freedesktop.DBus.Error.")
		if name == "ServiceUnknown" || name == "NameHasNoOwner" || strings.HasPrefix(name, "Spawn.") {
			return fmt.Errorf("%w (%w)", ErrNoService, err)
		}
	}
	return fmt.Errorf("call the notification service: %w", err)
}
