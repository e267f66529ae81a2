//go:build !linux

package stop

import "porthole/monitor"

// isSessionLeader returns false: logind is part of Linux desktops.
func isSessionLeader(monitor.Owner) bool { return false }
