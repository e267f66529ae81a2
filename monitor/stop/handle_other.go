//go:build !linux

package stop

import "porthole/monitor"

func openHandle(o monitor.Owner) (handle, error) { return openByPID(o) }
