// Package procevents reports which programs start and how processes end, from the
// kernel's process events connector. It needs no privileges since Linux 6.6.
package procevents

// State is what the kernel answered when the events were requested.
type State string

// The states.
const (
	Available   State = "available"
	Refused     State = "refused"     // the kernel or a sandbox denies them
	Silent      State = "silent"      // the request was accepted and has no effect
	Unsupported State = "unsupported" // this system has no such events
)

// Describe says on one line whether there are events.
func Describe(s *Source) string {
	if s.State() == Available {
		return "start and exit events available"
	}
	return "start and exit events " + string(s.State()) + ": " + s.Reason()
}
