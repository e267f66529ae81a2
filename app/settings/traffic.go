package settings

import "porthole/monitor/traffic"

// Limits of what is kept of recorded traffic, in MB: a window stays usable on a machine
// with little memory.
const (
	maxTrafficBody   = 64
	maxTrafficMemory = 2048
)

// TrafficLimits returns what a recording of traffic keeps.
func (s Settings) TrafficLimits() traffic.Limits {
	return traffic.Limits{Body: s.TrafficBody << 20, Bodies: int64(s.TrafficMemory) << 20}
}
