//go:build !linux

package stop

import "porthole/monitor"

func hold(o monitor.Owner) (handle, error) { return holdByNumber(o) }
