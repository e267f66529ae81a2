//go:build !linux

package socket

import "porthole/monitor"

// EphemeralPorts returns nil: the range is not known on this system.
func EphemeralPorts() (ephemeral, reserved monitor.Ports) { return nil, nil }
