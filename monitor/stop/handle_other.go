//go:build !linux

package stop

import "porthole/monitor"

// openHandle returns a processHandle.
func openHandle(o monitor.Owner) (handle, error) { return openByPID(o) }
